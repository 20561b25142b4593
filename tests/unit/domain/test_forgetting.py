"""What is left of a link and of an audit line once a person is forgotten (docs/protocol.md#personal-data)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, Deal, Person, Status, Value, fingerprint
from shared.domain.erasure import erased_cause, reported_code, without_people
from shared.domain.forgetting import (
    expects,
    fields_with,
    line_without,
    people_of,
    recognised,
    texts_with,
    without_person,
)
from shared.domain.guard_texts import ERASED
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link, Unshown
from shared.domain.link_states import State
from shared.domain.member_sets import key_of
from shared.domain.microsoft_record import HeardRecord
from shared.domain.repeats import Repeats, Tries
from shared.domain.traces import Traces

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ADA, BEN = Person("Lind", "Ada", "ada@x.example", "1"), Person("Berg", "Ben", "ben@x.example")
TRACES = Traces("salt").with_persons("ada@x.example", [ADA])
CAUSE = Cause("INVALID", None, "Ada Lind is unknown.", "Act.")
MARK = fingerprint(key_of(ADA)) + fingerprint(repr(ADA))
REPEATS = Repeats({"salesforce": Tries(1, NOW)})
BASE = Deal(name="Atlas", notes="Ask Ada Lind.", contacts=(ADA, BEN), status=Status("Closed", "Lost", "Ada Lind left"))
LINK = Link("006", base=BASE, agreed=True, repeats=REPEATS)
UNNAMED = Link("006", base=Deal(name="Atlas"), agreed=True, repeats=REPEATS, erased={"x": ("y",)})


def effect(**values: Value | None) -> Effect:
    return Effect(EffectKind.PATCH_REFERRAL, Deal(values), Deal(title="Ada Lind"))


def test_a_persons_fields_are_those_of_the_base_and_of_what_is_about_to_be_written() -> None:
    link = replace(LINK, intent=Intent((effect(subject="Ada Lind", notes="Ada Lind", other="x"),)))
    assert fields_with(link, TRACES) == ("notes", "contacts", STATUS, "subject", "title")
    assert list(people_of(replace(link, intent=Intent((effect(team=(BEN,)),))))) == [ADA, BEN, BEN]
    assert fields_with(UNNAMED, TRACES) == ()


@pytest.mark.parametrize(
    ("link", "has"),
    [
        (UNNAMED, False),
        (replace(UNNAMED, cause=CAUSE), True),
        (replace(UNNAMED, cause=Cause("x", None, "No.", "Ask Ada Lind.")), True),
        (replace(UNNAMED, reported=("x:Ada Lind",)), True),
        (replace(UNNAMED, unshown=Unshown(("A__c",), NOW, CAUSE)), True),
        (replace(UNNAMED, unshown=Unshown(("A__c",), NOW)), False),
        (replace(UNNAMED, intent=Intent((replace(effect(), cause=CAUSE),))), True),
        (replace(UNNAMED, intent=Intent((replace(effect(), lines=(Line(NOW, "c", after="Ada Lind"),)),))), True),
        (replace(UNNAMED, intent=Intent((replace(effect(), lines=(Line(NOW, "c", after="Ben"),)),))), False),
    ],
)
def test_a_text_about_the_pair_may_name_a_person(link: Link, *, has: bool) -> None:
    assert texts_with(link, TRACES) is has


def test_a_deal_that_may_be_merged_keeps_fingerprints_of_what_it_loses() -> None:
    link = replace(LINK, erased={"notes": ("before",), "x": ("y",)})
    left = Deal(name="Atlas", contacts=(BEN,), status=Status("Closed", "Lost"))
    erased = {"notes": ("before", fingerprint("Ask Ada Lind.")), "contacts": (MARK,), "x": ("y",)}
    found = without_person(link, TRACES)
    assert found == replace(link, base=left, agreed=False, repeats=None, erased=erased)
    kept = found.base[STATUS]
    assert isinstance(kept, Status)
    assert kept.reason is None


def test_a_deal_that_names_nobody_stays_as_it_is() -> None:
    assert without_person(UNNAMED, TRACES) == UNNAMED


def test_a_deal_at_rest_loses_whole_lists_and_the_marks_of_its_fields() -> None:
    record = Difference("x", "c", NOW, ("told",))
    refused = {"salesforce.notes": record, "partner_center.contacts:left": record, "salesforce.name": record}
    link = replace(LINK, state=State.CLOSED, refused=refused)
    empty = replace(record, value="", told=())
    expected = {"salesforce.notes": empty, "partner_center.contacts:left": empty, "salesforce.name": record}
    found = without_person(link, TRACES)
    assert dict(found.base) == {"name": "Atlas", STATUS: Status("Closed", "Lost")}
    assert (found.refused, found.erased, found.agreed, found.repeats) == (expected, {}, True, None)


def test_a_deal_at_rest_loses_what_was_heard_of_people_only_if_it_names_the_person() -> None:
    heard = HeardRecord("m-1", parts={"microsoft_seller": "a", "microsoft_status": "b"}, echo="c", ours=("d",))
    closed = replace(LINK, state=State.CLOSED, microsoft=heard)
    assert without_person(closed, TRACES).microsoft == without_people(heard)
    unnamed = replace(closed, base=UNNAMED.base)
    assert without_person(unnamed, TRACES) == replace(unnamed, repeats=None)
    assert without_person(replace(closed, microsoft=None), TRACES).microsoft is None


def test_what_was_reported_and_the_cause_lose_the_person_and_keep_their_codes() -> None:
    link = replace(UNNAMED, reported=("INVALID:Ada Lind is unknown.", "other:x"), cause=CAUSE)
    found = without_person(link, TRACES)
    assert found.reported == (reported_code("INVALID:Ada Lind is unknown."), "other:x")
    assert found.cause == erased_cause(CAUSE)
    other = replace(UNNAMED, cause=Cause("x", None, "No.", ""))
    assert without_person(other, TRACES) == other


def test_the_reason_why_columns_were_refused_loses_the_person_and_keeps_its_code() -> None:
    known = Unshown(("A__c",), NOW, CAUSE)
    found = without_person(replace(UNNAMED, unshown=known), TRACES)
    assert found.unshown == replace(known, cause=erased_cause(CAUSE))
    other = replace(UNNAMED, unshown=replace(known, cause=Cause("x", None, "No.", "")))
    assert without_person(other, TRACES) == other


def test_a_list_of_ids_loses_an_id_that_is_a_trace() -> None:
    traces = Traces("salt").with_persons("ada@x.example", [], ["SOL-1"])
    link = Link("006", base=Deal(solutions=("SOL-1", "SOL-2")))
    found = without_person(link, traces)
    assert found.base["solutions"] == ("SOL-2",)
    assert list(found.erased) == ["solutions"]


# --- what a deal that may be merged recognises


def test_a_deal_expects_the_person_whom_it_has_lost() -> None:
    link = without_person(LINK, TRACES)
    assert expects(link, " ADA@x.example ")
    assert not expects(link, "ben@x.example")


def test_what_a_side_still_holds_is_in_the_base_again_and_the_rest_is_forgotten() -> None:
    link = without_person(LINK, TRACES)
    here, there = Deal(notes="Ask Ada Lind.", contacts=(BEN, ADA)), Deal(notes="x", contacts=(BEN,))
    for sides in ((here, there), (there, here)):
        found = recognised(link, *sides)
        assert (found.base["notes"], found.base["contacts"], found.erased) == ("Ask Ada Lind.", (BEN, ADA), {})
    gone = recognised(link, there, there)
    assert ("notes" in gone.base, gone.base["contacts"], gone.erased) == (False, (BEN,), {})


def test_what_was_not_read_is_still_expected() -> None:
    link = without_person(LINK, TRACES)
    assert recognised(link, Deal(), Deal()).erased == link.erased
    assert recognised(link, Deal(contacts=(ADA,)), Deal()).erased == {"notes": link.erased["notes"]}


def test_who_is_missing_on_one_side_is_expected_until_the_other_side_is_read() -> None:
    """Partner Center's contacts cannot be read: once they can, Ada is there, and Salesforce has removed her."""
    link = replace(without_person(LINK, TRACES), erased={"contacts": (MARK,)})
    for unread in (recognised(link, Deal(contacts=(BEN,)), Deal()), recognised(link, Deal(), Deal(contacts=None))):
        assert (unread.base["contacts"], unread.erased) == ((BEN,), {"contacts": (MARK,)})
    found = recognised(unread, Deal(contacts=(BEN,)), Deal(contacts=(BEN, ADA)))
    assert (found.base["contacts"], found.erased) == ((BEN, ADA), {})


