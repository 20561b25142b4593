"""What a link says of itself: its mark, its base under a mapping, and what it knows to be refused."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.cause import Cause
from shared.domain.deal import STATUS, TEAM, Deal, Person, Side, Status, fingerprint
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.help_request import LEFT, HelpRequest
from shared.domain.joined_texts import join_texts, refusal_mark
from shared.domain.link import (
    REFUSED_BY_SALESFORCE,
    SET_AT_CREATION,
    TRY_AGAIN,
    Difference,
    Effect,
    EffectKind,
    Intent,
    Link,
    Pointer,
    Unshown,
)
from shared.domain.link_states import Mark, State
from shared.domain.member_sets import without_details

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAUSE = Cause("refused", "notes", "reason", "remedy")
BASE = Deal(name="Atlas", notes="agreed")
LINK = Link("006", referral_id="ref", base=BASE)
DIFFERS = {"partner_center.notes": Difference(fingerprint("x"), "closed_is_final", NOW)}
REFUSED = {"salesforce.notes": Difference(fingerprint("x"), REFUSED_BY_SALESFORCE, NOW)}
WAITS = {STATUS: Difference("x", "waiting", NOW)}
CREATING = Intent((Effect(EffectKind.CREATE_REFERRAL),))
PATCHING = Intent((Effect(EffectKind.PATCH_REFERRAL),))
ASKING = HelpRequest("help", "mark", NOW)
ASKED = replace(ASKING, is_asked=True)


@pytest.mark.parametrize(
    ("changes", "mark"),
    [
        ({}, Mark.SYNCED),
        ({"state": State.CLOSED}, Mark.SYNCED),
        ({"refused": DIFFERS}, Mark.DIFFERENCES),
        ({"refused": REFUSED}, Mark.FAILED),
        ({"refused": REFUSED, "waiting": WAITS}, Mark.FAILED),
        ({"cause": CAUSE}, Mark.FAILED),
        ({"cause": CAUSE, "state": State.ON_HOLD}, Mark.FAILED),
        ({"waiting": WAITS}, Mark.WAITING),
        ({"waiting": WAITS, "refused": DIFFERS}, Mark.WAITING),
        ({"state": State.ON_HOLD}, Mark.WAITING),
        ({"intent": CREATING}, Mark.WAITING),
        ({"intent": PATCHING}, Mark.SYNCED),
        ({"intent": Intent()}, Mark.SYNCED),
        ({"help": ASKING}, Mark.WAITING),
        ({"help": ASKED}, Mark.SYNCED),
        ({"help": ASKING, "reported": (LEFT,)}, Mark.SYNCED),
        ({"state": State.PAUSED, "cause": CAUSE}, None),
    ],
    ids=str,
)
def test_the_mark_is_the_first_that_holds(changes: dict[str, Any], mark: Mark | None) -> None:
    assert replace(LINK, **changes).due_mark is mark


def test_columns_that_salesforce_refused_are_left_out_for_an_hour() -> None:
    link = replace(LINK, unshown=Unshown(("State__c", "Audit__c"), NOW))
    almost = NOW + TRY_AGAIN - timedelta(seconds=1)
    assert link.columns_left_out(almost) == {"State__c", "Audit__c"}
    assert link.columns_left_out(NOW + TRY_AGAIN) == frozenset()
    assert LINK.columns_left_out(NOW) == frozenset()


def rules_with(*rules: Rule, mapping: str = "new") -> Rules:
    return Rules({rule.field: rule for rule in rules}, mapping=mapping)


NAME, NOTES = Rule("name", "Name", source="Name"), Rule("notes", "Notes", source="Description")
MAPPED = replace(LINK, mapping="old", sources={"name": "Name", "notes": "Description"})


def test_the_base_of_an_early_build_has_no_lists() -> None:
    link = replace(LINK, base=Deal(name="Atlas", solutions=("a",)))
    rules = rules_with(NAME, Rule("solutions", "Solutions", is_set=True))
    assert dict(link.base_under(rules)) == {"name": "Atlas"}


def test_the_base_of_the_same_mapping_is_whole() -> None:
    assert replace(MAPPED, mapping="new", sources={}).base_under(rules_with(NAME)) == BASE


def test_a_value_that_the_mapping_reads_in_another_way_or_not_at_all_is_unknown() -> None:
    assert MAPPED.base_under(rules_with(NAME, NOTES)) == BASE
    assert dict(MAPPED.base_under(rules_with(NAME, replace(NOTES, source="Other__c")))) == {"name": "Atlas"}
    assert dict(MAPPED.base_under(rules_with(NAME))) == {"name": "Atlas"}
    off = replace(NOTES, direction=Direction.OFF)
    assert dict(MAPPED.base_under(rules_with(NAME, off))) == {"name": "Atlas"}


@pytest.mark.parametrize(
    ("code", "rule", "sources", "is_known"),
    [
        (SET_AT_CREATION, NOTES, {"name": "Name"}, True),
        ("another_code", NOTES, {"name": "Name"}, False),
        (SET_AT_CREATION, NOTES, {"name": "Name", "notes": "Other"}, False),
        (SET_AT_CREATION, replace(NOTES, in_rows=True), {"name": "Name"}, False),
    ],
)
@pytest.mark.parametrize("side", list(Side))
def test_a_text_that_travelled_only_at_creation_is_known_if_it_differs_since(
    side: Side, code: str, rule: Rule, sources: dict[str, str], is_known: bool
) -> None:
    refused = {f"{side}.notes": Difference("x", code, NOW)}
    link = replace(MAPPED, sources=sources, refused=refused)
    assert ("notes" in link.base_under(rules_with(NAME, rule))) is is_known


def test_the_owner_that_a_deal_was_sent_with_is_known_where_the_team_travels_only_now() -> None:
    owner = (Person("Berg", "Kim", "kim@example.com", "1"),)
    link = replace(MAPPED, base=Deal(name="Atlas", team=owner))
    team = Rule(TEAM, "Team", source="OwnerId", is_set=True)
    assert link.base_under(rules_with(NAME, team))[TEAM] == without_details(owner)
    assert TEAM not in link.base_under(rules_with(NAME))
    assert TEAM not in replace(link, base=Deal(name="Atlas", team=None)).base_under(rules_with(NAME, team))
    assert link.base_under(replace(rules_with(NAME, team), mapping="old"))[TEAM] == owner


def test_exactly_the_value_that_was_refused_is_refused() -> None:
    link = replace(LINK, refused=REFUSED)
    assert link.refuses("salesforce.notes", "x")
    assert not link.refuses("salesforce.notes", "y")
    assert not link.refuses("partner_center.notes", "x")


def test_of_joined_texts_an_earlier_build_kept_the_whole() -> None:
    joined = join_texts("ours", "theirs", NOW, NOW)
    for mark in (fingerprint(joined), refusal_mark(joined)):
        known = replace(LINK, refused={"salesforce.notes": Difference(mark, "refused_by_salesforce", NOW)})
        assert known.refuses("salesforce.notes", joined)
        assert not known.refuses("salesforce.notes", "ours")


def test_a_refusal_is_known_by_its_value_and_its_cause() -> None:
    link, key = replace(LINK, refused=REFUSED, cause=CAUSE), "salesforce.notes"
    other = Cause("refused", "name", "another reason", "remedy")
    assert link.knows_refusal(key, "x", CAUSE)
    assert not link.knows_refusal(key, "y", CAUSE)
    assert not replace(link, cause=None).knows_refusal(key, "x", CAUSE)
    assert not link.knows_refusal(key, "x", other)
    assert not replace(link, refused=REFUSED | DIFFERS).knows_refusal(key, "x", other)


def test_of_several_refusals_a_cause_of_another_column_says_nothing_new() -> None:
    several = REFUSED | {"salesforce.name": Difference("z", REFUSED_BY_SALESFORCE, NOW)}
    link, key = replace(LINK, refused=several, cause=CAUSE), "salesforce.notes"
    assert link.knows_refusal(key, "x", Cause("refused", "name", "another reason", ""))
    assert link.knows_refusal(key, "x", Cause("refused", None, "another reason", ""))
    assert not link.knows_refusal(key, "x", Cause("refused", "notes", "another reason", ""))


def test_a_deal_has_ended_with_a_final_status() -> None:
    assert replace(LINK, base=Deal(status=Status("Closed", "Won"))).has_ended
    assert not replace(LINK, base=Deal(status=Status("Active", "Accepted"))).has_ended
    assert not LINK.has_ended


def test_an_intent_finds_its_effect_by_kind_and_a_pointer_the_opportunity_to_create() -> None:
    effect = Effect(EffectKind.CREATE_OPPORTUNITY)
    intent = Intent((Effect(EffectKind.PATCH_REFERRAL), effect))
    assert intent.find(EffectKind.CREATE_OPPORTUNITY) is effect
    assert intent.find(EffectKind.MARK_OPPORTUNITY) is None
    assert Pointer(intent=intent).intended_opportunity is effect
    assert Pointer(intent=PATCHING).intended_opportunity is None
    assert Pointer().intended_opportunity is None
