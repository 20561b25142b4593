"""Plans a pair from what was read under its lease, turns the plan into effects, and puts it into the link."""

from copy import replace

from shared.domain.deal import Deal
from shared.domain.link import Effect, EffectKind
from shared.domain.link_states import State
from shared.domain.plan import Change, plan_pair
from shared.sync.context import Context
from shared.sync.outcome import RECONCILED
from shared.sync.reconcile.confirmation import has_refused_value
from shared.sync.reconcile.pair import Pair
from shared.sync.reconcile.recovery import adopt_effects


def make_plan(ctx: Context, pair: Pair) -> None:
    """Plan a pair of which both sides are known; recover interrupted work first. An un-ticked pair ends here."""
    if pair.opportunity is None or pair.referral is None:
        return
    if pair.interrupted.effects:
        adopt_effects(ctx, pair)
    if not pair.opportunity.flagged:
        pair.outcome = RECONCILED
        return
    wait = ctx.policy.irreversible_wait
    pair.plan = plan_pair(pair.link, pair.opportunity, pair.referral, ctx.translation.rules, ctx.clock.now(), wait)


def planned_effects(pair: Pair, changes: tuple[Change, ...]) -> tuple[Effect, ...]:
    """The effects to come for a pair, in order; `changes` go to Partner Center."""
    plan, effects = pair.plan, []
    if changes and pair.referral:
        effects.append(_effect(EffectKind.PATCH_REFERRAL, changes, pair.referral.etag))
    if plan and plan.to_salesforce and pair.opportunity:
        version = pair.opportunity.modified.isoformat()
        effects.append(_effect(EffectKind.WRITE_OPPORTUNITY, plan.to_salesforce, version))
    else:
        effects.append(Effect(EffectKind.MARK_OPPORTUNITY))
    return tuple(effects)


def _effect(kind: EffectKind, changes: tuple[Change, ...], version: str) -> Effect:
    new, old = Deal({change.field: change.new for change in changes}), Deal({c.field: c.old for c in changes})
    return Effect(kind, new, old, version)


def put_plan_into_link(pair: Pair) -> None:
    """Put the plan's base, refused and waiting values, and state into the link that is stored next."""
    plan = pair.plan
    if plan is None:
        return
    link = replace(pair.link, base=plan.base, refused=plan.refused, waiting=plan.waiting, reported=plan.reported)
    if not (link.state is State.PARKED and has_refused_value(link)):
        link = replace(link, state=plan.state, cause=plan.cause)
    pair.entry = replace(pair.entry, value=link)


def is_plan_in_link(pair: Pair) -> bool:
    """Whether the link that is stored next holds the plan's refused, waiting and reported values."""
    plan, link = pair.plan, pair.link
    return plan is not None and (plan.refused, plan.waiting, plan.reported) == (
        link.refused,
        link.waiting,
        link.reported,
    )
