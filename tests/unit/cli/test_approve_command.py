"""`cosell approve`: it shows what the mass-change stop holds back, asks, and lets it go at the app's next run."""

import io
import json
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from emulators.partner_center.emulator import ORGANIZATION
from local.systems import Systems
from shared.app import App
from shared.cli.approve import run_approve
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.sync.runs import run_push, run_sweep
from tests.unit.cli.golden_text import check_golden, golden_output
from tests.unit.sync.inbound_deals import CUSTOMER, DETAILS

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
    assert [one["gone"] for one in document["stops"]] == [LIMIT, LIMIT]
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


def test_names_and_values_of_what_waits_are_shown_before_it_asks(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNC", "on")
    monkeypatch.setenv("PARALLELISM", "1")  # so that the same deals are stopped each time
    linked_deals = [systems.seller_creates(f"Deal [{number}]", Amount=1_000 + number) for number in range(6)]
    run_app()
    run_app()
    monkeypatch.setenv("MASS_CHANGE_LIMIT", str(LIMIT))
    for deal in linked_deals:
        systems.salesforce.edit("Opportunity", deal, {"Amount": 5})
    new = [systems.seller_creates(f"New {number}") for number in range(9)]
    arriving = [
        systems.partner_center.microsoft_sends(
            name=f"Arriving {number}",
            customerProfile={**CUSTOMER, "name": f"Customer {number}", "team": []},
            details=DETAILS,
        )
        for number in range(3)
    ]
    run_app()
    assert run_approve(golden_output(), yes=False, dry_run=True) is Exit.OK
    ids = {key: f"006AA000000000{number:02}AA" for number, key in enumerate([*linked_deals, *new])}
    ids |= {key: f"00000000-0000-4000-8000-0000000000{number:02}" for number, key in enumerate(arriving)}
    printed = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "0000-00-00 00:00 UTC", capsys.readouterr().out)
    check_golden("approve", printed, ids)
    (money,) = (stop for stop in approve(capsys, dry_run=True)[1]["stops"] if stop["field"] == "money")
    first = cast("list[dict[str, list[dict[str, str]]]]", money["waiting"])[0]
    assert [(one["old"], one["new"]) for one in first["changes"]] == [("1002.00 USD", "5.00 USD")]
    assert run_approve(golden_output(), yes=True, dry_run=False) is Exit.OK
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "Approved. The app goes on with it at its next runs, while SYNC is on.",
        "What it has not changed within two days is counted anew.",
        "Next: `cosell status --env local` names who approved it until the app has worked it, and what still waits.",
    ]


@pytest.mark.usefixtures("stopped")
def test_without_a_terminal_it_says_so_and_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_approve(golden_output(), yes=False, dry_run=False) is Exit.PROBLEM
    assert capsys.readouterr().out.splitlines()[-1] == (
        "Nothing was changed: there is no terminal to ask in. To let it go, run `cosell approve --env local --yes`."
    )


@pytest.mark.parametrize(("number", "asked"), [(1, "this change"), (2, "these 2 changes")])
def test_a_person_reads_a_question_with_its_number_and_the_answers(
    number: int, asked: str, systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("SYNC", "on"), ("MASS_CHANGE_LIMIT", str(LIMIT))):
        monkeypatch.setenv(name, value)
    for each in range(LIMIT + number):
        systems.seller_creates(f"Deal {each}")
    run_app()
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert run_approve(golden_output(), yes=False, dry_run=False) is Exit.PROBLEM
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"Let {asked} go? [y/N] Nothing was changed. "
        "To let it go, answer yes, or run `cosell approve --env local --yes`."
    )


def test_what_waits_can_be_approved_while_a_side_does_not_answer(
    systems: Systems, stopped: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    systems.salesforce.oauth.sessions.clear()
    systems.salesforce.edit("User", systems.salesforce.records("User")[0]["Id"], {"IsActive": True})
    code, document = approve(capsys)
    assert (code, bool(document["approved"]), len(stopped)) == (Exit.OK, True, 4)
