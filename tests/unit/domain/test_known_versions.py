"""A version of a side is known if each mapped value in it is agreed, or a difference on record.

Source: docs/protocol.md#known-versions.
"""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.creation_values import STAYS_UNREAD
from shared.domain.deal import STATUS, VISIBILITY, VISIBLE, Deal, Person, Side, Status, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.known_versions import accounts_for, is_on_record, is_same_as_closed, version_held, with_deletion
from shared.domain.known_versions import with_known_versions as known_versions
from shared.domain.left_members import extra_members, left_key, mark_of, unsent_members
from shared.domain.link import Dated, Difference, Link
from shared.domain.link_states import State
from shared.domain.member_sets import keys_of
from shared.domain.ping_pong import PING_PONG
from shared.domain.records import Opportunity, Referral

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME, NOTES = Rule("name", "Name"), Rule("notes", "Notes")
RULES = Rules({"name": NAME, "notes": NOTES})
AGREED = Deal(name="Atlas", notes="first")
LINK = Link("006", referral_id="ref", base=AGREED, etag="old", stamps={"people": "p1", "opportunity": "o1"})


def a_referral(**values: Value | None) -> Referral:
    return Referral("ref", "new", Deal({**AGREED, **values}), NOW)


def an_opportunity(deal: Deal = AGREED, **changes: Any) -> Opportunity:  # noqa: ANN401 - any column
    return replace(Opportunity("006", deal, flagged=True, modified=NOW, stamps={"opportunity": "o2"}), **changes)


def record_of(value: Value | None, code: str = "closed_is_final") -> Difference:
    return Difference(fingerprint(value), code, NOW)


def test_a_referral_that_holds_what_is_agreed_is_known_and_agreed() -> None:
    known = known_versions(LINK, None, a_referral(), RULES)
    assert (known.etag, known.agreed) == ("new", True)
    assert known.stamps == LINK.stamps


def test_the_known_version_has_its_date_only_if_it_was_read() -> None:
    read = replace(a_referral(), raw={})
    assert known_versions(LINK, None, read, RULES).known_since == NOW
    assert known_versions(LINK, None, a_referral(), RULES).known_since is None


def test_what_stands_in_for_the_known_version_leaves_its_date() -> None:
    known = replace(LINK, etag="new", dated=Dated("new", NOW - timedelta(hours=1)))
    assert known_versions(known, None, a_referral(), RULES).known_since == NOW - timedelta(hours=1)


@pytest.mark.parametrize("etag", ["new", None])
def test_the_date_of_another_version_is_none_of_the_known_one(etag: str | None) -> None:
    moved_by_an_earlier_build = replace(LINK, etag=etag, dated=Dated("old", NOW))
    assert moved_by_an_earlier_build.known_since is None


def test_a_referral_with_an_edit_is_unknown() -> None:
    known = known_versions(replace(LINK, agreed=True), None, a_referral(notes="edited"), RULES)
    assert (known.etag, known.agreed) == (None, False)


@pytest.mark.parametrize(
    ("own", "normal", "is_held"),
    [
        ("Closed/Lost", "Closed/Lost", True),
        ("Closed/Expired", "Closed/Lost", False),
        ("Active/Engaged", "Active/Accepted", True),
    ],
)
def test_the_row_holds_a_referral_whose_end_the_stage_tells(own: str, normal: str, *, is_held: bool) -> None:
    rules = Rules({"name": NAME, "notes": NOTES, STATUS: Rule(STATUS, "Stage")})
    written = {STATUS: Status(*normal.split("/"))}
    referral = replace(a_referral(**written), status=Status(*own.split("/")))
    assert version_held(LINK, referral, written, rules) == ("new" if is_held else None)
    assert version_held(LINK, referral, {}, rules) is None


def test_a_referral_with_an_edit_that_salesforce_refused_is_known_but_not_agreed() -> None:
    link = replace(LINK, refused={"salesforce.notes": record_of("edited")})
    known = known_versions(link, None, a_referral(notes="edited"), RULES)
    assert (known.etag, known.agreed) == ("new", False)


@pytest.mark.parametrize("state", [State.PAUSED, State.GONE])
def test_a_referral_of_a_suspended_link_is_known_with_any_value_but_never_agreed(state: State) -> None:
    known = known_versions(replace(LINK, state=state), None, a_referral(notes="edited"), RULES)
    assert (known.etag, known.agreed) == ("new", False)
    assert not known_versions(replace(LINK, state=state), None, a_referral(), RULES).agreed


@pytest.mark.parametrize(
    "changes", [{"state": State.CLOSED}, {"waiting": {"status": record_of("Closed")}}], ids=["closed", "waiting"]
)
def test_a_referral_is_not_agreed_while_the_link_is_closed_or_waits(changes: dict[str, Any]) -> None:
    known = known_versions(replace(LINK, **changes), None, a_referral(), RULES)
    assert (known.etag, known.agreed) == ("new", False)


