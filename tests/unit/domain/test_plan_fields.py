"""What one field of a pair does to the others, and what is told of each (docs/protocol.md#merge)."""

from copy import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import IRREVERSIBLE
from shared.domain.cause import Cause
from shared.domain.creation_values import PART_LEFT_OUT
from shared.domain.deal import PRIVATE, STATUS, TEAM, VISIBILITY, VISIBLE, Change, Person, Side, Status, fingerprint
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.joined_texts import refusal_mark
from shared.domain.left_members import left_key, mark_of, refused_key
from shared.domain.link import Difference, Link
from shared.domain.plan import plan_pair
from shared.domain.policy import Policy
from shared.domain.question import question_key
from shared.domain.records import Opportunity, Referral
from shared.domain.sharing import Sharing
from shared.domain.untaken_codes import NO_USER
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
    WAIT,
    WON,
    codes,
    plan_with,
)

TITLE = Rule("title", "Title")
CONTACTS, OUR_TEAM = Rule("contacts", "Contacts", is_set=True), Rule(TEAM, "Team", is_set=True)
ADA, BEN, KIM = (Person(name, name, f"{name.lower()}@x.example", "1") for name in ("Ada", "Ben", "Kim"))
DECLINED = Status("Closed", "Declined")
BAD = Cause("no_text", "notes", "No text.", "Correct it.")


def rules_with(*rules: Rule) -> Rules:
    """The rules of the small pair, with these besides, or instead."""
    return Rules({**RULES.by_field, **{rule.field: rule for rule in rules}}, "m")


def base_with(link: Link = LINK, **values: Any) -> Link:  # noqa: ANN401 - any value
    return replace(link, base=link.base.with_values(values))


# --- the status


def test_a_stage_is_an_answer_unless_it_is_said_to_be_a_question() -> None:
    opportunity = Opportunity("006", AGREED.with_values({STATUS: WON}), flagged=True, modified=BEFORE, stage="Won")
    referral = Referral("ref", "1", AGREED, BEFORE, ACTIVE, raw={})
    found = plan_pair(LINK, opportunity, referral, RULES, NOW, Policy(irreversible_wait=WAIT))
    assert (codes(found), list(found.waiting)) == (["waiting"], [STATUS])


def test_a_question_about_another_stage_names_the_status_that_stays() -> None:
    found = plan_with({STATUS: WON}, is_question=True)
    assert found.cause is not None
    assert str(ACTIVE) in found.cause.reason + found.cause.remedy


def test_a_stage_that_automation_sets_again_is_asked_about_again() -> None:
    other = {"partner_center.status": Difference(fingerprint(LOST), "unasked_stage", BEFORE)}
    link = replace(LINK, reported=(question_key("Stage"),), refused=other)
    assert codes(plan_with({STATUS: WON}, is_question=True, link=link)) == ["unasked_stage"]


def test_a_close_that_waits_for_its_reason_waits_from_the_first_question() -> None:
    asked = {"partner_center.status": Difference(fingerprint(LOST), "no_reason", BEFORE)}
    link = replace(base_with(status=NEW), refused=asked)
    found = plan_with({STATUS: LOST}, {STATUS: NEW}, link=link, seen={"reason": ""})
    assert found.refused == asked


def test_a_decline_is_told_as_one_though_the_stage_says_lost() -> None:
    found = plan_with({STATUS: LOST}, {STATUS: NEW}, link=base_with(status=NEW))
    assert [(line.code, line.after) for line in found.lines] == [("waiting", "Closed/Declined")]


def test_edits_that_an_unanswered_deal_holds_back_are_listed_only_at_its_decline() -> None:
    held = plan_with({STATUS: NEW, "notes": "new"}, {STATUS: NEW}, link=base_with(status=NEW))
    assert held.losses == ()
    stood = {STATUS: Difference(fingerprint(WON), IRREVERSIBLE, NOW - WAIT)}
    assert plan_with({STATUS: WON}, link=replace(LINK, waiting=stood)).losses == ()


def test_an_open_status_is_written_as_the_merge_knows_it() -> None:
    found = plan_with(None, {STATUS: Status("Active", "Other")}, read={"status": Status("Active", "Engaged")})
    assert [one.told for one in found.to_salesforce] == [Status("Active", "Other")]


def test_a_conflict_of_ends_is_told_with_the_end_that_stays() -> None:
    link = replace(LINK, waiting={STATUS: Difference(fingerprint(WON), IRREVERSIBLE, NOW - WAIT)})
    ours = plan_with({STATUS: WON}, {STATUS: Status("Active", "Other")}, link=link)
    assert [(line.code, line.before, line.after) for line in ours.losses] == [
        ("conflict", "Active/Other", "Closed/Won")
    ]
    theirs = plan_with({STATUS: WON}, {STATUS: LOST}, read={"status": DECLINED})
    assert ("conflict_closed", "Closed/Won", "Closed/Declined") in [
        (line.code, line.before, line.after) for line in theirs.losses
    ]


