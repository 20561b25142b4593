"""Settles pairs: reads both sides under the lock, plans, carries the effects out in batches, lets go (protocol.md 3).

push:  lock all -> read opportunities (2,000 a call) -> referral as the base has it, or GET -> plan
pull:  lock all -> GET referrals, drop what did not change -> read opportunities -> plan
both:  PATCH or POST each -> write opportunities (24 a call) -> mark opportunities (200 a call) -> release all
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side, Status
from shared.domain.link import WHOLE
from shared.domain.plan import plan_pair, plan_referral
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import cause
from shared.domain.states import State
from shared.foundation.errors import CosellError, NotFound, SignInFailed, Throttled
from shared.sync.context import Context
from shared.sync.ports import Json, SideState
from shared.sync.reconcile.create_opportunity import adoption
from shared.sync.reconcile.pair import (
    BUSY,
    SETTLED,
    Outcome,
    Pair,
    Result,
    adopt_what_happened,
    fill,
    forget,
    release,
    take,
)
from shared.sync.reconcile.write_opportunity import mark, needs_mark, write
from shared.sync.reconcile.write_referral import (
    apply_plan,
    create,
    is_applied,
    look_for_created,
    notices,
    patch,
    point,
    problem_line,
)
from shared.sync.retry.error_policy import guarded, note_side, outcome_of, watching

ONE_SECOND = timedelta(seconds=1)
Outcomes = Mapping[str, Outcome]


def push_pairs(ctx: Context, ids: Sequence[str]) -> Outcomes:
    """Settle the pairs of opportunities that may have changed."""
    pairs, outcomes = _take_all(ctx, ids)
    _read_opportunities(ctx, pairs)
    _each(ctx, Side.PARTNER_CENTER, pairs, _prepare_push)
    return {**outcomes, **_carry_out(ctx, pairs)}


def pull_pairs(ctx: Context, ids: Sequence[str], due: Collection[str] = ()) -> Outcomes:
    """Settle the pairs whose referral may have changed; those that are `due` are looked at whole, echo or not."""
    pairs, outcomes = _take_all(ctx, ids)
    _each(ctx, Side.PARTNER_CENTER, pairs, lambda ctx, pair: _read_referral(ctx, pair, may_be_echo=pair.id not in due))
    _read_opportunities(ctx, pairs)
    _each(ctx, None, pairs, _plan)
    return {**outcomes, **_carry_out(ctx, pairs)}


# --- lock and read ----------------------------------------------------------------------------------------------------


def _take_all(ctx: Context, ids: Sequence[str]) -> tuple[list[Pair], dict[str, Outcome]]:
    taken = ctx.workers.map(lambda key: _take(ctx, key), ids, at_most=ctx.policy.parallelism)
    pairs = [found for found in taken if isinstance(found, Pair)]
    outcomes = {key: found for key, found in zip(ids, taken, strict=True) if isinstance(found, Outcome)}
    return pairs, outcomes


def _take(ctx: Context, opportunity_id: str) -> Pair | Outcome:
    try:
        return take(ctx, opportunity_id)
    except CosellError as error:
        return outcome_of(ctx, error, opportunity_id)


def _open(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.outcome is None]


def _each(ctx: Context, side: Side | None, pairs: Sequence[Pair], step: Callable[[Context, Pair], None]) -> None:
    """Run a step for each open pair, in parallel; once the side wants to be left alone, the others are due."""
    state = ctx.store.side(side) if side else SideState()
    paused: list[Outcome] = []
    if state.paused_until is not None and ctx.clock.now() < state.paused_until:
        paused.append(Outcome(Result.DUE, "side_paused", state.paused_until))

    def run(pair: Pair) -> None:
        if paused:
            pair.outcome = paused[0]
            return
        try:
            step(ctx, pair)
        except Exception as error:  # noqa: BLE001 - one bad record harms no other (design.md section 4, rule 7)
            pair.outcome = outcome_of(ctx, error, pair.id)
            if side is not None and isinstance(error, Throttled | SignInFailed):
                note_side(ctx, side, error)
                paused.append(Outcome(Result.DUE, "side_paused", ctx.store.side(side).paused_until))

    ctx.workers.map(run, _open(pairs), at_most=state.parallelism or ctx.policy.parallelism)


def _read_opportunities(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Read the rows under the lock; one that is absent is gone or not visible."""
    wanted = _open(pairs)
    if not wanted:
        return
    try:
        with watching(ctx, Side.SALESFORCE):
            answer = ctx.salesforce.opportunities([pair.id for pair in wanted], ctx.translation.selects)
    except CosellError as error:
        for pair in wanted:
            pair.outcome = outcome_of(ctx, error, pair.id)
        return
    rows = {str(row["Id"]): row for page in answer.pages for row in page.rows}
    for pair in wanted:
        row = rows.get(pair.id)
        if row is None:
            ctx.log("opportunity_missing", opportunity_id=pair.id)
            pair.outcome = SETTLED
            continue
        guarded(ctx, pair, _take_row, row, answer.at)