def test_a_difference_that_no_reading_ends_does_not_prevent_agreement() -> None:
    link = replace(LINK, refused={"partner_center.notes": record_of("x", STAYS_UNREAD[0])})
    assert known_versions(link, None, a_referral(), RULES).agreed
    link = replace(LINK, refused={"partner_center.notes": record_of("x")})
    assert not known_versions(link, None, a_referral(), RULES).agreed


def test_a_referral_of_which_a_field_could_not_be_read_is_known_but_not_agreed() -> None:
    partial = Referral("ref", "new", Deal(name="Atlas"), NOW)
    known = known_versions(LINK, None, partial, RULES)
    assert (known.etag, known.agreed) == ("new", False)


def test_an_opportunity_that_holds_what_is_agreed_is_known_beside_what_was_known() -> None:
    known = known_versions(LINK, an_opportunity(), None, RULES)
    assert known.stamps == {"people": "p1", "opportunity": "o2"}
    assert known.etag == LINK.etag


def test_an_opportunity_with_an_edit_is_unknown() -> None:
    edited = an_opportunity(Deal({**AGREED, "notes": "edited"}))
    assert known_versions(LINK, edited, None, RULES).stamps == {}


def test_an_opportunity_with_an_edit_that_partner_center_refused_is_known() -> None:
    link = replace(LINK, refused={"partner_center.notes": record_of("edited")})
    edited = an_opportunity(Deal({**AGREED, "notes": "edited"}))
    assert known_versions(link, edited, None, RULES).stamps["opportunity"] == "o2"


def test_an_empty_stamp_is_none_and_without_the_stamp_of_the_record_it_is_unknown() -> None:
    assert known_versions(LINK, an_opportunity(stamps={"opportunity": ""}), None, RULES).stamps == {"people": "p1"}
    assert known_versions(LINK, an_opportunity(stamps={"people": "p2"}), None, RULES).stamps == {"people": "p2"}


@pytest.mark.parametrize(("state", "flagged"), [(State.LIVE, False), (State.PAUSED, True), (State.GONE, True)])
def test_a_tick_that_the_link_does_not_expect_leaves_the_opportunity_unknown(state: State, flagged: bool) -> None:
    known = known_versions(replace(LINK, state=state), an_opportunity(flagged=flagged), None, RULES)
    assert known.stamps == {}


def test_a_paused_opportunity_is_known_with_any_value() -> None:
    edited = an_opportunity(Deal(name="edited"), flagged=False)
    assert known_versions(replace(LINK, state=State.PAUSED), edited, None, RULES).stamps["opportunity"] == "o2"


def test_the_tick_of_a_lead_and_an_opportunity_without_a_referral_do_not_count() -> None:
    lead, edited = replace(LINK, lead="accepted"), an_opportunity(Deal(name="edited"), flagged=False)
    assert known_versions(lead, an_opportunity(flagged=False), None, RULES).stamps["opportunity"] == "o2"
    assert known_versions(replace(LINK, referral_id=None), edited, None, RULES).stamps["opportunity"] == "o2"


def test_a_deletion_is_known_by_its_time() -> None:
    missing = with_deletion(LINK, NOW)
    assert missing.stamps == {**LINK.stamps, "deleted": NOW.isoformat()}
    assert "deleted" not in known_versions(missing, an_opportunity(), None, RULES).stamps, "it is back"


def test_of_a_closed_deal_what_the_base_does_not_hold_is_unknown_and_does_not_count() -> None:
    closed = replace(LINK, state=State.CLOSED, base=Deal(name="Atlas"))
    assert accounts_for(closed, Deal(name="Atlas", notes="later"), Side.SALESFORCE, RULES)
    assert not accounts_for(closed, Deal(name="edited", notes="later"), Side.SALESFORCE, RULES)
    on_record = replace(closed, refused={"partner_center.name": record_of("edited")})
    assert accounts_for(on_record, Deal(name="edited"), Side.SALESFORCE, RULES)
    assert not accounts_for(on_record, Deal(name="edited"), Side.PARTNER_CENTER, RULES)


def test_of_a_list_of_a_closed_deal_only_the_members_count() -> None:
    before, after = (Person("Kim", "Berg", "kim@example.com", phone) for phone in ("1", "2"))
    assert is_same_as_closed((before,), (after,))
    assert not is_same_as_closed((before,), None)
    assert is_same_as_closed("text", "text")
    assert not is_same_as_closed("text", "other")
    assert not is_same_as_closed(("text",), "text")
    assert not is_same_as_closed(None, "text")
    closed = replace(LINK, state=State.CLOSED, base=Deal(contacts=(before,)))
    rules = Rules({"contacts": Rule("contacts", "Contacts")})
    assert accounts_for(closed, Deal(contacts=(after,)), Side.SALESFORCE, rules)
    assert not accounts_for(closed, Deal(contacts=None), Side.SALESFORCE, rules)


