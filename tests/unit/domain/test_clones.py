"""Whether an opportunity is a copy of another, in a time that grows with their number and not with its square."""

from copy import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from shared.domain.audit import Line
from shared.domain.clones import (
    ANSWERED,
    ASKED_LONG_AGO,
    LOOK_AGAIN,
    TICKED_LATER,
    Twin,
    Twins,
    clone_cause,
    is_asked,
    next_look,
    original_of,
    unticked,
)
from shared.domain.deal import Deal, Side
from shared.domain.link import Link
from shared.domain.records import Opportunity
from shared.domain.sentences import LineDirection, cause
from shared.domain.transitions import Transition

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def twin(number: int, name: str) -> Twin:
    return Twin(f"006{number}", name, "001", 5.0, NOW + timedelta(seconds=number), NOW)


def test_each_new_opportunity_is_compared_only_with_those_that_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    new = [twin(number, f"Deal {number // 2}") for number in range(200)]
    twins, compared = Twins(new), count()
    is_original = Twin.is_original_of

    def counted(one: Twin, other: Twin) -> bool:
        next(compared)
        return is_original(one, other)

    monkeypatch.setattr(Twin, "is_original_of", counted)
    copies = [one.id for one in new if twins.originals_of(one)]
    assert copies == [one.id for one in new[1::2]]
    assert next(compared) == 2 * len(new)


SECOND = timedelta(seconds=1)
LINK, ASKED = Link("006-new"), Link("006-new", reported=("x", "clone:No."))
COPY = Twin("006-new", "Robots", "001", 5.0, NOW, NOW)
FIRST = replace(COPY, id="006-old", created=NOW - SECOND)
SEEN = Opportunity("006-new", Deal(), flagged=True, modified=NOW, modified_by="person")


def original(*others: Twin, new: Twin = COPY, link: Link = LINK, seen: Opportunity = SEEN) -> str | None:
    return original_of(seen, link, Twins((new, *others)), lambda: "us")


def test_an_opportunity_is_a_copy_of_an_earlier_or_linked_one_that_says_the_same() -> None:
    assert original(FIRST) == "006-old"
    assert original() is None
    assert original(replace(FIRST, name="  Robots ")) == "006-old"
    for other in ({"name": "Other"}, {"account": "002"}, {"amount": 6.0}, {"created": NOW + SECOND}):
        assert original(replace(FIRST, **other)) is None
    assert original(replace(FIRST, created=NOW + SECOND, is_linked=True)) == "006-old"
    assert original(replace(FIRST, id="006-a", created=NOW)) == "006-a"
    assert original(replace(FIRST, id="006-z", created=NOW)) is None
    assert original_of(SEEN, LINK, Twins((FIRST,)), lambda: "us") is None


def test_of_several_originals_a_linked_one_is_named_and_the_oldest_of_those() -> None:
    older, linked = replace(FIRST, id="006-a", created=NOW - 2 * SECOND), replace(FIRST, id="006-b", is_linked=True)
    assert original(FIRST, older) == "006-a"
    assert original(older, linked, FIRST) == "006-b"
    assert original(replace(linked, id="006-c", created=NOW - 3 * SECOND), linked) == "006-c"
    assert original(replace(linked, id="006-0"), linked) == "006-0"


def test_a_save_long_after_the_creation_may_be_the_tick_unless_it_is_ours_or_a_person_was_asked() -> None:
    later = replace(COPY, saved=NOW + TICKED_LATER + SECOND)
    assert original(FIRST, new=later) is None
    assert original(FIRST, new=replace(COPY, saved=NOW + TICKED_LATER)) == "006-old"
    assert original(FIRST, new=later, seen=replace(SEEN, modified_by="us")) == "006-old"
    assert original(FIRST, new=later, link=ASKED) == "006-old"


def test_the_question_names_the_original_and_a_cleared_tick_answers_it() -> None:
    assert clone_cause("006-old") == cause("clone", "name", original="006-old")
    assert (is_asked(ASKED), is_asked(LINK), is_asked(Link("006", reported=(ANSWERED,)))) == (True, False, False)
    line = Line(NOW, "clone_unticked", LineDirection.NOTE, Side.SALESFORCE)
    answered = replace(ASKED, reported=("x", ANSWERED), unwritten=True)
    assert unticked(ASKED, NOW) == Transition(answered, (line,))
    assert unticked(LINK, NOW) is None
    assert unticked(replace(ASKED, referral_id="ref"), NOW) is None


def test_a_held_opportunity_is_looked_at_again_soon_while_somebody_may_be_answering() -> None:
    assert next_look(ASKED, SEEN, NOW) == NOW + LOOK_AGAIN
    assert next_look(LINK, SEEN, NOW) is None
    assert next_look(ASKED, None, NOW) is None
    assert next_look(ASKED, SEEN, NOW + ASKED_LONG_AGO) is None
