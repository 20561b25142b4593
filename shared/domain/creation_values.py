"""Compares the values that travel only when a deal is created. A later difference stays on both sides, and is told.

Source: docs/protocol.md#values-that-travel-once.
"""

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import datetime

from msgspec import Struct

from shared.domain.audit import Line, cause_line
from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Person, Side, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.hidden_columns import HIDDEN_COLUMN
from shared.domain.latches import FIXED_THERE
from shared.domain.link import SET_AT_CREATION, Difference, Link
from shared.domain.merge import MISSING, Merged
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection

SOLUTIONS_CUT, CONTACTS_LEFT_OUT = "solutions_cut", "contacts_left_out"
CONTACTS_CUT, TEXT_CUT, PART_LEFT_OUT = "contacts_cut", "text_cut", "part_left_out"
"""Codes of differences in values that travel only when a deal is created."""
NO_IDS = ("bad_solutions",)
"""Codes of problems of an opportunity's solutions. Those of account and owner matter only before a deal is created.

Builds up to 0.3.0 sent any word as an id, so that both sides may hold the same words.
"""
LOCATION_FIXED = "location_fixed"
"""The code of a location that was edited after the create. Partner Center never changes it."""
STAYS_UNREAD = (
    SOLUTIONS_CUT,
    CONTACTS_LEFT_OUT,
    CONTACTS_CUT,
    TEXT_CUT,
    PART_LEFT_OUT,
    FIXED_THERE.code,
    LOCATION_FIXED,
)
"""Codes of differences for which the referral need not be read: the base holds what Partner Center has."""


class Compared(Struct, frozen=True):
    """One field: the records to keep, or the difference to put on record for the side that lacks a value.

    `code` is that of the difference. `agreed` is what both sides hold, by field: the base takes it. `lines` report what
    is new.
    """

    agreed: Mapping[str, Value | None] = {}
    kept: Mapping[str, Difference] = {}
    side: Side = Side.PARTNER_CENTER
    difference: Merged | None = None
    lines: tuple[Line, ...] = ()
    code: str = SET_AT_CREATION


def compare_creation_values(
    link: Link, seen: Opportunity, read: Referral, rules: Rules, now: datetime
) -> Iterator[Compared]:
    """Compare each field that travels only at creation. A value that was not read is as it was.

    A referral that is taken from the base holds the base's values, unless a colleague's edit is on record.
    """
    opportunity, referral = seen.deal, read.deal
    for rule in rules.set_at_creation:
        name, base = rule.field, link.base.get(rule.field, MISSING)
        known = {key: record for side in Side if (record := link.refused.get(key := f"{side}.{name}"))}
        known = {key: record for key, record in known.items() if record.code != HIDDEN_COLUMN}  # it is visible again
        theirs = referral.get(name, base)
        is_unread = name not in opportunity or theirs is MISSING
        is_unread |= name not in referral and f"{Side.SALESFORCE}.{name}" in _without_parts(known)
        problem = seen.problems.get(name)
        if problem is not None and problem.code in NO_IDS and not _agree(opportunity.get(name), theirs):
            yield _unreadable(name, problem, known, now)
        elif is_unread:
            yield Compared(kept=known if name in opportunity or not rule.is_fixed else {})
        elif _holds_people(opportunity[name], theirs):
            yield Compared(kept=known if opportunity[name] != theirs else _without_parts(known))
        elif _agree(opportunity[name], theirs):
            agreed = Compared({name: referral[name]} if name in referral else {})
            if opportunity[name] != theirs and (parts := known.keys() - _without_parts(known).keys()):
                agreed = replace(agreed, kept={key: known[key] for key in parts})
            is_cut = name in read.problems or problem is not None
            yield _with_cut(agreed, name, seen, read, known, now) if is_cut else agreed
        else:
            yield _different(rule, base, opportunity[name], theirs, known)


def _without_parts(known: Mapping[str, Difference]) -> dict[str, Difference]:
    return {key: record for key, record in known.items() if record.code != PART_LEFT_OUT}


