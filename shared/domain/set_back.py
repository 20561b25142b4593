"""Finds what people did to the values of a write whose outcome is not known. Pure.

the written side holds   its version   meaning
the intended value       any           the write took effect
the displaced value      the same      the write did not take effect: nobody has saved since
the displaced value      another       a person has set it back; or the write did not take effect, and somebody has
                                       changed something else; or the side has ignored it
another value            another       somebody has edited it since; nobody may have seen the displaced value

Source: docs/protocol.md#recovery-of-interrupted-work.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from shared.domain.audit import RECOVERED, Line
from shared.domain.deal import VISIBILITY, Deal, Side, Status, Value, display_text
from shared.domain.field_rules import Rules
from shared.domain.left_members import is_same
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.sentences import LineDirection, system_name


class Seen(Struct, frozen=True):
    """A side as it was read after the interruption.

    `was_written` says whether the write took effect, as far as the side shows it; None if that is not known.
    `ignored` names the fields of which the side has ignored the value, if they are as before. `is_older` says that the
    last save seems to be older than the intent of the write: what it left shows no write of ours.
    """

    deal: Deal
    version: str
    was_written: bool | None = None
    ignored: tuple[str, ...] = ()
    is_older: bool = False


class Aftermath(Struct, frozen=True):
    """The fields that a person has set back, those of which that is not known, and those with an unseen value."""

    set_back: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def aftermath(link: Link, interrupted: Intent, effect: Effect, side: Side, seen: Seen, rules: Rules) -> Aftermath:
    """What people did to the values of one effect. Lists are settled member by member, elsewhere."""
    changed, before = _changed(effect, seen.deal), effect.displaced
    if seen.was_written is False or effect.version in (None, seen.version):
        return Aftermath()
    held = {name: seen.deal[name] for name in changed}
    as_before = tuple(name for name in values_as_before(effect, side, seen) if name not in seen.ignored)
    unseen = (name for name, value in held.items() if value not in (changed[name], before.get(name)))
    hidden = tuple(name for name in unseen if before.get(name) != link.base.get(name))
    may_show = side is Side.PARTNER_CENTER and not seen.is_older
    if seen.was_written or (may_show and _shows_write(link, interrupted, effect, seen.deal, rules)):
        return Aftermath(as_before, (), hidden)
    return Aftermath((), as_before, hidden)


def values_as_before(effect: Effect, side: Side, seen: Seen) -> list[str]:
    """The fields that hold the displaced value again, or still, although somebody has saved since.

    A status and a visibility of Partner Center cannot be taken back, so the write did not take effect there.
    """
    if effect.version in (None, seen.version):
        return []
    is_there = side is Side.PARTNER_CENTER
    return [
        name
        for name, value in _changed(effect, seen.deal).items()
        if seen.deal[name] == effect.displaced.get(name) and not (is_there and _is_final_there(name, value))
    ]


def _is_final_there(name: str, value: Value | None) -> bool:
    """Whether Partner Center lets nobody take such a value back."""
    return isinstance(value, Status) or name == VISIBILITY


def _changed(effect: Effect, deal: Deal) -> dict[str, Value | None]:
    """The single values that an effect was to change, of those that were read."""
    return {
        name: value
        for name, value in effect.values.items()
        if name in deal and value != (old := effect.displaced.get(name)) and not isinstance(value or old, tuple)
    }


def _shows_write(link: Link, interrupted: Intent, effect: Effect, deal: Deal, rules: Rules) -> bool:
    """Whether Partner Center shows that a PATCH took effect: by another value of it, or since nothing else changed.

    What changed elsewhere explains the new version as well. The version was decided on the base, and on what was to be
    written to the opportunity. An answer and a visibility are no such value: a colleague may have given the same.
    """
    own = {name: value for name, value in _changed(effect, deal).items() if not _is_final_there(name, value)}
    if any(deal[name] == value for name, value in own.items()):
        return True
    write = interrupted.find(EffectKind.WRITE_OPPORTUNITY)
    known = {**link.base, **(write.values if write else {}), **effect.displaced}
    names = (rule.field for rule in rules.updatable if rule.field in deal)
    return not any(
        not is_same(deal[name], known.get(name)) and not link.refuses(f"{Side.SALESFORCE}.{name}", deal[name])
        for name in names
    )


def lines_of(
    found: Aftermath, effect: Effect, side: Side, others: Mapping[str, Value | None], rules: Rules, now: datetime
) -> Iterable[Line]:
    """A line for each value that may have been set back and differs on the other side, and for each unseen one."""
    doubtful = (name for name in found.doubtful if others.get(name) != effect.displaced.get(name))
    for code, names in (("set_back", doubtful), ("replaced_unseen", found.unseen)):
        for name in names:
            before, after = display_text(effect.displaced.get(name)), display_text(effect.values[name])
            values = {"label": rules[name].label, "system": system_name(side)}
            yield Line(now, code, LineDirection.NOTE, side, name, before, after, RECOVERED, values)


def hidden_lines(link: Link, effect: Effect, side: Side, deal: Deal, rules: Rules, now: datetime) -> Iterable[Line]:
    """A line for each edit that a write may have replaced of which the `deal` shows nothing any more.

    The whole opportunity may be gone, or its column hidden since then, or the field off in the mapping file.
    """
    changed = (name for name in _changed(effect, effect.values) if name in rules.by_field and name not in deal)
    unseen = tuple(name for name in changed if effect.displaced.get(name) != link.base.get(name))
    return lines_of(Aftermath((), (), unseen), effect, side, {}, rules, now)


def unseen_lines(link: Link, interrupted: Intent, rules: Rules, now: datetime) -> Iterable[Line]:
    """A line for each edit that a write to an opportunity may have replaced which cannot be read any more."""
    effect = interrupted.find(EffectKind.WRITE_OPPORTUNITY)
    return hidden_lines(link, effect, Side.SALESFORCE, Deal(), rules, now) if effect is not None else ()
