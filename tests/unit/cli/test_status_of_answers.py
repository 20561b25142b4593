"""What `cosell status ID` says of an unanswered deal: how to answer it, what it waits for, and what goes next."""

import json
from typing import Any

import pytest

from local.systems import Systems
from shared.cli.status import run_status
from tests.unit.cli.golden_text import golden_output
from tests.unit.cli.test_status_marks import push, receive

NEXT = (
    "Next: the owner answers it as above. The next push sends that, and `cosell status --env local` shows the result."
)
REASON = {"Closing_Reason__c": "Timeline too short"}


@pytest.fixture
def deal(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> str:
    """An unanswered deal from Microsoft, which waits for the next warning; its opportunity."""
    found = receive(systems, monkeypatch)
    push()
    return found


def document_of(capsys: pytest.CaptureFixture[str], deal: str) -> dict[str, Any]:
    capsys.readouterr()
    run_status(golden_output(as_json=True), deal)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def lines_of(capsys: pytest.CaptureFixture[str], deal: str) -> list[str]:
    capsys.readouterr()
    run_status(golden_output(), deal)
    return capsys.readouterr().out.splitlines()


def test_an_unanswered_deal_says_what_it_waits_for_and_what_comes_next(
    deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = lines_of(capsys, deal)
    assert "   It waits for the next warning that nobody has answered the deal (waiting)." in printed
    assert printed[-1] == NEXT
    assert not any("The next push takes" in line for line in printed)


@pytest.mark.parametrize("values", [{"StageName": "Qualification"}, {"StageName": "Closed Lost", **REASON}])
def test_an_answer_that_the_next_push_takes_ends_the_remedy(
    systems: Systems, deal: str, values: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    systems.salesforce.edit("Opportunity", deal, values)
    printed = lines_of(capsys, deal)
    assert "   The next push takes from Salesforce: Stage." in printed
    assert not any("To accept it" in line for line in printed)
    assert NEXT not in printed
    push()
    assert document_of(capsys, deal)["taken_next"] == []


def test_a_decline_that_waits_for_its_time_is_answered(
    systems: Systems, deal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IRREVERSIBLE_WAIT_SECONDS", "120")
    systems.salesforce.edit("Opportunity", deal, {"StageName": "Closed Lost", **REASON})
    push()
    document = document_of(capsys, deal)
    assert (document["state"], document["how_to_answer"]) == ("on_hold", "")
    assert document["queue_reason"].startswith("It waits because a change that cannot be undone must stand")


def test_a_decline_without_its_reason_is_no_answer(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    systems.salesforce.edit("Opportunity", deal, {"StageName": "Closed Lost"})
    for _ in range(2):
        assert document_of(capsys, deal)["how_to_answer"]
        push()