def test_a_text_that_one_side_does_not_hold_is_expected_on_the_other() -> None:
    link = without_person(LINK, TRACES)
    unread = recognised(link, Deal(notes="x"), Deal())
    assert unread.erased["notes"] == link.erased["notes"]
    assert recognised(unread, Deal(notes="x"), Deal(notes="Ask Ada Lind.")).base["notes"] == "Ask Ada Lind."


def test_an_edit_of_a_lost_persons_details_is_an_edit_still() -> None:
    link, edited = without_person(LINK, TRACES), replace(ADA, phone="2")
    found = recognised(link, Deal(contacts=(edited,)), Deal(contacts=(ADA,)))
    assert found.base["contacts"] == (BEN, ADA)
    both = recognised(link, Deal(contacts=(replace(ADA, phone="3"),)), Deal(contacts=(edited,)))
    assert both.base["contacts"] == (BEN, edited)


def test_a_value_that_was_entered_since_is_not_replaced() -> None:
    link = without_person(LINK, TRACES)
    later = replace(link, base=link.base.with_values({"notes": "later"}))
    assert recognised(later, Deal(notes="Ask Ada Lind."), Deal()).base["notes"] == "later"


# --- an audit line


def test_a_line_loses_each_value_that_names_the_person() -> None:
    line = Line(NOW, "changed", before="Ada Lind", after="Ben Berg", values={"value": "Ada Lind", "label": "Ada Lind"})
    erased = line_without(TRACES, line)
    assert (erased.before, erased.after, erased.values["value"]) == (ERASED, "Ben Berg", ERASED)
    assert line_without(TRACES, replace(line, before=None, after="Ada Lind")).after == ERASED
    assert erased.values["label"] == "Ada Lind"