def _take_row(ctx: Context, pair: Pair, row: Json, read_at: datetime) -> None:
    pair.opportunity = ctx.translation.opportunity(row, read_at)


def _read_referral(ctx: Context, pair: Pair, *, may_be_echo: bool) -> None:
    """GET the referral of a linked pair; an echo (the known version) ends here.

    Not where it is due: what it waits for, such as the time of a close, need be no change of the referral.
    """
    if pair.link.referral_id is None:
        return
    pair.referral = _get(ctx, pair.link.referral_id)
    pair.trusted = False
    is_settled = not pair.old.effects and not pair.link.unwritten
    if may_be_echo and is_settled and pair.referral.etag == pair.link.etag:
        pair.outcome = SETTLED


def _get(ctx: Context, referral_id: str) -> Referral:
    return ctx.translation.referral(ctx.partner_center.get(referral_id))


# --- plan -------------------------------------------------------------------------------------------------------------


def _prepare_push(ctx: Context, pair: Pair) -> None:
    row, link = pair.opportunity, pair.link
    if row is None:
        return
    if link.referral_id is None:
        look_for_created(ctx, pair)
        pair.creates = pair.found is not None
    if not row.flagged and not pair.creates:
        pair.outcome = SETTLED
        return
    if link.referral_id is None:
        _prepare_create(ctx, pair, row)
        return
    if link.etag and link.agreed and not pair.old.effects:
        pair.referral, pair.trusted = _as_the_base_has_it(ctx, pair, row, link.etag), True
    else:
        pair.referral, pair.trusted = _get(ctx, link.referral_id), False
    _plan(ctx, pair)


def _as_the_base_has_it(ctx: Context, pair: Pair, row: Opportunity, etag: str) -> Referral:
    """The referral without a read: every mapped value was agreed at this version, and `If-Match` guards the write."""
    status = pair.link.base.get("status")
    deal = Deal({rule.field: pair.link.base.get(rule.field) for rule in ctx.translation.rules.updatable})
    return Referral(
        pair.link.referral_id or "", etag, deal, row.modified, status if isinstance(status, Status) else None
    )


def _plan(ctx: Context, pair: Pair) -> None:
    if pair.opportunity is None or pair.referral is None:
        return
    if pair.old.effects:
        adopt_what_happened(ctx, pair)
    if not pair.opportunity.flagged:
        pair.outcome = SETTLED
        return
    wait = ctx.policy.irreversible_wait
    pair.plan = plan_pair(pair.link, pair.opportunity, pair.referral, ctx.translation.rules, ctx.clock.now(), wait)


def _prepare_create(ctx: Context, pair: Pair, row: Opportunity) -> None:
    """Adopt the referral that the row names, hold what is incomplete; what is left will be created."""
    if row.referral_id and not pair.creates:
        _adopt(ctx, pair, row.referral_id)
        return
    refused = pair.link.cause
    if refused and not pair.creates and pair.link.refuses(WHOLE, row.deal):
        pair.outcome = Outcome(Result.PARKED, refused.code)
        return
    causes = () if pair.creates else plan_referral(row)
    pair.creates = not causes
    if causes:
        _hold(ctx, pair, causes)


def _adopt(ctx: Context, pair: Pair, referral_id: str) -> None:
    """An opportunity that carries a referral id but has no link: link them and merge; never create.

    The referral's own row is read first (protocol.md section 6): somebody may be making this very opportunity, or may
    have died after making it.
    """
    claim = ctx.store.pointer(referral_id)
    if claim is not None and claim.value.intent is not None and claim.age < ctx.policy.lease:
        pair.outcome = BUSY
        return
    try:
        referral = _get(ctx, referral_id)
    except NotFound:
        _hold(ctx, pair, (cause("unknown_referral", "identifier"),))
        return
    if ctx.scope.excludes(referral.organization_id, referral.external_reference):
        _hold(ctx, pair, (cause("unknown_referral", "identifier"),))
        return
    link, lines = adoption(ctx, pair.link, referral, claim.value if claim else None)
    fill(ctx, pair, lines=lines, link=link)
    point(ctx, referral.id, pair.id)
    pair.referral, pair.trusted = referral, False
    ctx.log("referral_adopted", opportunity_id=pair.id, referral_id=referral.id)
    _plan(ctx, pair)


