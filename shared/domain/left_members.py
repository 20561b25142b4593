"""Puts members of a list that one side holds and that do not travel on record. Pure.

Source: docs/protocol.md#lists-merge-as-sets.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.deal import Change, Deal, Side, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.latches import CONTACTS_LOCKED
from shared.domain.link import Difference, Link
from shared.domain.listed_texts import listed
from shared.domain.member_sets import (
    DETAILS_STAY,
    Left,
    Member,
    has_same_details,
    key_of,
    members_of,
    repeated,
    without_members,
)
from shared.domain.merge import Merged
from shared.domain.sentences import LineDirection, system_name

_LEFT, _REFUSED = ":left", ":refused"
type LeftRecord = tuple[str, Difference, tuple[Line, ...]]
"""The key of a record, the record, and its lines, which are told once."""


def left_key(side: Side, name: str) -> str:
    """The key of the record of the members that `side` does not take."""
    return f"{side}.{name}{_LEFT}"


def refused_key(name: str) -> str:
    """The key of the record of the members that Partner Center refused."""
    return f"{Side.PARTNER_CENTER}.{name}{_REFUSED}"


def told_members(records: Iterable[Difference]) -> frozenset[str]:
    """The marks of the members that these records of a link told."""
    return frozenset(mark for record in records for mark in record.told)


def told_mark(name: str, left: Left) -> str:
    """The mark of a member of a list that was told for one code."""
    return fingerprint((name, key_of(left.member), left.code))


def left_records(rule: Rule, left: Sequence[Left], now: datetime, told: Collection[str] = ()) -> Iterator[LeftRecord]:
    """The records of the members that one side does not take, and of the people of whom the sides say other things.

    `told` has the marks of members that need no line, because they were told.
    """
    for holder in Side:
        members = [one for one in left if one.side is holder and one.code != DETAILS_STAY]
        if members:
            marks = tuple(sorted({told_mark(rule.field, one) for one in members}))
            record = Difference(mark_of(one.member for one in members), members[0].code, now, marks)
            new = [one for one in members if told_mark(rule.field, one) not in told]
            yield left_key(holder.other, rule.field), record, tuple(_lines(rule, new, holder, now))
    if people := [one for one in left if one.code == DETAILS_STAY]:
        record = _details_record([one.member for one in people], now)
        yield _details_key(rule.field), record, tuple(_lines(rule, people, people[0].side, now))


def details_of_added(changes: Iterable[Change], ours: Deal, theirs: Deal, now: datetime) -> Iterator[LeftRecord]:
    """The records of the people who joined a list with this write, and of whom the sides say other things.

    The contact was there already, or a flow changed it.
    """
    for change in changes:
        here, there = (members_of(deal.get(change.field)) for deal in (ours, theirs))
        differing = [key for key in sorted(here.keys() & there) if not has_same_details(here[key], there[key])]
        added = [there[key] for key in differing if key not in members_of(change.old)]
        if added:
            record = _details_record([there[key] for key in differing], now)
            values = {"label": change.label, "value": listed(list(map(str, added)))}
            side = Side.SALESFORCE
            line = Line(now, DETAILS_STAY, LineDirection.NOTE, side, change.field, rule=DETAILS_STAY, values=values)
            yield _details_key(change.field), record, (line,)


def _details_key(name: str) -> str:
    return f"{Side.SALESFORCE}.{name}:details"


def _details_record(people: Sequence[Member], now: datetime) -> Difference:
    return Difference(fingerprint(repr(list(people))), DETAILS_STAY, now)


def _lines(rule: Rule, left: Sequence[Left], holder: Side, now: datetime) -> Iterator[Line]:
    for code, further in dict.fromkeys((one.code, tuple(one.values.items())) for one in left):
        names = listed([str(one.member) for one in left if (one.code, tuple(one.values.items())) == (code, further)])
        values = {"label": rule.label, "value": names, "system": system_name(holder.other), **dict(further)}
        yield Line(now, code, LineDirection.NOTE, holder.other, rule.field, rule=code, values=values)


def extra_members(value: object, held: Iterable[str]) -> list[Member]:
    """The members of a list whose keys are not among these, and people who have the address of another one."""
    known = frozenset(held)
    return [*(one for key, one in members_of(value).items() if key not in known), *repeated(value)]


def locked_contacts(merged: Merged) -> tuple[str, str]:
    """The code of the line about contacts that are locked, and those of whom only the address or details changed."""
    before, after = members_of(merged.partner_center), members_of(merged.value)
    if not after:
        return "contacts_locked_empty", ""
    if before.keys() != after.keys():
        moved = [str(one) for key, one in after.items() if key not in before]
        is_address = moved == [str(one) for key, one in before.items() if key not in after]
        return ("contact_address_locked", listed(moved)) if is_address else (CONTACTS_LOCKED.code, "")
    changed = [str(one) for key, one in after.items() if not has_same_details(one, before[key])]
    return "contact_details_locked", listed(changed)


def mark_of(members: Iterable[Member]) -> str:
    """The fingerprint of the keys of members, in any order."""
    return fingerprint(tuple(sorted(map(key_of, members))))


def accepted_key(key: str, record: Difference) -> str:
    """What the link remembers of members that a deal had when it was linked: nobody edited them, so none is told."""
    return f"{key}={record.value}"


def accepted_members(link: Link) -> list[str]:
    """What the link remembers of such members: a referral that is taken from the base does not show them."""
    return [key for key in link.reported if f"{_LEFT}=" in key]


def sendable_deal(deal: Deal, unsendable: Mapping[str, Mapping[str, str]], rules: Rules) -> Deal:
    """The deal with only those members of its lists that Partner Center gets, so that the base holds no others."""
    lists = [rule.field for rule in rules.updatable if rule.is_set and deal.get(rule.field)]
    return deal.with_values({name: without_members(deal[name], unsendable.get(name, ())) for name in lists})


def unsent_members(rules: Rules) -> set[str]:
    """The keys of records of members that Partner Center does not get: the base holds what it has."""
    lists = [rule.field for rule in rules.updatable if rule.is_set]
    return {key for name in lists for key in (left_key(Side.PARTNER_CENTER, name), refused_key(name))}


def is_same(one: Value | None, other: Value | None) -> bool:
    """Whether two values are the same; of lists, whether they have the same members with the same details."""
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return one == other
    ours, theirs = members_of(one), members_of(other)
    return ours.keys() == theirs.keys() and all(has_same_details(ours[key], theirs[key]) for key in ours)


def is_known_list(link: Link, name: str, value: Value | None, side: Side) -> bool:
    """Whether all that `side` holds of a list is agreed, or on record as what does not travel."""
    agreed, key = members_of(link.base.get(name)), left_key(side.other, name)
    if agreed.keys() - members_of(value).keys():
        return False
    extra = extra_members(value, agreed)
    known, mark = link.refused.get(key), mark_of(extra)
    return not extra or (known is not None and known.value == mark) or f"{key}={mark}" in link.reported
