"""Members that Partner Center refuses are on record until they change (docs/protocol.md#lists-merge-as-sets)."""

from copy import replace
from datetime import UTC, datetime

from shared.domain.cause import Cause
from shared.domain.deal import Change, Deal, Person
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Link
from shared.domain.records import Opportunity, Referral
from shared.domain.refused_members import refused_members, with_refused_members

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
RULES = Rules({"contacts": Rule("contacts", "Contacts", is_set=True)})
ADA, BEN, CLEO = (Person(name, name, f"{name.lower()}@other.example", "1") for name in ("Ada", "Ben", "Cleo"))
LINK, LINES = with_refused_members(
    Link("006"),
    Change("contacts", "Contacts", (ADA,), (ADA, BEN)),
    [BEN],
    Cause("bad", None, "Bad phone.", "Mend it."),
    NOW,
)


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
