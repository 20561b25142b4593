"""`cosell sync`, `retry`, `pause` and `resume`: they leave rows in the store, and the app does the work."""

import json
from collections.abc import Callable
from contextlib import closing
from copy import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.exit_codes import Exit
from shared.cli.pause import run_pause, run_resume
from shared.cli.preview import run_preview
from shared.cli.retry import run_retry, run_sync, where_results_are
from shared.cli.status import run_status
from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.link import Difference, Intent, Unshown
from shared.domain.scope import long_id
from shared.foundation.errors import ConfigurationError
from shared.operations.ask_app import Asked
from shared.operations.health import health_report
from shared.operations.status_report import status_report
from shared.store.stored_values import EVENT, OPERATOR, RetryEntry
from shared.sync.ports import BUSY, Outcome, Result
from shared.sync.retry_queue import queue_pair
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import check_golden, golden_output

REFERRAL = "0a1b2c3d-0000-4000-8000-000000000001"
OPPORTUNITY, HELD = "006AA0000000000AAA", "006AA0000000001AAA"
NOON = datetime(2026, 12, 3, 12, tzinfo=UTC)
REFUSED = Difference("0" * 16, "refused_by_salesforce", NOON)


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
        run_sync(golden_output(), "sync", [deal, long_id("006AA0000099999")])
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
    run_retry(golden_output(as_json=True), None, "missing_name", all_deals=False)
    assert asked_in(capsys) == []
    run_retry(golden_output(), None, "missing_name", all_deals=False)
    said = "No deal has the cause missing_name now. The app may have tried it already, after an edit: "
    assert printed(capsys).startswith(f"{said}`cosell status --env local` shows")
    run_retry(golden_output(as_json=True), None, None, all_deals=True)
    (asked,) = asked_in(capsys)
    assert asked["key"] == held
    code = asked["causes"][0]
    run_retry(golden_output(as_json=True), None, code, all_deals=False)
    assert [one["key"] for one in asked_in(capsys)] == [held]
    assert entries() == {held: OPERATOR}


@pytest.mark.usefixtures("deal")
def test_all_of_many_are_asked_for_and_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.cli.retry.AT_ONCE", 10)
    keys = [f"006AA00000009{number:02}0AA" for number in range(25)]
    with closing(App()) as app:
        for key in keys:
            app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, key, app.clock.now() + timedelta(hours=1), "Locked"))
    assert run_retry(golden_output(), None, None, all_deals=True) is Exit.OK
    text = printed(capsys)
    assert ("And 5 more." in text, "The app begins to work on 25 within a minute." in text) == (True, True)
    assert entries() == dict.fromkeys(keys, OPERATOR)


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            "nonsense",
            "Deals have these causes now: missing_country. `cosell status` shows which$",
        ),
        ("answer_due", "waits for the owner's answer, which a retry does not replace: `cosell status` names"),
        ("mising_country", "Did you mean missing_country?"),
        ("mass_change", "run `cosell approve`"),
    ],
)
@pytest.mark.usefixtures("deal")
def test_a_cause_that_nothing_has_is_refused(systems: Systems, cause: str, said: str) -> None:
    systems.seller_creates("Held deal", country=None)
    push()
    with pytest.raises(ConfigurationError, match=said):
        run_retry(golden_output(), None, cause, all_deals=False)


def test_where_no_deal_has_a_cause_a_wrong_one_is_told_so(deal: str) -> None:
    said = "No deal has a cause now that a retry takes: `cosell status` shows what else waits$"
    with pytest.raises(ConfigurationError, match=f"'nonsense' is no cause that a deal has or the app knows. {said}"):
        run_retry(golden_output(), None, "nonsense", all_deals=False)
    assert deal not in entries()


def test_a_retry_of_a_deal_with_nothing_wrong_says_so_and_leaves_nothing(
    deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_retry(golden_output(), deal, None, all_deals=False) is Exit.OK
    assert f"Nothing of {deal} (Asked deal) is held, parked or failed" in (said := printed(capsys))
    assert "works on" not in said
    assert entries() == {}


def test_a_retry_answers_about_the_id_that_was_typed_and_names_the_deal(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    referral = systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    named = f"{referral} (Asked deal, opportunity {deal})"
    run_retry(golden_output(), referral.upper(), None, all_deals=False)
    said = printed(capsys)
    assert f"Nothing of {named} is held" in said
    assert f"`cosell sync --env local {referral}` lets" in said
    run_sync(golden_output(), "sync", [referral])
    assert f"Asked for:\n   {named}\n" in printed(capsys)
    with closing(App()) as app:
        app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, deal, app.clock.now(), "mass_change"))
    run_retry(golden_output(), referral, None, all_deals=False)
    assert f"{named} waits for an approval" in printed(capsys)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"cause": Cause("missing_country", "account", "It has no country.", "Enter it.")}, "It has no country."),
        ({"refused": {"salesforce.money": REFUSED}}, "A service refused a value of it."),
        ({"unshown": Unshown(("Audit__c",), NOON)}, "Salesforce refuses columns of it."),
        ({"unshown": Unshown(("Audit__c",), NOON, Cause("X", None, "No.", ""))}, "Salesforce says (X): No."),
    ],
)
def test_each_cause_is_said_in_words(
    deal: str, state: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(App()) as app:
        entry = app.store.link(deal)
        assert entry is not None
        app.store.replace_link(entry, replace(entry.value, **state))
    for asked in ((deal, False), (None, True)):
        run_retry(golden_output(), asked[0], None, all_deals=asked[1])
        assert f"   {deal} (Asked deal): {said} (" in printed(capsys)


def test_a_retry_takes_no_held_referral_that_has_an_opportunity(
    systems: Systems, deal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Earlier builds, and a pull while the push is paused, queue the referral of a held opportunity."""
    referral = systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"]
    with closing(App()) as app:
        app.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, referral, app.clock.now(), "held"))
        app.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, REFERRAL, app.clock.now(), "held"))
    run_retry(golden_output(as_json=True), None, "held", all_deals=False)
    assert [one["key"] for one in asked_in(capsys)] == [REFERRAL]


@pytest.mark.usefixtures("deal")
def test_a_retry_takes_no_event_of_a_burst_unless_its_referral_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The next push works it anyhow. Who names it wants both sides read: an event alone would know shortcuts."""
    with closing(App()) as app:
        app.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, REFERRAL, app.clock.now(), EVENT))
    run_retry(golden_output(as_json=True), None, None, all_deals=True)
    assert asked_in(capsys) == []
    assert run_retry(golden_output(), REFERRAL, None, all_deals=False) is Exit.OK
    with closing(App()) as app:
        entry = app.store.retry_entry(Side.PARTNER_CENTER, REFERRAL)
    assert entry is not None
    assert (entry.cause, entry.asked is not None) == (OPERATOR, True)


