"""Many deals, with and without faults, and that their judge finds what is lost, doubled or different."""

from dataclasses import replace

import pytest

from tests.simulation import scale
from tests.simulation.oracle import Left
from tests.simulation.scale import run
from tests.simulation.scale_deals import Deals
from tests.simulation.scale_judge import judge_all
from tests.unit.sync.harness import Harness


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_many_deals_lose_and_double_nothing_and_cost_few_calls(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(200, 800, 0.0) == 0, capsys.readouterr().out
    assert "200 deals linked" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_many_deals_lose_and_double_nothing_while_calls_fail(capsys: pytest.CaptureFixture[str]) -> None:
    run(200, 800, 0.2)  # so few deals cost 1.9 to 2.1 calls for each fault, by chance: a larger run judges that
    assert "0 findings" in capsys.readouterr().out


def test_a_few_deals_cost_few_calls(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(30, 90, 0.0) == 0, capsys.readouterr().out
    assert "times the floor" in capsys.readouterr().out


def test_too_many_calls_fail_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(scale, "MOST_WITHOUT_FAULTS", 0.1)
    assert run(2, 4, 0.0) == 1
    assert "WRONG: too many calls" in capsys.readouterr().out


def left_by(harness: Harness, deals: Deals) -> Left:
    """The records of two deals, of which one has an edit that did not travel."""
    opportunities, accounts = map(harness.salesforce.records, ("Opportunity", "Account"))
    return Left(opportunities, harness.our_referrals(), accounts, [], deals.edits)


@pytest.mark.slow
def test_the_judge_finds_what_differs_what_is_doubled_and_what_is_alone() -> None:
    with Harness() as harness:
        deals = Deals(harness, harness.salesforce.chance)
        deals.make(2)
        harness.push_until_quiet()
        deals.find_linked()
        assert list(judge_all(left_by(harness, deals))) == []
        deals.edit(1)
        left = left_by(harness, deals)
        found = {finding.partition(":")[0] for finding in judge_all(left)}
        assert found & {"differs", "marked", "lost"}
        twice = replace(left, referrals=[*left.referrals, {**left.referrals[0], "id": "another"}])
        assert any(finding.startswith("doubled: reference") for finding in judge_all(twice))
        alone = replace(left, opportunities=left.opportunities[1:])
        assert any(finding.endswith("has no opportunity") for finding in judge_all(alone))
