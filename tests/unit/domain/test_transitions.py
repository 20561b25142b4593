"""What becomes of a link, and the lines that explain it (docs/protocol.md#states-of-a-link)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.arrival import Arrival
from shared.domain.audit import Line, cause_line, change_lines, ignored_lines, refusal_lines
from shared.domain.cause import Cause
from shared.domain.creation_values import CONTACTS_LEFT_OUT, TEXT_CUT
from shared.domain.deal import STATUS, VISIBILITY, VISIBLE, Change, Deal, Person, Side, Status, fingerprint
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.latches import FIXED_THERE
from shared.domain.link import WHOLE, Difference, Effect, EffectKind, Intent, Link
from shared.domain.link_states import Mark, State
from shared.domain.ping_pong import with_writes
from shared.domain.planned import Plan
from shared.domain.records import Referral
from shared.domain.repeats import UNREADABLE, with_unreadable
from shared.domain.sentences import LineDirection
from shared.domain.transitions import (
    CONTACTS_KEY,
    adopted_opportunity,
    held,
    kept_cause,
    linked_referral,
    parked,
    parked_create,
    patched,
    sent_deal,
    split_by_effect,
    unconfirmed_create,
    with_ignored,
    with_refused,
    without_refusals,
    written,
)

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 21, 12, tzinfo=UTC)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
CAUSE = Cause("refused", "notes", "Too long.", "Shorten it.")
OTHER = Cause("missing", "name", "No name.", "Enter one.")
OPEN, WON = Status("Active", "Accepted"), Status("Closed", "Won")
LINK = Link("006", referral_id="ref", base=Deal(name="Atlas", notes="old"), waiting={"x": Difference("x", "y", BEFORE)})
NOTES, NAME = Change("notes", "Notes", "old", "new"), Change("name", "Name", "Atlas", "Borealis")
RULES = Rules({
    "name": Rule("name", "Name"), "notes": Rule("notes", "Notes"), STATUS: Rule(STATUS, "Stage"),
    VISIBILITY: Rule(VISIBILITY, "Visible"), "solutions": Rule("solutions", "Solutions", is_set=True),
}, mapping="m")  # fmt: skip


def refused_by(side: Side, suffix: str = "", value: str = "new", since: datetime = NOW) -> Difference:
    return Difference(fingerprint(value), f"refused_by_{side}{suffix}", since)


def test_a_known_cause_keeps_what_a_later_build_stored_in_it() -> None:
    stored = replace(CAUSE, unknown={"k": 1}, remedy="Old words.")
    assert kept_cause(LINK, CAUSE) is CAUSE
    assert kept_cause(replace(LINK, cause=stored), CAUSE) == replace(CAUSE, unknown={"k": 1})
    for other in (replace(stored, code="x"), replace(stored, field="x"), replace(stored, reason="x")):
        assert kept_cause(replace(LINK, cause=other), CAUSE) is CAUSE


def test_a_held_pair_tells_each_cause_once() -> None:
    first = held(LINK, {"notes": CAUSE, "name": OTHER}, NOW)
    lines = tuple(cause_line(NOW, THEIRS, name, found) for name, found in (("notes", CAUSE), ("name", OTHER)))
    keys = (CAUSE.key, OTHER.key)
    assert first.lines == lines
    assert first.link == replace(LINK, state=State.HELD, waiting={}, reported=keys, unwritten=True, cause=CAUSE)
    again = held(replace(first.link, unwritten=False), {"notes": CAUSE, "name": OTHER}, NOW)
    assert (again.lines, again.link) == ((), replace(first.link, unwritten=False))
    assert held(first.link, {"notes": CAUSE}, NOW).link == replace(first.link, reported=(CAUSE.key,))


@pytest.mark.parametrize("side", list(Side))
def test_a_refused_change_parks_the_pair_and_is_told_once(side: Side) -> None:
    first = parked(LINK, [NOTES], side, CAUSE, NOW)
    assert first.lines == tuple(refusal_lines(NOW, side, CAUSE, [NOTES]))
    expected = replace(LINK, state=State.PARKED, cause=CAUSE, unwritten=True)
    assert first.link == replace(expected, refused={f"{side}.notes": refused_by(side)})
    again = parked(replace(first.link, unwritten=False), [NOTES], side, CAUSE, NOW)
    assert (again.lines, again.link.unwritten, again.link.cause) == ((), False, CAUSE)
    both = parked(first.link, [NOTES, NAME], side, CAUSE, NOW)
    assert both.lines == tuple(refusal_lines(NOW, side, CAUSE, [NAME]))


def test_a_refusal_without_a_reason_is_marked_as_such() -> None:
    unread = Cause(UNREADABLE, None, "?", "")
    assert parked(LINK, [NOTES], OURS, unread, NOW).link.refused["salesforce.notes"] == refused_by(OURS, "_unreadably")
    found = parked_create(LINK, "mark", unread, NOW)
    assert found.link.refused[WHOLE].code == "refused_by_partner_center_unreadably"


def test_a_refused_deal_is_parked_with_its_mark() -> None:
    found = parked_create(LINK, "mark", CAUSE, NOW)
    refused = {WHOLE: Difference("mark", "refused_by_partner_center", NOW)}
    assert found.link == replace(LINK, state=State.PARKED, refused=refused, cause=CAUSE, unwritten=True)
    assert found.lines == (cause_line(NOW, THEIRS, None, CAUSE),)


def test_a_create_of_unknown_outcome_is_told_and_only_its_effect_has_ended() -> None:
    create, mark = Effect(EffectKind.CREATE_REFERRAL), Effect(EffectKind.MARK_OPPORTUNITY)
    found = unconfirmed_create(replace(LINK, intent=Intent((mark, create))), NOW.replace(hour=13, minute=5), NOW)
    assert found.link == replace(LINK, intent=Intent((mark, replace(create, ended=True))), unwritten=True)
    line = Line(NOW, "create_unconfirmed", LineDirection.NOTE, THEIRS, values={"until": "13:05"})
    assert found.lines == (line,)
    assert unconfirmed_create(LINK, NOW, NOW).link.intent == Intent()


def test_the_deal_that_is_sent_is_that_of_the_intent() -> None:
    create = Effect(EffectKind.CREATE_REFERRAL, Deal(name="Atlas"))
    assert sent_deal(replace(LINK, intent=Intent((create,)))) == Deal(name="Atlas")
    assert sent_deal(replace(LINK, intent=Intent())) == Deal()
    assert sent_deal(LINK) == Deal()


SENT = Deal(name="Atlas", notes="n", status=WON, visibility=VISIBLE, solutions=("a", "b"))
THERE = Deal(name="Atlas", notes="edited", status=OPEN, visibility=VISIBLE, solutions=("a", "c"))
REFERRAL = Referral("new-ref", "etag", THERE, NOW, engagement_id="eng")


def test_an_existing_opportunity_is_linked_and_keeps_its_base() -> None:
    known = replace(LINK, referral_id=None, state=State.HELD, cause=CAUSE, reported=("x",), mapping="old")
    found = adopted_opportunity(known, REFERRAL, None, RULES, Arrival(Deal()), NOW)
    assert found.link == replace(
        known, referral_id="new-ref", engagement_id="eng", state=State.LIVE, reported=(), cause=None, unwritten=True
    )  # fmt: skip
    assert found.lines == (Line(NOW, "adopted_opportunity", LineDirection.FROM_PARTNER_CENTER),)


def test_a_created_referral_is_linked_with_what_both_sides_hold() -> None:
    before = replace(
        LINK, referral_id=None, state=State.HELD, cause=CAUSE, reported=("x",), refused={"x": refused_by(OURS)}
    )
    found = linked_referral(before, REFERRAL, SENT, RULES, is_adopted=False, left_out=0, now=NOW)
    base = Deal(name="Atlas", status=OPEN, solutions=("a",))
    assert found.link == replace(
        before, state=State.LIVE, referral_id="new-ref", engagement_id="eng", base=base, mapping="m",
        sources=RULES.sources, refused={}, reported=(), cause=None, unwritten=True,
    )  # fmt: skip
    assert found.lines == (Line(NOW, "created_referral", LineDirection.TO_PARTNER_CENTER, THEIRS),)


def test_an_adopted_referral_has_held_all_that_was_sent_apart_from_its_status() -> None:
    found = linked_referral(LINK, REFERRAL, SENT, RULES, is_adopted=True, left_out=0, now=NOW)
    assert dict(found.link.base) == {"name": "Atlas", "notes": "n", "solutions": ("a", "b")}
    assert [line.code for line in found.lines] == ["adopted_referral"]
    lacks = replace(REFERRAL, deal=THERE.without("notes", "solutions"))
    assert dict(linked_referral(LINK, lacks, SENT, RULES, is_adopted=True, left_out=0, now=NOW).link.base) == {
        "name": "Atlas"
    }
    kept = Rules({**RULES.by_field, "notes": Rule("notes", "Notes", direction=Direction.OFF)})
    assert "notes" not in linked_referral(LINK, REFERRAL, SENT, kept, is_adopted=True, left_out=0, now=NOW).link.base


def test_contacts_that_were_left_out_are_on_record_and_told() -> None:
    found = linked_referral(LINK, REFERRAL, SENT, RULES, is_adopted=False, left_out=2, now=NOW)
    assert found.link.refused == {CONTACTS_KEY: Difference("2", CONTACTS_LEFT_OUT, NOW)}
    direction = LineDirection.TO_PARTNER_CENTER
    assert found.lines[1:] == (Line(NOW, "contacts_left_out", direction, THEIRS, "contacts", values={"count": "2"}),)


def test_a_change_was_ignored_if_the_old_value_is_read_back() -> None:
    assert split_by_effect([NOTES, NAME], Deal(notes="old", name="Borealis")) == ((NAME,), (NOTES,))
    assert split_by_effect([NOTES, NAME], Deal(notes="a person's")) == ((NOTES, NAME), ())
    again = replace(NOTES, new="old")
    assert split_by_effect([again], Deal(notes="old")) == ((again,), ())


def test_a_patch_that_took_effect_is_agreed_where_the_opportunity_holds_it_too() -> None:
    link = replace(LINK, unwritten=False, etag="1")
    found = patched(link, [NOTES, NAME], Deal(notes="new", name="Borealis"), Deal(notes="new", name="edited"), NOW)
    assert dict(found.link.base) == {"name": "Atlas", "notes": "new"}
    assert (found.link.unwritten, found.link.etag) == (True, None)
    assert found.lines == tuple(change_lines(NOW, THEIRS, [NOTES, NAME]))
    step = Change(STATUS, "Stage", None, OPEN, is_step=True)
    assert patched(link, [step], Deal(status=OPEN), Deal(status=WON), NOW).link.base[STATUS] == OPEN


def test_a_patch_that_was_ignored_is_on_record_and_told() -> None:
    found = patched(LINK, [NOTES], Deal(notes="old"), Deal(notes="new"), NOW)
    assert found.link.refused == {"partner_center.notes": refused_by(THEIRS, "_silently")}
    assert found.link.base == LINK.base
    assert found.lines == tuple(ignored_lines(NOW, THEIRS, [NOTES]))


def test_a_patch_that_took_effect_ends_the_record_of_a_fixed_field_only() -> None:
    fixed, other = Difference("x", FIXED_THERE.code, NOW), Difference("x", "other", NOW)
    link = replace(
        LINK, refused={"partner_center.notes": fixed, "partner_center.name": other, "salesforce.notes": fixed}
    )
    left = patched(link, [NOTES, NAME], Deal(notes="new", name="Borealis"), Deal(), NOW).link.refused
    assert left == {"partner_center.name": other, "salesforce.notes": fixed}


def test_the_base_of_a_list_that_was_sent_has_the_members_of_both_sides() -> None:
    change, link = Change("solutions", "Solutions", ("a",), ("a", "b")), replace(LINK, base=Deal(solutions=("a",)))
    base = patched(link, [change], Deal(solutions=("a", "b", "d")), Deal(solutions=("a", "b", "c")), NOW).link.base
    assert base["solutions"] == ("a", "b")
    emptied = replace(change, new=None)
    assert patched(link, [emptied], Deal(solutions=None), Deal(solutions=("c",)), NOW).link.base["solutions"] is None


def test_a_write_that_took_effect_is_agreed_and_shows_its_mark() -> None:
    found = written(replace(LINK, waiting={}), [NOTES], Deal(notes="new"), Deal(notes="new"), NOW)
    assert (found.link.base["notes"], found.link.mark, found.link.unwritten) == ("new", Mark.SYNCED, False)
    assert found.lines == tuple(change_lines(NOW, OURS, [NOTES]))
    hidden = written(LINK, [NOTES], Deal(notes="new"), Deal(notes="new"), NOW, is_shown=False)
    assert (hidden.link.mark, hidden.link.unwritten) == (None, True)


def test_a_write_that_was_ignored_is_on_record_and_told() -> None:
    found = written(LINK, [NOTES], Deal(notes="old"), Deal(notes="new"), NOW)
    assert found.link.refused == {"salesforce.notes": refused_by(OURS, "_silently")}
    assert (found.link.base, found.link.unwritten, found.link.mark) == (LINK.base, True, Mark.FAILED)
    assert found.lines == tuple(ignored_lines(NOW, OURS, [NOTES]))


def test_what_salesforce_has_taken_is_no_longer_refused() -> None:
    cut = Difference("x", TEXT_CUT, NOW)
    refused = {"salesforce.notes": refused_by(OURS), "salesforce.name": cut, "partner_center.notes": refused_by(THEIRS)}
    link, plan = replace(LINK, state=State.PARKED, refused=refused, cause=CAUSE), Plan(Deal(), state=State.ON_HOLD)
    kept = without_refusals(link, [NOTES, NAME], plan)
    assert kept == replace(link, refused={"salesforce.name": cut, "partner_center.notes": refused_by(THEIRS)})
    free = without_refusals(replace(link, refused={"salesforce.notes": refused_by(OURS)}), [NOTES], plan)
    assert free == replace(link, refused={}, state=State.ON_HOLD, cause=None)
    live = replace(link, state=State.LIVE)
    assert without_refusals(live, [], replace(plan, cause=OTHER)) == replace(live, state=State.ON_HOLD, cause=OTHER)


def test_a_refusal_of_the_same_value_keeps_what_is_known_of_it() -> None:
    known = replace(refused_by(OURS, since=BEFORE), told=("a",))
    link = replace(LINK, refused={"salesforce.notes": known, "x": known})
    assert with_refused(link, [NOTES], OURS, NOW).refused == {"salesforce.notes": replace(known, since=NOW), "x": known}
    other = replace(NOTES, new="newer")
    assert with_refused(link, [other], OURS, NOW).refused["salesforce.notes"] == refused_by(OURS, value="newer")
    assert with_ignored(link, [NOTES], OURS, NOW).refused["salesforce.notes"] == refused_by(OURS, "_silently")


def test_a_member_that_one_side_removed_while_a_list_was_sent_stays_in_the_base() -> None:
    change, link = Change("solutions", "Solutions", ("a",), ("a", "b")), replace(LINK, base=Deal(solutions=("a", "c")))
    base = patched(link, [change], Deal(solutions=("a", "b", "c")), Deal(solutions=("a", "b")), NOW).link.base
    assert base["solutions"] == ("a", "b", "c")


def test_what_was_written_is_counted_so_that_a_value_set_back_each_time_is_noticed() -> None:
    known = with_writes(None, OURS, [NAME], BEFORE.replace(day=22))
    both = with_writes(known, THEIRS, [NOTES], NOW)
    link = replace(LINK, repeats=known)
    assert patched(link, [NOTES], Deal(notes="new"), Deal(notes="new"), NOW).link.repeats == both


def test_a_write_is_counted_and_ends_what_is_known_of_unreadable_refusals_once_all_is_shown() -> None:
    unread = with_unreadable(with_writes(None, THEIRS, [NAME], NOW), OURS, BEFORE)
    link = replace(LINK, repeats=unread)
    shown = written(link, [NOTES], Deal(notes="new"), Deal(notes="new"), NOW).link.repeats
    assert shown == with_writes(with_writes(None, THEIRS, [NAME], NOW), OURS, [NOTES], NOW)
    hidden = written(link, [NOTES], Deal(notes="new"), Deal(notes="new"), NOW, is_shown=False).link.repeats
    assert hidden == with_writes(unread, OURS, [NOTES], NOW)


def test_a_stage_that_is_replaced_is_no_question_any_more() -> None:
    stage, link = Change(STATUS, "Stage", OPEN, WON), replace(LINK, reported=("unasked_stage:x", "y"))
    assert written(link, [stage], Deal(status=WON), Deal(status=WON), NOW).link.reported == ("y",)
    assert written(link, [NOTES], Deal(notes="new"), Deal(notes="new"), NOW).link.reported == link.reported


def test_people_who_join_a_list_with_other_details_are_on_record_and_told() -> None:
    here, there = (Person("Lind", "Ada", "ada@x.example", phone) for phone in ("1", "2"))
    change = Change("solutions", "Solutions", None, (there,))
    found = written(LINK, [change], Deal(solutions=(here,)), Deal(solutions=(there,)), NOW)
    assert list(found.link.refused) == ["salesforce.solutions:details"]
    assert found.link.unwritten
    assert [line.code for line in found.lines] == ["changed", "details_stay"]