def test_status_names_who_has_asked_until_the_app_has_worked_it(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_sync(golden_output(), "sync", [deal])
    printed(capsys)
    for asked_for in (None, deal):
        assert run_status(golden_output(), asked_for) is Exit.OK
        assert "by local, " in printed(capsys)
    with closing(App()) as app:
        (request,) = status_report(app).asked
    assert (request.key, request.operator) == (deal, "local")
    push()
    with closing(App()) as app:
        assert status_report(app).asked == []
    run_status(golden_output(), deal)
    assert "by local" not in printed(capsys)


def test_a_request_stays_named_while_the_pair_is_busy(deal: str) -> None:
    run_sync(golden_output(), "sync", [deal])
    with closing(App()) as app:
        queue_pair(app.local, Side.SALESFORCE, deal, BUSY)
        (request,) = status_report(app).asked
        assert (request.operator, request.at is None) == ("local", False)
        worked = app.store.retry_entry(Side.SALESFORCE, deal)
        queue_pair(app.local, Side.SALESFORCE, deal, Outcome(Result.RETRY, "Unavailable"), worked)
        assert status_report(app).asked == []
    assert entries() == {deal: "Unavailable"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(Side.SALESFORCE, OPPORTUNITY, ("missing_country",)), "The result is in the Audit"),
        (Asked(Side.SALESFORCE, OPPORTUNITY, ("refused_columns",)), "names those that it still refuses"),
        (Asked(Side.PARTNER_CENTER, "0a1b2c3d-0000-4000-8000-000000000001"), "leaves the tab Co-sell Inbox"),
        (Asked(Side.PARTNER_CENTER, REFERRAL, has_opportunity=True), "The result is in the Audit"),
        (Asked(Side.PARTNER_CENTER, "M|0a1b2c3d-0000-4000-8000-000000000001"), "no longer listed by `cosell status`"),
    ],
)
def test_a_retry_says_where_the_result_is_seen(asked: Asked, said: str) -> None:
    (sentence,) = where_results_are([asked])
    assert said in sentence


def test_it_says_that_the_app_works_on_the_pair(deal: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(App()) as app:
        entry = app.store.link(deal)
        assert entry is not None
        app.store.replace_link(entry, replace(entry.value, intent=Intent()))
    run_retry(golden_output(), deal, None, all_deals=False)
    assert f"The app works on {deal} (Asked deal) now." in printed(capsys)


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


@pytest.mark.usefixtures("deal")
def test_what_the_next_run_tries_anyway_is_listed_and_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Status, preview and a retry of all have one list, which names each cause."""
    with closing(App()) as app:
        now = app.clock.now()
        for side, key, cause, at in (
            (Side.PARTNER_CENTER, REFERRAL, "busy", now - timedelta(seconds=9)),
            (Side.PARTNER_CENTER, f"M|{REFERRAL}", "not_shown", now + timedelta(minutes=40)),
            (Side.SALESFORCE, OPPORTUNITY, "mass_change", now + timedelta(minutes=40)),
        ):
            app.store.put_retry_entry(RetryEntry(side, key, at, cause, since=now))
    busy = "1 x Another run had the deal, so the app looks at it once more (busy): "
    run_status(golden_output())
    status = printed(capsys)
    run_preview(golden_output(), all_deals=True)
    preview = printed(capsys)
    for text in (status, preview):
        assert f"{busy}{REFERRAL}, tried with the next run" in text
        assert "1 x Microsoft or a partner has a record" in text
        assert "1 x Unusually many changes wait" in text
    run_retry(golden_output(as_json=True), None, None, all_deals=True)
    document = json.loads(printed(capsys))
    assert [one["key"] for one in document["asked"]] == [f"M|{REFERRAL}"]
    assert sorted(one["cause"] for one in document["left"]) == ["busy", "mass_change"]
    assert entries(Side.PARTNER_CENTER)[REFERRAL] == "busy"
    run_retry(golden_output(), None, None, all_deals=True)
    text = printed(capsys)
    assert text.index("Not asked for, because a retry changes nothing:") < text.index(busy)
