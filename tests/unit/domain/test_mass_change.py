"""A stopped change leaves the plan and waits for an operator; all else of the plan goes on.

Source: docs/protocol.md#the-mass-change-stop.
"""

from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.audit import Line
from shared.domain.counted_changes import MASS_CHANGE, NEW_REFERRAL, NEW_REQUEST, Counted, Kind, counted
from shared.domain.deal import STATUS, VISIBILITY, VISIBLE, Change, Deal, Side, Status, fingerprint
from shared.domain.help_request import HELP, HelpStep
from shared.domain.link import Difference, Link
from shared.domain.link_states import State
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.mass_change import awaits, plan_of_stopped_create, waits_for_approval, was_stopped, without_stopped
from shared.domain.planned import Plan
from shared.domain.sentences import LineDirection

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
LINK = Link("006", referral_id="ref")
WON = Status("Closed", "Won")
NOTE = LineDirection.NOTE
CLOSE, NOTES = Change(STATUS, "Stage", Status("Active", "Accepted"), WON), Change("notes", "Notes", "old", "new")
EMPTIED = Change("notes", "Description", "old", None)
SHARE = Change(VISIBILITY, "Visible", None, VISIBLE)
STOPPED_CLOSE = counted(Side.PARTNER_CENTER, Kind.CLOSURE, STATUS, fingerprint(WON))
STOPPED_EMPTY = counted(Side.SALESFORCE, Kind.EMPTIED, "notes", fingerprint(None))
STOPPED_SHARE = counted(Side.PARTNER_CENTER, Kind.VISIBILITY, VISIBILITY, fingerprint(VISIBLE))


def record_of(one: Counted, code: str = MASS_CHANGE) -> Difference:
    return Difference(one.mark, code, BEFORE)


def a_plan(**changes: Any) -> Plan:  # noqa: ANN401 - any part of a plan
    return replace(Plan(Deal(), (CLOSE, NOTES), (EMPTIED,), counted=(STOPPED_CLOSE, STOPPED_EMPTY)), **changes)


@pytest.mark.parametrize(("code", "waits"), [(MASS_CHANGE, True), (MAPPING_CHANGE, True), ("waiting", False)])
def test_a_value_waits_for_an_operator_if_the_stop_or_a_new_mapping_holds_it(code: str, waits: bool) -> None:
    assert waits_for_approval({"name": Difference("x", "waiting", NOW), "key": Difference("x", code, NOW)}) is waits
    assert not waits_for_approval({})


def test_a_deal_awaits_an_approval_of_the_count_that_its_stopped_change_belongs_to() -> None:
    link = replace(LINK, waiting={STOPPED_CLOSE.key: record_of(STOPPED_CLOSE)})
    assert awaits(link, STOPPED_CLOSE)
    assert not awaits(link, STOPPED_EMPTY)
    assert not awaits(LINK, STOPPED_CLOSE)
    assert not awaits(replace(link, state=State.PAUSED), STOPPED_CLOSE)
    assert not awaits(replace(link, state=State.GONE), STOPPED_CLOSE)
    other_code = replace(LINK, waiting={STOPPED_CLOSE.key: record_of(STOPPED_CLOSE, "waiting")})
    assert not awaits(other_code, STOPPED_CLOSE)


def test_only_the_very_change_was_stopped_before() -> None:
    link = replace(LINK, waiting={STOPPED_CLOSE.key: record_of(STOPPED_CLOSE)})
    assert was_stopped(link, STOPPED_CLOSE)
    assert not was_stopped(LINK, STOPPED_CLOSE)
    assert not was_stopped(link, replace(STOPPED_CLOSE, mark="another"))
    assert not was_stopped(replace(LINK, waiting={STOPPED_CLOSE.key: record_of(STOPPED_CLOSE, "x")}), STOPPED_CLOSE)


def test_a_stopped_create_waits_beside_what_waited_and_is_told_once() -> None:
    waiting = {VISIBILITY: Difference("x", "waiting", BEFORE)}
    plan = plan_of_stopped_create(replace(LINK, waiting=waiting), NOW)
    record = Difference(NEW_REFERRAL.mark, MASS_CHANGE, NOW)
    assert plan.waiting == {**waiting, "partner_center.*": record}
    assert plan.base == Deal()
    assert plan.lines == (Line(NOW, "mass_creation", NOTE, Side.PARTNER_CENTER, rule=MASS_CHANGE),)
    again = plan_of_stopped_create(replace(LINK, waiting=plan.waiting), NOW.replace(hour=13))
    assert (again.waiting, again.lines) == (plan.waiting, ())


