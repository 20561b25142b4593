"""Members that Salesforce does not take as rows are told once and tried again (docs/protocol.md#writing-rows)."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.deal import Change, Deal, Person, Side
from shared.domain.field_rules import Rule, Rules
from shared.domain.left_members import left_records, mark_of, told_members
from shared.domain.link import Difference, Link
from shared.domain.member_sets import Left
from shared.domain.merge import EditTimes
from shared.domain.planned import Plan, next_tries
from shared.domain.records import Referral
from shared.domain.row_records import without_left, without_untaken
from shared.domain.untaken_codes import NO_USER, REFUSED_ROW

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
KEY = "salesforce.team:left"
RULE = Rule("team", "Team", is_set=True)
RULES = Rules({"team": RULE})
ADA, BEN, CLEO = (Person(name, name, f"{name.lower()}@ours.example", "1") for name in ("Ada", "Ben", "Cleo"))


def plan_of(old: tuple[Person, ...] | None, new: tuple[Person, ...] | None) -> Plan:
    return Plan(Deal({"team": old}), to_salesforce=(Change("team", "Team", old, new),))


def left(person: Person, code: str = NO_USER, **values: str) -> Left:
    return Left(Side.PARTNER_CENTER, code, person, values)


def test_a_member_without_a_user_leaves_the_write_and_is_told() -> None:
    plan, lines = without_left(plan_of((ADA,), (ADA, BEN, CLEO)), (), RULE, (ADA, BEN, CLEO), [left(BEN)], NOW)
    assert plan.to_salesforce[0].new == (ADA, CLEO)
    assert (plan.refused[KEY].value, plan.refused[KEY].code) == (mark_of([BEN]), NO_USER)
    assert [(line.code, line.values["value"]) for line in lines] == [(NO_USER, "Ben Ben")]
    assert plan.due == NOW + timedelta(hours=1)


def test_a_write_that_adds_nobody_is_none() -> None:
    plan, _ = without_left(plan_of((ADA,), (ADA, BEN)), (), RULE, (ADA, BEN), [left(BEN)], NOW)
    assert plan.to_salesforce == ()


def told_of(*members: Left) -> frozenset[str]:
    everybody = (ADA, *(one.member for one in members))
    plan, _ = without_left(plan_of((ADA,), everybody), (), RULE, everybody, members, NOW - timedelta(hours=2))  # type: ignore[arg-type]  # they are people
    return told_members(plan.refused.values())


def test_a_member_who_was_told_is_not_told_again_but_tried_again_later() -> None:
    plan, lines = without_left(plan_of((ADA,), (ADA, BEN)), told_of(left(BEN)), RULE, (ADA, BEN), [left(BEN)], NOW)
    assert (lines, plan.refused[KEY].since) == ((), NOW)
    assert list(next_tries(Link("006"), plan.refused, [], NOW)) == [NOW + timedelta(hours=1)]


def test_of_several_members_only_those_who_were_not_told_are() -> None:
    told = told_of(left(BEN))
    _, lines = without_left(
        plan_of((ADA,), (ADA, BEN, CLEO)), told, RULE, (ADA, BEN, CLEO), [left(BEN), left(CLEO)], NOW
    )
    assert [line.values["value"] for line in lines] == ["Cleo Cleo"]


def test_a_member_who_was_told_of_another_list_is_told_of_this_one() -> None:
    ((_, record, _),) = left_records(Rule("contacts", "Contacts", is_set=True), [left(BEN)], NOW)
    _, lines = without_left(plan_of((ADA,), (ADA, BEN)), told_members([record]), RULE, (ADA, BEN), [left(BEN)], NOW)
    assert [line.values["value"] for line in lines] == ["Ben Ben"]


def test_another_reason_is_told_again() -> None:
    refused = left(BEN, REFUSED_ROW, reason="Not so", remedy="Ask.")
    _, lines = without_left(plan_of((ADA,), (ADA, BEN)), told_of(left(BEN)), RULE, (ADA, BEN), [refused], NOW)
    assert [line.values["reason"] for line in lines] == ["Not so"]


def test_a_member_whom_salesforce_takes_at_last_leaves_the_record() -> None:
    plan = replace(plan_of((ADA,), (ADA, BEN)), refused={KEY: Difference(mark_of([BEN]), NO_USER, NOW)})
    plan, lines = without_left(plan, told_members(plan.refused.values()), RULE, (ADA, BEN), [], NOW)
    assert (plan.refused, lines, plan.to_salesforce[0].new) == ({}, (), (ADA, BEN))


@pytest.mark.parametrize(
    ("minutes", "edited", "is_hidden"), [(10, -20, True), (10, 0, False), (70, -90, False)], ids=str
)
def test_a_member_is_tried_again_after_an_hour_or_an_edit(minutes: int, edited: int, *, is_hidden: bool) -> None:
    since = NOW - timedelta(minutes=minutes)
    link = Link("006", base=Deal({"team": (ADA,)}), refused={KEY: Difference(mark_of([BEN]), NO_USER, since)})
    referral = Referral("r", "1", Deal({"team": (ADA, BEN)}), NOW)
    times = EditTimes(NOW + timedelta(minutes=edited), NOW - timedelta(days=1))
    seen, records = without_untaken(link, Deal({"team": (ADA,)}), referral, RULES, times, NOW)
    assert seen.deal["team"] == ((ADA,) if is_hidden else (ADA, BEN))
    assert records.keys() == {KEY}


def test_a_record_of_other_members_hides_nobody() -> None:
    link = Link("006", base=Deal({"team": (ADA,)}), refused={KEY: Difference(mark_of([BEN]), NO_USER, NOW)})
    referral = Referral("r", "1", Deal({"team": (ADA, BEN, CLEO)}), NOW)
    seen, records = without_untaken(link, Deal({"team": (ADA,)}), referral, RULES, EditTimes(NOW, NOW), NOW)
    assert (seen, records) == (referral, {})


def test_a_member_left_out_by_an_earlier_try_stays_on_record() -> None:
    plan, _ = without_left(plan_of((ADA,), (ADA, BEN, CLEO)), (), RULE, (ADA, BEN, CLEO), [left(BEN)], NOW)
    again, lines = without_left(plan, (), RULE, (ADA, BEN, CLEO), [], NOW)
    assert (again.refused, again.to_salesforce, lines) == (plan.refused, plan.to_salesforce, ())


def test_a_member_without_an_address_stays_on_record_when_another_is_taken_at_last() -> None:
    nobody = Person("Nobody")
    record = Difference(mark_of([BEN, nobody]), NO_USER, NOW)
    plan = replace(plan_of((ADA,), (ADA, BEN)), refused={KEY: record})
    plan, lines = without_left(plan, told_members(plan.refused.values()), RULE, (ADA, BEN, nobody), [], NOW)
    assert (plan.refused[KEY].value, plan.refused[KEY].code, lines) == (mark_of([nobody]), "member_no_address", ())


# --- several lists, and whom both sides hold


def test_each_list_has_its_own_record_and_time() -> None:
    contacts, both = Rule("contacts", "Contacts", is_set=True), "salesforce.contacts:left"
    rules = Rules({"notes": Rule("notes", "Notes"), "contacts": contacts, "team": RULE})
    since = NOW - timedelta(minutes=10)
    record = Difference(mark_of([BEN]), NO_USER, since)
    link = Link("006", base=Deal(contacts=(ADA,), team=(ADA,)), refused={both: record, KEY: record})
    ours, theirs = Deal(contacts=(ADA,), team=(ADA,)), Deal(contacts=(ADA, CLEO), team=(ADA, BEN), notes="n")
    times = EditTimes(since, since)
    seen, records = without_untaken(link, ours, Referral("r", "1", theirs, NOW), rules, times, NOW)
    assert (records, seen.deal) == ({KEY: record}, theirs.with_values({"team": (ADA,)}))
    unread = Referral("r", "1", Deal(team=(ADA, BEN)), NOW)
    assert without_untaken(link, ours, unread, rules, times, NOW)[1] == {KEY: record}
    other = replace(link, refused={KEY: replace(record, code="member_stays")})
    assert without_untaken(other, ours, unread, rules, times, NOW) == (unread, {})


def test_an_hour_after_the_refusal_a_member_is_tried_again() -> None:
    record = Difference(mark_of([BEN]), NO_USER, NOW - timedelta(hours=1))
    link = Link("006", base=Deal(team=(ADA,)), refused={KEY: record})
    referral = Referral("r", "1", Deal(team=(ADA, BEN)), NOW)
    times = EditTimes(NOW - timedelta(days=1), NOW - timedelta(days=1))
    assert without_untaken(link, Deal(team=(ADA,)), referral, RULES, times, NOW)[0] == referral


@pytest.mark.parametrize(("base", "ours"), [((ADA, CLEO), (ADA,)), ((ADA,), (ADA, CLEO))])
def test_whom_the_base_or_salesforce_holds_is_not_untaken(base: tuple[Person, ...], ours: tuple[Person, ...]) -> None:
    record = Difference(mark_of([BEN]), NO_USER, NOW)
    link = Link("006", base=Deal(team=base), refused={KEY: record})
    referral = Referral("r", "1", Deal(team=(ADA, BEN, CLEO)), NOW)
    times = EditTimes(NOW - timedelta(days=1), NOW - timedelta(days=1))
    seen, _ = without_untaken(link, Deal(team=ours), referral, RULES, times, NOW)
    assert seen.deal["team"] == (ADA, CLEO)


def test_a_person_listed_twice_counts_among_those_who_are_not_taken() -> None:
    twin = replace(BEN, first_name="Benedict")
    record = Difference(mark_of([BEN, twin]), NO_USER, NOW)
    link = Link("006", base=Deal(team=(ADA,)), refused={KEY: record})
    referral = Referral("r", "1", Deal(team=(ADA, BEN, twin)), NOW)
    assert without_untaken(link, Deal(team=(ADA,)), referral, RULES, EditTimes(NOW, NOW), NOW)[1] == {KEY: record}


def test_whom_salesforce_holds_already_is_on_no_record() -> None:
    nobody = Person("Nobody")
    kept = replace(plan_of((ADA, nobody), (ADA, nobody, BEN)), to_salesforce=())
    for plan in (
        replace(kept, base=Deal(team=(ADA, nobody))),
        plan_of((ADA, nobody), (ADA, nobody, BEN)),
        replace(plan_of((ADA, nobody), (ADA, nobody, BEN)), base=Deal(team=None)),
    ):
        found, _ = without_left(plan, (), RULE, (ADA, nobody, BEN), [left(BEN)], NOW)
        assert (found.refused[KEY].value, found.refused[KEY].code) == (mark_of([BEN]), NO_USER)
    assert without_left(kept, (), RULE, (ADA, nobody), [], NOW) == (kept, ())


def test_all_members_who_are_not_taken_are_told_of_and_one_without_an_address_is_not() -> None:
    nobody = Person("Nobody")
    plan, lines = without_left(
        plan_of((ADA,), (ADA, BEN, CLEO)), (), RULE, (ADA, BEN, CLEO, nobody), [left(BEN), left(CLEO)], NOW
    )
    assert [line.values["value"] for line in lines] == ["Ben Ben, Cleo Cleo"]
    assert plan.refused[KEY].value == mark_of([BEN, CLEO, nobody])
