"""`cosell status` and `cosell explain`: what they print of all deals, of one deal, and of one field of it."""

import json
from collections.abc import Iterator
from contextlib import closing
from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import convert

from local.systems import Systems
from shared import __version__
from shared.app import App
from shared.cli.exit_codes import Exit
from shared.cli.explain import print_change, run_explain
from shared.cli.next_command import CommandOptions
from shared.cli.output import Output
from shared.cli.preview import run_preview
from shared.cli.status import age, run_status
from shared.domain.answer_clock import AnswerTime
from shared.domain.cause import Cause
from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.deal import Deal, Side
from shared.domain.link import Difference, Link, Pointer, Unshown
from shared.domain.link_states import State
from shared.foundation.errors import ConfigurationError
from shared.operations.explain_field import FieldChange
from shared.operations.refused_columns import column_remedy
from shared.operations.status_report import status_report
from shared.store.stored_values import OPERATOR, RetryEntry
from shared.sync.runs import run_push, run_sweep
from tests.unit.cli.golden_text import WIDTH, check_golden

OPPORTUNITY = "006AA0000000000AAA"
REFERRAL = "00000000-0000-4000-8000-000000000000"
PARKED = Cause("FIELD_CUSTOM_VALIDATION_EXCEPTION", "money", "Amount is [too] high\x1b[2J", "Correct the rule.")

NAMED = Deal({"name": "Deal [bold]\x1b[31m"})
LOCKED = Cause("TRIGGER", "Audit__c", "The column is [locked]\x1b[2J.", "Ask.")


@pytest.fixture(autouse=True)
def _golden_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.cli.output.PLAIN_WIDTH", WIDTH)
    monkeypatch.setenv("SYNC", "on")


@pytest.fixture
def deal(systems: Systems) -> tuple[str, str]:
    """A deal in step whose amount a seller has just raised; the ids of both sides."""
    deal = systems.seller_creates("Deal [bold]\x1b[31m", Amount=25_000)
    push()
    push()
    systems.salesforce.edit("Opportunity", deal, {"Amount": 31_000})
    (referral,) = systems.partner_center.referrals()
    return deal, referral["id"]


def push() -> None:
    with closing(App()) as app:
        run_push(app.context)


def output(*, as_json: bool = False) -> Output:
    return Output(as_json=as_json, complete=CommandOptions("local").complete)