def _hold(ctx: Context, pair: Pair, causes: Sequence[Cause]) -> None:
    """Hold a pair that cannot be sent; each cause is told once."""
    keys = tuple(found.key for found in causes)
    new = [found for found, key in zip(causes, keys, strict=True) if key not in pair.link.told]
    lines = tuple(problem_line(ctx.clock.now(), found) for found in new)
    link = replace(pair.link, state=State.HELD, told=keys, unwritten=pair.link.unwritten or bool(new), cause=causes[0])
    fill(ctx, pair, lines=lines, link=link)
    ctx.log("opportunity_held", opportunity_id=pair.id, causes=[found.code for found in causes])


# --- carry out --------------------------------------------------------------------------------------------------------


def _carry_out(ctx: Context, pairs: Sequence[Pair]) -> dict[str, Outcome]:
    _each(ctx, Side.PARTNER_CENTER, pairs, _write_referral)
    _write_opportunities(ctx, [pair for pair in _open(pairs) if pair.plan and pair.plan.to_salesforce])
    mark(ctx, [pair for pair in pairs if _may_mark(pair) and needs_mark(pair)])
    ctx.workers.map(lambda pair: guarded(ctx, pair, _let_go), pairs, at_most=ctx.policy.parallelism)
    return {pair.id: pair.outcome or SETTLED for pair in pairs}


def _write_referral(ctx: Context, pair: Pair) -> None:
    if pair.creates:
        create(ctx, pair)
        _plan_what_the_create_left(ctx, pair)
    if pair.plan and pair.outcome is None:
        patch(ctx, pair)
        apply_plan(pair)


def _plan_what_the_create_left(ctx: Context, pair: Pair) -> None:
    """The service decides the status of a new referral, and an adopted one may differ: merge at once."""
    if pair.outcome is None and pair.referral and pair.opportunity:
        _plan(ctx, pair)


def _write_opportunities(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Conditional writes; a row that a person was faster on is read again and planned anew, a few times."""
    for _ in range(ctx.policy.tries):
        pairs = _settled_rows(ctx, _open(pairs))
        if not pairs:
            return
        pairs = write(ctx, pairs)
        if not pairs:
            return
        _read_opportunities(ctx, pairs)
        _each(ctx, Side.PARTNER_CENTER, pairs, _plan_again)
    for pair in _open(pairs):
        pair.outcome = Outcome(Result.DUE, "opportunity_kept_changing")


def _settled_rows(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    """A row is written only if the server's clock had passed its second when it was read; else it is read again."""
    for _ in range(ctx.policy.tries):
        fresh = [pair for pair in _open(pairs) if not (pair.opportunity and pair.opportunity.settled)]
        if not fresh:
            break
        ctx.clock.sleep(ONE_SECOND)
        _read_opportunities(ctx, fresh)
        _each(ctx, Side.PARTNER_CENTER, fresh, _plan_again)
    for pair in _open(pairs):
        if not (pair.opportunity and pair.opportunity.settled):
            pair.outcome = Outcome(Result.DUE, "opportunity_kept_changing")
    return [pair for pair in _open(pairs) if pair.plan and pair.plan.to_salesforce]


def _plan_again(ctx: Context, pair: Pair) -> None:
    """The row was read anew: merge again, and send what a person has changed meanwhile."""
    _plan(ctx, pair)
    patch(ctx, pair)
    apply_plan(pair)


def _may_mark(pair: Pair) -> bool:
    """A pair that is due for another try says nothing yet; a parked one tells why."""
    return pair.outcome is None or pair.outcome.result is Result.PARKED


def _let_go(ctx: Context, pair: Pair) -> None:
    """Release the lock, unless the outcome of a write is unknown: that intent must stay for whoever looks."""
    begun = pair.link.intent is not None and bool(pair.link.intent.effects)
    if pair.old.effects or (pair.outcome and pair.outcome.unsure and begun):
        return
    link = pair.link
    cause_now = (pair.outcome or SETTLED).cause
    if link.referral_id is None and not link.told and link.cause is None and cause_now in ("", BUSY.cause):
        forget(ctx, pair)
        return
    release(ctx, pair, notices(ctx, pair) if is_applied(pair) else ())
    if pair.outcome is None and link.state is State.HELD:
        pair.outcome = Outcome(Result.HELD, "held")
    elif pair.outcome is None and pair.plan and pair.plan.due:
        pair.outcome = Outcome(Result.DUE, "waiting", pair.plan.due)
