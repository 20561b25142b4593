"""The rules of each field, as the mapping file sets them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from shared.domain.cause import Cause
from shared.domain.currencies import Conversion
from shared.domain.deal import Deal, Money, Person, Side, Status, Value


class Direction(StrEnum):
    """The sides whose edits travel to the other side."""

    BOTH = "both"
    TO_SALESFORCE = "to_salesforce"
    TO_PARTNER_CENTER = "to_partner_center"
    OFF = "off"

    def owns(self, side: Side) -> bool:
        """Whether edits made on `side` travel to the other."""
        towards = Direction.TO_PARTNER_CENTER if side is Side.SALESFORCE else Direction.TO_SALESFORCE
        return self in (Direction.BOTH, towards)


class Rule(Struct, frozen=True):
    """One field: which side owns it, whether it is synced on create and on update, and which side wins a conflict.

    `label` is the name of the field in the audit. `merges_text` marks notes: both edits are kept if they fit into
    `length` characters. `clearable` holds the sides that accept an empty value (docs/protocol.md#cleared-values).
    `source` identifies how the value is read: the paths, and what brings it into normal form.
    `currencies` are those that Salesforce can hold in this field, None for all; `conversion` is for the others.
    `unlisted` are the paths of which nobody knows whether Partner Center takes a change; `is_fixed` says that it takes
    none of one of them (docs/protocol.md#fixed-paths).
    `is_in_list` marks a value that is sent with others of a list, so that the referral must have been read.
    `is_set` marks a list that is merged member by member; `fits` says whether Salesforce can hold these members, and
    `at_most` how many Partner Center takes. `in_rows` says that Salesforce holds them as rows of a related list.
    `shows` names the field that this one only shows; `shown` gives the value for what Partner Center holds of it.
    `completes` are the parts of a person that defaults fill in; `is_locked_by_sharing` says that Partner Center takes
    no change once Microsoft sees the deal.
    """

    field: str
    label: str
    direction: Direction = Direction.BOTH
    on_create: bool = True
    on_update: bool = True
    winner: Side = Side.SALESFORCE
    merges_text: bool = False
    length: int | None = None
    clearable: frozenset[Side] = frozenset()
    source: str = ""
    currencies: frozenset[str] | None = None
    conversion: Conversion | None = None
    unlisted: frozenset[str] = frozenset()
    is_fixed: bool = False
    is_set: bool = False
    is_in_list: bool = False
    fits: Callable[[Iterable[str | Person]], bool] | None = None
    completes: frozenset[str] = frozenset()
    is_locked_by_sharing: bool = False
    at_most: int | None = None
    in_rows: bool = False
    shows: str | None = None
    shown: Callable[[Any], Value | None] | None = None

    def holds(self, value: Value | None) -> bool:
        """Whether Salesforce can hold this value."""
        return self.currencies is None or not isinstance(value, Money) or value.currency in self.currencies

    def converted(self, value: Value | None) -> Money | None:
        """An amount in a currency that Salesforce can hold, if the mapping file has a rate for it."""
        if self.conversion is None or not isinstance(value, Money):
            return None
        money = self.conversion.convert(value)
        return money if self.holds(money) else None

    def given_to_salesforce(self, value: Value | None) -> Value | None:
        """What Salesforce is given of a value of Partner Center: what it cannot hold is converted or left out."""
        return value if self.holds(value) else self.converted(value)

    @property
    def owners(self) -> frozenset[Side]:
        """The sides whose edits travel."""
        return frozenset(side for side in Side if self.direction.owns(side))


class Answers(Struct, frozen=True):
    """What the stages say to Microsoft.

    `accepted` is the status of an accepted deal, in normal form. `lost_declines` says that a stage that means lost
    declines a deal that is not answered yet.
    """

    accepted: Status = Status("Active", "Accepted")
    lost_declines: bool = True


class Rules(Struct, frozen=True, dict=True):
    """The rules of all fields, by name, in the order of the mapping file; `mapping` is the hash of that file.

    `hidden_columns` says for each field which of its columns the integration user does not see. `not_co_sell_ready`
    are the ids of solutions, in small letters, that the mapping file knows as such.
    """

    by_field: Mapping[str, Rule]
    mapping: str | None = None
    hidden_columns: tuple[tuple[str, Cause], ...] = ()
    answers: Answers = Answers()
    not_co_sell_ready: frozenset[str] = frozenset()

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.by_field.values())

    def __getitem__(self, field: str) -> Rule:
        return self.by_field[field]

    def with_fixed(self, paths: frozenset[str], base: Deal) -> "Rules":
        """These rules where Partner Center takes no change of these paths.

        A fixed field can be changed only there. So of two edits the one there wins: nobody can send the other. Without
        a base there may be no edit at all, and nothing is overwritten.
        """
        fixed = {rule.field: rule for rule in self if not rule.unlisted.isdisjoint(paths)}
        winners = {name: Side.PARTNER_CENTER if name in base else rule.winner for name, rule in fixed.items()}
        rules = {name: replace(rule, is_fixed=True, winner=winners[name]) for name, rule in fixed.items()}
        return Rules(**{**asdict(self), "by_field": {**self.by_field, **rules}})  # a copy would keep what is cached

    @cached_property
    def updatable(self) -> tuple[Rule, ...]:
        """The fields that are compared after creation; the others are written once and not compared."""
        return tuple(rule for rule in self if rule.on_update and rule.direction is not Direction.OFF)

    @cached_property
    def unseen(self) -> tuple[str, ...]:
        """The fields that would be compared if their columns were not hidden."""
        known = ((name, self.by_field[name]) for name, _ in self.hidden_columns)
        return tuple(name for name, rule in known if rule.on_update and rule.direction is Direction.OFF)

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """How the value of each field that is compared is read, by field."""
        return {rule.field: rule.source for rule in self.updatable}

    @cached_property
    def set_at_creation(self) -> tuple[Rule, ...]:
        """The fields that travel only when a deal is created."""
        created = (rule for rule in self if rule.on_create and not rule.on_update)
        return tuple(rule for rule in created if rule.direction is not Direction.OFF)