def test_a_stopped_change_leaves_the_plan_and_the_others_stay() -> None:
    plan = without_stopped(a_plan(state=State.PARKED), LINK, [STOPPED_CLOSE], NOW)
    assert (plan.to_partner_center, plan.to_salesforce) == ((NOTES,), (EMPTIED,))
    assert plan.counted == (STOPPED_EMPTY,)
    assert plan.waiting == {"partner_center.status": Difference(fingerprint(WON), MASS_CHANGE, NOW)}
    assert plan.state is State.PARKED
    values = {"label": "Stage", "system": "Partner Center"}
    before, after = str(CLOSE.old), str(WON)
    told = Line(NOW, MASS_CHANGE, NOTE, Side.PARTNER_CENTER, STATUS, before, after, MASS_CHANGE, values)
    assert plan.lines == (told,)


def test_a_stopped_change_of_salesforce_leaves_the_same_field_of_partner_center() -> None:
    plan = without_stopped(a_plan(), LINK, [STOPPED_EMPTY], NOW)
    assert (plan.to_partner_center, plan.to_salesforce) == ((CLOSE, NOTES), ())
    assert plan.counted == (STOPPED_CLOSE,)
    values = {"label": "Description", "system": "Salesforce"}
    told = Line(NOW, MASS_CHANGE, NOTE, Side.SALESFORCE, "notes", "old", "empty", MASS_CHANGE, values)
    assert plan.lines == (told,)


def test_a_change_that_was_stopped_before_keeps_its_record_and_is_not_told_again() -> None:
    known = record_of(STOPPED_EMPTY)
    link = replace(LINK, waiting={STOPPED_EMPTY.key: known})
    plan = without_stopped(a_plan(), link, [STOPPED_EMPTY, STOPPED_CLOSE], NOW)
    assert plan.waiting[STOPPED_EMPTY.key] is known
    assert [line.field for line in plan.lines] == [STATUS]


def test_the_lines_of_the_plan_and_of_each_stopped_change_are_told() -> None:
    told = Line(BEFORE, "waiting", NOTE)
    plan = without_stopped(a_plan(lines=(told,)), LINK, [STOPPED_EMPTY, STOPPED_CLOSE], NOW)
    assert [line.field for line in plan.lines] == [None, "notes", STATUS]


def test_what_has_stood_does_not_wait_anew() -> None:
    stood, mine = Difference("stood", "waiting", BEFORE), Difference("mine", "waiting", NOW)
    link = replace(LINK, waiting={STATUS: stood, "notes": stood})
    plan = without_stopped(a_plan(waiting={}), link, [STOPPED_CLOSE, STOPPED_EMPTY], NOW)
    assert plan.waiting[STATUS] is stood
    assert "notes" not in plan.waiting
    kept = without_stopped(a_plan(waiting={STATUS: mine}), link, [STOPPED_CLOSE], NOW)
    assert kept.waiting[STATUS] is mine


def test_with_a_stopped_answer_nothing_is_sent_of_an_unanswered_deal() -> None:
    held = replace(LINK, state=State.ON_HOLD)
    plan = without_stopped(a_plan(), held, [STOPPED_CLOSE], NOW)
    assert (plan.to_partner_center, plan.to_salesforce, plan.state) == ((), (EMPTIED,), State.ON_HOLD)
    other = without_stopped(a_plan(), held, [STOPPED_EMPTY], NOW)
    assert (other.to_partner_center, other.state) == ((CLOSE, NOTES), State.LIVE)


def test_a_deal_that_is_not_shared_is_not_ticked_and_microsoft_is_not_asked_about_it() -> None:
    shared = Plan(Deal(), (SHARE, NOTES), (SHARE, EMPTIED), help=HelpStep.ASK, counted=(STOPPED_SHARE, NEW_REQUEST))
    plan = without_stopped(shared, LINK, [STOPPED_SHARE], NOW)
    assert (plan.to_partner_center, plan.to_salesforce) == ((NOTES,), (EMPTIED,))
    assert (plan.help, plan.counted) == (None, ())
    assert set(plan.waiting) == {STOPPED_SHARE.key}


def test_a_stopped_request_is_told_and_the_deal_is_shared_all_the_same() -> None:
    asking = Plan(Deal(), (SHARE,), (), help=HelpStep.ASK, counted=(STOPPED_SHARE, NEW_REQUEST))
    plan = without_stopped(asking, LINK, [NEW_REQUEST], NOW)
    assert (plan.to_partner_center, plan.help, plan.counted) == ((SHARE,), None, (STOPPED_SHARE,))
    assert plan.lines == (Line(NOW, "mass_request", NOTE, Side.PARTNER_CENTER, HELP, rule=MASS_CHANGE),)


def test_another_step_of_help_stays_with_a_stopped_change() -> None:
    step = next(step for step in HelpStep if step is not HelpStep.ASK)
    plan = Plan(Deal(), (SHARE,), (), help=step, counted=(STOPPED_SHARE,))
    assert without_stopped(plan, LINK, [STOPPED_SHARE], NOW).help is step
