"""Define the stored shape of each value of a deal: a list of its type and its content. Text and None stand alone.

["money", "1200.00", "USD"]
["status", "Closed", "Lost", "Budget"]
["date", "2026-12-31"]
["company", {"name": "Contoso", "country": "US", ...}]
["list", ["SOL-12345-ABC"]]
["list", [{"last_name": "Lee", ...}]]

A value is compared and sent as a whole. So a value with a part or a type that this build does not know is refused, and
never read without that part (docs/protocol.md#rows-of-other-builds).
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from msgspec import Struct, to_builtins

from shared.domain.deal import Company, Deal, Money, Person, Status


class _TaggedList(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The stored shape of a value. The tag is the first item of the list."""


class MoneyShape(_TaggedList, frozen=True, tag="money"):
    """The amount is stored as text, because JSON has no exact decimals."""

    amount: Decimal
    currency: str


class StatusShape(_TaggedList, frozen=True, tag="status"):
    """With the reason, which is not compared."""

    status: str
    substatus: str
    reason: str | None


class DateShape(_TaggedList, frozen=True, tag="date"):
    """A day, as in ISO 8601."""

    day: date


class CompanyShape(_TaggedList, frozen=True, tag="company"):
    """An object with every part, also the empty ones."""

    company: Company


class ListShape(_TaggedList, frozen=True, tag="list"):
    """People as objects, or ids as text."""

    items: list[Person | str]


Shape = MoneyShape | StatusShape | DateShape | CompanyShape | ListShape
StoredValue = str | Shape | None
NotText = date | Money | Status | Company | tuple[Person, ...] | tuple[str, ...]
StoredDeal = dict[str, StoredValue]
"""The values of a deal by field."""


def deal_to_json(deal: Deal) -> Mapping[str, Any]:
    """Return the values of a deal by field, as plain JSON."""
    shapes = {field: value if isinstance(value, str | None) else _shape_of(value) for field, value in deal.items()}
    plain: dict[str, Any] = to_builtins(shapes)
    return plain


def _shape_of(value: NotText) -> Shape:
    match value:
        case Money():
            return MoneyShape(value.amount, value.currency)
        case Status():
            return StatusShape(value.status, value.substatus, value.reason)
        case Company():
            return CompanyShape(value)
        case date():
            return DateShape(value)
        case tuple():
            return ListShape([*value])


def deal_from_shapes(shapes: StoredDeal) -> Deal:
    """Return the deal of these values. Raises ValueError for a currency that this build does not know."""
    return Deal(
        {field: shape if isinstance(shape, str | None) else _value_of(shape) for field, shape in shapes.items()}
    )


def _value_of(shape: Shape) -> NotText:
    match shape:
        case MoneyShape():
            return Money(shape.amount, shape.currency)
        case StatusShape():
            return Status(shape.status, shape.substatus, shape.reason)
        case CompanyShape():
            return shape.company
        case DateShape():
            return shape.day
        case ListShape():
            return tuple(shape.items)  # type: ignore[return-value]  # a list holds only people or only ids
