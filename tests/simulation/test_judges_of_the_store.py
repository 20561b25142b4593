"""Each judge of the store, the audit and the log can fail: it is shown what breaks its rule, and what does not."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulation.held_back import was_ignored
from tests.simulation.held_values import PARTNER_CENTER, SALESFORCE, Edit
from tests.simulation.judges.agreed_values import AgreedValues
from tests.simulation.judges.audit_lines import StoredLine, doubled_lines, repeated_writes, untold_lines
from tests.simulation.judges.bad_records import Parked, Refused, judge_refused, judge_unreadable
from tests.simulation.judges.ignored_values import judge_ignored
from tests.simulation.judges.logs import judge_event, judge_host, judge_text, texts_of

DEAL, REFERRAL = "006AA000001000OYAQ", "23c6612f-4826-4673-a3a7-711a81332876"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPPORTUNITY: Mapping[str, Any] = {
    "Id": DEAL, "Name": "A", "Amount": 5, "CurrencyIsoCode": "USD", "CloseDate": "2027-01-31",
    "Description": "Long text", "StageName": "Closed Won",
}  # fmt: skip
REFERRAL_RECORD: Mapping[str, Any] = {
    "id": REFERRAL, "name": "A", "status": "Active", "substatus": "Accepted",
    "details": {"dealValue": 7, "currency": "USD", "closingDateTime": "2027-01-31T00:00:00Z", "notes": "text"},
}  # fmt: skip


def kinds(findings: Iterable[str]) -> list[str]:
    return [finding.partition(":")[0] for finding in findings]


# --- the base


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ({"name": "A", "closing": "2027-01-31"}, []),
        ({"money": "5.00 USD"}, ["early"]),
        ({"money": "9.00 USD"}, ["early", "early"]),
        ({"notes": "text"}, []),
        ({"notes": "Long text"}, ["early"]),
        ({"status": "Active/Accepted"}, []),
        ({"name": None}, ["early", "early"]),
    ],
)
def test_a_base_that_a_side_has_never_held_is_found(base: Mapping[str, str | None], expected: list[str]) -> None:
    judge = AgreedValues()
    judge.look_at_opportunity(OPPORTUNITY)
    judge.look_at_referral(REFERRAL_RECORD)
    assert kinds(judge.judge(DEAL, REFERRAL, base)) == expected
    assert kinds(judge.judge(DEAL, REFERRAL, base)) == [], "only what has changed"


def test_a_confirmed_write_counts_as_held_whatever_a_flow_has_made_of_it() -> None:
    judge = AgreedValues()
    judge.look_at_opportunity(OPPORTUNITY)
    judge.look_at_referral(REFERRAL_RECORD)
    judge.confirm_opportunity(OPPORTUNITY, {"Amount": 7})
    assert kinds(judge.judge(DEAL, REFERRAL, {"money": "7.00 USD"})) == []


def test_a_value_may_be_the_base_where_a_value_that_people_set_back_seems_to_show_its_write() -> None:
    judge = AgreedValues(bases={DEAL: {"name": "A"}})
    judge.look_at_opportunity({**OPPORTUNITY, "Name": "B"})
    judge.look_at_referral(REFERRAL_RECORD)
    there = Edit(NOON, PARTNER_CENTER, REFERRAL, "name", "A", "C")
    judge.look_at_edits([there])
    assert kinds(judge.judge(DEAL, REFERRAL, {"name": "B"})) == ["early"]
    judge.bases = {DEAL: {"name": "A"}}
    judge.look_at_edits([there, Edit(NOON, PARTNER_CENTER, REFERRAL, "name", "C", "A")])
    judge.look_at_opportunity({**OPPORTUNITY, "Name": "B"})
    assert kinds(judge.judge(DEAL, REFERRAL, {"name": "B"})) == []


def test_a_value_may_be_the_base_where_a_colleague_entered_another_one_of_the_sellers() -> None:
    ours, theirs = (
        Edit(NOON, SALESFORCE, DEAL, "money", "7", "5"),
        Edit(NOON, PARTNER_CENTER, REFERRAL, "money", "7", "5"),
    )
    for edits, expected in ([theirs, ours], ["early"]), ([ours, theirs], []):
        judge = AgreedValues(bases={DEAL: {"name": "A"}})
        judge.look_at_opportunity({**OPPORTUNITY, "Name": "B"})
        judge.look_at_referral(REFERRAL_RECORD)
        judge.look_at_edits(edits)
        assert kinds(judge.judge(DEAL, REFERRAL, {"name": "B"})) == expected


def test_a_base_that_goes_back_to_what_no_side_holds_any_more_is_found() -> None:
    judge = AgreedValues()
    for name in ("A", "B"):
        judge.look_at_opportunity({**OPPORTUNITY, "Name": name})
        judge.look_at_referral({**REFERRAL_RECORD, "name": name})
        assert kinds(judge.judge(DEAL, REFERRAL, {"name": name})) == []
    assert kinds(judge.judge(DEAL, REFERRAL, {"name": "A"})) == ["stale"]
    judge.look_at_referral({**REFERRAL_RECORD, "name": "B"})
    assert kinds(judge.judge(DEAL, REFERRAL, {"name": "B"})) == []


def test_a_base_may_take_at_once_what_both_sides_hold_since_before_it_moved() -> None:
    judge = AgreedValues()
    for name in ("A", "B"):
        judge.look_at_referral({**REFERRAL_RECORD, "name": name})
        judge.look_at_opportunity({**OPPORTUNITY, "Name": name})
    judge.look_at_opportunity({**OPPORTUNITY, "Id": "006AA000001000PYAQ"})
    for name in ("A", "B"):
        assert kinds(judge.judge(DEAL, REFERRAL, {"name": name})) == []


def test_a_stage_may_be_the_base_where_partner_center_has_changed_and_wins() -> None:
    judge = AgreedValues(bases={DEAL: {"status": "New/Pending"}})
    judge.look_at_opportunity({**OPPORTUNITY, "StageName": "On Hold"})
    judge.look_at_opportunity(OPPORTUNITY)
    judge.look_at_referral({**REFERRAL_RECORD, "status": "New", "substatus": "Pending"})
    assert kinds(judge.judge(DEAL, REFERRAL, {"status": "Closed/Won"})) == ["early"]
    judge.bases = {DEAL: {"status": "New/Pending"}}
    judge.look_at_referral(REFERRAL_RECORD)
    assert kinds(judge.judge(DEAL, REFERRAL, {"status": "Closed/Won"})) == []


# --- the audit


def test_a_stored_line_that_the_audit_lacks_is_found() -> None:
    lines = [StoredLine(NOON, "First."), StoredLine(NOON, "Second.")]
    assert kinds(untold_lines(DEAL, lines, "2026-11-22 12:00:00 UTC - First.\n2026-11-22 12:00:00 UTC - Second.")) == []
    assert kinds(untold_lines(DEAL, lines, "2026-11-22 12:00:00 UTC - First.")) == ["untold"]


def test_a_line_that_is_stored_twice_is_found_unless_notes_were_joined_twice() -> None:
    lines = [StoredLine(NOON + timedelta(milliseconds=number), "First.") for number in range(2)]
    assert kinds(doubled_lines(DEAL, lines)) == ["doubled"]
    assert kinds(doubled_lines(DEAL, [lines[0], StoredLine(NOON + timedelta(seconds=1), "First.")])) == []
    joined = [StoredLine(NOON, "Description was changed on both sides. Both texts were kept.")] * 2
    assert kinds(doubled_lines(DEAL, joined)) == []
    assert kinds(untold_lines(DEAL, joined, f"2026-11-22 12:00:00 UTC - {joined[0].text}")) == []


def test_a_value_that_is_written_four_times_in_an_hour_is_found() -> None:
    times = [NOON + timedelta(minutes=10 * number) for number in range(4)]
    lines = [StoredLine(at, "Written.", ("salesforce", "money", "5.00 USD")) for at in times]
    assert kinds(repeated_writes(DEAL, lines[:3])) == []
    assert kinds(repeated_writes(DEAL, lines)) == ["repeated"]
    rare = [StoredLine(NOON + timedelta(hours=number), "Written.", ("salesforce", "money", "5")) for number in range(4)]
    assert kinds(repeated_writes(DEAL, rare)) == []


# --- a bad record

PARKED = Parked("CODE", "Amount", "Not so.", "Change the record.")
REFUSED = Refused("Amount", "Amount", "Not so.")
TOLD = {"Id": DEAL, "Sync_Status__c": "Failed", "Audit__c": "Not synced: Amount … Not so. Change the record."}


@pytest.mark.parametrize(
    ("deal", "parked", "expected"),
    [
        (TOLD, PARKED, []),
        ({**TOLD, "Sync_Status__c": "Synced"}, PARKED, ["unparked"]),
        ({**TOLD, "Audit__c": "Not synced: Amount … Not so."}, PARKED, ["unexplained"]),
        (TOLD, Parked("CODE", None, "Not so.", "Change the record."), ["unparked"]),
        (TOLD, Parked(), ["unparked", "unexplained"]),
    ],
)
def test_a_refused_value_is_parked_with_code_field_reason_and_remedy(
    deal: Mapping[str, Any], parked: Parked, expected: list[str]
) -> None:
    assert kinds(judge_refused(deal, REFUSED, parked)) == expected


@pytest.mark.parametrize(
    ("mark", "audit", "expected"),
    [
        ("Failed", 'Not synced: Amount "7.00 USD" was written, but Salesforce kept "5.00 USD".', []),
        ("Failed", 'Not synced: Amount "7.00 EUR" was not carried over: Salesforce keeps "5.00 USD".', ["unexplained"]),
        ("Synced", 'Not synced: Amount "7.00 USD" was written, but Salesforce kept "5.00 USD".', ["unparked"]),
        ("Failed", 'Amount was changed on both sides. Kept: "5.00 USD". Discarded: "7.00 USD".', ["unexplained"]),
        ("Failed", None, ["unexplained"]),
    ],
)
def test_an_amount_that_line_items_decide_is_told_with_both_amounts(
    mark: str, audit: str | None, expected: list[str]
) -> None:
    deal = {"Id": DEAL, "Sync_Status__c": mark, "Audit__c": audit}
    assert kinds(judge_ignored(deal, "5.00 USD", "7.00 USD")) == expected


def test_a_value_of_partner_center_that_a_flow_set_back_may_differ_once_audit_and_mark_say_so() -> None:
    told = 'Not synced: Amount "7.00 USD" was written, but Salesforce kept "5.00 USD".'
    deal = {"Sync_Status__c": "Failed", "Audit__c": told}
    assert was_ignored(deal, "Amount", "5.00 USD", "7.00 USD")
    assert not was_ignored(deal, "Amount", "5.00 USD", "9.00 USD")
    assert not was_ignored(deal | {"Sync_Status__c": "Synced"}, "Amount", "5.00 USD", "7.00 USD")


def test_a_pair_whose_row_cannot_be_read_is_left_alone_and_told_and_waits() -> None:
    pair = (DEAL, REFERRAL)
    assert kinds(judge_unreadable(pair, ["sobjects/Account"], [DEAL], is_waiting=True)) == []
    assert kinds(judge_unreadable(pair, [f"sobjects/Opportunity/{DEAL}"], [DEAL], is_waiting=True)) == ["harmed"]
    assert kinds(judge_unreadable(pair, [], [], is_waiting=False)) == ["untold", "untold"]


# --- the log


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"opportunity_id": DEAL, "count": 3, "fields": ["money", "notes"], "code": None}, []),
        ({"call": f"PATCH referral {REFERRAL}", "keys": [REFERRAL]}, []),
        ({"call": "a collection update"}, []),
        ({"opportunity_id": "Ada Lind"}, ["wordy"]),
        ({"call": "PATCH referral of Ada Lind"}, ["wordy"]),
        ({"fields": ["money", "Budget is 4 %"]}, ["wordy"]),
    ],
)
def test_a_field_that_is_no_id_code_or_count_is_found(fields: Mapping[str, Any], expected: list[str]) -> None:
    assert kinds(judge_event("an_event", fields)) == expected


def test_values_of_persons_and_tokens_are_found_in_a_line_of_the_log() -> None:
    person = {"team": [{"firstName": "Ada", "lastName": "Lindström", "email": "ada@northwind.example", "id": 4}]}
    values = set(texts_of(person))
    assert values == {"Ada", "Lindström", "ada@northwind.example"}
    assert kinds(judge_text('{"key": "ada@northwind.example"}', values, [])) == ["leaked"]
    assert kinds(judge_text('{"key": "Lindströms"}', values, [])) == []
    assert kinds(judge_text("Bearer eyJ0", values, ["eyJ0"])) == ["leaked"]


def test_a_token_that_goes_to_another_host_is_found() -> None:
    assert kinds(judge_host("evil.example", {"Authorization": "Bearer x"}, {"api.partner.example"})) == ["sent away"]
    assert kinds(judge_host("api.partner.example", {"authorization": "Bearer x"}, {"api.partner.example"})) == []
    assert kinds(judge_host("evil.example", {}, {"api.partner.example"})) == []
