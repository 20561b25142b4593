"""When what Salesforce refused is tried again, and which changes of a plan are counted."""

from datetime import UTC, datetime, timedelta

from shared.domain.counted_changes import counted_changes
from shared.domain.deal import Change, Deal
from shared.domain.help_request import HelpStep
from shared.domain.link import REFUSED_BY_SALESFORCE, TRY_AGAIN, Difference, Link
from shared.domain.planned import Plan, next_tries, with_counted
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


def test_the_writes_of_each_side_and_a_request_for_help_are_counted() -> None:
    pulled, pushed = Plan(Deal(), to_salesforce=(EDIT,)), Plan(Deal(), to_partner_center=(EDIT,))
    assert with_counted(pulled).counted == counted_changes((), (EDIT,), asks=False) != ()
    assert with_counted(pushed).counted == counted_changes((EDIT,), (), asks=False) != ()
    assert with_counted(Plan(Deal(), help=HelpStep.ASK)).counted == counted_changes((), (), asks=True) != ()
    assert with_counted(Plan(Deal(), help=HelpStep.LOOK)).counted == ()
