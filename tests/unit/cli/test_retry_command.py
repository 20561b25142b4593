"""`cosell sync`, `retry`, `pause` and `resume`: they leave rows in the store, and the app does the work."""

import json
from collections.abc import Callable
from contextlib import closing
from copy import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.exit_codes import Exit
from shared.cli.pause import run_pause, run_resume
from shared.cli.retry import run_retry, run_sync
from shared.domain.deal import Side
from shared.domain.link import Intent
from shared.foundation.errors import ConfigurationError
from shared.operations.health import health_report
from shared.store.stored_values import OPERATOR, RetryEntry
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import check_golden, golden_output

OPPORTUNITY, HELD = "006AA0000000000AAA", "006AA0000000001AAA"


@pytest.fixture
def deal(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in (("SYNC", "on"), ("STORE_FILE", str(tmp_path / "asked.sqlite"))):
        monkeypatch.setenv(name, value)
    deal = systems.seller_creates("Asked deal")
    push()
    push()
    return deal


def push() -> None:
    with closing(App()) as app:
        run_push(app.context)


def entries(side: Side = Side.SALESFORCE) -> dict[str, str]:
    with closing(App()) as app:
        return {one.key: one.cause for one in app.store.retry_entries(side, app.clock.now() + timedelta(days=9), 99)}


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def asked_in(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["asked"]
    return asked


def test_sync_leaves_one_entry_and_the_app_works_it(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    referral = systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    assert run_sync(golden_output(), "sync", [referral, deal[:15]]) is Exit.OK
    assert "works on" in printed(capsys)
    assert entries() == {deal: OPERATOR}
    push()
    assert entries() == {}


def test_an_unknown_id_leaves_nothing(deal: str) -> None:
    with pytest.raises(ConfigurationError, match="knows no opportunity"):
        run_sync(golden_output(), "sync", [deal, "006AA00000999990AA"])
    assert entries() == {}


@pytest.mark.usefixtures("deal")
@pytest.mark.parametrize(("deal_id", "cause", "all_deals"), [(None, None, False), (None, "x", True), ("i", "x", False)])
def test_a_retry_names_one_choice(deal_id: str | None, cause: str | None, all_deals: bool) -> None:
    with pytest.raises(ConfigurationError, match="--cause CODE"):
        run_retry(golden_output(), deal_id, cause, all_deals=all_deals)


@pytest.mark.usefixtures("deal")
def test_retry_takes_what_is_held_by_its_cause_or_all(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    held = systems.seller_creates("Held deal", country=None)
    push()
    run_retry(golden_output(as_json=True), None, "nothing_like_it", all_deals=False)
    assert asked_in(capsys) == []
    run_retry(golden_output(as_json=True), None, None, all_deals=True)
    (asked,) = asked_in(capsys)
    assert asked["key"] == held
    code = asked["causes"][0]
    run_retry(golden_output(as_json=True), None, code, all_deals=False)
    assert [one["key"] for one in asked_in(capsys)] == [held]
    assert entries() == {held: OPERATOR}


def test_it_says_that_the_app_works_on_the_pair(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(App()) as app:
        entry = app.store.link(deal)
        assert entry is not None
        app.store.replace_link(entry, replace(entry.value, intent=Intent()))
    run_retry(golden_output(), deal, None, all_deals=False)
    assert f"The app works on {deal} now." in printed(capsys)


def test_it_says_that_the_deal_waits_for_an_approval(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(App()) as app:
        app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, deal, app.clock.now(), "mass_change"))
    assert run_retry(golden_output(), deal, None, all_deals=False) is Exit.PROBLEM
    assert "cosell approve" in printed(capsys)
    assert entries() == {deal: "mass_change"}


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(6, ": a run takes long, or the app does not run."), (14, "The app does not run: no push has ended since")],
)
def test_it_says_that_the_app_does_not_run(
    deal: str, capsys: pytest.CaptureFixture[str], minutes: int, said: str
) -> None:
    with closing(App()) as app:
        app.store.move_cursor("push_done", app.clock.now() - timedelta(minutes=minutes))
    run_sync(golden_output(), "sync", [deal])
    assert said in printed(capsys)


def test_it_says_that_the_sync_is_not_on(
    deal: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC", "preview")
    run_sync(golden_output(), "sync", [deal])
    assert "SYNC is preview" in printed(capsys)


def test_a_pause_is_shown_in_health_and_ended(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_pause(golden_output(), "push")
    run_sync(golden_output(), "sync", [deal])
    run_pause(golden_output(), None)
    assert "The push is paused already." in printed(capsys)
    with closing(App()) as app:
        assert health_report(app)["paused"] == ["push", "pull"]
    push()
    assert entries() == {deal: OPERATOR}
    run_resume(golden_output(), None)
    push()
    assert entries() == {}


def test_what_the_commands_print(systems: Systems, deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    held = systems.seller_creates("Held deal", country=None)
    push()
    steps: dict[str, Callable[[], Exit]] = {
        "retry": lambda: run_retry(golden_output(), None, None, all_deals=True),
        "sync": lambda: run_sync(golden_output(), "sync", [deal]),
        "pause": lambda: run_pause(golden_output(), None),
        "resume": lambda: run_resume(golden_output(), None),
    }
    for name, run in steps.items():
        run()
        check_golden(name, printed(capsys), {deal: OPPORTUNITY, held: HELD})