def test_a_list_of_which_only_a_part_was_read_does_not_count() -> None:
    rules = Rules({"solutions": Rule("solutions", "Solutions", is_set=True)})
    link = replace(LINK, base=Deal(solutions=("a", "b")))
    part = an_opportunity(Deal(solutions=("a",)))
    assert known_versions(link, part, None, rules).stamps == {}
    assert known_versions(link, replace(part, partial=("solutions",)), None, rules).stamps["opportunity"] == "o2"


def test_a_member_that_partner_center_does_not_get_does_not_prevent_agreement() -> None:
    rules = Rules({"solutions": Rule("solutions", "Solutions", is_set=True)})
    referral = Referral("ref", "new", Deal(solutions=("a",)), NOW)
    link = replace(LINK, base=Deal(solutions=("a",)))
    unsent = replace(link, refused={next(iter(unsent_members(rules))): record_of("b", "inactive")})
    assert known_versions(unsent, None, referral, rules).agreed
    other = replace(link, refused={"salesforce.solutions": record_of("b", "inactive")})
    assert not known_versions(other, None, referral, rules).agreed


def test_a_list_with_members_that_do_not_travel_is_on_record() -> None:
    rule = Rule("solutions", "Solutions", is_set=True)
    link = replace(LINK, base=Deal(solutions=("a",)))
    key = left_key(Side.PARTNER_CENTER, "solutions")
    known = replace(link, refused={key: Difference(mark_of(extra_members(("a", "b"), {"a": "a"})), "x", NOW)})
    assert is_on_record(known, rule, ("a", "b"), Side.SALESFORCE)
    assert not is_on_record(known, rule, ("a", "c"), Side.SALESFORCE)
    assert not is_on_record(known, replace(rule, is_set=False), ("a", "b"), Side.SALESFORCE)


@pytest.mark.parametrize("side", list(Side))
def test_a_difference_is_on_record_where_the_other_side_refused_this_value(side: Side) -> None:
    link = replace(LINK, refused={f"{side.other}.notes": record_of("edited")})
    assert is_on_record(link, NOTES, "edited", side)
    assert not is_on_record(link, NOTES, "edited again", side)
    assert not is_on_record(link, NOTES, "edited", side.other)
    assert is_on_record(link, NOTES, "first", side)


def test_a_list_is_on_record_by_its_keys_too() -> None:
    people = (Person("Kim", "Berg", "kim@example.com", "1"),)
    rule = Rule("contacts", "Contacts")
    others = (Person("Lee", "Moss", "lee@example.com"),)
    link = replace(LINK, refused={"partner_center.contacts": record_of(keys_of(people))})
    assert is_on_record(link, rule, people, Side.SALESFORCE)
    assert not is_on_record(link, rule, others, Side.SALESFORCE)


def test_a_value_that_something_sets_back_each_time_is_on_record_on_its_own_side() -> None:
    link = replace(LINK, refused={"salesforce.notes": record_of("x", PING_PONG)})
    assert is_on_record(link, NOTES, "whatever", Side.SALESFORCE)
    assert not is_on_record(link, NOTES, "whatever", Side.PARTNER_CENTER)
    other = replace(LINK, refused={"salesforce.notes": record_of("x")})
    assert not is_on_record(other, NOTES, "whatever", Side.SALESFORCE)


def test_a_value_that_waits_for_an_operator_is_on_record_on_either_side() -> None:
    for side in Side:
        link = replace(LINK, waiting={f"{side.other}.notes": record_of("edited")})
        assert is_on_record(link, NOTES, "edited", side)
        assert not is_on_record(link, NOTES, "other", side)


def test_a_value_that_waits_for_its_time_is_on_record_in_salesforce_only() -> None:
    won = Status("Closed", "Won")
    link, rule = replace(LINK, waiting={STATUS: record_of(won)}), Rule(STATUS, "Stage")
    assert is_on_record(link, rule, won, Side.SALESFORCE)
    assert not is_on_record(link, rule, won, Side.PARTNER_CENTER)
    assert not is_on_record(link, rule, Status("Closed", "Lost"), Side.SALESFORCE)


def test_a_visibility_that_waits_is_a_tick_whatever_it_waits_with() -> None:
    link = replace(LINK, waiting={VISIBILITY: record_of("with help")})
    assert is_on_record(link, Rule(VISIBILITY, "Visible"), VISIBLE, Side.SALESFORCE)
