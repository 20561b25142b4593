"""What becomes of a link that meets refusals which cannot be read (docs/protocol.md#unreadable-refusals)."""

from copy import replace
from datetime import UTC, datetime, timedelta

from shared.domain.deal import Side
from shared.domain.link import WHOLE, Difference, Link
from shared.domain.repeats import MOST_TRIES, Repeats, Tries, lasting_refusal
from shared.domain.unreadable_refusals import lasting_create_refusal, refused_once_more, taken, tried_again

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 22, 10, tzinfo=UTC)
OURS, THEIRS = Side.SALESFORCE, Side.PARTNER_CENTER
LINK = Link("006")
PARKED = replace(LINK, refused={WHOLE: Difference("x", "c", BEFORE), "y": Difference("y", "c", BEFORE)})


def known(side: Side, count: int) -> Link:
    return replace(LINK, repeats=Repeats({side: Tries(count, BEFORE)}))


def test_a_refusal_is_counted_and_parks_the_value_once_it_lasts() -> None:
    link, count, cause = refused_once_more(LINK, OURS, NOW)
    assert (link, count, cause) == (replace(LINK, repeats=Repeats({OURS: Tries(1, NOW)})), 1, None)
    link, count, cause = refused_once_more(known(OURS, MOST_TRIES - 1), OURS, NOW)
    assert (link, count) == (known(OURS, MOST_TRIES), MOST_TRIES)
    assert cause == lasting_refusal(link.repeats, OURS, NOW)
    assert cause is not None


def test_a_new_deal_is_parked_by_refusals_of_partner_center_and_only_once() -> None:
    lasting = known(THEIRS, MOST_TRIES)
    assert lasting_create_refusal(lasting, NOW) == lasting_refusal(lasting.repeats, THEIRS, NOW)
    assert lasting_create_refusal(lasting, NOW) is not None
    assert lasting_create_refusal(known(OURS, MOST_TRIES), NOW) is None
    assert lasting_create_refusal(replace(lasting, refused=PARKED.refused), NOW) is None


def test_the_next_try_of_a_parked_deal_is_an_hour_after_this_one() -> None:
    assert tried_again(PARKED, NOW).refused == {**PARKED.refused, WHOLE: Difference("x", "c", NOW)}
    assert tried_again(LINK, NOW) == LINK


def test_the_refusals_of_a_side_are_forgotten_once_it_has_taken_all() -> None:
    both = replace(LINK, repeats=Repeats({OURS: Tries(1, NOW), THEIRS: Tries(1, NOW + timedelta(1))}))
    assert taken(both, OURS).repeats == Repeats({THEIRS: Tries(1, NOW + timedelta(1))})
    assert taken(known(OURS, 2), OURS) == LINK
