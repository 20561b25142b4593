"""`cosell compare`: it prints what differs with both values, and with `--repair` the app mends it in its next run."""

import json
from collections.abc import Callable
from contextlib import closing
from copy import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.compare import MEANINGS, run_command_compare
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.status import run_status
from shared.domain.compared import FindingKind
from shared.domain.deal import Money
from shared.sync.runs import run_push

type Compare = Callable[[bool], tuple[Exit, dict[str, object]]]


@pytest.fixture
def deal(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deal whose amount differs, although the store believes that both sides have agreed on it."""
    for name, value in (("SYNC", "on"), ("STORE_FILE", str(tmp_path / "compared.sqlite"))):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("shared.operations.compare_pairs.GRACE", timedelta(seconds=-60))
    monkeypatch.setattr("shared.domain.compared.GRACE", timedelta(seconds=-60))
    deal = systems.seller_creates("Compared deal", Amount=25_000)
    push()
    push()
    with closing(App()) as app:
        entry = app.store.link(deal)
        assert entry is not None
        (referral,) = systems.partner_center.referrals()
        edit = {"op": "replace", "path": "/details/dealValue", "value": 31_000}
        systems.partner_center.portal_edits(referral["id"], [edit])
        money = entry.value.base["money"]
        assert isinstance(money, Money)
        base = entry.value.base.with_values({"money": replace(money, amount=money.amount + 6_000)})
        app.store.replace_link(entry, replace(entry.value, base=base))
    return deal


def push() -> None:
    """Let the app run its minute timer."""
    with closing(App()) as app:
        run_push(app.context)


def compare(capsys: pytest.CaptureFixture[str], *, repair: bool = False) -> tuple[Exit, dict[str, object]]:
    code = run_command_compare(Output(as_json=True), repair=repair)
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, document


def test_drift_is_shown_with_both_values_and_repaired_by_the_app(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = compare(capsys)
    drift = {"field": "money", "label": "Amount", "salesforce": "25000.00 USD", "partner_center": "31000.00 USD"}
    (referral,) = systems.partner_center.referrals()
    found = {"kind": "drift", "opportunity_id": deal, "referral_id": referral["id"], "drift": [drift], "other": None}
    assert (code, document["ok"], document["findings"]) == (Exit.PROBLEM, False, [found])
    push()
    assert systems.salesforce.record("Opportunity", deal)["Amount"] == 25_000, "nothing is mended unless it is asked"
    assert compare(capsys, repair=True)[1]["repaired"] is True
    push()
    (referral,) = systems.partner_center.referrals()
    assert systems.salesforce.record("Opportunity", deal)["Amount"] == referral["details"]["dealValue"] == 25_000
    assert compare(capsys)[0] is Exit.OK


def test_people_read_a_table_and_what_to_do(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_compare(Output(), repair=False) is Exit.PROBLEM
    text = capsys.readouterr().out
    assert all(part in text for part in (deal, "Amount", "25000.00 USD", "31000.00 USD", "cosell compare --repair"))
    assert "Compared: 1 links" in text


@pytest.mark.usefixtures("deal")
def test_status_shows_when_it_ended_beside_the_daily_compare(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(App()) as app:
        assert app.store.cursor("push_done") is not None
        before = app.clock.now()  # after a read of the store, by whose clock ours goes
    compare(capsys)
    run_status(Output(as_json=True))
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert (runs["compare"], datetime.fromisoformat(runs["manual_compare"]) >= before) == (None, True)
    run_status(Output())
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines() if "compare " in line]
    assert [[cell.strip()[-3:] for cell in row] for row in rows] == [["are", "ver"], ["are", "ago"]], (
        "the daily one never, the manual one now"
    )


def test_of_two_referrals_the_one_to_close_is_the_one_that_is_not_synced(
    systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "compared.sqlite"))
    monkeypatch.setenv("SYNC", "on")
    for module in ("domain.compared", "operations.compare_lists", "operations.compare_pairs"):
        monkeypatch.setattr(f"shared.{module}.GRACE", timedelta(seconds=-60))
    deal = systems.seller_creates("Doubled deal")
    older = systems.partner_center.portal_creates({"externalReferenceId": deal})  # the younger one is synced
    push()
    run_command_compare(Output(), repair=False)
    printed = " ".join(capsys.readouterr().out.split())
    (synced,) = [one["id"] for one in systems.partner_center.referrals() if one["id"] != older]
    assert "close the one that stands second in its line" in printed
    assert f"{deal} {older} {synced}" in printed


def test_every_kind_of_finding_has_a_meaning_and_a_remedy() -> None:
    assert set(MEANINGS) == set(FindingKind)
