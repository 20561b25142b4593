"""What is written for one pair, and why (docs/protocol.md#merge, docs/protocol.md#when-a-write-is-not-allowed)."""

from copy import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import IRREVERSIBLE
from shared.domain.cause import Cause
from shared.domain.deal import (
    STATUS,
    Change,
    Money,
    Status,
    fingerprint,
)
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Unshown
from shared.domain.link_states import State
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.question import answer_key, question_key
from shared.domain.sharing import Sharing
from tests.unit.domain.planned_pairs import (
    ACTIVE,
    AGREED,
    BEFORE,
    LINK,
    LOST,
    NEW,
    NOTES,
    NOW,
    RULES,
    THEIRS,
    WAIT,
    WON,
    codes,
    plan_with,
)

EDIT = Change("notes", "Notes", "old", "new")


def test_a_pair_that_agrees_is_left_alone() -> None:
    found = plan_with()
    assert found == Plan(AGREED)
    assert found.agreed


def test_an_edit_on_one_side_is_written_to_the_other_and_agreed_once_it_is_confirmed() -> None:
    ours, theirs = plan_with({"notes": "new"}), plan_with(None, {"notes": "new"})
    assert (ours.to_partner_center, ours.to_salesforce, ours.base) == ((EDIT,), (), AGREED)
    assert (theirs.to_partner_center, theirs.to_salesforce, theirs.base) == ((), (EDIT,), AGREED)
    assert (ours.losses, ours.refused, ours.reported, len(ours.counted)) == ((), {}, (), 1)


def test_the_same_edit_on_both_sides_is_agreed() -> None:
    assert plan_with({"notes": "new"}, {"notes": "new"}) == Plan(AGREED.with_values({"notes": "new"}))


def test_the_losing_value_of_a_conflict_is_told_if_the_winner_is_written() -> None:
    found = plan_with({"notes": "a"}, {"notes": "b"})
    assert found.to_partner_center == (Change("notes", "Notes", "b", "a"),)
    assert [line.code for line in found.losses] == ["conflict"]


def test_a_base_of_another_mapping_agrees_on_nothing() -> None:
    other = replace(LINK, mapping="other", sources={"notes": "x"})
    assert plan_with(link=other) == Plan(AGREED)


# --- answers and closes


def test_an_edit_of_an_unanswered_deal_is_on_record_and_the_accept_opens_its_fields() -> None:
    link = replace(LINK, base=AGREED.with_values({STATUS: NEW}))
    held = plan_with({STATUS: NEW, "notes": "new"}, {STATUS: NEW}, link=link)
    assert (held.state, held.to_partner_center, codes(held)) == (State.ON_HOLD, (), ["not_answered"])
    accepted = plan_with({"notes": "new"}, {STATUS: NEW}, link=link)
    assert accepted.to_partner_center == (Change(STATUS, "Stage", NEW, ACTIVE, ACTIVE), EDIT)
    assert (accepted.state, accepted.has_answer, accepted.reported) == (State.LIVE, True, (answer_key(ACTIVE),))


def test_a_close_waits_and_is_told_and_then_is_sent() -> None:
    first = plan_with({STATUS: WON})
    record = Difference(fingerprint(WON), IRREVERSIBLE, NOW)
    assert (first.to_partner_center, first.waiting, first.due) == ((), {STATUS: record}, NOW + WAIT)
    [line] = first.lines
    assert (line.code, line.side, line.before, line.after, line.rule) == (
        "waiting", THEIRS, "Active/Accepted", "Closed/Won", IRREVERSIBLE
    )  # fmt: skip
    assert line.values == {"label": "Stage", "until": "12:02"}
    again = plan_with({STATUS: WON}, link=replace(LINK, waiting=first.waiting))
    assert (again.lines, again.waiting) == ((), first.waiting)
    stood = replace(LINK, waiting={STATUS: replace(record, since=NOW - WAIT)})
    last = plan_with({STATUS: WON}, link=stood)
    assert [one.new for one in last.to_partner_center] == [WON]
    assert (last.waiting, last.due, last.state) == ({}, None, State.LIVE)