def test_a_warning_about_an_unanswered_deal_is_given_once() -> None:
    warned = AnswerTime(NOW + timedelta(days=2), warned=3, tries=1)
    link = replace(base_with(status=NEW), answer_by=warned)
    found = plan_with({STATUS: NEW}, {STATUS: NEW}, link=link, read={"expires": warned.until})
    assert (codes(found), found.answer_by) == ([], warned)


def test_the_withdrawn_consent_of_a_closed_deal_is_nobodys_business() -> None:
    seen = {"sharing": Sharing(consents=False)}
    link = replace(base_with(status=WON), consented=True)
    assert codes(plan_with({STATUS: WON}, {STATUS: WON}, link=link, policy=Policy(needs_consent=True), seen=seen)) == []


def test_a_stage_that_nobody_chose_and_that_does_not_travel_is_a_question_and_no_discarded_edit() -> None:
    rules = rules_with(Rule(STATUS, "Stage", direction=Direction.TO_SALESFORCE))
    found = plan_with({STATUS: WON}, rules=rules, is_question=True)
    assert (found.to_salesforce, found.losses, codes(found)) == ((), (), ["unasked_stage"])


# --- a conflict whose winner is not written


@pytest.mark.parametrize(
    ("ours", "theirs", "rules", "base"),
    [
        ({"notes": "a"}, {"notes": "b"}, rules_with(replace(NOTES, is_fixed=True)), {}),
        ({VISIBILITY: VISIBLE}, {VISIBILITY: "other"}, rules_with(Rule(VISIBILITY, "Visible")), {VISIBILITY: "base"}),
    ],
)
def test_no_value_is_told_as_discarded_that_still_stands(
    ours: dict[str, Any], theirs: dict[str, Any], rules: Rules, base: dict[str, Any]
) -> None:
    found = plan_with(ours, theirs, rules=rules, link=base_with(**base))
    assert (found.to_partner_center, found.to_salesforce, found.losses) == ((), (), ())


def test_a_conflict_with_a_stage_that_nobody_chose_discards_nothing() -> None:
    found = plan_with({STATUS: WON}, {"notes": "old"}, is_question=True, link=LINK)
    assert (found.to_partner_center, found.losses) == ((), ())


# --- lists


def test_a_colleague_in_our_team_is_sent() -> None:
    link = replace(base_with(team=(ADA,)), sources={TEAM: ""})
    found = plan_with({TEAM: (ADA, BEN)}, {TEAM: (ADA,)}, link=link, rules=rules_with(OUR_TEAM))
    assert [change.new for change in found.to_partner_center] == [(ADA, BEN)]


def test_a_team_of_a_deal_that_was_closed_before_anybody_compared_it_is_left_alone() -> None:
    found = plan_with(
        {STATUS: WON, TEAM: (ADA,)}, {STATUS: WON, TEAM: (BEN,)}, link=base_with(status=WON), rules=rules_with(OUR_TEAM)
    )
    assert (found.to_salesforce, found.refused, codes(found)) == ((), {}, [])


def test_a_member_who_may_not_be_sent_is_not() -> None:
    seen = {"unsendable": {"contacts": {"ben@x.example": "contact_incomplete"}}}
    found = plan_with(
        {"contacts": (ADA, BEN)}, {"contacts": (ADA,)}, link=base_with(contacts=(ADA,)), rules=rules_with(CONTACTS),
        seen=seen,
    )  # fmt: skip
    assert found.to_partner_center == ()
    assert [record.code for record in found.refused.values()] == ["contact_incomplete"]


def test_a_new_member_is_added_and_an_edited_list_is_sent_whole() -> None:
    link, rules = base_with(contacts=(ADA,)), rules_with(CONTACTS)
    added = plan_with({"contacts": (ADA, BEN)}, {"contacts": (ADA,)}, link=link, rules=rules)
    removed = plan_with(
        {"contacts": (ADA,)}, {"contacts": (ADA, BEN)}, link=base_with(contacts=(ADA, BEN)), rules=rules
    )
    assert (len(added.to_partner_center), added.replaces_list) == (1, False)
    assert (len(removed.to_partner_center), removed.replaces_list) == (1, True)


def test_members_whom_either_side_did_not_take_stay_on_record_each() -> None:
    untaken, refused = left_key(Side.SALESFORCE, TEAM), refused_key("contacts")
    records = {
        untaken: Difference(mark_of([BEN]), NO_USER, NOW),
        refused: Difference("new", "member_refused", NOW, (fingerprint(repr(KIM)),)),
    }
    link = replace(base_with(team=(ADA,), contacts=(ADA,)), refused=records, sources={TEAM: ""})
    found = plan_with(
        {TEAM: (ADA,), "contacts": (ADA, KIM)}, {TEAM: (ADA, BEN), "contacts": (ADA,)},
        link=link, rules=rules_with(OUR_TEAM, CONTACTS),
    )  # fmt: skip
    assert {untaken, refused} <= found.refused.keys()
    assert (found.to_partner_center, found.to_salesforce) == ((), ())


