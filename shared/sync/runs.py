"""Runs that the triggers start: the push every minute, the sweep every 15 minutes, and the pull of one event.

Each run has an id of its own, which its audit lines and log events carry. In preview no run starts: what it would do is
counted elsewhere (`shared/operations/preview.py`).

Source: docs/protocol.md#the-salesforce-poll, docs/protocol.md#the-sweep, docs/protocol.md#events,
docs/protocol.md#off-preview-on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import batched

from msgspec import Struct, field

from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.sighting import RELATED, Sighting
from shared.domain.sweep_cursor import SWEEP
from shared.foundation.errors import CosellError, NotFound
from shared.foundation.logs import CURRENT_RUN, failure_fields
from shared.sync.change_detection import Batch, changed_opportunities, changed_referrals, linked_deal
from shared.sync.hear_microsoft import hear_parties
from shared.sync.link_referral import MISSING, link_referral
from shared.sync.ports import PULL, PUSH, RECONCILED, Context, Entry, Mode, Outcome, Outcomes, Result, RetryEntry
from shared.sync.read_queue import backlog_fields, end_waits, find_waits, read_entries, read_retry_queue
from shared.sync.reconcile import carry_out, chunks_of, open_chunk, open_pulled, read_pushed, stored_links
from shared.sync.retry_queue import (
    PULLED_TOGETHER,
    asked_for,
    batches_of_pairs,
    forget_ended_pauses,
    keep_retry_queue,
    left_for_pause,
    must_stop,
    outcome_of_error,
    pairs_at_once,
    pause_of_either_side,
    pause_side,
    queue_event,
    reason_to_skip,
)


class Report(Struct):
    """The counts of a run: the records that it saw, and the pairs that ended with each result."""

    seen: int = 0
    results: dict[Result, int] = field(default_factory=lambda: dict.fromkeys(Result, 0))

    def add(self, outcomes: Outcomes) -> None:
        """Count outcomes."""
        for outcome in outcomes.values():
            self.results[outcome.result] += 1

    def fields(self) -> dict[str, int]:
        """The counts as fields of a log event."""
        return {"seen": self.seen, **{str(result): count for result, count in self.results.items()}}


# --- the triggers


def run_push(ctx: Context) -> Report:
    """Push what changed, then work the retry queues of both sides. Raises errors of the store only."""
    ctx, report = ctx.begin_run(), Report()
    if reason := reason_to_skip(ctx, *Side):
        ctx.log("run_skipped", run=PUSH, reason=reason)
        return report
    paused = ctx.policy.paused.union(ctx.store.pauses())
    started = ctx.clock.now()  # after a read of the store, by whose clock ours goes
    backlog, coming = list[RetryEntry](), dict[str, datetime]()
    with _guard_run(ctx, PUSH, Side.SALESFORCE) as guard:
        for batch in _changed_unless_paused(ctx, paused):
            report.seen += batch.seen
            outcomes = dict[str, Outcome]()
            for some in batched(batch.opportunities, ctx.policy.batch, strict=False):
                outcomes |= work_opportunities(ctx, some, batch.opportunities, batch.links, started)
            report.add(outcomes)
            if len(outcomes) < len(batch.opportunities):
                break  # the cursors stay, so that the next run finds the rest
            coming |= batch.cursors
            if batch.opportunities:  # else they are moved with the heartbeat
                ctx.store.move_cursors(coming)
                coming.clear()
            if must_stop(ctx, started, PUSH):
                break
        backlog = _work_queues(ctx, report, paused, started)
    if not guard.has_failed:
        _finish_push(ctx, report, backlog, started, coming)
    return report


def run_sweep(ctx: Context) -> Report:
    """Pull every referral that changed since the cursor and differs from the version in its link.

    Raises errors of the store only.
    """
    ctx, report = ctx.begin_run(), Report()
    if reason := reason_to_skip(ctx, Side.PARTNER_CENTER, direction=PULL):
        ctx.log("run_skipped", run=SWEEP, reason=reason)
        return report
    started = ctx.clock.now()  # after a read of the store, by whose clock ours goes
    with _guard_run(ctx, SWEEP, Side.PARTNER_CENTER) as guard:
        pending, related = dict[str, datetime | None](), list[Sighting]()
        scan, pages = changed_referrals(ctx)
        cursor = scan.next_cursor(ctx.scope.begin, started)
        try:
            # Pages are worked together, so that reads and writes of Salesforce are full.
            for page in pages:
                report.seen += page.seen
                pending = {**page.unknown, **pending}  # a list that repeats shows the newest first
                related += page.related
                if len(pending) >= pairs_at_once(ctx, PULLED_TOGETHER):
                    report.add(work_referrals(ctx, list(pending), read_entries(ctx, pending), pending))
                    pending.clear()
                if must_stop(ctx, started, PULL):
                    cursor = None
                    break
        finally:  # a page that cannot be read holds back none of the pages before it
            report.add(work_referrals(ctx, list(pending), read_entries(ctx, pending), pending))
            report.add(hear_parties(ctx, related, {}))
    if not guard.has_failed:
        _finish_sweep(ctx, report, started, cursor)
    return report


def pull_event(
    ctx: Context, referral_id: str, event_id: str | None = None, *, is_related: bool = False, is_of_burst: bool = False
) -> Outcome | None:
    """Pull one referral; None where the sync is off or paused: the sweep finds the change later.

    An event about a related referral lets its engagement be heard: it may name ours or another party's. The run has the
    id of the event, so that its log lines and audit lines lead to the event. One of a burst is only queued, if it can.
    """
    if ctx.policy.mode is not Mode.ON or PULL in ctx.policy.paused.union(ctx.store.pauses()):
        ctx.log("run_skipped", run="event", reason=ctx.policy.mode if ctx.policy.mode is not Mode.ON else "paused")
        return None
    ctx = ctx.begin_run(event_id)
    run = CURRENT_RUN.set(ctx.correlation_id)
    try:
        key = Sighting(referral_id).key if is_related else referral_id
        if is_of_burst and (queued := queue_event(ctx, key)):
            return queued
        if is_related:
            return work_referrals(ctx, [key], {})[key]
        if deal := linked_deal(ctx, referral_id):
            return _pull_linked(ctx, referral_id, deal)
        return work_referrals(ctx, [referral_id], read_entries(ctx, [referral_id]))[referral_id]
    finally:
        CURRENT_RUN.reset(run)


class _Guard(Struct):
    """Whether the guarded run has failed."""

    has_failed: bool = False


@contextmanager
def _guard_run(ctx: Context, run: str, side: Side) -> Iterator[_Guard]:
    """Log an error of this product and end the run; `side`, which the run reads first, is paused where it must be.

    Inside, the log lines of the clients carry the id of the run.
    """
    guard, token = _Guard(), CURRENT_RUN.set(ctx.correlation_id)
    try:
        yield guard
    except CosellError as error:
        pause_side(ctx, side, error)
        ctx.log("run_failed", **failure_fields(error, ctx.correlation_id), run=run)
        guard.has_failed = True
    finally:
        CURRENT_RUN.reset(token)


# --- the push


def _changed_unless_paused(ctx: Context, paused: frozenset[str]) -> Iterator[Batch]:
    """The batches of changed opportunities; a paused push has none, and its run still works the entries of the pull."""
    if PUSH in paused:
        ctx.log("run_skipped", run=PUSH, reason="paused")
        return iter(())
    return changed_opportunities(ctx)


def _work_queues(ctx: Context, report: Report, paused: frozenset[str], started: datetime) -> list[RetryEntry]:
    """Work the entries of both retry queues whose time has come; returns all that are left."""
    queues = read_retry_queue(ctx, *Side)
    for side, direction, work in (
        (Side.SALESFORCE, PUSH, partial(work_opportunities, started=started)),
        (Side.PARTNER_CENTER, PULL, work_referrals),
    ):
        ready = queues[side].ready
        if ready and direction not in paused and not must_stop(ctx, started, direction):
            for chunk in batches_of_pairs(ctx, ready, PULLED_TOGETHER):
                report.add(work(ctx, chunk, ready))
                if must_stop(ctx, started, direction):
                    break
            queues |= read_retry_queue(ctx, side)
    return [entry for queue in queues.values() for entry in queue.entries]


def _finish_push(
    ctx: Context,
    report: Report,
    backlog: Sequence[RetryEntry],
    started: datetime,
    cursors: Mapping[str, datetime],
) -> None:
    """Log backlog and counts, forget ended pauses, and move cursors and heartbeat, after a run without failure."""
    counts, late = report.fields(), backlog_fields(ctx, backlog)
    forget_ended_pauses(ctx)
    try:
        ctx.store.move_cursors({**cursors, "push_done": ctx.clock.now()})
    finally:  # the backlog is worth a line even if the heartbeat cannot be written
        usage = ctx.salesforce.api_usage()
        ctx.log("unsynced", **late)
        if usage is not None:
            ctx.log("salesforce_budget", used=usage[0], total=usage[1])
    ctx.log(
        "push_done",
        correlation_id=ctx.correlation_id,
        **counts,
        seconds=round((ctx.clock.now() - started).total_seconds(), 3),
    )


# --- the sweep


def _finish_sweep(ctx: Context, report: Report, started: datetime, cursor: datetime | None) -> None:
    ctx.store.move_cursors({**({SWEEP: cursor} if cursor else {}), "sweep_done": ctx.clock.now()})
    ctx.log(
        "sweep_done",
        correlation_id=ctx.correlation_id,
        **report.fields(),
        seconds=round((ctx.clock.now() - started).total_seconds(), 3),
    )


# --- a batch of ids, from whichever run


def work_opportunities(
    ctx: Context,
    opportunity_ids: Sequence[str],
    worked: Mapping[str, RetryEntry | None],
    known: Mapping[str, Entry[Link] | None] | None = None,
    started: datetime | None = None,
) -> Outcomes:
    """Push opportunities; `worked` holds their retry entries as read before the work, and `known` their rows.

    They are read together and worked in chunks. Where the run that has `started` must stop, or a chunk has met a pause
    of a side, the rest is left as it was, without an outcome: no row of it is locked.
    """
    if len(opportunity_ids) < len(worked) and (pause := pause_of_either_side(ctx)):  # a part before may have met it
        paused = dict.fromkeys(opportunity_ids, pause)
        keep_retry_queue(ctx, Side.SALESFORCE, paused, worked)
        return paused
    pushed, asked = read_pushed(ctx, opportunity_ids, known), asked_for(worked)
    outcomes = dict(pushed.work.ended)
    keep_retry_queue(ctx, Side.SALESFORCE, outcomes, worked)
    for number, chunk in enumerate(chunks_of(ctx, pushed)):
        if number and (pause_of_either_side(ctx) or (started and must_stop(ctx, started, PUSH))):
            break
        work = open_chunk(ctx, chunk, pushed.twins, asked)
        waits = find_waits(ctx, stored_links(work), asked)
        done = carry_out(ctx, work, PUSH)
        end_waits(ctx, waits, stored_links(work), done)
        keep_retry_queue(ctx, Side.SALESFORCE, done, worked)
        outcomes |= done
    return outcomes


def work_referrals(
    ctx: Context,
    referral_ids: Sequence[str],
    worked: Mapping[str, RetryEntry | None],
    listed: Mapping[str, datetime | None] | None = None,
) -> Outcomes:
    """Pull referrals; `worked` holds their retry entries as read before the work. A related one is heard.

    `listed` has the dates of those that a list has just named. One that is then not shown is read again later.
    """
    if related := [key for key in referral_ids if key.startswith(RELATED)]:
        own = [key for key in referral_ids if key not in related]
        return {**work_referrals(ctx, own, worked), **hear_parties(ctx, [*map(Sighting.of, related)], worked)}
    if not referral_ids:
        return {}
    if pause := pause_of_either_side(ctx):
        outcomes = dict.fromkeys(referral_ids, pause)
    else:
        results = ctx.map(partial(_link_or_queue, ctx), referral_ids, to=Side.PARTNER_CENTER)
        by_key = dict(zip(referral_ids, results, strict=True))
        linked = {result: key for key, result in by_key.items() if isinstance(result, str)}
        others = {key for key, entry in worked.items() if not (entry and entry.is_event)}  # an event may be an echo
        queued = {opportunity_id for opportunity_id, key in linked.items() if key in others}
        stamps = {key: at for key, at in (listed or {}).items() if key not in worked}  # an entry may know of newer ones
        work = open_pulled(ctx, list(linked), queued, stamps=stamps)
        waits = find_waits(ctx, stored_links(work), queued)
        pulled = carry_out(ctx, work)
        end_waits(ctx, waits, stored_links(work), pulled)
        ended = {key: result for key, result in by_key.items() if isinstance(result, Outcome)}
        outcomes = {**dict.fromkeys(referral_ids, RECONCILED), **ended}
        outcomes |= {linked[opportunity_id]: outcome for opportunity_id, outcome in pulled.items()}
        outcomes |= _read_again(outcomes, worked, are_listed=listed is not None)
    keep_retry_queue(ctx, Side.PARTNER_CENTER, outcomes, worked)
    return outcomes


def _pull_linked(ctx: Context, referral_id: str, deal: str) -> Outcome:
    """Pull a referral that has its link. Its retry entry is read once it is known to be no echo, before the work."""
    worked = dict[str, RetryEntry]()
    if not (outcome := pause_of_either_side(ctx) or left_for_pause(ctx, PULL)):
        pulled = open_pulled(ctx, [deal], before=lambda: worked.update(read_entries(ctx, [referral_id])))
        waits = find_waits(ctx, stored_links(pulled), ())
        outcomes = carry_out(ctx, pulled, PULL)
        end_waits(ctx, waits, stored_links(pulled), outcomes)
        outcome = outcomes[deal]
    keep_retry_queue(ctx, Side.PARTNER_CENTER, {referral_id: outcome}, worked)
    return outcome


MOST_TRIES_OF_A_MISSING = 6
"""So often is a referral read again that was listed, and then not shown."""


def _read_again(outcomes: Outcomes, worked: Mapping[str, RetryEntry | None], *, are_listed: bool) -> Outcomes:
    """The referrals that are read a few times more, although Partner Center does not show them now."""

    def is_awaited(key: str) -> bool:
        entry = worked.get(key)
        return entry.attempts + 1 < MOST_TRIES_OF_A_MISSING if entry and not entry.is_event else are_listed

    missing = (key for key, outcome in outcomes.items() if outcome is MISSING)
    return dict.fromkeys(filter(is_awaited, missing), Outcome(Result.RETRY, NotFound.__name__))


def _link_or_queue(ctx: Context, referral_id: str) -> str | Outcome:
    try:
        return left_for_pause(ctx, PULL) or link_referral(ctx, referral_id)
    except Exception as error:  # noqa: BLE001 - one bad record must not stop the others
        return outcome_of_error(ctx, error, referral_id)
