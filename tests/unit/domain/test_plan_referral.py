"""Why an opportunity cannot become a referral yet, and what a pair is told of its closing date."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shared.domain.deal import Company, Deal, Money, Person, Side, Status, Value
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Link
from shared.domain.plan import REQUIRED, creation_obstacles, past_close_date_key, plan_pair
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import cause

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
COMPLETE: dict[str, Value | None] = {
    "name": "Robots",
    "account": Company("Northwind", "US"),
    "money": Money(Decimal(0), "USD"),
    "closing": date(2026, 12, 31),
    "solutions": ("SOL-1",),
    "team": (Person("One", "Ann", "ann@contoso.example", "1"),),
    "status": Status("Active", "Accepted"),
    "notes": None,
}


def opportunity(**changes: Value | None) -> Opportunity:
    return Opportunity("006", Deal({**COMPLETE, **changes}), flagged=True, modified=NOW)


def test_a_complete_opportunity_can_go_even_for_nothing() -> None:
    assert creation_obstacles(opportunity()) == ()


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "status"])
@pytest.mark.parametrize("value", [None, ()])
def test_each_missing_value_is_a_cause(name: str, value: Value | None) -> None:
    (found,) = creation_obstacles(opportunity(**{name: value}))
    assert (found.code, found.field) == (f"missing_{name}", name)


def test_every_cause_is_told_at_once() -> None:
    codes = [found.code for found in creation_obstacles(opportunity(account=None, solutions=None, closing=None))]
    assert codes == ["missing_account", "missing_closing", "missing_solutions"]


def test_what_could_not_be_read_goes_before_what_is_missing() -> None:
    row = opportunity()
    problem = cause("bad_country", "Account.BillingCountry", value="Germany")
    row = Opportunity(row.id, row.deal.without("account"), flagged=True, modified=NOW, problems={"account": problem})
    assert creation_obstacles(row) == (problem,)


def test_an_on_hold_stage_is_for_deals_that_microsoft_sent() -> None:
    (found,) = creation_obstacles(opportunity(status=Status("New", "Pending")))
    assert found.code == "stage_on_hold"


def test_help_is_not_asked_for_yet() -> None:
    row = Opportunity("006", Deal(COMPLETE), flagged=True, modified=NOW, asks_help=True)
    assert [found.code for found in creation_obstacles(row)] == ["help_asked"]


# --- a closing date in the past ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closing", "status", "told"),
    [
        (date(2026, 11, 21), Status("Active", "Accepted"), "past_closing:2026-11-21"),
        (date(2026, 11, 22), Status("Active", "Accepted"), None),
        (date(2026, 11, 21), Status("Closed", "Won"), None),
        (None, Status("Active", "Accepted"), None),
    ],
)
def test_a_passed_date_of_an_open_deal_is_worth_a_word(closing: date | None, status: Status, told: str | None) -> None:
    assert past_close_date_key(Deal(closing=closing, status=status), NOW.date()) == told


RULES = Rules(
    {"closing": Rule("closing", "Closing date", winner=Side.PARTNER_CENTER), "status": Rule("status", "Status")}
)


def planned(base: date, salesforce: date, partner_center: date, told: tuple[str, ...] = ()) -> tuple[str, ...]:
    active = Status("Active", "Accepted")
    row = Opportunity("006", Deal(closing=salesforce, status=active), flagged=True, modified=NOW)
    referral = Referral("r", "1", Deal(closing=partner_center, status=active), NOW, active)
    link = Link("006", base=Deal(closing=base, status=active), reported=told)
    return plan_pair(link, row, referral, RULES, NOW, timedelta()).lines


PAST, EARLIER, FUTURE = date(2026, 11, 1), date(2026, 10, 1), date(2026, 12, 31)


def test_it_is_said_once_a_date() -> None:
    (said,) = planned(PAST, PAST, PAST)
    assert "2026-11-01" in said
    assert planned(PAST, PAST, PAST, told=(f"past_closing:{PAST}",)) == ()
    assert "2026-10-01" in planned(PAST, EARLIER, PAST, told=(f"past_closing:{PAST}",))[0]


def test_a_date_that_partner_center_is_just_mending_is_not_complained_about() -> None:
    assert planned(PAST, PAST, FUTURE) == ()


def test_a_date_that_arrives_in_the_past_is() -> None:
    assert "2026-11-01" in planned(FUTURE, FUTURE, PAST)[0]