def test_a_part_of_a_contact_that_salesforce_refused_stays_on_record() -> None:
    bare = replace(ADA, phone=None)
    known = {"salesforce.contacts": Difference("x", PART_LEFT_OUT, BEFORE)}
    link = replace(base_with(contacts=(bare,)), refused=known)
    found = plan_with({"contacts": (bare,)}, {"contacts": (ADA,)}, link=link, rules=rules_with(CONTACTS))
    assert found.refused["salesforce.contacts"].code == PART_LEFT_OUT


def test_what_a_seller_typed_that_is_no_list_is_told_and_nothing_is_written_over_it() -> None:
    problem = Cause("bad_solutions", "solutions", "No ids.", "Correct it.")
    seen = {
        "deal": AGREED.with_values({"solutions": "some words"}),
        "problems": {"solutions": problem},
    }
    rules = rules_with(Rule("solutions", "Solutions", is_set=True))
    found = plan_with(None, {"solutions": ("SOL-1",)}, link=base_with(solutions=("SOL-1",)), rules=rules, seen=seen)
    assert (found.to_partner_center, found.to_salesforce) == ((), ())
    assert (codes(found), list(found.refused)) == (["problem"], ["partner_center.solutions"])


def test_the_other_values_travel_while_one_is_read_in_part() -> None:
    seen = {"deal": AGREED.with_values({"notes": "new", "contacts": (ADA,)}), "partial": ("contacts",)}
    found = plan_with(
        None, {"contacts": (ADA, BEN)}, link=base_with(contacts=(ADA, BEN)), rules=rules_with(CONTACTS), seen=seen
    )
    assert [change.field for change in found.to_partner_center] == ["notes"]


def test_a_field_that_shows_another_one_shows_what_this_plan_sends() -> None:
    shown = Rule("shown", "Shown", direction=Direction.TO_SALESFORCE, shows="notes", shown=lambda value: f"<{value}>")
    found = plan_with({"notes": "new", "shown": "<old>"}, {"shown": "<old>"}, link=base_with(shown="<old>"),
                      rules=rules_with(shown))  # fmt: skip
    assert found.to_salesforce == (Change("shown", "Shown", "<old>", "<new>"),)


# --- several fields at once


def test_each_field_of_a_plan_is_told() -> None:
    rules = rules_with(replace(NOTES, is_fixed=True), replace(TITLE, is_fixed=True), Rule(VISIBILITY, "Visible"))
    link = base_with(title="old", visibility=PRIVATE)
    found = plan_with(
        {"notes": "new", "title": "new", VISIBILITY: VISIBLE}, {"title": "old", VISIBILITY: PRIVATE},
        rules=rules, link=link,
    )  # fmt: skip
    assert codes(found) == ["fixed_there", "fixed_there", "waiting"]
    line = found.lines[-1]
    assert (line.side, line.before, line.after, line.rule) == (
        Side.PARTNER_CENTER, PRIVATE, VISIBLE, IRREVERSIBLE
    )  # fmt: skip


def test_all_paths_that_are_tried_are_named() -> None:
    rules = rules_with(
        replace(NOTES, unlisted=frozenset({"/notes"}), is_in_list=True), replace(TITLE, unlisted=frozenset({"/title"}))
    )
    found = plan_with({"notes": "new", "title": "new"}, {"title": "old"}, link=base_with(title="old"), rules=rules)
    assert (found.tries, found.replaces_list) == (frozenset({"/notes", "/title"}), True)


def test_a_referral_is_read_whole_only_for_contacts_and_lists() -> None:
    unread = {"raw": None}
    assert not plan_with({"notes": "new"}, read=unread).replaces_list
    locked = replace(NOTES, is_locked_by_sharing=True)
    rules = rules_with(locked, replace(TITLE, unlisted=frozenset({"/title"})))
    both = plan_with({"notes": "new", "title": "new"}, {"title": "old"}, link=base_with(title="old"), rules=rules,
                     read=unread)  # fmt: skip
    assert both.replaces_list
    listed = rules_with(replace(NOTES, unlisted=frozenset({"/notes"}), is_in_list=True),
                        replace(TITLE, is_locked_by_sharing=True))  # fmt: skip
    read = plan_with({"notes": "new", "title": "new"}, {"title": "old"}, link=base_with(title="old"), rules=listed)
    assert read.replaces_list


def test_a_hidden_column_leaves_the_other_records_in_place() -> None:
    off = replace(TITLE, direction=Direction.OFF)
    hidden = Rules({**rules_with(replace(NOTES, is_fixed=True), off).by_field}, "m", (("title", BAD),))
    found = plan_with({"notes": "new"}, rules=hidden)
    assert {key: one.code for key, one in found.refused.items()} == {
        "partner_center.notes": "fixed_there", "salesforce.title": "hidden_column"
    }  # fmt: skip


def test_an_edit_of_a_value_that_cannot_be_read_there_is_told_as_one_over_nothing() -> None:
    found = plan_with({"notes": "new"}, read={"deal": AGREED.without("notes"), "problems": {"notes": BAD}})
    assert found.refused["partner_center.notes"].value == refusal_mark("new")
    assert [(line.before, line.after) for line in found.lines if line.code == "unreadable_there"] == [("empty", "new")]
