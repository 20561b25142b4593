"""Adopts the writes of an interrupted run that took effect. Pure.

Source: docs/protocol.md#recovery-of-interrupted-work.
"""

from collections.abc import Collection, Iterable, Mapping
from copy import replace
from datetime import datetime

from shared.domain.audit import RECOVERED, Line, change_lines
from shared.domain.deal import STATUS, Change, Deal, Side, Status, Value
from shared.domain.field_rules import Rules
from shared.domain.joined_texts import both_kept_line, is_joined
from shared.domain.left_members import is_same
from shared.domain.link import EffectKind, Intent, Link
from shared.domain.member_sets import agreed_members, with_edits
from shared.domain.set_back import Seen, aftermath, hidden_lines, lines_of
from shared.domain.transitions import Transition

WRITTEN_SIDES = {EffectKind.PATCH_REFERRAL: Side.PARTNER_CENTER, EffectKind.WRITE_OPPORTUNITY: Side.SALESFORCE}
"""The side that an effect with values writes to."""


def recovered(
    link: Link,
    interrupted: Intent,
    current: Mapping[Side, Deal],
    rules: Rules,
    now: datetime,
    status: Status | None = None,
    seen: Mapping[Side, Seen] = {},
) -> Transition:
    """Adopt the writes of an interrupted run that took effect: the far side now holds the intended value.

    `current` holds the deals of the sides that were just read. The base takes such a value, because the other side held
    it when the intent was recorded. Two joined texts are the exception: they are agreed only when both sides hold them,
    also where only the opportunity was to get them. The audit gets the lines that the interrupted run did not write,
    with the values that were replaced. Any other value leaves the base as it is, and the merge treats it as a conflict.
    `status` is the referral's own: the audit names the close as it was sent, and the end as it is. `seen` has the
    versions of the sides: they tell a value that a person has set back from one that was never written (`set_back`).
    """
    base: dict[str, Value | None] = dict(link.base)
    joined = _fields_written_to_both(interrupted) | _joined_for_salesforce(link, interrupted)
    lines: list[Line] = []
    for effect in interrupted.effects:
        side = WRITTEN_SIDES.get(effect.kind, Side.SALESFORCE)
        deal = current.get(side, Deal()) if effect.kind in WRITTEN_SIDES else Deal()
        effective = {
            name: value for name, value in effect.values.items() if name in deal and is_same(deal[name], value)
        }
        if effect.kind in WRITTEN_SIDES and side in seen:
            found = aftermath(link, interrupted, effect, side, seen[side], rules)
            effective |= {name: effect.values[name] for name in found.set_back if name not in joined}
            lines += lines_of(found, effect, side, current.get(side.other, Deal()), rules, now)
            is_untouched = seen[side].was_written is False or effect.version in (None, seen[side].version)
            lines += () if is_untouched else hidden_lines(link, effect, side, deal, rules, now)
        if effective:
            is_end = side is Side.SALESFORCE and _is_end_of(status, effective, current)
            sent = status if side is Side.PARTNER_CENTER or is_end else None
            lines += change_lines(now, side, _changes(effective, effect.displaced, rules, sent), RECOVERED)
            lines += _both_kept(effective, joined, rules, now) if side is Side.PARTNER_CENTER else ()
        base |= {name: value for name, value in effective.items() if name not in joined}
        if side is Side.SALESFORCE:
            base |= _kept_parts(effective, joined, current.get(Side.PARTNER_CENTER, Deal()))
    base |= _lists(link, interrupted, current)
    return Transition(replace(link, base=Deal(base), unwritten=link.unwritten or bool(lines)), tuple(lines))


def _is_end_of(status: Status | None, written: Mapping[str, Value | None], current: Mapping[Side, Deal]) -> bool:
    """Whether the stage that was written shows the end of the referral, of which it may say less."""
    is_same_end = written.get(STATUS) == current.get(Side.PARTNER_CENTER, Deal()).get(STATUS)
    return status is not None and status.is_final and is_same_end


def _lists(link: Link, interrupted: Intent, current: Mapping[Side, Deal]) -> dict[str, Value | None]:
    """The base of each list that was to be written: what the run added or removed, and what both sides hold.

    A person may have changed the list since then, so it is settled member by member.
    """
    base: dict[str, Value | None] = dict(link.base)
    fields = set[str]()
    for effect in interrupted.effects:
        deal = current.get(WRITTEN_SIDES[effect.kind], Deal()) if effect.kind in WRITTEN_SIDES else Deal()
        for name, value in effect.values.items():
            old = effect.displaced.get(name)
            if name in deal and (isinstance(value, tuple) or isinstance(old, tuple)):  # an emptied list has no members
                base[name] = with_edits(base.get(name), old, value, deal[name])
                fields.add(name)
    if len(current) < len(Side):
        return {name: base.get(name) for name in fields}
    ours, theirs = current[Side.SALESFORCE], current[Side.PARTNER_CENTER]
    known = (name for name in fields if name in ours and name in theirs)
    return {name: agreed_members(base.get(name), ours[name], theirs[name]) for name in known}


def _fields_written_to_both(intent: Intent) -> frozenset[str]:
    patch, write = intent.find(EffectKind.PATCH_REFERRAL), intent.find(EffectKind.WRITE_OPPORTUNITY)
    return frozenset(patch.values) & frozenset(write.values) if patch and write else frozenset()


def _joined_for_salesforce(link: Link, intent: Intent) -> frozenset[str]:
    """The texts that only the opportunity was to get, joined of an edit of a seller's and Partner Center's text.

    Partner Center takes no text of a deal that is not answered, or closed. An edit that Partner Center's text holds
    already counts as joined too: nobody can tell once that text has changed.
    """
    write = intent.find(EffectKind.WRITE_OPPORTUNITY)
    edited = {name: write.displaced.get(name) for name in write.values if name in link.base} if write else {}
    return frozenset(
        name
        for name, text in edited.items()
        if write and isinstance(text, str) and text != link.base[name] and text in str(write.values[name])
    )


def _kept_parts(effective: Mapping[str, Value | None], joined: Collection[str], referral: Deal) -> dict[str, Value]:
    """The part of each joined text that the referral holds: both sides have held it, as after a write that is seen."""
    parts = ((name, referral.get(name), text) for name, text in effective.items() if name in joined)
    return {name: part for name, part, text in parts if isinstance(part, str) and part in str(text)}


def _both_kept(
    effective: Mapping[str, Value | None], joined: Collection[str], rules: Rules, now: datetime
) -> Iterable[Line]:
    """A line for each joined text that Partner Center got: the next plan tells none, as one side holds the text."""
    names = (name for name, text in effective.items() if name in joined and name in rules.by_field and is_joined(text))
    return [both_kept_line(now, name, rules[name].label) for name in names]


def _changes(effective: Mapping[str, Value | None], old: Deal, rules: Rules, status: Status | None) -> list[Change]:
    known = {name: value for name, value in effective.items() if name in rules.by_field}
    return [
        Change(name, rules[name].label, old.get(name), value, status if isinstance(value, Status) else None)
        for name, value in known.items()
    ]
