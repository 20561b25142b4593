"""Members that Partner Center refuses are on record until they change (docs/protocol.md#lists-merge-as-sets)."""

from copy import replace
from datetime import UTC, datetime

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Change, Deal, Person, Side, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Link
from shared.domain.records import Opportunity, Referral
from shared.domain.refused_members import has_refused_members, refused_members, with_refused_members
from shared.domain.sentences import LineDirection

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
RULES = Rules({"contacts": Rule("contacts", "Contacts", is_set=True)})
ADA, BEN, CLEO = (Person(name, name, f"{name.lower()}@other.example", "1") for name in ("Ada", "Ben", "Cleo"))
KEY = "partner_center.contacts:refused"
CHANGE, REFUSAL = Change("contacts", "Contacts", (ADA,), (ADA, BEN)), Cause("bad", None, "Bad phone.", "Mend it.")
LINK, LINES = with_refused_members(Link("006"), CHANGE, [BEN], REFUSAL, NOW)


def link_after_plan() -> Link:
    """The link once a plan has seen the refusal."""
    opportunity = Opportunity("006", Deal({"contacts": (ADA, BEN)}), flagged=True, modified=NOW)
    _, records = refused_members(LINK, opportunity, Referral("r", "1", Deal({"contacts": (ADA,)}), NOW), RULES)
    return replace(LINK, refused=records)


def refused_of(*ours: Person, theirs: tuple[Person, ...] = (ADA,)) -> dict[str, str]:
    opportunity = Opportunity("006", Deal({"contacts": ours}), flagged=True, modified=NOW)
    unsendable, _ = refused_members(
        link_after_plan(), opportunity, Referral("r", "1", Deal({"contacts": theirs}), NOW), RULES
    )
    return dict(unsendable.get("contacts", {}))


def test_a_refused_member_is_told_with_the_reason() -> None:
    [line] = LINES
    assert line.text.startswith(
        "Note: Contacts: Partner Center does not take Ben Ben: Bad phone. Please correct or remove"
    )


def test_the_line_and_the_record_say_who_is_not_taken_and_why() -> None:
    values = {"label": "Contacts", "value": "Ben Ben", "reason": "Bad phone"}
    side, rule = Side.PARTNER_CENTER, "member_refused"
    link, lines = with_refused_members(Link("006"), CHANGE, [BEN], REFUSAL, NOW)
    assert lines == (Line(NOW, rule, LineDirection.NOTE, side, "contacts", rule=rule, values=values),)
    record = Difference("new", "member_refused", NOW, (fingerprint(repr(BEN)),))
    assert replace(Link("006"), refused={KEY: record}, unwritten=True) == link
    planned = link_after_plan().refused[KEY]
    assert planned == replace(record, value=fingerprint(("ada@other.example", "ben@other.example")))


def test_a_member_that_was_told_is_on_record_again_and_what_is_unwritten_stays() -> None:
    change = Change("contacts", "Contacts", (ADA,), (ADA, BEN))
    for unwritten in (True, False):
        known = replace(link_after_plan(), unwritten=unwritten)
        again, lines = with_refused_members(known, change, [BEN], Cause("bad", None, "Bad.", "Mend it."), NOW)
        assert (again.refused, again.unwritten, lines) == (LINK.refused, unwritten, ())


def test_a_write_of_the_list_meets_members_that_were_refused() -> None:
    change = Change("contacts", "Contacts", (ADA,), (ADA, BEN))
    assert has_refused_members(LINK, [replace(change, field="notes"), change])
    assert not has_refused_members(LINK, [replace(change, field="notes")])
    assert not has_refused_members(Link("006"), [change])


def test_what_else_partner_center_does_not_get_stays_so() -> None:
    unsendable = {"contacts": {"ada@other.example": "member_incomplete"}, "team": {"x": "y"}}
    ours = Deal({"contacts": (ADA, BEN)})
    seen = Opportunity("006", ours, flagged=True, modified=NOW, unsendable=unsendable)
    found, _ = refused_members(link_after_plan(), seen, Referral("r", "1", Deal({"contacts": (ADA,)}), NOW), RULES)
    both = {"ada@other.example": "member_incomplete", "ben@other.example": "member_refused"}
    assert found == {"contacts": both, "team": {"x": "y"}}


def test_a_member_that_people_agreed_on_and_one_side_removed_is_in_no_list() -> None:
    link = replace(link_after_plan(), base=Deal({"contacts": (CLEO,)}))
    seen = Opportunity("006", Deal({"contacts": (ADA, BEN, CLEO)}), flagged=True, modified=NOW)
    found, records = refused_members(link, seen, Referral("r", "1", Deal({"contacts": (ADA,)}), NOW), RULES)
    assert found == {"contacts": {"ben@other.example": "member_refused"}}
    assert records == link.refused


def test_a_refused_member_is_not_sent_again() -> None:
    assert refused_of(ADA, BEN) == {"ben@other.example": "member_refused"}


def test_a_refused_member_is_sent_again_with_another_list_and_not_told_again() -> None:
    assert refused_of(ADA, BEN, CLEO) == {}
    change = Change("contacts", "Contacts", (ADA,), (ADA, BEN, CLEO))
    _, lines = with_refused_members(link_after_plan(), change, [BEN, CLEO], Cause("bad", None, "Bad.", "Mend it."), NOW)
    assert [line.values["value"] for line in lines] == ["Cleo Cleo"]


def test_a_refused_member_whose_details_were_edited_is_sent_again() -> None:
    assert refused_of(ADA, replace(BEN, phone="2")) == {}


def test_a_refused_member_whom_partner_center_has_by_now_is_an_ordinary_one() -> None:
    assert refused_of(ADA, BEN, theirs=(ADA, BEN)) == {}


def test_a_list_that_cannot_be_read_keeps_its_record() -> None:
    _, records = refused_members(
        LINK, Opportunity("006", Deal(), flagged=True, modified=NOW), Referral("r", "1", Deal(), NOW), RULES
    )
    assert records == dict(LINK.refused)


def test_each_list_has_its_own_record_of_refused_members() -> None:
    both = Rules({"team": Rule("team", "Team", is_set=True), **RULES.by_field})
    team = "partner_center.team:refused"
    link = replace(LINK, refused={**LINK.refused, team: LINK.refused[KEY]})
    ours, theirs = Deal(contacts=(ADA, BEN)), Deal(contacts=(ADA,), team=(ADA,))
    seen = Opportunity("006", ours, flagged=True, modified=NOW)
    found, records = refused_members(link, seen, Referral("r", "1", theirs, NOW), both)
    assert found == {"contacts": {"ben@other.example": "member_refused"}}
    assert records.keys() == {team, KEY}
    assert records[team] == link.refused[team], "our side of the list was not read"


def test_the_record_names_only_those_who_are_still_refused() -> None:
    link, _ = with_refused_members(LINK, CHANGE, [CLEO], REFUSAL, NOW)
    assert len(link.refused[KEY].told) == 2
    seen = Opportunity("006", Deal(contacts=(ADA, BEN)), flagged=True, modified=NOW)
    _, records = refused_members(link, seen, Referral("r", "1", Deal(contacts=(ADA,)), NOW), RULES)
    assert records[KEY].told == (fingerprint(repr(BEN)),)