def test_a_win_that_may_be_registered_is_held_and_told_as_one() -> None:
    read = {"is_shared": True, "created": NOW - timedelta(hours=1)}
    found = plan_with({STATUS: WON}, read=read, policy=Policy(irreversible_wait=WAIT, hold_win=timedelta(hours=2)))
    assert (codes(found), found.due) == (["win_held"], NOW + timedelta(hours=1))
    assert found.lines[0].values["until"] == "2026-11-22 13:00"


def test_a_won_deal_that_was_never_answered_is_accepted_first() -> None:
    stood = {STATUS: Difference(fingerprint(WON), IRREVERSIBLE, NOW - WAIT)}
    link = replace(LINK, base=AGREED.with_values({STATUS: NEW}), waiting=stood)
    found = plan_with({STATUS: WON}, {STATUS: NEW}, link=link)
    [step] = found.to_partner_center
    assert (step.new, step.is_step, found.continues) == (ACTIVE, True, True)
    assert list(found.waiting) == [STATUS]


def test_a_decline_lists_the_edits_that_stay_in_salesforce() -> None:
    mark = Difference(fingerprint(LOST), "decline", NOW - WAIT)
    link = replace(LINK, base=AGREED.with_values({STATUS: NEW}), waiting={STATUS: mark})
    found = plan_with({STATUS: LOST, "notes": "new"}, {STATUS: NEW}, link=link)
    [close] = found.to_partner_center
    assert close.sent == Status("Closed", "Declined")
    assert [(line.code, line.values) for line in found.losses] == [("unsent_edits", {"edits": "Notes old → new"})]
    assert found.state is State.LIVE


def test_a_close_without_the_reason_that_it_needs_waits_for_a_person() -> None:
    found = plan_with({STATUS: WON}, seen={"reason": ""})
    link = replace(LINK, base=AGREED.with_values({STATUS: NEW}))
    declined = plan_with({STATUS: LOST}, {STATUS: NEW}, link=link, seen={"reason": "", "stage": "Closed Lost"})
    assert found.cause is None
    assert declined.cause is not None
    assert (declined.cause.code, codes(declined)) == ("no_reason", ["no_reason"])
    assert declined.refused == {"partner_center.status": Difference(fingerprint(LOST), "no_reason", NOW)}


def test_an_end_in_partner_center_is_named_where_the_stage_says_less() -> None:
    declined = Status("Closed", "Declined")
    found = plan_with(None, {STATUS: LOST}, read={"status": declined})
    assert found.to_salesforce == (Change(STATUS, "Stage", ACTIVE, LOST, declined),)
    assert [(line.code, line.values["status"]) for line in found.losses] == [("closed_as", "Declined")]
    same = plan_with(None, {STATUS: LOST})
    assert same.losses == ()
    both = plan_with({STATUS: LOST}, {STATUS: LOST}, read={"status": declined})
    assert codes(both) == ["closed_as"]


def test_a_stage_that_nobody_chose_is_not_sent_and_is_asked_about_once() -> None:
    found = plan_with({STATUS: WON}, is_question=True)
    key = question_key("Stage")
    assert (found.to_partner_center, found.has_answer, found.reported) == ((), True, (key,))
    assert found.refused == {"partner_center.status": Difference(fingerprint(WON), "unasked_stage", NOW)}
    assert found.cause is not None
    assert found.cause.code == "unasked_stage"
    again = plan_with({STATUS: WON}, is_question=True, link=replace(LINK, reported=(key,), refused=found.refused))
    assert (again.lines, again.refused, again.reported) == ((), found.refused, (key,))


def test_a_stage_that_nobody_chose_yields_to_an_edit_in_partner_center() -> None:
    found = plan_with({STATUS: Status("Active", "Other")}, {STATUS: LOST}, is_question=True)
    assert [one.new for one in found.to_salesforce] == [LOST]
    assert (found.losses, found.reported) == ((), (question_key("Stage"),))


# --- what is locked, fixed, tried or newly sent


def test_a_closed_deal_takes_no_edit_and_keeps_it_on_record() -> None:
    link = replace(LINK, base=AGREED.with_values({STATUS: WON}))
    found = plan_with({STATUS: WON, "notes": "new"}, {STATUS: WON}, link=link)
    assert (found.to_partner_center, codes(found)) == ((), ["closed_is_final"])
    assert found.refused == {"partner_center.notes": Difference(fingerprint("new"), "closed_is_final", NOW)}
    assert found.base == link.base


