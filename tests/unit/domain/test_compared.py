"""Which deals the compare of all links looks at, and what of them is drift (docs/protocol.md#the-daily-compare)."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.compared import (
    GRACE,
    POLLED,
    FieldDrift,
    drift_in,
    has_other_parties,
    is_at_rest,
    is_compared,
    is_paused,
    is_unread,
    is_young,
    knows_save,
    may_have_drifted,
    without_old_lease,
)
from shared.domain.deal import PRIVATE, TEAM, VISIBILITY, VISIBLE, Change, Deal, Person, Side, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.help_request import HelpRequest
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link
from shared.domain.link_states import State
from shared.domain.microsoft_record import HeardPartner, HeardRecord
from shared.domain.plan_lead import OPEN_LEAD
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Referral

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOTES = Rule("notes", "Notes", source="Description")
RULES = Rules({"notes": NOTES, "title": Rule("title", "Title")}, "m")
LINK = Link("006", referral_id="ref", base=Deal(notes="old"), mapping="m", stamps={POLLED: "1"})
SEEN = Opportunity("006", Deal(notes="old"), flagged=True, modified=NOW, stamps={POLLED: "1"})
WORK = Intent((Effect(EffectKind.PATCH_REFERRAL, Deal()),))
EDIT = Change("notes", "Notes", "old", "new")


def record(value: str, code: str = "refused_by_partner_center") -> Difference:
    return Difference(fingerprint(value), code, NOW)


# --- which deals


@pytest.mark.parametrize("state", [State.CLOSED, State.GONE])
def test_a_deal_is_at_rest_once_it_is_closed_or_gone_and_nobody_works_on_it(state: State) -> None:
    link = replace(LINK, state=state)
    assert is_at_rest(link)
    assert not is_at_rest(replace(link, intent=WORK))
    assert not is_at_rest(replace(link, referral_id=None))
    assert not is_at_rest(replace(link, state=State.LIVE))


def test_a_paused_deal_waits_for_its_tick_unless_somebody_works_on_it() -> None:
    paused = replace(LINK, state=State.PAUSED)
    assert is_paused(paused)
    assert not is_paused(LINK)
    assert not is_paused(replace(paused, intent=WORK))
    assert not is_paused(replace(paused, referral_id=None))


@pytest.mark.parametrize("state", list(State))
def test_a_deal_is_compared_while_both_its_sides_are_kept_in_step(state: State) -> None:
    link = replace(LINK, state=state)
    assert is_compared(link) == (state in (State.LIVE, State.ON_HOLD, State.PARKED))
    for other in ({"intent": WORK}, {"close_as_test": True}, {"lead": OPEN_LEAD}, {"referral_id": None}):
        assert not is_compared(replace(link, **other))


def test_a_lease_without_effects_is_left_once_a_run_must_have_stopped() -> None:
    leased, at_work = replace(LINK, intent=Intent()), replace(LINK, intent=WORK)
    assert without_old_lease(leased, GRACE) == leased
    assert without_old_lease(leased, GRACE + timedelta(seconds=1)) == LINK
    assert without_old_lease(at_work, 2 * GRACE) == at_work
    assert without_old_lease(LINK, 2 * GRACE) == LINK


@pytest.mark.parametrize(
    ("changes", "knows"),
    [
        ({}, True),
        ({"stamps": {POLLED: "0"}}, False),
        ({"stamps": {}}, False),
        ({"stamps": {POLLED: "1", "deleted": "2"}}, False),
        ({"stamps": {}, "intent": Intent()}, True),
        ({"stamps": {}, "referral_id": "ref"}, True),
    ],
)
def test_a_link_without_a_referral_knows_a_save_that_a_look_has_taken(changes: dict[str, Any], *, knows: bool) -> None:
    assert knows_save(replace(LINK, **{"referral_id": None, **changes}), "1") is knows


@pytest.mark.parametrize(
    ("changes", "flagged", "saved", "unread"),
    [
        ({}, True, "1", False),
        ({}, True, "2", True),
        ({}, True, None, False),
        ({}, False, "1", True),
        ({"lead": OPEN_LEAD}, False, "1", False),
        ({"lead": OPEN_LEAD}, False, "2", True),
        ({"state": State.PAUSED}, False, "2", False),
        ({"state": State.PAUSED}, True, "1", True),
    ],
)
def test_an_opportunity_is_unread_if_its_save_or_its_tick_is_unknown(
    changes: dict[str, Any], saved: str | None, *, flagged: bool, unread: bool
) -> None:
    seen = replace(SEEN, flagged=flagged, stamps={POLLED: saved} if saved else {})
    assert is_unread(replace(LINK, **changes), seen) is unread


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, False),
        ({"base": Deal({VISIBILITY: PRIVATE})}, False),
        ({"base": Deal({VISIBILITY: VISIBLE})}, True),
        ({"microsoft": HeardRecord("m-1")}, True),
        ({"partners": {"p-1": HeardPartner("1", "New")}}, True),
        ({"help": HelpRequest(None, None, NOW)}, True),
        ({"answer_by": AnswerTime(NOW)}, True),
    ],
)
def test_news_are_looked_for_where_another_party_takes_part_or_may(changes: dict[str, Any], *, may: bool) -> None:
    assert has_other_parties(replace(LINK, **changes)) is may


def test_a_change_may_be_under_way_for_less_than_an_hour() -> None:
    settled = replace(SEEN, modified=NOW - GRACE, stamps={})
    assert not is_young(settled, NOW)
    assert is_young(replace(settled, modified=NOW - GRACE + timedelta(seconds=1)), NOW)
    assert is_young(replace(settled, stamps={"account": NOW.isoformat()}), NOW)
    assert not is_young(replace(settled, stamps={"contacts_deleted": NOW.isoformat()}), NOW), "no save of the deal"


# --- what may have drifted


def test_an_opportunity_whose_value_is_neither_agreed_nor_on_record_may_have_drifted() -> None:
    edited = replace(SEEN, deal=Deal(notes="new"))
    assert not may_have_drifted(LINK, SEEN, RULES)
    assert may_have_drifted(LINK, edited, RULES)
    assert not may_have_drifted(replace(LINK, refused={"partner_center.notes": record("new")}), edited, RULES)
    assert not may_have_drifted(LINK, replace(edited, partial=("notes",)), RULES), "it was not read whole"
    assert may_have_drifted(LINK, replace(SEEN, deal=Deal(notes="old", title="new")), RULES), "never agreed on"


def test_under_another_mapping_only_what_is_read_as_before_may_have_drifted() -> None:
    link = replace(LINK, mapping="earlier", sources={"notes": "Description"})
    assert may_have_drifted(link, replace(SEEN, deal=Deal(notes="new")), RULES)
    assert not may_have_drifted(link, replace(SEEN, deal=Deal(notes="old", title="new")), RULES)
    elsewhere = replace(link, sources={"notes": "Other__c"})
    assert not may_have_drifted(elsewhere, replace(SEEN, deal=Deal(notes="new")), RULES)


def test_the_owner_of_a_deal_is_no_drift_where_the_team_has_just_begun_to_travel() -> None:
    owner = Person("Lind", "Ada", "ada@x.example", "1")
    rules = Rules({TEAM: Rule(TEAM, "Team", is_set=True)}, "m")
    link = Link("006", referral_id="ref", base=Deal({TEAM: (owner,)}), mapping="earlier")
    seen = replace(SEEN, deal=Deal({TEAM: (Person("", email="ada@x.example"),)}))
    assert not may_have_drifted(link, seen, rules)


# --- what has drifted


def drift(plan: Plan, link: Link = LINK, ours: str = "new", rules: Rules = RULES) -> tuple[FieldDrift, ...]:
    seen = replace(SEEN, deal=Deal(notes=ours, title=None))
    return drift_in(plan, link, seen, Referral("ref", "1", Deal(notes="old", title="Atlas"), NOW), rules)


FOUND = (FieldDrift("notes", "Notes", "new", "old"),)
SENT = Plan(LINK.base, to_partner_center=(EDIT,))


def test_a_value_that_would_be_written_is_drift_unless_it_waits_or_was_refused() -> None:
    assert drift(SENT) == FOUND
    assert drift(SENT, replace(LINK, waiting={"notes": record("new")})) == ()
    assert drift(SENT, replace(LINK, refused={"partner_center.notes": record("new")})) == ()
    assert drift(SENT, replace(LINK, refused={"partner_center.notes": record("another")})) == FOUND
    assert drift(SENT, replace(LINK, refused={"salesforce.notes": record("new")})) == FOUND


def test_a_value_that_would_be_put_on_record_is_drift_unless_it_is_there() -> None:
    key = f"{Side.PARTNER_CENTER}.notes"
    plan = Plan(LINK.base, refused={key: record("new", "closed_is_final")})
    assert drift(plan) == FOUND
    assert drift(plan, replace(LINK, refused=plan.refused)) == ()
    assert drift(plan, replace(LINK, refused={key: record("another")})) == FOUND
    assert drift(plan, ours="old") == (), "both sides hold the same"


def test_a_value_that_the_mass_change_stop_holds_back_is_no_drift_unless_it_is_another() -> None:
    for key, held_back, found in (
        ("partner_center.notes", "new", ()),
        ("partner_center.notes", "another", FOUND),
        ("salesforce.notes", "new", FOUND),
    ):
        assert drift(SENT, replace(LINK, waiting={key: record(held_back, "mass_change")})) == found


def test_a_value_that_would_wait_is_drift_unless_it_waits_already() -> None:
    plan = Plan(LINK.base, waiting={"notes": record("new", "decline")})
    assert drift(plan) == FOUND
    assert drift(plan, replace(LINK, waiting=plan.waiting)) == ()
    assert drift(plan, replace(LINK, waiting={"notes": record("another")})) == FOUND
    assert drift(plan, ours="old") == (), "both sides hold the same"


def test_a_field_that_was_never_agreed_on_is_drift_only_under_the_mapping_of_the_link() -> None:
    pulled = Plan(LINK.base, to_salesforce=(Change("title", "Title", None, "Atlas"),))
    assert drift(pulled) == (FieldDrift("title", "Title", "empty", "Atlas"),)
    assert drift(pulled, replace(LINK, mapping="earlier", sources={"notes": "Description"})) == ()