@pytest.fixture
def trouble(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A store with a deal of each kind of trouble. Whoever opens a side or the vault fails."""
    assert systems.environ
    for name in ("vault", "salesforce", "partner_center", "sign_in"):
        monkeypatch.setattr(App, name, property(lambda _: pytest.fail("it reads more than the table")))
    app, now = App(), datetime.now(UTC)
    hour = now - timedelta(hours=1, minutes=1)
    refused = {"salesforce.money": Difference("0" * 16, "refused_by_salesforce", hour)}
    waiting = {"money": Difference("0" * 16, MASS_CHANGE, hour)}
    held = Cause("missing_country", "account", "The account has no country.", "Please enter a country.")
    answer = AnswerTime(now + timedelta(days=1, hours=23, minutes=30))
    links = (
        Link("006AA0000000001AAA", State.HELD, cause=held),
        Link("006AA0000000002AAA", State.HELD, cause=held, base=NAMED),
        Link("006AA0000000003AAA", State.PARKED, cause=PARKED, refused=refused, base=NAMED),
        Link("006AA0000000004AAA", unshown=Unshown(("Audit__c",), hour, LOCKED)),
        Link("006AA0000000005AAA", waiting=waiting),
        Link("006AA0000000006AAA", State.ON_HOLD, answer_by=answer),
    )
    for link in links:
        app.store.insert_link(link)
    app.store.insert_pointer(REFERRAL, Pointer(inbox="0" * 16))
    for side, key, cause in (
        (Side.SALESFORCE, "006AA0000000002AAA", "held"),
        (Side.PARTNER_CENTER, REFERRAL, "refused"),
        (Side.SALESFORCE, "006AA0000000009AAA", "Unavailable"),
    ):
        app.store.put_retry_entry(RetryEntry(side, key, now, cause, 2, since=hour))
    app.store.move_cursors({"push_done": now, "ends|salesforce-private-key": datetime(2027, 1, 2, 3, tzinfo=UTC)})
    yield app
    app.close()


@pytest.mark.usefixtures("trouble")
def test_status_groups_all_trouble_with_remedy_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_status(output()) is Exit.PROBLEM
    check_golden("status", capsys.readouterr().out, {__version__: "0.0.0"})


def test_each_group_has_its_command_in_json(trouble: App, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = [group.kind for group in status_report(trouble).groups]
    assert kinds == ["held", "parked", "columns", "inbox", "answer", "stopped", "late"]
    run_status(output(as_json=True))
    document = json.loads(capsys.readouterr().out)
    assert document["groups"][2]["reason"] == f"Salesforce says (TRIGGER of Audit__c): {LOCKED.reason}"
    assert document["groups"][0]["command"] == "cosell retry --env local --cause missing_country"


@pytest.mark.usefixtures("trouble")
def test_explain_reads_the_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_explain(output(), "006AA0000000003AAA", "money") is Exit.OK
    assert "Salesforce refused the later value (refused_by_salesforce)" in capsys.readouterr().out


@pytest.mark.usefixtures("systems")
def test_what_the_schedule_lets_wait_is_no_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(App()) as app:
        now = app.clock.now()
        for key, cause in (("006AA0000000001AAA", "busy"), ("006AA0000000002AAA", "just_saved")):
            app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, key, now, cause, since=now))
    assert run_status(output()) is Exit.OK
    assert "Nothing is wrong." in capsys.readouterr().out


@pytest.mark.usefixtures("systems")
def test_the_example_of_another_partys_record_is_an_id_that_status_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with closing(App()) as app:
        now = app.clock.now()
        since = now - timedelta(hours=2)
        app.store.put_retry_entry(RetryEntry(Side.PARTNER_CENTER, f"M|{REFERRAL}", now, "not_shown", 3, since=since))
        (group,) = status_report(app).groups
    assert (group.example, group.code) == (REFERRAL, "not_shown")
    assert run_status(output(), group.example) is Exit.PROBLEM
    assert "the record of Microsoft or of another partner" in capsys.readouterr().out


@pytest.mark.usefixtures("systems")
def test_the_table_names_the_pause_and_the_mode_of_the_first_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC", "preview")
    with closing(App()) as app:
        app.store.pause_direction("push", app.clock.now(), "local")
    run_status(output())
    printed = capsys.readouterr().out
    (ours,) = [line for line in printed.splitlines() if line.startswith("│ Salesforce")]
    (theirs,) = [line for line in printed.splitlines() if line.startswith("│ Partner Center")]
    assert "Mode preview; mapping " in printed
    assert "Paused: push. To go on: `cosell resume --env local push`." in printed
    assert "mode preview, pause of the push" in ours
    assert "mode preview " in theirs


@pytest.mark.parametrize(
    ("waited", "said"),
    [
        ({"days": 1, "hours": 23, "minutes": 59}, "1 d 23 h"),
        ({"days": 2, "minutes": 5}, "2 d"),
        ({"hours": 1, "minutes": 59}, "1 h 59 min"),
        ({"minutes": 59, "seconds": 59}, "59 min"),
        ({"seconds": 59}, "59 s"),
        ({"seconds": -5}, "0 s"),
    ],
)
def test_an_age_has_its_next_smaller_unit(waited: dict[str, int], said: str) -> None:
    now = datetime(2026, 12, 2, tzinfo=UTC)
    assert age(now - timedelta(**waited), now) == said


@pytest.mark.usefixtures("systems")
def test_an_empty_store_has_nothing_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_status(output()) is Exit.OK
    assert "Nothing is wrong." in capsys.readouterr().out


@pytest.mark.usefixtures("systems")
@pytest.mark.parametrize(
    ("paused", "said"),
    [
        (("pull", "push"), "push and pull are paused: `cosell resume --env local`."),
        (("pull",), "pull is paused: `cosell resume --env local pull`."),
    ],
)
def test_a_pause_is_nothing_wrong_but_the_last_line_names_it(
    paused: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(App()) as app:
        for direction in paused:
            app.store.pause_direction(direction, app.clock.now(), "local")
    assert run_status(output()) is Exit.OK
    assert capsys.readouterr().out.splitlines()[-1] == f"Nothing is wrong, but {said}"


def test_one_deal_is_shown_with_both_sides_beside_what_was_agreed(
    systems: Systems, deal: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_status(output(), deal[1].upper()) is Exit.OK
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    check_golden("status-id", printed, {deal[0]: OPPORTUNITY, deal[1]: REFERRAL})
    (amount,) = [line for line in printed.splitlines() if "Amount" in line and "≠" in line]
    assert all(value in amount for value in ("25000.00 USD", "31000.00 USD"))
    assert f"cosell explain --env local {deal[0]} money" in printed
    sides = systems.salesforce.journal, systems.partner_center.journal
    for journal in sides:
        journal.clear()
    run_status(output(as_json=True), deal[0])
    calls = [entry.path for journal in sides for entry in journal if not entry.path.endswith("/token")]
    assert len(calls) == 2, calls
    document = json.loads(capsys.readouterr().out)
    assert [one["field"] for one in document["fields"] if one["differs"]] == ["money"]


@pytest.mark.parametrize("refusal", [LOCKED, None])
def test_one_deal_says_why_its_columns_are_refused(
    deal: tuple[str, str], refusal: Cause | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(App()) as app:
        entry = app.store.link(deal[0])
        assert entry is not None
        app.store.replace_link(entry, replace(entry.value, unshown=Unshown(("Audit__c",), app.clock.now(), refusal)))
    assert run_status(output(), deal[0]) is Exit.PROBLEM
    printed = capsys.readouterr().out
    if refusal:
        check_golden("status-id-refused", printed, {deal[0]: OPPORTUNITY, deal[1]: REFERRAL})
    else:
        assert "Cause: Columns that cannot be written back: Audit__c. The store does not have the reason yet" in printed
    run_status(output(as_json=True), deal[0])
    document = json.loads(capsys.readouterr().out)
    run_preview(output(), deal[0])
    previewed = capsys.readouterr().out
    assert "   Columns that cannot be written back: Audit__c. " in previewed
    assert f"after the remedy above, `cosell retry --env local {deal[0]}` tries it again" in previewed
    assert "cosell sync" not in previewed
    assert document["columns"] == ["Audit__c"]
    told = convert(document["columns_cause"], Cause | None)
    assert told == (refusal and replace(LOCKED, remedy=column_remedy(LOCKED)))


@pytest.mark.parametrize(("cause", "says"), [("waiting", True), (OPERATOR, False), (None, False)])
def test_a_deal_with_a_remedy_says_when_the_app_tries_again_by_itself(
    deal: tuple[str, str], cause: str | None, says: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(App()) as app:
        now, entry = app.clock.now(), app.store.link(deal[0])
        assert entry is not None
        app.store.replace_link(entry, replace(entry.value, unshown=Unshown(("Audit__c",), now, LOCKED)))
        if cause:
            app.store.put_retry_entry(RetryEntry(Side.SALESFORCE, deal[0], datetime(2035, 1, 2, 3, tzinfo=UTC), cause))
    assert run_status(output(), deal[0]) is Exit.PROBLEM
    printed = capsys.readouterr().out
    retry = f"`cosell retry --env local {deal[0]}`"
    by_itself = f"The app tries again at 2035-01-02 03:00:00 UTC; after the remedy, {retry} does it at once."
    assert printed.splitlines()[-1] == (by_itself if says else f"After the remedy: {retry}.")
    assert "It waits for a set time" not in printed


def test_a_referral_of_another_environment_says_so(systems: Systems) -> None:
    referral = systems.partner_center.portal_creates({"externalReferenceId": "STAGING:006AA0000000001AAA"})
    with pytest.raises(ConfigurationError, match="belongs to the environment staging"):
        run_status(output(), referral)


def test_explain_tells_each_change_of_a_field(deal: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    push()
    assert run_explain(output(as_json=True), deal[0], "Amount (money)") is Exit.OK
    assert json.loads(capsys.readouterr().out)["field"] == "money"
    assert run_explain(output(), deal[0], "amount") is Exit.OK
    check_golden("explain", capsys.readouterr().out, {deal[0]: OPPORTUNITY, deal[1]: REFERRAL})


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("colour", r"'colour' is no mapped field\. These are: Account Name \(account\)"),
        ("amonut", r"Did you mean Amount \(money\)\?"),
        ("closng", r"Did you mean Close Date \(closing\)\?"),
    ],
)
def test_explain_of_an_unknown_field_names_all_and_the_nearest(deal: tuple[str, str], field: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        run_explain(output(), deal[0], field)


def test_explain_says_in_words_that_a_value_did_not_arrive(capsys: pytest.CaptureFixture[str]) -> None:
    change = FieldChange(datetime.now(UTC), False, Side.SALESFORCE, "1.00 USD", "2.00 USD", "x", "Text.", None)  # noqa: FBT003 - a field
    print_change(change, output())
    assert "Salesforce kept 1.00 USD, and did not get 2.00 USD" in capsys.readouterr().out


def test_a_held_deal_names_the_account_and_its_value(systems: Systems, capsys: pytest.CaptureFixture[str]) -> None:
    deal = systems.seller_creates("Held deal", country=None)
    push()
    assert run_status(output(as_json=True), deal) is Exit.PROBLEM
    account = systems.salesforce.record("Opportunity", deal)["AccountId"]
    remedy = json.loads(capsys.readouterr().out)["cause"]["remedy"]
    assert remedy.startswith("Please enter it on the account.")
    assert f"({account}), whose BillingCountry is empty." in remedy
    run_status(output(), deal)
    printed = capsys.readouterr().out
    assert "incomplete, see below" in " ".join(printed.replace("│", " ").split())
    assert "   Account Name: The account has no Billing Country. Please enter it on the account." in printed
    assert " (missing_country of Account.BillingCountry)" in printed


def test_an_unanswered_deal_with_an_unknown_stage_is_listed_and_its_stage_is_shown(
    systems: Systems, capsys: pytest.CaptureFixture[str]
) -> None:
    systems.partner_center.microsoft_sends(name="Sent", customerProfile={"name": "Sent Ltd"})
    pull()
    (record,) = systems.salesforce.records("Opportunity")
    systems.salesforce.edit("Opportunity", record["Id"], {"StageName": "Unheard Of"})
    push()
    run_status(output(as_json=True), record["Id"])
    document = json.loads(capsys.readouterr().out)
    (stage,) = [one for one in document["fields"] if one["field"] == "status"]
    assert (stage["salesforce"], stage["standing"]) == ("Unheard Of", "unreadable")
    assert "has no matching status" in stage["why"]
    assert "set Stage (StageName) to Prospecting, " in document["how_to_answer"]
    reasons = "Closing Reason (Closing_Reason__c) to one of these: Budget not adequate; Customer did not respond; "
    assert f"To decline it, set Stage (StageName) to Closed Lost, and {reasons}" in document["how_to_answer"]
    with closing(App()) as app:
        (group,) = status_report(app).groups
    assert (group.code, group.example) == ("unknown_stage", record["Id"])
    assert "Stage (StageName) has these closed stages: Closed Won, Closed Lost." in group.remedy
    assert document["cause"]["remedy"] == group.remedy
    systems.salesforce.edit("Opportunity", record["Id"], {"StageName": "Closed Lost"})
    push()
    run_status(output(as_json=True), record["Id"])
    remedy = json.loads(capsys.readouterr().out)["cause"]["remedy"]
    assert "Closing Reason (Closing_Reason__c) has these values for a deal that is lost or declined: Budget" in remedy
    assert remedy.endswith("; Test referral; Data error; Others.")


def pull() -> None:
    with closing(App()) as app:
        run_sweep(app.context)