def test_an_edit_of_a_fixed_field_is_one_on_top_of_what_partner_center_holds() -> None:
    rules = Rules({**RULES.by_field, "notes": replace(NOTES, is_fixed=True)}, "m")
    found = plan_with({"notes": "new"}, rules=rules, link=replace(LINK, base=AGREED.without("notes")))
    assert (found.base["notes"], codes(found)) == ("old", ["fixed_there"])


def test_a_path_that_may_be_fixed_is_tried_and_its_list_is_sent_whole() -> None:
    rules = Rules({**RULES.by_field, "notes": replace(NOTES, unlisted=frozenset({"/details"}), is_in_list=True)}, "m")
    known = {"partner_center.notes": Difference(fingerprint("new"), "fixed_there", BEFORE)}
    found = plan_with({"notes": "new"}, rules=rules, link=replace(LINK, refused=known))
    assert (found.tries, found.replaces_list, found.refused) == (frozenset({"/details"}), True, known)
    plain = plan_with({"notes": "new"})
    assert (plain.tries, plain.replaces_list) == (frozenset(), False)
    pulled = plan_with(None, {"notes": "new"}, rules=rules)
    assert (pulled.tries, pulled.replaces_list) == (frozenset(), False)


@pytest.mark.parametrize(
    ("read", "replaces"), [({"raw": None}, True), ({"raw": {}}, False), ({"raw": None, "is_shared": True}, None)]
)
def test_contacts_are_sent_only_after_a_read_that_says_whether_microsoft_sees_them(
    read: dict[str, Any], *, replaces: bool | None
) -> None:
    rules = Rules({**RULES.by_field, "notes": replace(NOTES, is_locked_by_sharing=True)}, "m")
    found = plan_with({"notes": "new"}, rules=rules, read=read)
    assert codes(found) == (["contacts_locked_empty"] if replaces is None else [])
    assert found.replaces_list is bool(replaces)


def test_a_field_that_nobody_has_approved_waits_and_is_pulled_all_the_same() -> None:
    policy = Policy(unapproved=frozenset({"notes"}))
    found = plan_with({"notes": "new"}, policy=policy)
    assert (found.to_partner_center, list(found.waiting), codes(found)) == (
        (), ["partner_center.notes"], ["mapping_change"]
    )  # fmt: skip
    assert plan_with(None, {"notes": "new"}, policy=policy).to_salesforce == (EDIT,)


def test_an_amount_that_salesforce_cannot_hold_stays_there_and_is_told() -> None:
    rules = Rules({**RULES.by_field, "notes": replace(NOTES, currencies=frozenset({"USD"}))}, "m")
    euros = Money(Decimal(5), "EUR")
    found = plan_with(None, {"notes": euros}, rules=rules)
    assert (found.to_salesforce, codes(found), found.base["notes"]) == ((), ["currency_not_held"], "old")
    assert found.refused == {"salesforce.notes": Difference(fingerprint(euros), "currency_not_held", NOW)}
    dollars = Money(Decimal(5), "USD")
    assert [one.new for one in plan_with(None, {"notes": dollars}, rules=rules).to_salesforce] == [dollars]


def test_a_value_that_travels_only_once_is_compared_and_told() -> None:
    rules = Rules({**RULES.by_field, "title": Rule("title", "Title", on_update=False)}, "m")
    link = replace(LINK, base=AGREED.with_values({"title": "a"}))
    found = plan_with({"title": "b"}, {"title": "a"}, link=link, rules=rules)
    assert codes(found) == ["set_at_creation"]
    agreed = plan_with({"title": "b"}, {"title": "b"}, link=link, rules=rules)
    assert (agreed.base["title"], agreed.lines) == ("b", ())


# --- what cannot be read

BAD = Cause("no_text", "notes", "No text.", "Correct it.")


