"""Why a deal, or its request for help, cannot be sent yet (docs/protocol.md#states-of-a-link)."""

from copy import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Money, Person, Status, Value
from shared.domain.field_rules import Rule, Rules
from shared.domain.obstacles import FIXED_AT_CREATION, creation_obstacles, help_obstacles
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Row
from shared.domain.sentences import cause
from shared.domain.sharing import HELP_LABELS, Sharing

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ADA = Person("Lind", "Ada", "ada@northwind.example", "1")
COMPLETE = Deal(
    name="Robots", account=Company("Northwind", "US"), money=Money(Decimal(0), "USD"), closing=date(2026, 12, 31),
    solutions=("SOL-1", "SOL-2"), team=(Person("One", "Ann", "ann@contoso.example", "1"),),
    status=Status("Active", "Accepted"), contacts=(ADA,),
)  # fmt: skip
PRIVATE, TICKED, HELP = Sharing(visible=False), Sharing(visible=True), Sharing(visible=True, help="General or Other")
RULES = Rules({name: Rule(name, name.title(), on_update=name != "team") for name in (*COMPLETE, "region")})
RECORD = Opportunity("006", COMPLETE, flagged=True, modified=NOW, sharing=HELP)


def a_record(sharing: Sharing = HELP, **changes: Value | None) -> Opportunity:
    return replace(RECORD, deal=COMPLETE.with_values(changes), sharing=sharing)


def test_a_complete_deal_has_no_obstacle() -> None:
    assert creation_obstacles(RECORD, RULES, Policy()) == help_obstacles(RECORD, RULES, Policy()) == {}


def test_what_may_not_be_shared_from_here_is_the_only_obstacle() -> None:
    policy = Policy(may_share=False)
    assert list(creation_obstacles(a_record(TICKED, name=None), RULES, policy)) == ["visibility"]
    assert list(help_obstacles(a_record(HELP, name=None), RULES, policy)) == ["help"]
    assert list(creation_obstacles(a_record(PRIVATE, name=None), RULES, policy)) == ["name"]


@pytest.mark.parametrize("code", FIXED_AT_CREATION)
def test_a_problem_of_a_value_that_may_be_fixed_later_holds_a_new_deal_only(code: str) -> None:
    problem = Cause(code, "region", "No.", "")
    record = replace(RECORD, problems={"region": problem, "other": replace(problem, code="other")})
    assert creation_obstacles(record, RULES, Policy()) == {"region": problem}
    assert help_obstacles(record, RULES, Policy()) == {}


def test_what_a_new_referral_needs_of_a_value_is_an_obstacle_and_a_cut_text_is_none() -> None:
    lacking = Cause("no_phone", "team", "No phone.", "Enter one.")
    assert creation_obstacles(replace(RECORD, lacking={"team": lacking}), RULES, Policy()) == {"team": lacking}
    cut = replace(RECORD, problems={"name": Cause("text_cut", "name", "Cut.", "")})
    assert creation_obstacles(cut, RULES, Policy()) == {}


def test_a_cause_that_stops_only_the_request_says_so() -> None:
    problem = cause("missing_name", "name")
    told = cause("help_lacks", "name", reason=problem.reason.rstrip("."), remedy=problem.remedy.rstrip("."))
    assert help_obstacles(a_record(name=None), RULES, Policy()) == {"name": told}


@pytest.mark.parametrize(
    ("sharing", "changes", "expected"),
    [
        (replace(HELP, visible=None), {}, {"help": cause("help_asked", "help")}),
        (
            replace(HELP, help="Money"),
            {},
            {"help": cause("help_unknown", "help", value="Money", known=HELP_LABELS)},
        ),
        (HELP, {"contacts": None}, {"contacts": cause("help_without_contact", "contacts")}),
        (HELP, {"status": Status("Closed", "Won")}, {"help": cause("help_closed", "help")}),
        (TICKED, {"status": Status("Closed", "Won"), "contacts": None}, {}),
    ],
)
def test_what_only_microsoft_demands_holds_a_new_deal_too(
    sharing: Sharing, changes: dict[str, Value | None], expected: dict[str, Cause]
) -> None:
    assert creation_obstacles(a_record(sharing, **changes), RULES, Policy()) == expected


