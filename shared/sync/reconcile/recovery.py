"""Recovery of interrupted work: look at both sides before acting (docs/protocol.md#recovery-of-interrupted-work)."""

from copy import replace
from datetime import timedelta

from shared.domain.deal import Deal
from shared.domain.link import Effect, EffectKind, Intent
from shared.domain.plan import Change
from shared.mapping.paths import Json
from shared.mapping.translation import is_target_microsoft
from shared.sync.context import Context
from shared.sync.ports import Entry, Line
from shared.sync.reconcile.audit_lines import FROM_PARTNER_CENTER, TO_PARTNER_CENTER, changes_line
from shared.sync.reconcile.pair import Pair

CLOCK_MARGIN = timedelta(minutes=5)
"""The greatest difference between the service's clock and ours that we expect when we look for our new referral."""

HEADINGS = {EffectKind.PATCH_REFERRAL: TO_PARTNER_CENTER, EffectKind.WRITE_OPPORTUNITY: FROM_PARTNER_CENTER}


def adopt_effects(ctx: Context, pair: Pair) -> None:
    """Adopt the writes of an interrupted run that took effect: the far side now holds the intended value.

    The base takes such a value, because the other side held it when the intent was recorded. A value that was to be
    written to both sides is the exception: two joined texts are agreed only when both sides hold them. The audit gets
    the line that the interrupted run did not write, with the value that was replaced. Any other value leaves the base
    as it is, and the merge treats it as a conflict.
    """
    base = dict(pair.link.base)
    joined = _fields_written_to_both(pair.interrupted)
    for effect in pair.interrupted.effects:
        current = _current_deal(pair, effect.kind)
        effective = {name: value for name, value in effect.values.items() if name in current and current[name] == value}
        pair.recovered_lines += _recovered_lines(ctx, effect, tuple(effective))
        base |= {name: value for name, value in effective.items() if name not in joined}
    link = replace(pair.link, base=Deal(base), unwritten=pair.link.unwritten or bool(pair.recovered_lines))
    pair.entry = Entry(link, pair.entry.etag, pair.entry.age)
    pair.interrupted = Intent()


def _fields_written_to_both(intent: Intent) -> frozenset[str]:
    patched, written = intent.find(EffectKind.PATCH_REFERRAL), intent.find(EffectKind.WRITE_OPPORTUNITY)
    return frozenset(patched.values) & frozenset(written.values) if patched and written else frozenset()


def _current_deal(pair: Pair, kind: EffectKind) -> Deal:
    """The deal of the side that an effect writes to, as it was just read; empty where it was not read."""
    if kind is EffectKind.PATCH_REFERRAL and pair.referral and not pair.is_from_base:
        return pair.referral.deal
    if kind is EffectKind.WRITE_OPPORTUNITY and pair.opportunity:
        return pair.opportunity.deal
    return Deal()


def _recovered_lines(ctx: Context, effect: Effect, fields: tuple[str, ...]) -> tuple[Line, ...]:
    rules, heading = ctx.translation.rules, HEADINGS.get(effect.kind)
    if not fields or heading is None:
        return ()
    changes = [
        Change(name, rules[name].label, effect.displaced.get(name), effect.values[name])
        for name in fields
        if name in rules.by_field
    ]
    return (changes_line(ctx.clock.now(), heading, changes),)


def find_created_referral(ctx: Context, pair: Pair) -> None:
    """Find the referral that an earlier create of unknown outcome may have made (docs/protocol.md#creating-a-referral).

    If it exists, the pair adopts it later, with the values that were sent as its base. If not, the interrupted work is
    done: a write-back that is still missing is kept on the link.
    """
    earlier = pair.interrupted.find(EffectKind.CREATE_REFERRAL)
    if earlier is not None and earlier.decided is not None:
        for page in ctx.partner_center.created_since(earlier.decided - CLOCK_MARGIN):
            for stamp in page:
                if _is_referral_of(ctx, stamp, pair.id):
                    pair.existing = ctx.partner_center.get(str(stamp["id"]))
                    return
    pair.interrupted = Intent()


def _is_referral_of(ctx: Context, stamp: Json, opportunity_id: str) -> bool:
    reference, organization = stamp.get("externalReferenceId"), stamp.get("organizationId")
    if (
        ctx.scope.exclusion_reason(organization, reference)
        or ctx.scope.opportunity_named_by(reference) != opportunity_id
    ):
        return False
    return not is_target_microsoft(stamp)
