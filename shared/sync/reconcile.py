"""Reconciles pairs: acquires leases, reads both sides, plans, writes in batches, confirms, releases.

push:  read opportunities (2,000 a call) -> for each chunk of 200: acquire all -> referral from the base, or GET -> plan
pull:  acquire all -> GET referrals, end echoes -> read opportunities -> plan
both:  PATCH or POST each -> write opportunities (24 a call) -> write back (200 a call) -> release all
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from copy import replace
from datetime import UTC, datetime
from functools import partial
from math import lcm

from msgspec import Struct

from shared.domain.answer_clock import must_be_read
from shared.domain.clones import Twins, next_look
from shared.domain.deal import CLOSED, VISIBILITY, Side, Status
from shared.domain.known_versions import referral_from_base, stand_in
from shared.domain.link import Link
from shared.domain.link_states import SUSPENDED, State
from shared.domain.mass_change import waits_for_approval
from shared.domain.resting_links import settled
from shared.foundation.errors import SignInFailed, Throttled
from shared.sync.acquire_pair import KnownLinks, Work, hold, hold_all, open_free
from shared.sync.ask_microsoft import ask_microsoft
from shared.sync.close_test_referral import close_test_referral
from shared.sync.decide_pair import end_of, end_rest, leave_sync, make_plan, must_send, plan_and_send, send_changes
from shared.sync.hear_microsoft import look_for_news
from shared.sync.list_reads import Rows, Stamps, read_from_lists
from shared.sync.mark_names import mark_names
from shared.sync.mass_change import stop_mass_changes, wait_for_approval
from shared.sync.own_writes import keep_own_writes
from shared.sync.pair_lease import Pair, audit_lines, open_pairs, read_opportunities, release, run_step
from shared.sync.ports import BUSY, PUSH, RECONCILED, WAITING, Context, Outcome, Outcomes, Result, SideState
from shared.sync.prepare_create import adopt_for_missing, adopt_named_referral, find_twins, note_untick, prepare_create
from shared.sync.retry_queue import (
    batches_of_pairs,
    left_for_pause,
    outcome_of_error,
    pause_side,
    retry_after_pause,
)
from shared.sync.show_request import look_at_again, show_requests
from shared.sync.tell_owner import is_owner_untold, tell_owner
from shared.sync.write_opportunity import CONDITIONAL, batches_of_write_backs, write_back
from shared.sync.write_referral import (
    adopt_referral,
    complete_pointer,
    create_referral,
    find_created_referral,
    find_forgotten_referral,
)
from shared.sync.write_related import write_changes

NEVER = datetime.max.replace(tzinfo=UTC)


# --- acquiring and reading


class Pushed(Struct, frozen=True):
    """Pairs whose opportunities were read together, and the deals that new ones may be copies of."""

    work: Work
    twins: Twins


def read_pushed(ctx: Context, opportunity_ids: Sequence[str], known: KnownLinks | None = None) -> Pushed:
    """Read opportunities that may have changed, and leave the free rows free; `known` has rows that were just read."""
    work = open_free(ctx, opportunity_ids, known)
    if tests := [pair for pair in work.pairs if pair.link.close_as_test]:
        run_for_each(ctx, Side.PARTNER_CENTER, tests, close_test_referral)
    for pair in (one for one in work.pairs if one.interrupted.effects):
        run_step(ctx, pair, complete_pointer)
    read_opportunities(ctx, work.pairs)
    new = [pair for pair in work.pairs if pair.link.referral_id is None]
    return Pushed(work, find_twins(ctx, new) if new else Twins())


def chunks_of(ctx: Context, pushed: Pushed) -> Iterator[list[Pair]]:
    """The pairs in chunks that fill whole calls: write-backs, and the marks in names too where there are any.

    Work that was interrupted comes first: the row is held already, and a run may stop after any chunk.
    """
    most = ctx.policy.chunk
    held_first = sorted(pushed.work.pairs, key=lambda pair: pair.is_free)
    return batches_of_pairs(ctx, held_first, lcm(most, CONDITIONAL) if ctx.translation.name_column else most)


def open_chunk(ctx: Context, pairs: Sequence[Pair], twins: Twins, asked: Collection[str] = ()) -> Work:
    """Acquire and plan pairs whose opportunities were read. What an operator has `asked` for is tried anew."""
    work = hold_all(ctx, pairs)
    for pair in (one for one in work.pairs if one.id in asked and one.link.state not in SUSPENDED):
        pair.take_link(pair.link.tried_anew(), as_stored=True)
    run_for_each(ctx, Side.PARTNER_CENTER, work.pairs, partial(_prepare_push, twins=twins))
    return work


def open_pushed(ctx: Context, opportunity_ids: Sequence[str]) -> Work:
    """Read, acquire and plan pairs, all as one chunk."""
    pushed = read_pushed(ctx, opportunity_ids)
    work = open_chunk(ctx, pushed.work.pairs, pushed.twins)
    return Work(work.pairs, {**pushed.work.ended, **work.ended})


def open_pulled(
    ctx: Context,
    opportunity_ids: Sequence[str],
    queued: Collection[str] = (),
    before: Callable[[], object] = lambda: None,
    stamps: Stamps | None = None,
) -> Work:
    """Acquire, read and plan the pairs whose referral may have changed; those in `queued` are from the retry queue.

    `before` is called before the lease of one that is no echo is acquired. `stamps` are those of the list that has just
    named the referrals.
    """
    work = open_free(ctx, opportunity_ids)
    for pair in work.pairs:
        if pair.is_free and pair.link.state is State.PAUSED:
            pair.end(RECONCILED)  # its referral is read once the opportunity is ticked again
    links = [pair.link for pair in open_pairs(work.pairs) if pair.is_free]
    rows = read_from_lists(ctx, links, stamps) if stamps else {}
    step = partial(_read_pulled, queued=queued, before=before, rows=rows)
    run_for_each(ctx, Side.PARTNER_CENTER, work.pairs, step)
    read_opportunities(ctx, work.pairs)
    run_for_each(ctx, None, work.pairs, make_plan)
    return work


def _read_pulled(ctx: Context, pair: Pair, queued: Collection[str], before: Callable[[], object], rows: Rows) -> None:
    """Read the referral, unless a list has told it, and acquire the lease; the work on an echo ends here without one.

    A pair from the retry queue is never an echo: what it waits for, such as the time of a close, need not be a change
    of the referral (docs/protocol.md#echoes). An echo of an unanswered deal waits for its next warning.
    """
    if row := rows.get(pair.link.referral_id or ""):
        pair.take_referral(row)
    else:
        _read_referral(ctx, pair)
    is_known = pair.referral is not None and pair.referral.etag == pair.link.etag
    if is_known and not (
        pair.interrupted.effects or pair.link.unwritten or pair.link.unshown or pair.id in queued or _is_due(ctx, pair)
    ):
        if (is_owner_untold(pair.link) or pair.link.inbox is not None) and not hold(ctx, pair):
            return
        known, now = pair.link.answer_by, ctx.clock.now()
        coming = known.next_warning(now) if known is not None and pair.link.state is State.ON_HOLD else None
        pair.end(Outcome(Result.RETRY, WAITING, coming) if coming else RECONCILED)
    else:
        before()
        hold(ctx, pair)


def _is_due(ctx: Context, pair: Pair) -> bool:
    """Whether an unanswered deal must be planned: its end is not known yet, or a warning is due."""
    return pair.link.state is State.ON_HOLD and must_be_read(pair.link.answer_by, ctx.clock.now())


def _read_referral(ctx: Context, pair: Pair) -> None:
    if pair.link.referral_id is not None:
        pair.take_referral(ctx.translation.referral(ctx.partner_center.get(pair.link.referral_id)))


# --- what a push of one pair begins with


def _prepare_push(ctx: Context, pair: Pair, twins: Twins) -> None:
    """Bring a pair whose opportunity was read to a plan, a create, or its end; a new one may be a copy of a twin."""
    opportunity = pair.opportunity
    if pair.link.referral_id is None:
        pair.take_existing(find_created_referral(ctx, pair))
    if opportunity is None:
        adopt_for_missing(ctx, pair)
        return
    if pair.link.state in SUSPENDED:
        end_rest(ctx, pair, opportunity)
    link = pair.link
    if not (opportunity.flagged or link.lead):
        _prepare_unticked(ctx, pair)
    elif link.state is State.CLOSED:
        make_plan(ctx, pair)
    elif (
        link.referral_id is None
        and not pair.must_create
        and (existing := opportunity.referral_id or (ctx.store.copied and find_forgotten_referral(ctx, pair)))
    ):
        adopt_named_referral(ctx, pair, existing)
        make_plan(ctx, pair)
    elif link.referral_id is None:
        prepare_create(ctx, pair, opportunity, twins)
    else:
        rules = ctx.translation.rules
        last = stand_in(link, pair.interrupted) if pair.interrupted.effects else link
        is_known = pair.referral is None and link.mapping == rules.mapping
        stage = opportunity.deal.get("status")  # a win may be held: the referral says from when it is not
        wins = isinstance(stage, Status) and stage.substatus == "Won" and stage != link.base.get("status")
        is_known &= not opportunity.sharing.help or (link.help is not None and link.help.is_asked)
        is_known &= (VISIBILITY in link.base or VISIBILITY not in opportunity.deal) and not _is_due(ctx, pair)
        if last and last.etag and last.agreed and is_known and not (wins or (link.refused and link.has_refused_value)):
            pair.take_referral(referral_from_base(last, opportunity, rules), is_from_base=last is link)
        elif pair.referral is None:
            _read_referral(ctx, pair)
        make_plan(ctx, pair)


def _prepare_unticked(ctx: Context, pair: Pair) -> None:
    """Recover what an interrupted run wrote, and pause the pair: it shows once what the opportunity does not show."""
    if pair.link.referral_id is not None and pair.interrupted.effects:
        _read_referral(ctx, pair)
        make_plan(ctx, pair)
        return
    leave_sync(ctx, pair)
    if not (note_untick(ctx, pair) or pair.must_create or (pair.link.referral_id and pair.link.unwritten)):
        pair.end(RECONCILED)


def stored_links(work: Work) -> list[Link]:
    """The links of these pairs, as the store has them."""
    return [pair.entry.value for pair in work.pairs]


# --- writing


def carry_out(ctx: Context, work: Work, direction: str | None = None) -> Outcomes:
    """Carry out the plans of all pairs, as far as the mass-change stop lets them, and release the leases.

    Once `direction` is paused, no other pair is sent to Partner Center.
    """
    stop_mass_changes(ctx, work.pairs)
    run_for_each(ctx, Side.PARTNER_CENTER, work.pairs, partial(_write_referral, direction=direction), needs=must_send)
    if heard := [pair for pair in work.pairs if pair.link.microsoft or pair.link.partners or _names_crm(pair)]:
        run_for_each(ctx, Side.PARTNER_CENTER, heard, look_for_news)
    for again in write_changes(ctx, work.pairs):
        read_opportunities(ctx, again)
        run_for_each(ctx, Side.PARTNER_CENTER, again, plan_and_send)
    if ctx.translation.name_column:
        mark_names(ctx, work.pairs)
    unshown = show_requests(ctx, heard) if heard else []
    ctx.map(partial(write_back, ctx), batches_of_write_backs(ctx, work.pairs), to=Side.SALESFORCE)
    held = [pair for pair in work.pairs if not pair.is_free]
    ctx.map(lambda pair: run_step(ctx, pair, _release_pair), held)
    keep_own_writes(ctx, work.pairs if direction == PUSH else ())
    if unshown:
        look_at_again(ctx, unshown)
    return {**work.ended, **{pair.id: end_of(pair) for pair in work.pairs}}


def _names_crm(pair: Pair) -> bool:
    """Whether our own referral names the deal's number in Microsoft's CRM."""
    return pair.referral is not None and pair.referral.msx_id is not None


def _write_referral(ctx: Context, pair: Pair, direction: str | None) -> None:
    """Create the pair's referral if it has none, then send what differs, and ask Microsoft for help.

    The service decides the status of a new referral, and an adopted one may differ: they are merged at once.
    """
    if direction is not None and must_send(pair) and (left := left_for_pause(ctx, direction)):
        pair.end(left)
        return
    if pair.must_create and pair.opportunity is not None:
        if pair.existing is not None:
            adopt_referral(ctx, pair, pair.existing)
        else:
            create_referral(ctx, pair, pair.opportunity)
        if pair.outcome is None:
            make_plan(ctx, pair)
    if pair.plan and pair.outcome is None:
        send_changes(ctx, pair)
    if pair.plan is not None and pair.plan.help is not None:
        _ask_for_help(ctx, pair)


def _ask_for_help(ctx: Context, pair: Pair) -> None:
    """Ask Microsoft for help, also if a value of the deal was refused, and merge again."""
    if pair.outcome is None or pair.outcome.result is Result.PARKED:
        ask_microsoft(ctx, pair, is_new=pair.must_create and pair.existing is None)
    if pair.outcome is None:
        plan_and_send(ctx, pair)


# --- the work on many pairs


type Step = Callable[[Context, Pair], None]


def run_for_each(
    ctx: Context, side: Side | None, pairs: Iterable[Pair], step: Step, needs: Callable[[Pair], bool] = lambda _: True
) -> None:
    """Run a step for each open pair in parallel; once the side is paused, the pairs that need it are queued."""
    pending, pauses = open_pairs(pairs), list[Outcome]()
    state = ctx.store.side_state(side) if side else SideState()
    if state.paused_until is not None and ctx.clock.now() < state.paused_until:
        pauses.append(retry_after_pause(state.paused_until))

    def run(pair: Pair) -> None:
        if pauses and needs(pair):
            pair.end(pauses[0])
            return
        try:
            step(ctx, pair)
        except Exception as error:  # noqa: BLE001 - as in `run_step`
            pair.end(outcome_of_error(ctx, error, pair.id))
            if side is not None and isinstance(error, Throttled | SignInFailed):
                pause_side(ctx, side, error)
                pauses.append(retry_after_pause(ctx.store.side_state(side).paused_until))

    ctx.map(run, pending, to=side)


# --- ending


def _release_pair(ctx: Context, pair: Pair) -> None:
    """Store what is known, and release the lease. After a write of unknown outcome its intent stays, for recovery."""
    is_open, intent = pair.may_have_written, pair.link.intent
    if is_open and (pair.interrupted.effects or not (intent and intent.only_shows)):
        return
    if _is_unused(ctx, pair):
        ctx.store.delete_link(pair.entry)
        return
    if is_owner_untold(pair.link) and not is_open:
        run_step(ctx, pair, tell_owner)
    if pair.referral is not None and pair.referral.status is not None and pair.referral.status.status == CLOSED:
        pair.take_link(settled(pair.link, pair.opportunity, pair.referral, ctx.translation.rules))
    release(ctx, pair)
    due, ended = pair.plan.due if pair.plan else None, pair.outcome
    if pair.link.unshown and (again := pair.link.shown_again_at) and ctx.clock.now() < again < (due or NEVER):
        due = again  # another edit must not end the wait of a column that Salesforce refused
    if pair.link.waiting and (ended is None or ended.result is Result.PARKED) and waits_for_approval(pair.link.waiting):
        pair.end(replace(wait_for_approval(ctx, pair.link.waiting), pushed=pair.id))
        return
    if ended is None and pair.link.state is State.HELD:
        look = next_look(pair.link, pair.opportunity, ctx.clock.now())
        pair.end(Outcome(Result.HELD, "held", look, pushed=pair.id))
    elif ended is None and due:
        pair.end(Outcome(Result.RETRY, WAITING, due))
    elif ended and due and ended.result is Result.PARKED and ctx.clock.now() < due < (ended.at or NEVER):
        pair.end(replace(ended, at=due))  # what was refused does not stop the clock of the deal


def _is_unused(ctx: Context, pair: Pair) -> bool:
    """Whether the link was inserted for this work only, and holds nothing that must be kept, such as an audit line."""
    link, code = pair.link, (pair.outcome or RECONCILED).cause
    is_empty = link.referral_id is None and not (link.reported or link.waiting) and link.cause is None
    return is_empty and code in ("", BUSY.cause) and not audit_lines(ctx, pair)
