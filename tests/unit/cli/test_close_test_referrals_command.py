"""`cosell close-test-referrals`: it lists, asks, and leaves to the app what the app closes within its next run."""

import json
import sys
from contextlib import closing
from pathlib import Path

import pytest

from emulators.partner_center.emulator import ORGANIZATION
from local.systems import REST_SECONDS, Systems
from shared.app import App
from shared.cli.close_test_referrals import run_close_test_referrals
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.domain.deal import Side
from shared.foundation.errors import ConfigurationError
from shared.sync.runs import run_push

AMOUNT = 25_000


@pytest.fixture
def deal(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deal that the app of staging has created."""
    for name, value in (("ENVIRONMENT", "staging"), ("SYNC", "on"), ("STORE_FILE", str(tmp_path / "staging.sqlite"))):
        monkeypatch.setenv(name, value)
    systems.salesforce.set_sandbox(on=True)
    deal = systems.seller_creates("Test deal", Amount=AMOUNT)
    push()
    return deal


def push() -> None:
    """Let the app run its minute timer."""
    with closing(App()) as app:
        run_push(app.context)


def close(
    capsys: pytest.CaptureFixture[str], *, yes: bool = True, dry_run: bool = False
) -> tuple[Exit, dict[str, object]]:
    code = run_close_test_referrals(Output(as_json=True), yes=yes, dry_run=dry_run)
    document: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, document


def statuses(systems: Systems) -> list[str]:
    return [f"{one['status']}/{one['substatus']}" for one in systems.partner_center.referrals(ORGANIZATION)]


def queued() -> list[tuple[str, str]]:
    """The pairs that wait for the app, with the cause."""
    with closing(App()) as app:
        entries = app.store.retry_entries(Side.SALESFORCE, app.local.clock.now(), 10)
        return [(entry.key, entry.cause) for entry in entries]


def test_after_a_yes_the_app_closes_the_referral_and_the_opportunity_shows_it(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (referral,) = systems.partner_center.referrals(ORGANIZATION)
    code, document = close(capsys)
    assert (code, document["ok"], document["requested"]) == (Exit.OK, True, [referral["id"]])
    described = {
        "id": referral["id"],
        "name": "Test deal",
        "amount": "25000.00 USD",
        "opportunity_id": deal,
        "obstacle": "",
    }
    assert document["referrals"] == [described]
    assert statuses(systems) == ["Active/Accepted"], "the command writes no referral"
    systems.salesforce.clock.advance(REST_SECONDS)
    push()
    assert statuses(systems) == ["Closed/Error"]
    record = systems.salesforce.record("Opportunity", deal)
    assert record["StageName"] == "Closed Lost"
    assert "close this deal in Partner Center as an error" in record["Audit__c"]
    assert close(capsys)[1] == {"ok": True, "referrals": [], "requested": []}


@pytest.mark.parametrize(("dry_run", "code"), [(True, Exit.OK), (False, Exit.PROBLEM)])
def test_without_a_yes_nothing_is_requested(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str], *, dry_run: bool, code: Exit
) -> None:
    found, document = close(capsys, yes=False, dry_run=dry_run)
    assert (found, document["requested"]) == (code, [])
    assert (queued(), statuses(systems)) == ([], ["Active/Accepted"])
    assert deal


def test_people_read_name_amount_and_id_and_are_asked(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)

    def answer_yes(_: object, question: str) -> str:
        questions.append(question)
        return "y"

    monkeypatch.setattr("rich.console.Console.input", answer_yes)
    assert run_close_test_referrals(Output(), yes=False, dry_run=False) is Exit.OK
    text = capsys.readouterr().out
    (referral,) = systems.partner_center.referrals(ORGANIZATION)
    assert all(part in text for part in ("Test deal", "25000.00 USD", referral["id"], deal))
    assert "The app closes 1 within a minute" in text
    assert questions == ["Close 1 as error: Test referral, which cannot be undone? \\[y/N] "]
    assert queued() == [(deal, "close_as_test")]


def test_what_the_app_cannot_close_is_told_and_ends_with_a_problem(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_FILE", str(tmp_path / "another.sqlite"))
    code, document = close(capsys)
    assert (code, document["requested"]) == (Exit.PROBLEM, [])
    assert f"does not link opportunity {deal}" in str(document["referrals"])
    assert statuses(systems) == ["Active/Accepted"]


def test_production_is_refused(deal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(ConfigurationError, match="in production no referral is a test"):
        run_close_test_referrals(Output(), yes=True, dry_run=False)
    monkeypatch.setenv("ENVIRONMENT", "staging")
    assert (queued(), bool(deal)) == ([], True)