def test_a_contact_counts_as_complete_with_the_parts_that_defaults_fill_in() -> None:
    record = a_record(contacts=("text", replace(ADA, phone=None)))  # type: ignore[arg-type] # no list of one kind
    assert list(creation_obstacles(record, RULES, Policy())) == ["contacts"]
    rules = Rules({**RULES.by_field, "contacts": Rule("contacts", "Contacts", completes=frozenset({"phone"}))})
    assert creation_obstacles(record, rules, Policy()) == {}
    assert creation_obstacles(a_record(), Rules({}), Policy()) == {}


# --- solutions

NOT_READY = cause("help_without_solution", "solutions", value="SOL-1, SOL-2")


def rows(ready: tuple[bool | None, ...]) -> Opportunity:
    """The deal with a row for each solution that says whether it is co-sell ready."""
    listed = tuple(Row(f"r{n}", f"sol-{n}", {"co_sell_ready": one}) for n, one in enumerate(ready, start=1))
    return replace(RECORD, rows={"solutions": listed})


@pytest.mark.parametrize(
    ("record", "known", "is_ready"),
    [
        (RECORD, {"sol-1", "sol-2"}, False),
        (RECORD, {"sol-1"}, True),
        (rows((False, False)), set[str](), False),
        (rows((False, True)), {"sol-1", "sol-2"}, True),
        (rows((None, None)), {"sol-1", "sol-2"}, False),
        (rows((False, None)), set[str](), True),
        (rows((None, False)), {"sol-1"}, False),
        (rows((True, False)), {"sol-1", "sol-2"}, True),
    ],
)
def test_help_needs_a_solution_that_is_or_may_be_co_sell_ready(
    record: Opportunity, known: set[str], *, is_ready: bool
) -> None:
    rules = replace(RULES, not_co_sell_ready=frozenset(known))
    expected = {} if is_ready else {"solutions": NOT_READY}
    assert creation_obstacles(record, rules, Policy()) == help_obstacles(record, rules, Policy()) == expected
    assert creation_obstacles(replace(record, sharing=TICKED), rules, Policy()) == {}


def solutions_found(record: Opportunity, **changes: Any) -> dict[str, Cause]:  # noqa: ANN401 - any part of a rule
    rule = replace(Rule("solutions", "Products"), **changes)
    return dict(creation_obstacles(replace(record, sharing=PRIVATE), Rules({"solutions": rule}), Policy()))


def test_too_many_solutions_are_an_obstacle() -> None:
    assert solutions_found(RECORD, at_most=2) == {}
    assert solutions_found(RECORD, at_most=1) == {"solutions": cause("too_many_solutions", "solutions")}
    unread = replace(RECORD, problems={"solutions": Cause("text_cut", "solutions", "No.", "")})
    assert solutions_found(unread, at_most=1) == {}


def test_solutions_in_rows_must_be_there_and_active() -> None:
    assert solutions_found(RECORD, in_rows=True) == {}
    missing = {"solutions": cause("missing_solution_rows", "solutions")}
    assert solutions_found(a_record(solutions=None), in_rows=True) == missing
    inactive = replace(RECORD, unsendable={"solutions": {"sol-2": "solution_inactive", "sol-3": "solution_inactive"}})
    told = {"solutions": cause("inactive_solutions", "solutions", value="SOL-2")}
    assert solutions_found(inactive, in_rows=True) == told
    assert solutions_found(inactive) == {}


# --- fields that nobody has approved to be sent


@pytest.mark.parametrize(
    ("unapproved", "sharing", "held"),
    [
        ({"name", "contacts", "team", "other"}, PRIVATE, ["name", "team"]),
        ({"visibility", "help"}, PRIVATE, []),
        ({"visibility", "help"}, TICKED, ["visibility"]),
        ({"visibility", "help"}, HELP, ["visibility", "help"]),
        (set[str](), HELP, []),
    ],
)
def test_a_field_that_a_referral_needs_and_nobody_approved_holds_a_new_deal(
    unapproved: set[str], sharing: Sharing, held: list[str]
) -> None:
    found = creation_obstacles(replace(RECORD, sharing=sharing), RULES, Policy(unapproved=frozenset(unapproved)))
    assert list(found) == held
    assert all(one.code == "newly_sent" for one in found.values())
    if "name" in held:
        assert found["name"] == cause("newly_sent", "name", label="Name")
