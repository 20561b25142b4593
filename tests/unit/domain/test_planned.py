"""When what Salesforce refused is tried again, what must be looked at again, and which changes are counted."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.counted_changes import counted_changes
from shared.domain.deal import Change, Deal
from shared.domain.help_request import HelpStep
from shared.domain.link import REFUSED_BY_SALESFORCE, TRY_AGAIN, Difference, Link
from shared.domain.link_states import State
from shared.domain.planned import Plan, must_return, next_tries, waits_since, with_counted
from shared.domain.untaken_codes import INACTIVE_SOLUTION

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EDIT = Change("notes", "Notes", "old", "new")


def tries(since: datetime, code: str, *written: Change) -> list[datetime]:
    return list(next_tries(Link("006"), {"salesforce.notes": Difference("x", code, since)}, [*written], NOW))


def test_what_salesforce_refused_is_tried_again_an_hour_later_unless_this_plan_writes_it() -> None:
    since = NOW - TRY_AGAIN + timedelta(seconds=1)
    assert tries(since, REFUSED_BY_SALESFORCE) == [NOW + timedelta(seconds=1)]
    assert tries(NOW - TRY_AGAIN, REFUSED_BY_SALESFORCE) == [], "its hour is over, and this look has tried it"
    assert tries(since, REFUSED_BY_SALESFORCE, EDIT) == []
    assert tries(since, "closed_is_final") == []


def test_a_deal_with_an_inactive_solution_is_looked_at_each_hour() -> None:
    assert NOW + TRY_AGAIN in tries(NOW - timedelta(days=1), INACTIVE_SOLUTION)


REFUSED = Difference("x", REFUSED_BY_SALESFORCE, NOW)
LIVE = Link("006", state=State.LIVE)
UNANSWERED = replace(LIVE, state=State.ON_HOLD)
WAITS = replace(LIVE, waiting={"status": REFUSED})


@pytest.mark.parametrize(
    ("link", "must"),
    [
        (LIVE, False),
        (WAITS, True),
        (replace(LIVE, refused={"salesforce.notes": REFUSED}), True),
        (replace(LIVE, refused={"salesforce.notes": Difference("x", "closed_is_final", NOW)}), False),
        (replace(LIVE, state=State.HELD), True),
        (replace(WAITS, state=State.PAUSED), False),
        (replace(WAITS, state=State.GONE), False),
        (replace(WAITS, state=State.CLOSED), False),
        (UNANSWERED, False),
        (replace(UNANSWERED, answer_by=AnswerTime(NOW + timedelta(days=9))), True),
        (replace(UNANSWERED, answer_by=AnswerTime(NOW + timedelta(hours=9))), True),
        (replace(UNANSWERED, answer_by=AnswerTime(NOW + timedelta(hours=9), 1)), False),
        (replace(LIVE, answer_by=AnswerTime(NOW + timedelta(days=9))), False),
    ],
)
def test_a_pair_must_be_looked_at_again_if_its_time_comes_without_an_edit(link: Link, *, must: bool) -> None:
    assert must_return(link, NOW) is must


def test_a_pair_waits_since_its_newest_difference_that_ends_by_itself() -> None:
    later, last = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)
    refused = {"salesforce.notes": REFUSED, "salesforce.name": Difference("x", "closed_is_final", last)}
    assert waits_since(LIVE) is None
    assert waits_since(replace(LIVE, refused=refused)) == NOW
    assert waits_since(replace(LIVE, refused=refused, waiting={"status": Difference("x", "x", later)})) == later


def test_the_writes_of_each_side_and_a_request_for_help_are_counted() -> None:
    pulled, pushed = Plan(Deal(), to_salesforce=(EDIT,)), Plan(Deal(), to_partner_center=(EDIT,))
    assert with_counted(pulled).counted == counted_changes((), (EDIT,), asks=False) != ()
    assert with_counted(pushed).counted == counted_changes((EDIT,), (), asks=False) != ()
    assert with_counted(Plan(Deal(), help=HelpStep.ASK)).counted == counted_changes((), (), asks=True) != ()
    assert with_counted(Plan(Deal(), help=HelpStep.LOOK)).counted == ()
