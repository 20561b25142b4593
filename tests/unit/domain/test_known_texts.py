"""Texts by which stored rows are known again: fingerprints, joined notes, and causes that were reported."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.cause import Cause
from shared.domain.deal import (
    PRIVATE,
    SHOWN_AMOUNT,
    SHOWN_SOLUTIONS,
    VISIBLE,
    Company,
    Deal,
    Person,
    Value,
    fingerprint,
)
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.hidden_columns import HIDDEN_COLUMN, hidden_column_records
from shared.domain.joined_texts import join_texts, refusal_mark
from shared.domain.link import Difference
from shared.domain.sentences import CAUSES, cause, is_reported

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (None, "dc937b59892604f5"),
        ("text", "2691d7cf4f12b49c"),
        (Deal(name="Atlas"), "ba0e1141f172fd42"),
        (Deal(name="Atlas", visibility=VISIBLE), "72a62b03120dacff"),
        (Deal(name="Atlas", campaign="c"), "4d340efa7afa41dc"),
        ((Person("Lind", "Ada"), Person("Berg", "Ben")), "5366468ad5eb3ae8"),
    ],
    ids=["nothing", "a text", "a deal", "a visible deal", "a field of a later release", "people"],
)
def test_fingerprints_are_those_of_stored_rows(value: Value | Deal | None, known: str) -> None:
    assert fingerprint(value) == known


def test_what_only_shows_or_is_empty_or_private_changes_no_fingerprint_of_a_deal() -> None:
    further = {SHOWN_AMOUNT: "5", SHOWN_SOLUTIONS: "a", "visibility": PRIVATE, "campaign": None}
    assert fingerprint(Deal({"name": "Atlas", **further})) == fingerprint(Deal(name="Atlas"))
    people = (Person("Lind", "Ada"), Person("Berg", "Ben"))
    assert fingerprint(people) == fingerprint(people[::-1])
    assert hash(Deal(a="1", b="2")) == hash(Deal(b="2", a="1")) != hash(Deal(a="1"))
    assert str(Company("Northwind", "")) == "Northwind"


def test_the_later_of_two_texts_stands_below_a_dated_line() -> None:
    ours = "theirs\n--- 2026-11-22 13:00 UTC, Salesforce ---\nours"
    theirs = "ours\n--- 2026-11-22 13:00 UTC, Partner Center ---\ntheirs"
    assert join_texts("ours", "theirs", LATER, NOW) == ours
    assert join_texts("ours", "theirs", NOW, LATER) == theirs
    assert join_texts("ours", "theirs", LATER, LATER) == ours
    assert join_texts("ours and theirs", "theirs", NOW, LATER) == "ours and theirs"
    assert join_texts("ours", "theirs and ours", LATER, NOW) == "theirs and ours"
    assert refusal_mark(ours) == refusal_mark(theirs) == fingerprint(("ours", "theirs"))
    assert refusal_mark("ours") == fingerprint("ours")


def test_a_reason_without_values_was_reported_in_any_wording() -> None:
    plain = next(code for code, (reason, _) in CAUSES.items() if "{" not in reason)
    valued = next(code for code, (reason, _) in CAUSES.items() if "{" in reason)
    assert is_reported(cause(plain), [f"{plain}:An older wording."])
    assert is_reported(Cause("INVALID", None, "No.", ""), ["INVALID:No."])
    assert not is_reported(Cause("INVALID", None, "No.", ""), ["INVALID:Other."])
    assert not is_reported(Cause(valued, None, "No.", ""), [f"{valued}:Other."])
    assert not is_reported(cause(plain), ["other:x"])


def test_a_field_that_is_off_because_its_column_is_hidden_does_not_count_as_agreed() -> None:
    hidden = Cause("hidden", None, "Hidden.", "")
    rules = Rules({"name": Rule("name", "Name", direction=Direction.OFF), "notes": Rule("notes", "Notes")})
    rules = Rules(rules.by_field, None, (("name", hidden), ("notes", hidden)))
    record = Difference(fingerprint("name"), HIDDEN_COLUMN, NOW)
    assert hidden_column_records({}, rules, NOW) == {"salesforce.name": record}
    known = {"salesforce.name": replace(record, since=LATER), "salesforce.notes": record}
    assert hidden_column_records(known, rules, NOW) == {"salesforce.name": replace(record, since=LATER)}
    other = {"salesforce.name": replace(record, code="other")}
    assert hidden_column_records(other, rules, NOW) == {"salesforce.name": record}