def _with_cut(
    agreed: Compared, name: str, seen: Opportunity, read: Referral, known: Mapping[str, Difference], now: datetime
) -> Compared:
    """What was agreed, with the record of a text of which one side holds only the beginning; it is told once."""
    for side, problems in ((Side.SALESFORCE, read.problems), (Side.PARTNER_CENTER, seen.problems)):
        for key, (record, line) in cut_texts(problems, seen.deal, side, now, name).items():
            old = known.get(key)
            if old is not None and (old.code, old.value) == (record.code, record.value):
                return replace(agreed, kept={key: old})
            return replace(agreed, kept={key: record}, lines=(line,))
    return agreed


def cut_texts(
    problems: Mapping[str, Cause], deal: Deal, side: Side, now: datetime, *only: str
) -> dict[str, tuple[Difference, Line]]:
    """By key, the record and the line of each text of which `side` holds only the beginning."""
    cut = {name: found for name, found in problems.items() if found.code == TEXT_CUT and name in (only or problems)}
    return {
        f"{side}.{name}": (
            Difference(fingerprint(deal.get(name)), TEXT_CUT, now),
            cause_line(now, side, name, found, LineDirection.NOTE),
        )
        for name, found in cut.items()
    }


def readable_lists(seen: Opportunity, other: Deal) -> Deal:
    """The deal without a list that a seller typed and that is none, unless `other` holds the same words.

    A list of which only a part was read is left alone too.
    """
    typed = [name for name, problem in seen.problems.items() if problem.code in NO_IDS]
    differing = (name for name in typed if not _agree(seen.deal.get(name), other.get(name)))
    return seen.deal.without(*seen.partial, *differing)


def unreadable_lists(link: Link, seen: Opportunity, read: Deal, rules: Rules, now: datetime) -> Iterator[Compared]:
    """The records of such lists that are compared after creation."""
    for rule in rules.updatable:
        problem = seen.problems.get(rule.field)
        if (
            problem is not None
            and problem.code in NO_IDS
            and not _agree(seen.deal.get(rule.field), read.get(rule.field))
        ):
            key = f"{Side.PARTNER_CENTER}.{rule.field}"
            yield _unreadable(rule.field, problem, {key: link.refused[key]} if key in link.refused else {}, now)


def _unreadable(name: str, problem: Cause, known: Mapping[str, Difference], now: datetime) -> Compared:
    """The record of what a seller typed that is no list of ids, and its line, which is reported once."""
    key, record = f"{Side.PARTNER_CENTER}.{name}", Difference(fingerprint(problem.key), problem.code, now)
    old = known.get(key)
    if old is not None and (old.code, old.value) == (record.code, record.value):
        return Compared(kept=known)
    line = cause_line(now, Side.PARTNER_CENTER, name, problem, LineDirection.NOTE)
    return Compared(kept={**known, key: record}, lines=(line,))


def _different(
    rule: Rule, base: object, ours: Value | None, theirs: object, known: Mapping[str, Difference]
) -> Compared:
    if any(record.code == SOLUTIONS_CUT for record in known.values()) and _distinct(ours) <= _distinct(theirs):
        return Compared(kept=known)
    kept: Value | None = theirs  # type: ignore[assignment]  # it is not MISSING, and all else is a value
    if _agree(ours, base):
        return Compared(side=Side.SALESFORCE, difference=Merged(rule, kept, ours, kept, Side.PARTNER_CENTER))
    code = LOCATION_FIXED if rule.is_fixed else SET_AT_CREATION
    return Compared(difference=Merged(rule, ours, ours, kept, Side.SALESFORCE), code=code)


def _holds_people(*values: object) -> bool:
    """Whether a value lists people: both systems complete them, so that a difference need not be an edit."""
    return any(isinstance(value, tuple) and isinstance(next(iter(value), None), Person) for value in values)


def _agree(one: object, other: object) -> bool:
    """Whether two values name the same: of a company only name and country, of a list its members in any order.

    A company without a country may have any.
    """
    if isinstance(one, Company) and isinstance(other, Company):
        is_named_alike = one.name.casefold() == other.name.casefold()
        return is_named_alike and (one.country == other.country or not (one.country and other.country))
    return one == other or (isinstance(one, tuple) and isinstance(other, tuple) and _distinct(one) == _distinct(other))


def _distinct(value: object) -> frozenset[str]:
    return frozenset(str(item).casefold() for item in value) if isinstance(value, tuple) else frozenset()
