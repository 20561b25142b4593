"""Texts of which one side holds only the beginning (docs/protocol.md#the-narrower-side-judges-equality)."""

from datetime import UTC, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.creation_values import TEXT_CUT
from shared.domain.deal import Deal, Side, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Link
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection
from shared.domain.text_limits import FULL_TEXT, CutText, cut_texts_of, texts_cut_on_arrival

NOW, BEFORE = datetime(2026, 11, 22, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
NAME, NOTES, TITLE = Rule("name", "Name", length=120), Rule("notes", "Notes", length=12000), Rule("title", "Title")
RULES = Rules({"name": NAME, "notes": NOTES, "title": TITLE})
LINK = Link("006")
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER


def found(ours: frozenset[str], theirs: frozenset[str] | None, link: Link = LINK) -> list[CutText]:
    """The texts of one pair: those of the opportunity and of the referral that are longer than what is compared."""
    opportunity = Opportunity("006", Deal(), flagged=True, modified=NOW, cut=ours)
    return list(cut_texts_of(link, opportunity, Referral("ref", "1", Deal(), NOW, cut=theirs), RULES))


def test_a_text_that_is_longer_on_one_side_is_cut_on_the_other() -> None:
    assert found(frozenset({"name"}), frozenset({"notes"})) == [CutText(OURS, NOTES), CutText(THEIRS, NAME)]
    assert found(frozenset(), frozenset({"title"})) == []


@pytest.mark.parametrize("code", [TEXT_CUT, FULL_TEXT])
def test_a_text_of_a_referral_that_was_not_read_is_as_it_was(code: str) -> None:
    known = Difference("x", code, BEFORE)
    link = Link("006", refused={"salesforce.notes": known, "salesforce.title": known, "partner_center.name": known})
    assert found(frozenset(), None, link) == [CutText(OURS, NOTES, known)]
    assert found(frozenset(), frozenset(), link) == []


def test_a_record_of_another_kind_says_nothing_of_the_length() -> None:
    other = Difference("x", "refused_by_salesforce", BEFORE)
    assert found(frozenset(), None, Link("006", refused={"salesforce.notes": other})) == []
    link = Link("006", refused={"salesforce.notes": other})
    assert found(frozenset(), frozenset({"notes"}), link) == [CutText(OURS, NOTES)]


def test_only_a_record_of_this_kind_keeps_its_time() -> None:
    new, known = Difference(fingerprint("12,000"), TEXT_CUT, NOW), Difference("x", TEXT_CUT, BEFORE)
    assert CutText(OURS, NOTES).record(NOW) == new
    assert CutText(OURS, NOTES, known).record(NOW) == known
    assert CutText(OURS, NOTES, Difference("x", FULL_TEXT, BEFORE)).record(NOW) == new
    assert CutText(OURS, NOTES).key == "salesforce.notes"


@pytest.mark.parametrize(
    ("side", "code", "system"),
    [(OURS, "longer_text", "Partner Center"), (THEIRS, "longer_text_here", "Salesforce")],
)
def test_the_lines_name_the_side_with_the_beginning_and_the_one_with_the_whole_text(
    side: Side, code: str, system: str
) -> None:
    values, direction = {"label": "Notes", "length": "12,000", "system": system}, LineDirection.FROM_PARTNER_CENTER
    cut = CutText(side, NOTES)
    assert cut.line(NOW, direction) == Line(NOW, code, direction, side, "notes", values=values)
    replaced = Line(NOW, "longer_text_replaced", LineDirection.NOTE, side.other, "notes", values=values)
    assert cut.line_of_replacement(NOW) == replaced


def test_a_new_opportunity_holds_the_beginning_of_a_longer_text() -> None:
    referral = Referral("ref", "1", Deal(), NOW, cut=frozenset({"notes", "other"}))
    assert texts_cut_on_arrival(referral, RULES) == (CutText(OURS, NOTES),)
    assert texts_cut_on_arrival(Referral("ref", "1", Deal(), NOW), RULES) == ()
