"""Puts members of a list that Partner Center refuses on record: told once, and sent again with another list. Pure.

Without them, the rest of the list travels. Once either side edits the list, or the details of such a member, they are
sent again: what was wrong may be put right. Source: docs/protocol.md#lists-merge-as-sets.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Change, Side, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.left_members import refused_key
from shared.domain.link import Difference, Link
from shared.domain.listed_texts import listed
from shared.domain.member_sets import REFUSED_MEMBER, Member, Members, members_of
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection

_NEW = "new"
"""The value of a record that no plan has seen: the next one sets the lists of both sides."""


def with_refused_members(
    link: Link, change: Change, members: Sequence[Member], cause: Cause, now: datetime
) -> tuple[Link, tuple[Line, ...]]:
    """The link with these members of a list on record, and the line that tells those who were not told before."""
    key = refused_key(change.field)
    known = link.refused.get(key)
    told = frozenset(known.told if known else ())
    record = Difference(_NEW, REFUSED_MEMBER, now, tuple(sorted({*told, *map(_mark, members)})))
    refused = replace(link, refused={**link.refused, key: record})
    new = [one for one in members if _mark(one) not in told]
    if not new:
        return refused, ()
    named = {"label": change.label, "value": listed([str(one) for one in new])}
    why = {"reason": cause.reason.rstrip(".")}
    side, code = Side.PARTNER_CENTER, REFUSED_MEMBER
    line = Line(now, code, LineDirection.NOTE, side, change.field, rule=code, values={**named, **why})
    return replace(refused, unwritten=True), (line,)


def has_refused_members(link: Link, changes: Sequence[Change]) -> bool:
    """Whether one of these changes is of a list of which members are on record."""
    return any(refused_key(change.field) in link.refused for change in changes)


def refused_members(
    link: Link, opportunity: Opportunity, referral: Referral, rules: Rules
) -> tuple[Mapping[str, Mapping[str, str]], dict[str, Difference]]:
    """The members that Partner Center does not get, with those that it refused, and the records of these."""
    unsendable, records = dict(opportunity.unsendable), dict[str, Difference]()
    for name, key, known in _known(link, rules):
        if name not in opportunity.deal or name not in referral.deal:
            records[key] = known  # what cannot be read now may still hold them
            continue
        ours, theirs = members_of(opportunity.deal[name]), members_of(referral.deal[name])
        marks = {one: _mark(member) for one, member in ours.items() if one not in theirs}
        refused = {one: mark for one, mark in marks.items() if mark in known.told}
        if refused:
            value = fingerprint(_merged_keys(members_of(link.base.get(name)), ours, theirs))
            records[key] = replace(known, value=value, told=tuple(sorted(refused.values())))
            if known.value in (value, _NEW):
                unsendable[name] = {**unsendable.get(name, {}), **dict.fromkeys(refused, REFUSED_MEMBER)}
    return unsendable, records


def _known(link: Link, rules: Rules) -> Iterator[tuple[str, str, Difference]]:
    for rule in rules.updatable:
        if rule.is_set and (known := link.refused.get(key := refused_key(rule.field))):
            yield rule.field, key, known


def _merged_keys(base: Members, ours: Members, theirs: Members) -> tuple[str, ...]:
    """The keys that both lists have once all edits have travelled: the same before and after that."""
    one_sided = ours.keys() ^ theirs.keys()
    return tuple(sorted((ours.keys() | theirs.keys()) - (one_sided & base.keys())))


def _mark(member: Member) -> str:
    """The mark of a member with its details."""
    return fingerprint(repr(member))
