"""One pair at work: taking its lock, filling the intent, moving the base, letting go (protocol.md section 3).

The link's row is the lock. Taking it writes an empty intent under the row's ETag; filling it, before the first remote
write and at every change of the plan, renews the lease. Whoever finds an intent older than the lease takes it over:

    row          age              whoever finds it
    no intent    any              writes an empty intent: the lock
    intent       within lease     leaves it alone: due
    intent       past lease       takes it over, looks on both sides, adopts what happened
    with create  past lease       the same, but not before lease + settle time: lists lag
"""

from copy import replace
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from shared.domain.deal import Deal, Side, Value, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.plan import Change, Plan, described
from shared.domain.records import Opportunity, Referral
from shared.foundation.errors import StoreConflict
from shared.sync.context import Context
from shared.sync.ports import Entry, Json, Line
from shared.sync.reconcile.audit_lines import FROM_PARTNER_CENTER, TO_PARTNER_CENTER, line


class Result(StrEnum):
    """How work on a pair ended."""

    SETTLED = "settled"
    HELD = "held"
    PARKED = "parked"
    DUE = "due"


class Outcome(Struct, frozen=True):
    """The end of the work on one pair; a pair that is due says why and, where it knows, when.

    `unsure` says that an effect may have happened all the same: its intent stays for whoever looks.
    """

    result: Result
    cause: str = ""
    at: datetime | None = None
    unsure: bool = False


SETTLED = Outcome(Result.SETTLED)
BUSY = Outcome(Result.DUE, "busy")


class Pair(Struct):
    """What is known of one pair while it is worked on.

    `old` is the intent of somebody who died, until it is settled by looking; `trusted` says that the referral is the
    base's word, not a read; `creates` that a referral is to be made, `found` that an earlier attempt has made it;
    `touched` is when the lease was last renewed; `settled` are lines of effects of the dead that are seen to have
    happened.
    """

    entry: Entry[Link]
    old: Intent = field(default_factory=Intent)
    opportunity: Opportunity | None = None
    referral: Referral | None = None
    trusted: bool = False
    plan: Plan | None = None
    creates: bool = False
    found: Json | None = None
    touched: datetime | None = None
    settled: tuple[Line, ...] = ()
    outcome: Outcome | None = None

    @property
    def link(self) -> Link:
        """The link as last written."""
        return self.entry.value

    @property
    def id(self) -> str:
        """The opportunity's id."""
        return self.link.opportunity_id


def take(ctx: Context, opportunity_id: str) -> Pair | Outcome:
    """Take the lock of a pair, making its row if there is none; a live lock means due."""
    try:
        entry = ctx.store.link(opportunity_id)
        if entry is None:
            return Pair(ctx.store.insert_link(Link(opportunity_id).locked()), touched=ctx.clock.now())
        if entry.value.intent is None:
            return Pair(ctx.store.replace_link(entry, entry.value.locked()), touched=ctx.clock.now())
        return _take_over(ctx, entry, entry.value.intent)
    except StoreConflict:
        return BUSY


def _take_over(ctx: Context, entry: Entry[Link], intent: Intent) -> Pair | Outcome:
    patience = ctx.policy.lease
    if intent.find(EffectKind.CREATE_REFERRAL):
        patience += ctx.policy.settle_time
    if entry.age < patience:
        return (
            BUSY
            if entry.age < ctx.policy.lease
            else Outcome(Result.DUE, "settling", ctx.clock.now() + patience - entry.age)
        )
    return Pair(ctx.store.replace_link(entry, entry.value), old=intent, touched=ctx.clock.now())


def fill(ctx: Context, pair: Pair, *effects: Effect, lines: tuple[Line, ...] = (), link: Link | None = None) -> None:
    """Write the effects to come into the row, before the first of them. Raises StoreConflict: the lease was lost."""
    pair.entry = ctx.store.replace_link(pair.entry, (link or pair.link).locked(*effects), lines)
    pair.old, pair.touched = Intent(), ctx.clock.now()


def confirm(ctx: Context, pair: Pair, kind: EffectKind, link: Link, lines: tuple[Line, ...] = ()) -> None:
    """Strike a confirmed effect off, with the base it moves and its audit lines, in one transaction."""
    intent = (pair.link.intent or Intent()).without(kind)
    pair.entry = ctx.store.replace_link(pair.entry, replace(link, intent=intent), lines)
    pair.touched = ctx.clock.now()
    if pair.plan is not None:
        # What is left of the plan starts from what is confirmed, or a later effect would move the base back.
        pair.plan = replace(pair.plan, base=link.base, refused=link.refused)


