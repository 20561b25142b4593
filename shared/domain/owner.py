"""The owner of an opportunity that is created for a referral: users by the rules of the mapping file, in their order.

Source: docs/mapping.md#owners.
"""

from collections.abc import Sequence
from itertools import dropwhile, takewhile

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.sentences import cause


class User(Struct, frozen=True):
    """A user of the org; only an active person can own a deal."""

    id: str
    name: str
    is_active: bool
    is_person: bool


class Owner(Struct, frozen=True):
    """A user who may own the deal, and the rule that names them."""

    id: str
    name: str
    rule: str


Choice = Owner | Cause
"""A user whom a rule names, or why this user is passed over."""


def owner_of(choices: Sequence[Choice]) -> Owner | None:
    """The first user who is not passed over."""
    return next((each for each in choices if isinstance(each, Owner)), None)


def passed_over(choices: Sequence[Choice]) -> tuple[Cause, ...]:
    """Why the users before the owner are passed over; all of them where nobody is left."""
    return tuple(each for each in takewhile(lambda one: not isinstance(one, Owner), choices) if isinstance(each, Cause))


def without_owner(choices: Sequence[Choice], refusal: Cause) -> tuple[Choice, ...]:
    """The choices after Salesforce has refused the owner."""
    [refused, *others] = dropwhile(lambda one: not isinstance(one, Owner), choices)
    values = {"reason": refusal.reason.rstrip("."), "remedy": refusal.remedy}
    names = {"user": refused.name, "rule": refused.rule} if isinstance(refused, Owner) else {}
    return (*passed_over(choices), cause("owner_refused", **names, **values), *others)
