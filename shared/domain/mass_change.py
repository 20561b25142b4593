"""Takes stopped changes out of a plan: they wait for an operator, and everything else of the pair goes on. Pure.

Source: docs/protocol.md#the-mass-change-stop.
"""

from collections.abc import Collection, Mapping
from copy import replace
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.counted_changes import MASS_CHANGE, NEW_REFERRAL, NEW_REQUEST, Counted, counts_of
from shared.domain.deal import STATUS, VISIBILITY, Change, Deal, Side, display_text
from shared.domain.help_request import HELP, HelpStep
from shared.domain.link import Difference, Link
from shared.domain.link_states import SUSPENDED, State
from shared.domain.mapping_change import MAPPING_CHANGE
from shared.domain.planned import Plan
from shared.domain.sentences import LineDirection, system_name


def waits_for_approval(waiting: Mapping[str, Difference]) -> bool:
    """Whether one of these values waits for an operator."""
    return any(record.code in (MASS_CHANGE, MAPPING_CHANGE) for record in waiting.values())


def awaits(link: Link, one: Counted) -> bool:
    """Whether a change of this deal was stopped that belongs to the same count, and is still wanted."""
    if link.state in SUSPENDED:
        return False
    stopped = {key: record.value for key, record in link.waiting.items() if record.code == MASS_CHANGE}
    return any(one.count in counts_of(key, mark) for key, mark in stopped.items())


def was_stopped(link: Link, one: Counted) -> bool:
    """Whether this very change of a deal was stopped before."""
    known = link.waiting.get(one.key)
    return known is not None and (known.code, known.value) == (MASS_CHANGE, one.mark)


def plan_of_stopped_create(link: Link, now: datetime) -> Plan:
    """The plan of a new deal that is not created yet. What it has waited for its sharing counts."""
    record, is_new = _record(link, NEW_REFERRAL, now)
    line = Line(now, "mass_creation", LineDirection.NOTE, Side.PARTNER_CENTER, rule=MASS_CHANGE)
    waiting = {**link.waiting, NEW_REFERRAL.key: record}
    return Plan(Deal(), waiting=waiting, lines=(line,) if is_new else ())


def without_stopped(plan: Plan, link: Link, stopped: Collection[Counted], now: datetime) -> Plan:
    """The plan without the stopped changes, each told once. `link` is what the store has.

    What had to stand before it is sent (a close, sharing, a request for help) has stood: it does not wait anew. A deal
    that is not shared is not ticked as shared, and Microsoft is not asked about it.
    """
    keys = {one.key for one in stopped}
    if f"{Side.PARTNER_CENTER}.{VISIBILITY}" in keys:
        keys |= {f"{Side.SALESFORCE}.{VISIBILITY}", NEW_REQUEST.key}
    waiting, lines = dict(plan.waiting), list(plan.lines)
    for one in stopped:
        waiting[one.key], is_new = _record(link, one, now)
        lines += [_line(plan, one, now)] if is_new else []
        if one.side is Side.PARTNER_CENTER and one.field in link.waiting:
            waiting.setdefault(one.field, link.waiting[one.field])
    is_unanswered = link.state is State.ON_HOLD and f"{Side.PARTNER_CENTER}.{STATUS}" in keys
    asks = plan.help is HelpStep.ASK and NEW_REQUEST.key in keys
    return replace(
        plan,
        to_partner_center=() if is_unanswered else _left(plan.to_partner_center, Side.PARTNER_CENTER, keys),
        to_salesforce=_left(plan.to_salesforce, Side.SALESFORCE, keys),
        waiting=waiting,
        lines=tuple(lines),
        state=State.ON_HOLD if is_unanswered else plan.state,
        help=None if asks else plan.help,
        counted=tuple(one for one in plan.counted if one.key not in keys),
    )


def _left(changes: tuple[Change, ...], side: Side, keys: Collection[str]) -> tuple[Change, ...]:
    return tuple(change for change in changes if f"{side}.{change.field}" not in keys)


def _record(link: Link, one: Counted, now: datetime) -> tuple[Difference, bool]:
    """The record of a stopped change, and whether it is new."""
    if was_stopped(link, one):
        return link.waiting[one.key], False
    return Difference(one.mark, MASS_CHANGE, now), True


def _line(plan: Plan, one: Counted, now: datetime) -> Line:
    if one == NEW_REQUEST:
        return Line(now, "mass_request", LineDirection.NOTE, Side.PARTNER_CENTER, HELP, rule=MASS_CHANGE)
    changes = plan.to_partner_center if one.side is Side.PARTNER_CENTER else plan.to_salesforce
    change = next(change for change in changes if change.field == one.field)
    before, after = display_text(change.old), display_text(change.told)
    values = {"label": change.label, "system": system_name(one.side)}
    return Line(now, MASS_CHANGE, LineDirection.NOTE, one.side, one.field, before, after, MASS_CHANGE, values)
