"""The compare of all links: a daily timer, and `cosell compare` on demand.

phase            costs
links            ceil(links/2,000) calls of Salesforce, a GET for each pair of the sample, a list for each co-sell deal
referrals        the pages of the list of all referrals
opportunities    one query, of ticked opportunities without a referral

Each batch and each page ends with a note of the place, so that a later run of the timer goes on there. Nothing is
written to either service, and no link: what is to be done goes through the retry queue, and the app does it as always.

Source: docs/protocol.md#the-daily-compare.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from copy import replace
from datetime import datetime, timedelta
from itertools import batched, pairwise
from typing import Protocol

from msgspec import Struct, field

from shared.domain.compared import MENDED, UNHEARD, Finding, FindingKind
from shared.domain.deal import Side
from shared.domain.sighting import Sighting
from shared.foundation.errors import CosellError
from shared.foundation.logs import CURRENT_RUN, failure_fields
from shared.operations.compare_lists import compare_listed, index_links, unlinked_opportunities
from shared.operations.compare_pairs import compare_links
from shared.store.stored_values import CompareProgress
from shared.sync.ports import PULL, PUSH, Context, Mode, Outcome, Result
from shared.sync.retry_queue import paused_directions, queue_pair, reason_to_skip

COMPARE = "compare"
"""The name of the run."""
MANUAL_DONE = "manual_compare_done"
"""The cursor that `cosell compare` moves when it ends: `compare_done` is that of the timer, for its alert."""
LINKS, REFERRALS, OPPORTUNITIES, ENDED = "links", "referrals", "opportunities", "ended"
"""The phases, in their order."""
ONE_A_DAY = timedelta(hours=20)
"""A compare begins so long after the last one began, so that several runs in a night are one compare."""
MAX_TOLD = 100
"""So many findings of one run are logged one by one. The others are counted."""
KINDS_OF_COUNTS = {
    "drift": (FindingKind.DRIFT, FindingKind.INTERRUPTED),
    "duplicates": (FindingKind.TWO_REFERRALS, FindingKind.TWO_OPPORTUNITIES, FindingKind.TWO_LINKS),
    "missing": (FindingKind.OPPORTUNITY_MISSING, FindingKind.REFERRAL_MISSING),
    "unlinked": (FindingKind.UNLINKED_REFERRAL, FindingKind.UNLINKED_OPPORTUNITY),
    "news": (FindingKind.NEWS, FindingKind.UNREAD_OPPORTUNITY),
}
"""The counts of the log event, and the kinds that each of them counts."""


class Places(Protocol):
    """Where a compare notes how far it has come: `LinkStore`."""

    def compare_progress(self) -> CompareProgress | None:
        """How far the last compare has come; None before the first, or if the row cannot be read."""

    def keep_compare_progress(self, progress: CompareProgress) -> None:
        """Remember how far the compare has come."""


class _Compare(Struct):
    """One run of a compare. `ends` says when it must stop; `mends` are the kinds that it queues."""

    ctx: Context
    progress: CompareProgress
    sample: int
    mends: frozenset[FindingKind]
    ends: Callable[[], bool]
    keep: Callable[[CompareProgress], None]
    found: Callable[[Finding], None]
    told: set[tuple[FindingKind, str | None, str | None]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def note(self, findings: Iterable[Finding], **seen: int) -> None:
        """Tell and count findings, and queue those that the app is to mend. Two phases may find the same."""
        for finding in findings:
            if (key := (finding.kind, finding.opportunity_id, finding.referral_id)) in self.told:
                continue
            self.told.add(key)
            self.counts[finding.kind] += 1
            self._log(finding)
            self.found(finding)
            if finding.kind in self.mends:
                queue_finding(self.ctx, finding)
        self.counts.update(seen)

    def _log(self, finding: Finding) -> None:
        if len(self.told) <= MAX_TOLD:
            ids = {"opportunity_id": finding.opportunity_id, "referral_id": finding.referral_id, "other": finding.other}
            fields = [one.field for one in finding.drift]
            self.ctx.log(
                "compare_found", correlation_id=self.ctx.correlation_id, kind=finding.kind, fields=fields, **ids
            )

    def move_to(self, **place: object) -> None:
        """Note the place, with what was counted up to there."""
        self.progress = replace(self.progress, counts=dict(self.counts), **place)  # type: ignore[arg-type]  # its own fields
        self.keep(self.progress)


# --- the timer and the command


def run_compare(ctx: Context, places: Places, sample: int) -> CompareProgress | None:
    """Begin the compare of the day, or go on with it, for the time of a run. None where nothing is to be done.

    Raises errors of the store only.
    """
    ctx = ctx.begin_run()
    if reason := _reason_to_skip(ctx):
        ctx.log("run_skipped", run=COMPARE, reason=reason)
        return None
    known = places.compare_progress()
    started = ctx.clock.now()  # after a read of the store, by whose clock ours goes
    if known is not None and known.phase == ENDED:
        if started - known.begun < ONE_A_DAY:
            return None
        known = CompareProgress(started, LINKS, sampled_to=known.sampled_to)
    run = _Compare(
        ctx,
        known or CompareProgress(started, LINKS),
        sample,
        UNHEARD,
        lambda: ctx.is_time_up(started),
        places.keep_compare_progress,
        lambda _: None,
    )
    return _guarded(run, started)


def compare_all(
    ctx: Context, places: Places, sample: int, found: Callable[[Finding], None], *, repair: bool
) -> CompareProgress:
    """Compare everything at once, whatever the timer's compare has done. Raises the errors of both sides and the store.

    Each finding is given to `found`. With `repair`, what the app can mend is queued, else nothing is.
    """
    ctx = ctx.begin_run()
    known = places.compare_progress()
    begun = CompareProgress(ctx.clock.now(), LINKS, sampled_to=known.sampled_to if known else "")
    mends = MENDED if repair else frozenset[FindingKind]()
    run = _Compare(ctx, begun, sample, mends, lambda: False, lambda _: None, found)
    _run_phases(run)
    ctx.store.move_cursor(MANUAL_DONE, ctx.clock.now())
    return run.progress


def _reason_to_skip(ctx: Context) -> str | None:
    """Why a compare must not start now: while a direction is paused, each edit would look like drift."""
    if ctx.policy.mode is Mode.PREVIEW:
        return "preview"
    if not paused_directions(ctx).isdisjoint({PUSH, PULL}):
        return "paused"
    return reason_to_skip(ctx, *Side)


def _guarded(run: _Compare, started: datetime) -> CompareProgress:
    ctx, token = run.ctx, CURRENT_RUN.set(run.ctx.correlation_id)
    try:
        _run_phases(run)
    except CosellError as error:
        ctx.log("run_failed", **failure_fields(error, ctx.correlation_id), run=COMPARE)
        return run.progress
    finally:
        CURRENT_RUN.reset(token)
    _log_done(run, started)
    return run.progress


def _log_done(run: _Compare, started: datetime) -> None:
    ctx, counts, is_complete = run.ctx, run.counts, run.progress.phase == ENDED
    if is_complete:
        ctx.store.move_cursor("compare_done", ctx.clock.now())
    sums = {name: sum(counts[kind] for kind in kinds) for name, kinds in KINDS_OF_COUNTS.items()}
    seconds = round((ctx.clock.now() - started).total_seconds(), 3)
    seen = {name: counts[name] for name in ("links", "referrals", "sampled")}
    ids = {"correlation_id": ctx.correlation_id, "complete": is_complete}
    ctx.log("compare_done", **seen, **sums, **ids, seconds=seconds)


def queue_finding(ctx: Context, finding: Finding) -> None:
    """Put what was found into the retry queue. The app reads both sides under the lease, and does what they say now."""
    key = finding.referral_id
    if finding.kind is FindingKind.NEWS and key:
        key = Sighting(key).key
    side = Side.PARTNER_CENTER if key else Side.SALESFORCE
    if finding.kind in (
        FindingKind.INTERRUPTED,
        FindingKind.OPPORTUNITY_MISSING,
        FindingKind.UNLINKED_OPPORTUNITY,
        FindingKind.UNREAD_OPPORTUNITY,
    ):
        side, key = Side.SALESFORCE, finding.opportunity_id
    if key:
        queue_pair(ctx, side, key, Outcome(Result.RETRY, "compare", ctx.clock.now()))


# --- the phases


def _run_phases(run: _Compare) -> None:
    """Do the phases until the last has ended or the time is up. Each run makes at least one step."""
    run.counts.update(run.progress.counts)
    steps = {LINKS: _compare_links, REFERRALS: _compare_referrals, OPPORTUNITIES: _compare_opportunities}
    following = dict(pairwise((*steps, ENDED)))
    while (step := steps.get(run.progress.phase)) and step(run):
        run.move_to(phase=following[run.progress.phase], after="")
        if run.ends():
            return


def _compare_links(run: _Compare) -> bool:
    """Compare the links batch by batch; whether all are compared. The sample begins anew behind the last link."""
    left = run.sample - run.counts["sampled"]
    for batch in batched(run.ctx.store.links(run.progress.after), run.ctx.policy.batch, strict=False):
        compared = compare_links(run.ctx, batch, run.progress.sampled_to, left)
        left -= len(compared.sampled)
        run.note(compared.findings, links=len(batch), sampled=len(compared.sampled))
        sampled_to = compared.sampled[-1] if compared.sampled else run.progress.sampled_to
        run.move_to(after=batch[-1].value.opportunity_id, sampled_to=sampled_to)
        if run.ends():
            return False
    if left > 0:
        run.move_to(sampled_to="")
    return True


def _compare_referrals(run: _Compare) -> bool:
    """Compare the list page by page; whether it has ended."""
    index, begun_at = index_links(run.ctx), run.progress.listed_to
    if begun_at is None:
        run.note(index.doubled)
    for page in compare_listed(run.ctx, index, begun_at):
        run.note(page.findings, referrals=page.seen)
        run.move_to(listed_to=page.last or run.progress.listed_to)
        if run.ends() and run.progress.listed_to != begun_at:  # many may be created in one second
            return False
    return True


def _compare_opportunities(run: _Compare) -> bool:
    """Look page by page for ticked opportunities without a link; whether there are no more."""
    for page in unlinked_opportunities(run.ctx, run.progress.after):
        run.note(page.findings)
        run.move_to(after=page.last)
        if run.ends():
            return False
    return True