def test_a_value_that_cannot_be_read_is_left_alone_on_both_sides() -> None:
    here = plan_with(seen={"deal": AGREED.without("notes"), "problems": {"notes": BAD}})
    assert (here.to_salesforce, here.cause, here.reported) == ((), BAD, (BAD.key,))
    there = plan_with(read={"deal": AGREED.without("notes"), "problems": {"notes": BAD}})
    assert (there.to_partner_center, codes(there)) == ((), ["left_alone"])
    edited = plan_with({"notes": "new"}, read={"deal": AGREED.without("notes"), "problems": {"notes": BAD}})
    assert codes(edited) == ["left_alone", "unreadable_there"]
    assert edited.refused["partner_center.notes"] == Difference(fingerprint("new"), "unreadable_there", NOW)


def test_a_stage_stays_agreed_while_the_status_cannot_be_read() -> None:
    read = {"deal": AGREED.without(STATUS), "problems": {STATUS: replace(BAD, field=STATUS)}, "status": None}
    found = plan_with(read=read, link=replace(LINK, base=AGREED.without(STATUS)))
    assert (found.base[STATUS], codes(found)) == (ACTIVE, ["left_alone"])


# --- clocks, columns and consents


def test_the_end_of_an_unanswered_deal_is_kept_and_warned_of() -> None:
    link = replace(LINK, base=AGREED.with_values({STATUS: NEW}))
    read = {"expires": NOW + timedelta(days=2)}
    found = plan_with({STATUS: NEW}, {STATUS: NEW}, link=link, read=read)
    assert found.answer_by == AnswerTime(NOW + timedelta(days=2), warned=3, tries=0)
    assert (codes(found), found.due) == (["answer_due"], NOW + timedelta(days=1))
    closing = plan_with({STATUS: LOST}, {STATUS: NEW}, link=link, read=read)
    assert (closing.answer_by, codes(closing)) == (AnswerTime(NOW + timedelta(days=2)), ["waiting"])
    accepted = plan_with({STATUS: ACTIVE}, {STATUS: NEW}, link=link, read=read)
    assert codes(accepted) == []


def test_a_hidden_column_is_told_once_and_its_field_does_not_count_as_agreed() -> None:
    hidden = Rules({**RULES.by_field, "title": Rule("title", "Title")}, "m", (("title", BAD),))
    found = plan_with(rules=hidden)
    assert (codes(found), found.reported) == (["problem"], (BAD.key,))
    assert plan_with(rules=hidden, link=replace(LINK, reported=(BAD.key,))).lines == ()


def test_a_consent_that_was_withdrawn_is_told_once() -> None:
    policy, seen = Policy(needs_consent=True), {"sharing": Sharing(consents=False)}
    found = plan_with(link=replace(LINK, consented=True), policy=policy, seen=seen)
    assert (codes(found), found.reported) == (["consent_withdrawn"], ("consent_withdrawn",))
    assert plan_with(policy=policy, seen=seen).lines == ()


def test_a_default_that_stands_is_sent_to_nobody() -> None:
    link = replace(
        LINK, base=AGREED.with_values({"notes": None}),
        refused={"partner_center.notes": Difference(fingerprint("default"), "default", BEFORE)},
    )  # fmt: skip
    found = plan_with({"notes": "default"}, {"notes": None}, link=link)
    assert (found.to_partner_center, found.to_salesforce, found.refused) == ((), (), link.refused)
    entered = plan_with({"notes": "entered"}, {"notes": None}, link=link)
    assert [one.new for one in entered.to_partner_center] == ["entered"]
    theirs = plan_with({"notes": "default"}, {"notes": "theirs"}, link=link)
    assert [one.new for one in theirs.to_salesforce] == ["theirs"]
    assert (theirs.losses, theirs.refused) == ((), {})


def test_what_salesforce_refused_is_due_an_hour_later() -> None:
    since = NOW - timedelta(minutes=20)
    link = replace(LINK, refused={"salesforce.notes": Difference(fingerprint("new"), "refused_by_salesforce", since)})
    found = plan_with(None, {"notes": "new"}, link=link)
    assert (found.to_salesforce, found.due) == ((), NOW + timedelta(minutes=40))
    assert plan_with(link=replace(LINK, unshown=Unshown(("Mark__c",), since))).due == NOW + timedelta(minutes=40)
