"""The link of an opportunity that was created for a referral (docs/protocol.md#creating-an-opportunity)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.arrival import Arrival, arrival_lines, default_records
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, Change, Deal, Side, Status, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Effect, EffectKind, Link, Unshown
from shared.domain.link_states import State
from shared.domain.question import UNSEEN_INSERT
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection
from shared.domain.transitions import adopted_opportunity, created_opportunity

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 21, 12, tzinfo=UTC)
OPEN, WON = Status("Active", "Accepted"), Status("Closed", "Won")
CAUSE = Cause("refused", "notes", "Too long.", "Shorten it.")
RULES = Rules({"name": Rule("name", "Name"), "notes": Rule("notes", "Notes"), STATUS: Rule(STATUS, "Stage")}, "m")
REFERRAL = Referral("ref", "etag", Deal(name="Atlas", notes="n", status=OPEN), NOW, engagement_id="eng")
NEW = Link("006", state=State.HELD, cause=CAUSE, reported=("x",), mapping="old")
LINE = Line(BEFORE, "created_opportunity", LineDirection.FROM_PARTNER_CENTER)
DUE = {"salesforce.notes": Difference("x", "text_cut", BEFORE)}
INTENDED = Effect(
    EffectKind.CREATE_OPPORTUNITY, Deal(name="Atlas", status=WON), Deal(status=None), lines=(LINE,), refused=DUE
)


def test_an_opportunity_that_an_interrupted_run_created_is_linked_as_that_run_intended() -> None:
    found = adopted_opportunity(NEW, REFERRAL, INTENDED, RULES, Arrival(Deal()), NOW)
    assert found.link == replace(
        NEW, state=State.LIVE, referral_id="ref", engagement_id="eng", base=Deal(name="Atlas", status=None), cause=None,
        mapping="m", sources=RULES.sources, refused={**DUE, **default_records(Deal(status=WON), NOW)},
        reported=(UNSEEN_INSERT,), unwritten=True,
    )  # fmt: skip
    assert found.lines == (LINE,)


def test_what_an_interrupted_run_could_not_write_parks_its_opportunity() -> None:
    refused = adopted_opportunity(NEW, REFERRAL, replace(INTENDED, cause=CAUSE), RULES, Arrival(Deal()), NOW).link
    assert (refused.state, refused.cause) == (State.PARKED, CAUSE)


def test_the_owner_of_an_opportunity_that_an_interrupted_run_created_is_still_to_be_told() -> None:
    told = adopted_opportunity(NEW, REFERRAL, INTENDED, RULES, Arrival(Deal(), notifies=True), NOW).link
    assert told.notice == 0


def test_an_interrupted_run_of_an_earlier_build_left_no_lines_so_the_arrival_is_told_anew() -> None:
    arrival = Arrival(Deal(name="Atlas"))
    found = adopted_opportunity(NEW, REFERRAL, replace(INTENDED, lines=()), RULES, arrival, NOW)
    assert found.lines == arrival_lines(REFERRAL, arrival, RULES, NOW)


def test_a_link_that_has_a_base_already_keeps_it_and_the_mapping_that_read_it() -> None:
    known = replace(NEW, base=Deal(name="Agreed"), sources={"name": "old"})
    for intended in (INTENDED, None):
        link = adopted_opportunity(known, REFERRAL, intended, RULES, Arrival(Deal()), NOW).link
        assert (link.base, link.mapping, link.sources) == (known.base, "old", {"name": "old"})


ARRIVED = Link("", referral_id="ref", base=Deal(name="Atlas", notes="n", status=OPEN))
THERE = Opportunity(
    "006", Deal(name="edited", notes="n", status=WON), flagged=True, modified=NOW, stamps={"opportunity": "o1"}
)


def test_a_created_opportunity_is_linked_with_what_it_was_given_and_the_stage_that_it_has() -> None:
    link = created_opportunity(ARRIVED, THERE, REFERRAL, [], RULES, NOW)
    assert (link.opportunity_id, link.unwritten) == ("006", False)
    assert link.base == Deal(name="Atlas", notes="n", status=WON)


def test_the_versions_of_a_created_opportunity_and_its_referral_are_known_if_both_hold_the_base() -> None:
    as_given = replace(THERE, deal=ARRIVED.base)
    link = created_opportunity(ARRIVED, as_given, REFERRAL, [], RULES, NOW)
    assert (link.etag, link.agreed, link.stamps) == ("etag", True, {"opportunity": "o1"})


def test_a_value_that_salesforce_left_empty_at_a_creation_is_on_record_and_in_no_base() -> None:
    ignored = Change("notes", "Notes", None, "n")
    link = created_opportunity(ARRIVED, replace(THERE, deal=Deal(notes=None)), REFERRAL, [ignored], RULES, NOW)
    assert (link.base["notes"], link.unwritten) == (None, True)
    assert link.refused["salesforce.notes"] == Difference(fingerprint("n"), "refused_by_salesforce_silently", NOW)


@pytest.mark.parametrize(
    "arrived",
    [
        replace(ARRIVED, refused={"salesforce.notes": Difference("x", f"refused_by_{Side.SALESFORCE}", NOW)}),
        replace(ARRIVED, unshown=Unshown(("Mark__c",), NOW)),
    ],
    ids=["a value was refused", "a column of ours was refused"],
)
def test_what_salesforce_refused_of_a_new_opportunity_is_to_be_written(arrived: Link) -> None:
    assert created_opportunity(arrived, THERE, REFERRAL, [], RULES, NOW).unwritten
