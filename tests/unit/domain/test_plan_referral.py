"""The plan finds what keeps an opportunity from becoming a referral, and warns of a close date in the past."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shared.domain.close_date import past_close_date_lines
from shared.domain.deal import Company, Deal, Money, Person, Side, Status, Value
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Link
from shared.domain.merge import EditTimes, merge
from shared.domain.obstacles import REQUIRED, creation_obstacles
from shared.domain.plan import plan_pair
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import cause
from shared.domain.sharing import Sharing

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
NO_RULES = Rules({})
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


def opportunity_with(**changes: Value | None) -> Opportunity:
    return Opportunity("006", Deal({**COMPLETE, **changes}), flagged=True, modified=NOW)


def test_a_complete_opportunity_with_an_amount_of_zero_has_no_obstacle() -> None:
    assert creation_obstacles(opportunity_with(), NO_RULES, Policy()) == {}


@pytest.mark.parametrize("name", [name for name in REQUIRED if name != "status"])
@pytest.mark.parametrize("value", [None, ()])
def test_each_missing_value_is_an_obstacle(name: str, value: Value | None) -> None:
    ((found_for, obstacle),) = creation_obstacles(opportunity_with(**{name: value}), NO_RULES, Policy()).items()
    assert (found_for, obstacle.code, obstacle.field) == (name, f"missing_{name}", name)


def test_all_obstacles_are_returned_at_once() -> None:
    found = creation_obstacles(opportunity_with(account=None, solutions=None, closing=None), NO_RULES, Policy())
    assert {name: obstacle.code for name, obstacle in found.items()} == {
        "account": "missing_account",
        "closing": "missing_closing",
        "solutions": "missing_solutions",
    }
    assert list(found) == ["account", "closing", "solutions"]


def test_an_unreadable_value_is_reported_instead_of_a_missing_one() -> None:
    problem = cause("bad_country", "Account.BillingCountry", value="Germany")
    deal = Deal(COMPLETE).without("account")
    record = Opportunity("006", deal, flagged=True, modified=NOW, problems={"account": problem})
    assert creation_obstacles(record, NO_RULES, Policy()) == {"account": problem}


def test_an_on_hold_stage_is_an_obstacle() -> None:
    found = creation_obstacles(opportunity_with(status=Status("New", "Pending")), NO_RULES, Policy())
    assert found == {"status": cause("stage_on_hold", "status", value=Status("New", "Pending"))}


CALLED = Person("Lind", "Ada", "ada@northwind.example", "1")


@pytest.mark.parametrize(
    ("changes", "sharing", "codes"),
    [
        ({}, Sharing(visible=False, help="General or Other"), {}),
        ({}, Sharing(help="General or Other"), {"help": "help_asked"}),
        ({}, Sharing(visible=False, help="Some money"), {"help": "help_unknown"}),
        ({"contacts": None}, Sharing(visible=True, help="GeneralOrOther"), {"contacts": "help_without_contact"}),
        (
            {"contacts": (Person("Lind", "Ada", "ada@northwind.example"), Person("Ono", "", "ono@x.example", "2"))},
            Sharing(visible=True, help="General or Other"),
            {"contacts": "help_without_contact"},
        ),
        (
            {"solutions": ("SOL-2",)},
            Sharing(visible=True, help="General or Other"),
            {"solutions": "help_without_solution"},
        ),
        ({"solutions": ("SOL-2", "SOL-1")}, Sharing(visible=True, help="General or Other"), {}),
        ({"status": Status("Closed", "Won")}, Sharing(visible=True, help="General or Other"), {"help": "help_closed"}),
        ({"status": Status("Closed", "Won"), "contacts": None, "solutions": ("SOL-2",)}, Sharing(visible=True), {}),
    ],
)
def test_what_microsoft_demands_of_a_request_for_help_is_an_obstacle(
    changes: dict[str, Value | None], sharing: Sharing, codes: dict[str, str]
) -> None:
    deal = Deal({**COMPLETE, "contacts": (CALLED,), **changes})
    record = Opportunity("006", deal, flagged=True, modified=NOW, sharing=sharing)
    found = creation_obstacles(record, Rules({}, not_co_sell_ready=frozenset({"sol-2"})), Policy())
    assert {name: obstacle.code for name, obstacle in found.items()} == codes


# --- a close date in the past -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closing", "status", "key"),
    [
        (date(2026, 11, 21), Status("Active", "Accepted"), "past_closing:2026-11-21"),
        (date(2026, 11, 22), Status("Active", "Accepted"), None),
        (date(2026, 11, 21), Status("Closed", "Won"), None),
        (None, Status("Active", "Accepted"), None),
    ],
)
def test_only_a_past_close_date_of_an_open_deal_causes_a_warning(
    closing: date | None, status: Status, key: str | None
) -> None:
    lines = past_close_date_lines(Deal(closing=closing, status=status), NOW + timedelta(hours=12))
    assert list(lines) == ([key] if key else [])


RULES = Rules(
    {"closing": Rule("closing", "Closing date", winner=Side.PARTNER_CENTER), "status": Rule("status", "Status")}
)


def planned_lines(
    base: date, salesforce: date, partner_center: date, reported: tuple[str, ...] = ()
) -> tuple[str, ...]:
    active = Status("Active", "Accepted")
    record = Opportunity("006", Deal(closing=salesforce, status=active), flagged=True, modified=NOW)
    referral = Referral("r", "1", Deal(closing=partner_center, status=active), NOW, active)
    link = Link("006", base=Deal(closing=base, status=active), reported=reported)
    return tuple(
        line.text for line in plan_pair(link, record, referral, RULES, NOW, Policy(irreversible_wait=timedelta())).lines
    )


PAST, EARLIER, FUTURE = date(2026, 11, 1), date(2026, 10, 1), date(2026, 12, 31)


def test_a_past_close_date_is_reported_once_for_each_date() -> None:
    (line,) = planned_lines(PAST, PAST, PAST)
    assert "2026-11-01" in line
    assert planned_lines(PAST, PAST, PAST, reported=(f"past_closing:{PAST}",)) == ()
    assert "2026-10-01" in planned_lines(PAST, EARLIER, PAST, reported=(f"past_closing:{PAST}",))[0]


def test_a_past_close_date_that_partner_center_replaces_is_not_reported() -> None:
    assert planned_lines(PAST, PAST, FUTURE) == ()


def test_a_past_close_date_that_arrives_from_partner_center_is_reported() -> None:
    assert "2026-11-01" in planned_lines(FUTURE, FUTURE, PAST)[0]


# --- the base of an earlier release -----------------------------------------------------------------------------------


def test_an_entity_in_the_base_of_an_earlier_release_is_no_edit() -> None:
    """An earlier release kept entities as they came. Decoding them must not turn a seller's edit into a conflict."""
    rules = Rules({"notes": Rule("notes", "Description", merges_text=True)})
    edited = EditTimes(NOW, NOW)
    (merged,) = merge(Deal(notes="R&amp;D"), Deal(notes="R&D, phase 2"), Deal(notes="R&D"), rules, edited)
    assert (merged.value, merged.conflict) == ("R&D, phase 2", False)
