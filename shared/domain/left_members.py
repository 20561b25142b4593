"""Puts members of a list that one side holds and that do not travel on record. Pure.

Source: docs/protocol.md#lists-merge-as-sets.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.deal import Side, Value, fingerprint
from shared.domain.field_rules import Rule
from shared.domain.link import Difference, Link
from shared.domain.listed_texts import listed
from shared.domain.member_sets import DETAILS_STAY, Left, Member, as_value, has_same_details, key_of, members_of
from shared.domain.sentences import LineDirection, system_name

type LeftRecord = tuple[str, Difference, tuple[Line, ...]]
"""The key of a record, the record, and its lines, which are told once."""


def left_key(side: Side, name: str) -> str:
    """The key of the record of the members that `side` does not take."""
    return f"{side}.{name}:left"


def left_records(rule: Rule, left: Sequence[Left], now: datetime) -> Iterator[LeftRecord]:
    """The records of the members that one side does not take, and of the people of whom the sides say other things."""
    for holder in Side:
        members = [one for one in left if one.side is holder and one.code != DETAILS_STAY]
        if members:
            record = Difference(mark_of(one.member for one in members), members[0].code, now)
            yield left_key(holder.other, rule.field), record, tuple(_lines(rule, members, holder, now))
    if people := [one for one in left if one.code == DETAILS_STAY]:
        record = Difference(fingerprint(repr([one.member for one in people])), DETAILS_STAY, now)
        yield f"{Side.SALESFORCE}.{rule.field}:details", record, tuple(_lines(rule, people, people[0].side, now))


def _lines(rule: Rule, left: Sequence[Left], holder: Side, now: datetime) -> Iterator[Line]:
    for code, further in dict.fromkeys((one.code, tuple(one.values.items())) for one in left):
        names = listed([str(one.member) for one in left if (one.code, tuple(one.values.items())) == (code, further)])
        values = {"label": rule.label, "value": names, "system": system_name(holder.other), **dict(further)}
        yield Line(now, code, LineDirection.NOTE, holder.other, rule.field, rule=code, values=values)


def mark_of(members: Iterable[Member]) -> str:
    """The fingerprint of members, in any order."""
    return fingerprint(as_value({str(number): one for number, one in enumerate(sorted(members, key=_by_key))}))


def _by_key(member: Member) -> tuple[str, str]:
    return key_of(member), str(member)


def is_same(one: Value | None, other: Value | None) -> bool:
    """Whether two values are the same; of lists, whether they have the same members with the same details."""
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return one == other
    ours, theirs = members_of(one), members_of(other)
    return ours.keys() == theirs.keys() and all(has_same_details(ours[key], theirs[key]) for key in ours)


def is_known_list(link: Link, name: str, value: Value | None, side: Side) -> bool:
    """Whether all that `side` holds of a list is agreed, or on record as what does not travel."""
    here: tuple[Member, ...] = value if isinstance(value, tuple) else ()
    agreed, known = members_of(link.base.get(name)), link.refused.get(left_key(side.other, name))
    if agreed.keys() - members_of(value).keys():
        return False
    extra = [one for one in here if key_of(one) not in agreed]
    return not extra or (known is not None and known.value == mark_of(extra))
