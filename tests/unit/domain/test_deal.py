"""The values of a deal are compared, shown and hashed."""

import sys
from collections.abc import Callable
from copy import copy, deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.deal import Company, Deal, Money, Person, Side, Status, display_text, fingerprint


def test_the_reason_of_a_status_is_kept_and_not_compared() -> None:
    won, lost = Status("Closed", "Lost", "Budget"), Status("Closed", "Lost")
    assert won == lost
    assert fingerprint(won) == fingerprint(lost)
    assert won.reason == "Budget"


def test_a_deal_does_not_change_with_the_mapping_it_was_made_from() -> None:
    values = {"name": "Robots"}
    deal = Deal(values)
    values["name"] = "changed"
    assert deal["name"] == "Robots"
    assert deal.with_values({"name": "other"})["name"] == "other"
    assert deal["name"] == "Robots"
    assert deal.without("name") == Deal()
    assert hash(Deal(a="1", b=None)) == hash(Deal(b=None, a="1"))


CHANGES: dict[str, Callable[[Any], object]] = {
    "set": lambda deal: deal.__setitem__("name", "x"),
    "delete": lambda deal: deal.__delitem__("name"),
    "merge": lambda deal: deal.__ior__({"name": "x"}),
    "clear": lambda deal: deal.clear(),
    "pop": lambda deal: deal.pop("name"),
    "pop any": lambda deal: deal.popitem(),
    "set default": lambda deal: deal.setdefault("notes", "x"),
    "update": lambda deal: deal.update(name="x"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_deal_refuses_every_change(change: Callable[[Any], object]) -> None:
    deal = Deal(name="Robots")
    with pytest.raises(TypeError, match=r"^a deal is frozen: make another one with `with_values` or `without`$"):
        change(deal)
    assert deal == {"name": "Robots"}


def test_every_method_of_a_dict_that_changes_it_is_refused() -> None:
    reading = {"__contains__", "__getitem__", "copy", "fromkeys", "get", "items", "keys", "values"}
    own = {name for name, member in vars(dict).items() if callable(member) and not hasattr(object, name)}
    unlisted = own - reading - {"__class_getitem__", "__iter__", "__len__", "__or__", "__reversed__", "__ror__"}
    assert {name for name in unlisted if getattr(Deal, name) is getattr(dict, name)} == set()


def test_a_look_up_in_a_deal_enters_no_python_function() -> None:
    deal = Deal(name="Robots", notes=None)
    entered: list[str] = []
    sys.setprofile(lambda frame, event, _: entered.append(frame.f_code.co_name) if event == "call" else None)
    try:
        seen: Any = (deal["name"], "notes" in deal, [*deal], [*deal.items()], deal.get("money"), len(deal), {**deal})
    finally:
        sys.setprofile(None)
    assert seen == ("Robots", True, ["name", "notes"], [("name", "Robots"), ("notes", None)], None, 2, deal)
    assert entered == []


@pytest.mark.parametrize("copied", [copy, deepcopy])
def test_a_copy_of_a_deal_is_an_equal_deal(copied: Callable[[Deal], Deal]) -> None:
    deal = Deal(name="Robots", team=(Person("One"),))
    assert type(copied(deal)) is Deal
    assert copied(deal) == deal


def test_an_absent_field_differs_from_an_empty_one() -> None:
    assert Deal(notes=None) != Deal()


def test_the_repr_of_a_deal_shows_its_fields_and_no_values() -> None:
    assert repr(Deal(name="secret", account=None)) == "Deal(account, name)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "empty"),
        ((), "empty"),
        (("SOL-1", "SOL-2"), "SOL-1, SOL-2"),
        ((Person("One", "Ann"), Person("Two")), "Ann One, Two"),
        (date(2026, 12, 31), "2026-12-31"),
        (Money(Decimal("5.00"), "USD"), "5.00 USD"),
        (Status("Closed", "Won"), "Closed/Won"),
        (Company("Northwind", "US", "1 Main Street"), "Northwind (US)"),
        ("two\nlines", "two lines"),
        ("x" * 80, "x" * 80),
        ("x" * 81, f"{'x' * 80}… (81 characters)"),
    ],
)
def test_a_value_is_shown_in_one_short_line(value: object, text: str) -> None:
    assert display_text(value) == text  # type: ignore[arg-type]  # all parameters are values


def test_a_value_is_shown_whole_on_request() -> None:
    assert display_text("x" * 500 + "\nend", whole=True) == "x" * 500 + "\nend"


def test_each_side_knows_the_other_side() -> None:
    assert Side.SALESFORCE.other is Side.PARTNER_CENTER
    assert Side.PARTNER_CENTER.other is Side.SALESFORCE
