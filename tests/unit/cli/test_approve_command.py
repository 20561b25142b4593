"""`cosell approve`: it shows what the mass-change stop holds back, asks, and lets it go at the app's next run."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from emulators.partner_center.emulator import ORGANIZATION
from local.systems import Systems
from shared.app import App
from shared.cli.approve import run_approve
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.sync.runs import run_push, run_sweep

LIMIT = 2


@pytest.fixture
def stopped(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """More ticked opportunities than the limit, and one more deal from Microsoft than that. Returns the former."""
    for name, value in (("SYNC", "on"), ("MASS_CHANGE_LIMIT", str(LIMIT))):
        monkeypatch.setenv(name, value)
    deals = [systems.seller_creates(f"Deal {number}") for number in range(4)]
    for _ in range(LIMIT + 1):
        systems.partner_center.microsoft_sends()
    run_app()
    return deals


def run_app() -> None:
    with closing(App()) as app:
        run_push(app.context)
        run_sweep(app.context)


def approve(
    capsys: pytest.CaptureFixture[str], *, yes: bool = True, dry_run: bool = False
) -> tuple[Exit, dict[str, list[dict[str, object]]]]:
    code = run_approve(Output(as_json=True), yes=yes, dry_run=dry_run)
    document: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return code, document


def linked(systems: Systems) -> int:
    return sum(bool(record["Referral_Identifier__c"]) for record in systems.salesforce.records("Opportunity"))


def test_it_lists_what_waits_and_a_yes_lets_it_go_at_the_next_run(
    systems: Systems, stopped: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert linked(systems) == 2 * LIMIT
    code, document = approve(capsys, dry_run=True)
    assert code is Exit.OK
    assert [(one["name"], one["count"], one["limit"]) for one in document["stops"]] == [
        ("creation|partner_center", 2, LIMIT),
        ("creation|salesforce", 1, LIMIT),
    ]
    assert set(document["stops"][0]["deals"]) < set(stopped)  # type: ignore[call-overload]  # a list of ids
    approve(capsys)
    run_app()
    assert linked(systems) == len(stopped) + LIMIT + 1
    assert approve(capsys)[1]["stops"] == []


@pytest.mark.usefixtures("stopped")
def test_without_a_yes_nothing_goes(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = approve(capsys, yes=False)
    assert code is Exit.PROBLEM
    assert not document["approved"]
    run_app()
    assert linked(systems) == 2 * LIMIT


def test_a_field_that_is_newly_sent_is_shown_with_values_and_goes_after_a_yes(
    systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNC", "on")
    deal = systems.seller_creates("Deal", NextStep="internal: margin 40 %")
    run_app()
    mapping = tmp_path / "other.toml"
    mapping.write_text('extends = "default"\n[fields.notes]\nsalesforce = "NextStep"\n', "utf-8")
    monkeypatch.setenv("MAPPING", str(mapping))
    systems.salesforce.edit("Opportunity", deal, {"Amount": 777})
    run_app()
    code, document = approve(capsys, dry_run=True)
    (field,) = document["fields"]
    assert code is Exit.OK
    assert (field["name"], field["count"]) == ("notes", 1)
    assert field["examples"] == [[deal, "internal: margin 40 %"]]
    (referral,) = systems.partner_center.referrals(ORGANIZATION)
    assert "margin" not in str(referral)
    approve(capsys)
    run_app()
    (referral,) = systems.partner_center.referrals(ORGANIZATION)
    assert "margin 40 %" in referral["details"]["notes"]
