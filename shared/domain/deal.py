"""The deal: the neutral form of a referral and of an opportunity, a frozen mapping of field name to value.

A field that is absent could not be read on that side, and is left alone. A field that is None is empty there. Values
that belong together are one value (docs/protocol.md#values-that-belong-together): money, status, customer.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct


class Side(StrEnum):
    """The two systems that hold a deal."""

    PARTNER_CENTER = "partner_center"
    SALESFORCE = "salesforce"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.SALESFORCE if self is Side.PARTNER_CENTER else Side.PARTNER_CENTER


class Money(Struct, frozen=True):
    """An amount with two decimal places and its ISO 4217 currency (docs/protocol.md#normal-form).

    `shared.mapping` checks what a side holds and brings it into this form. A stored value is not checked again: it
    stays readable when a currency ends.
    """

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


CLOSED = "Closed"
"""The status of a deal that has ended."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a deal, with the names that Partner Center uses (docs/reference/partner-center.md#status-model).

    The reason is sent with a close and is not compared: several stages may mean one status for different reasons.
    """

    status: str
    substatus: str
    reason: str | None = field(default=None, compare=False, repr=False)

    @property
    def is_final(self) -> bool:
        """Whether the deal is closed. Partner Center allows no move out of that status."""
        return self.status == CLOSED

    @property
    def is_unanswered(self) -> bool:
        """Whether this is an inbound deal that nobody has accepted or declined yet."""
        return self.status == "New"

    @property
    def is_accepted(self) -> bool:
        """Whether the deal is being worked on, at whatever sub-stage."""
        return self.status == "Active"

    def __str__(self) -> str:
        return f"{self.status}/{self.substatus}"


class Company(Struct, frozen=True, forbid_unknown_fields=True):
    """The customer: name and address.

    The country is an ISO 3166-1 alpha-2 code, which `shared.mapping` checks; it is empty where a referral has none.
    """

    name: str
    country: str
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.country})" if self.country else self.name


class Person(Struct, frozen=True, forbid_unknown_fields=True):
    """A member of our team or of the customer's team."""

    last_name: str
    first_name: str = ""
    email: str | None = None
    phone: str | None = None
    title: str | None = None

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def is_complete(self) -> bool:
        """Whether the person has both names, an e-mail address and a phone number.

        Partner Center demands them of sellers, and we assume of contacts too
        (docs/reference/partner-center.md#team-members).
        """
        return bool(self.first_name and self.last_name and self.email and self.phone)

    def is_complete_with(self, parts: frozenset[str]) -> bool:
        """Whether the person is complete once a default fills in these parts."""
        demanded = ("first_name", "last_name", "email", "phone")
        return all(getattr(self, part) or part in parts for part in demanded)


Value = str | date | Money | Status | Company | tuple[Person, ...] | tuple[str, ...]


class Change(Struct, frozen=True):
    """One value to write. `label` is the name of the field in the audit.

    `sent` is what Partner Center gets or has in place of `new`, where they differ. The merge knows it as `new`. A step
    is not the value that the opportunity holds: that one follows at once.
    """

    field: str
    label: str
    old: Value | None
    new: Value | None
    sent: Value | None = None
    is_step: bool = False

    @property
    def told(self) -> Value | None:
        """The new value as the audit names it."""
        return self.new if self.sent is None else self.sent


if TYPE_CHECKING:

    class _DealFields(Mapping[str, Value | None]):
        """A deal as a type checker sees it: a mapping without a method that changes it."""

        def __init__(self, values: Mapping[str, Value | None] = ..., /, **named: Value | None) -> None: ...
        def __getitem__(self, field: str, /) -> Value | None: ...
        def __iter__(self) -> Iterator[str]: ...
        def __len__(self) -> int: ...

else:
    _DealFields = dict


def _refuse_change(*_: object, **__: object) -> NoReturn:
    raise TypeError("a deal is frozen: make another one with `with_values` or `without`")


class Deal(_DealFields):
    """A frozen mapping of field name to value. It copies the values, so later changes of the argument have no effect.

    It is a dict at run time, so that looking up and iterating enter no Python function: a merge does little else.
    """

    __slots__ = ()

    if not TYPE_CHECKING:
        __setitem__ = __delitem__ = __ior__ = _refuse_change
        clear = pop = popitem = setdefault = update = _refuse_change

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))

    def __repr__(self) -> str:
        """Names the fields only, because values may be personal data."""
        return f"Deal({', '.join(sorted(self))})"

    def __reduce__(self) -> tuple[type["Deal"], tuple[dict[str, Value | None]]]:
        """How to copy a deal. By default, Python would fill an empty one with `__setitem__`."""
        return Deal, (dict(self),)

    def with_values(self, changes: Mapping[str, Value | None]) -> "Deal":
        """This deal with some values replaced or added."""
        return Deal({**self, **changes})

    def without(self, *fields: str) -> "Deal":
        """This deal without some fields."""
        return Deal({field: value for field, value in self.items() if field not in fields})


SHOWN_AMOUNT = "partner_center_amount"
"""The field that only shows Partner Center's amount: it is part of no deal that is sent."""
SHOWN_SOLUTIONS = "shown_solutions"
"""The field that only shows the ids of the solutions, where the rows of a related list are read."""
STATUS = "status"
VISIBILITY, VISIBLE, PRIVATE = "visibility", "Visible", "Private"
"""The field that says whether Microsoft's sellers see the deal, and its two values."""


TEAM = "team"
"""The field of our own sellers, by its name in the mapping file."""


LATER_FIELDS = (
    "sales_stage",
    "campaign",
    "referral_program",
    "marketplace_intent",
    "solution_area",
    "solution_play",
    "partner_role",
)
"""The fields that the default mapping file has since 0.7.0."""


def fingerprint(value: Value | Deal | None) -> str:
    """A short hash of a value or of a whole deal. Logs and refusals keep it in place of the value.

    Stored rows hold fingerprints, so the text that is hashed must not change: a private deal says nothing of it, and an
    empty field of a later release is not named. People are the same in any order.
    """
    if isinstance(value, Deal):
        empty = [name for name in LATER_FIELDS if value.get(name) is None]
        private = () if value.get(VISIBILITY) == VISIBLE else (VISIBILITY,)
        text = repr(sorted(value.without(SHOWN_AMOUNT, SHOWN_SOLUTIONS, *private, *empty).items()))
    elif isinstance(value, tuple) and any(isinstance(one, Person) for one in value):
        text = repr(sorted(map(repr, value)))
    else:
        text = repr(value)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def display_text(value: Value | None, *, whole: bool = False) -> str:
    """A value as a seller reads it in the audit: one line, cut to `MAX_SHOWN` characters unless `whole`.

    A discarded value is shown whole, because no other place holds it.
    """
    if value is None:
        return "empty"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "empty"
    text = str(value)
    if whole:
        return text
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}… ({len(text)} characters)"


MAX_SHOWN = 80
"""Characters."""