def is_lease_short(ctx: Context, pair: Pair) -> bool:
    """Whether less than two deadlines of lease are left: no effect may start then."""
    return pair.touched is None or ctx.clock.now() - pair.touched > ctx.policy.lease - 2 * ctx.policy.deadline


def release(ctx: Context, pair: Pair, lines: tuple[Line, ...] = ()) -> None:
    """Let go of the lock, with the versions that are known now; `lines` are told, and still to be written back."""
    link = replace(pair.link, unwritten=pair.link.unwritten or bool(lines))
    known = with_known_versions(link, pair, ctx.translation.rules)
    pair.entry = ctx.store.replace_link(pair.entry, known.released(), lines)


def forget(ctx: Context, pair: Pair) -> None:
    """Let go of a row that came to nothing: an opportunity that is not ours to sync."""
    ctx.store.delete_link(pair.entry)


def with_known_versions(link: Link, pair: Pair, rules: Rules) -> Link:
    """Move each side's known version, if every mapped value there is agreed or on record (protocol.md section 3)."""
    if pair.referral is not None and not pair.trusted:
        accounted = _accounted(link, pair.referral.deal, Side.PARTNER_CENTER, rules)
        agreed = accounted and not link.refused and not link.waiting
        link = replace(link, etag=pair.referral.etag if accounted else None, agreed=agreed)
    if pair.opportunity is not None:
        accounted = link.referral_id is None or _accounted(link, pair.opportunity.deal, Side.SALESFORCE, rules)
        stamps = {**link.stamps, **pair.opportunity.stamps} if accounted else {}
        unknown = () if accounted and "opportunity" in pair.opportunity.stamps else ("opportunity",)
        link = replace(link, stamps={query: stamp for query, stamp in stamps.items() if stamp and query not in unknown})
    return link


def _accounted(link: Link, deal: Deal, side: Side, rules: Rules) -> bool:
    return all(
        deal[rule.field] == link.base.get(rule.field) or _on_record(link, rule.field, deal[rule.field], side)
        for rule in rules.updatable
        if rule.field in deal
    )


def _on_record(link: Link, name: str, value: Value | None, side: Side) -> bool:
    """Whether this difference is known and stays: refused by the other side, or waiting for its time."""
    if link.refuses(f"{side.other}.{name}", value):
        return True
    waiting = link.waiting.get(name)
    return side is Side.SALESFORCE and waiting is not None and waiting.value == fingerprint(value)


def adopt_what_happened(ctx: Context, pair: Pair) -> None:
    """Settle an old intent by looking: a value that the far side now holds as intended was written by us.

    The base takes it, because the other side held it when the intent was decided (unless it was to be written to both:
    two texts joined are agreed only when both sides have them); the audit takes the line that its writer did not live
    to tell, with the value that was displaced. A value that is neither the old nor the intended one leaves the base as
    it is, and the merge treats it as a conflict.
    """
    base = dict(pair.link.base)
    joined = _on_both_sides(pair.old)
    for effect in pair.old.effects:
        seen = _target(pair, effect.kind)
        held = {name: value for name, value in effect.values.items() if name in seen and seen[name] == value}
        pair.settled += _told_late(ctx, effect, tuple(held))
        base |= {name: value for name, value in held.items() if name not in joined}
    link = replace(pair.link, base=Deal(base), unwritten=pair.link.unwritten or bool(pair.settled))
    pair.entry = Entry(link, pair.entry.etag, pair.entry.age)
    pair.old = Intent()


def _on_both_sides(intent: Intent) -> frozenset[str]:
    patched, written = intent.find(EffectKind.PATCH_REFERRAL), intent.find(EffectKind.WRITE_OPPORTUNITY)
    return frozenset(patched.values) & frozenset(written.values) if patched and written else frozenset()


def _told_late(ctx: Context, effect: Effect, fields: tuple[str, ...]) -> tuple[Line, ...]:
    rules, heading = ctx.translation.rules, HEADINGS.get(effect.kind)
    if not fields or heading is None:
        return ()
    changes = [
        Change(name, rules[name].label, effect.displaced.get(name), effect.values[name])
        for name in fields
        if name in rules.by_field
    ]
    return (line(ctx.clock.now(), heading, described(changes)),)


HEADINGS = {EffectKind.PATCH_REFERRAL: TO_PARTNER_CENTER, EffectKind.WRITE_OPPORTUNITY: FROM_PARTNER_CENTER}


def _target(pair: Pair, kind: EffectKind) -> Deal:
    """The deal of the side that an effect writes to, as it was just read."""
    if kind is EffectKind.PATCH_REFERRAL and pair.referral and not pair.trusted:
        return pair.referral.deal
    if kind is EffectKind.WRITE_OPPORTUNITY and pair.opportunity:
        return pair.opportunity.deal
    return Deal()
