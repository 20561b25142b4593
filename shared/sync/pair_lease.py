"""Holds one pair while a run works on it: its lease, what was read, what is planned, and the lines that wait.

The link's row is the lock (`acquire_pair.py`): each intent that is stored renews the lease.

Source: docs/protocol.md#lease-and-intent.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from functools import partial

from msgspec import Struct, field

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.counted_changes import Counted
from shared.domain.deal import Change, Deal, Side
from shared.domain.field_rules import Rules
from shared.domain.help_outcomes import help_shown
from shared.domain.known_versions import version_held, with_known_versions
from shared.domain.link import Effect, EffectKind, Intent, Link, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.microsoft_news import Hearing, shown
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Referral
from shared.domain.transitions import Transition, kept_cause
from shared.domain.unreadable_refusals import refused_once_more
from shared.foundation.errors import CosellError, UnreadableRefusal
from shared.sync.pending_lines import PendingLines
from shared.sync.ports import RECONCILED, Context, Entry, Json, Outcome, Result, Write, Written
from shared.sync.retry_queue import outcome_of_error, pause_side, paused_until, pausing_on_failure, retry_after_pause


class Pair(Struct):
    """One pair under its lease. Only the functions of this module assign its fields.

    id            the opportunity's id
    entry         the row as this instance read or wrote it last; without an ETag if it does not exist yet
    link          the link that the next write stores: that of `entry`, and what was decided since
    interrupted   the intent of a run that stopped before its end, until recovery has looked for its effects
    intended_at   when its row was written last, as far as this instance's clock can say
    renewed_at    when the lease was last renewed
    is_from_base  the referral's values were taken from the base and not read
    existing      the referral that an earlier create of unknown outcome made, as the API returns it
    must_create   a referral must be created, or the existing one adopted
    missing_at    when the opportunity was not found, by the server's clock; None while it is there
    news          what the opportunity is to show of Microsoft's record, by the keys of the columns
    granted       the counted changes that this run may make; None until they are counted (`mass_change.py`)
    written       the audit lines of the pair, by transaction, where this run has written them all; else None
    outcome       how the work ended; None while it goes on
    """

    id: str
    entry: Entry[Link]
    link: Link
    renewed_at: datetime
    interrupted: Intent = field(default_factory=Intent)
    intended_at: datetime | None = None
    opportunity: Opportunity | None = None
    referral: Referral | None = None
    is_from_base: bool = False
    existing: Json | None = None
    must_create: bool = False
    missing_at: datetime | None = None
    plan: Plan | None = None
    pending: PendingLines = field(default_factory=PendingLines)
    news: Mapping[str, str] = field(default_factory=dict)
    granted: tuple[Counted, ...] | None = None
    written: list[Sequence[Line]] | None = None
    outcome: Outcome | None = None

    @property
    def is_free(self) -> bool:
        """Whether no instance holds the pair: its row was read, and nothing is written yet."""
        return self.entry.value.intent is None

    @property
    def read_referral(self) -> Referral | None:
        """The referral, if it was read and not taken from the base."""
        return None if self.is_from_base else self.referral

    @property
    def answer_by(self) -> AnswerTime | None:
        """Until when we must answer the deal; None once it is answered."""
        known = self.link.answer_by
        return None if known and self.referral and not self.referral.is_unanswered else known

    @property
    def answer_until(self) -> datetime | None:
        """The time that the opportunity is to show."""
        return self.answer_by.until if self.answer_by else None

    @property
    def may_have_written(self) -> bool:
        """Whether a write of unknown outcome may have taken effect: its intent must stay for recovery."""
        has_begun = self.link.intent is not None and bool(self.link.intent.effects)
        return bool(self.interrupted.effects) or (self.outcome is not None and self.outcome.unsure and has_begun)

    def take_read_back(self, read_back: Opportunity) -> None:
        """Take the opportunity after a write. Plain columns lack lists, problems and other stamps: they stay."""
        known, as_before = self.opportunity, ["problems", "computed"]
        if known is not None:
            stamps = {**known.stamps, "opportunity": "", **read_back.stamps}  # its own is that of the read-back
            if not read_back.rows and (known.rows or known.unsendable):
                lists = {name: value for name, value in known.deal.items() if isinstance(value, tuple)}
                read_back = replace(read_back, deal=Deal({**lists, **read_back.deal}))
                as_before += ["rows", "unsendable", "partial", "unseen", "lacking"]
            kept = {name: getattr(known, name) for name in as_before}
            read_back = replace(read_back, stamps=stamps, seen={**known.seen, **read_back.seen}, before=known, **kept)
        self.opportunity = read_back

    def take_referral(self, referral: Referral, *, is_from_base: bool = False) -> None:
        """Take the referral that was just read, or is known from the base."""
        self.referral, self.is_from_base = referral, is_from_base

    def take_existing(self, existing: Json | None) -> None:
        """Take what a search for an earlier create found; if nothing was found, the interrupted work is done."""
        self.existing, self.must_create = existing, existing is not None
        if existing is None:
            self.interrupted = Intent()

    def leave_sync(self, left: Transition) -> None:
        """Take what an un-ticked deal forgets; its lines wait until the next write of the row."""
        self.link = left.link
        self.pending.recovered += left.lines

    def take_news(self, hearing: Hearing) -> None:
        """Take what a record of another party says; its lines wait until the next write of the row."""
        self.link, self.news = hearing.link, {**self.news, **hearing.texts}
        self.pending.recovered += hearing.lines

    def take_news_shown(self, columns: Collection[str]) -> None:
        """Note that the opportunity shows the news, as far as the org has its columns."""
        self.link, self.news = help_shown(shown(self.link, self.news, columns)), {}

    def take_link(self, link: Link, *, as_stored: bool = False) -> None:
        """Take what was decided about the link, or, for each plan of the run, was stored; the next write stores it."""
        self.link, self.entry = link, replace(self.entry, value=link) if as_stored else self.entry

    def decide_create(self, *, is_wanted: bool) -> None:
        """Let a referral be created for this pair, or not in this run."""
        self.must_create = is_wanted

    def take_granted(self, granted: Iterable[Counted]) -> None:
        """Take what the mass-change stop lets go."""
        self.granted = (*(self.granted or ()), *granted)

    def take_recovery(self, recovered: Transition) -> None:
        """Take what an interrupted run had written; its lines wait until the next write of the row."""
        self.link, self.interrupted = recovered.link, Intent()
        self.pending.recovered += recovered.lines

    def take_plan(self, plan: Plan) -> None:
        """Take a new plan; its lines wait."""
        self.plan = plan
        self.pending.put_plan(plan)

    def drop_plan(self) -> None:
        """Have no plan any more: nothing that it meant to write is written."""
        self.plan = None
        self.pending.drop_plan()

    def narrow_plan(self, plan: Plan, lines: tuple[Line, ...] = ()) -> None:
        """Take the plan with fewer writes: the others were refused, or follow later; the lines about them wait."""
        self.plan = plan
        self.pending.notes += lines

    def put_plan_into_link(self, rules: Rules) -> None:
        """Let the next write of the row store the plan and its mapping. A pair parked for a value stays parked."""
        if (plan := self.plan) is None:
            return
        link = replace(self.link, base=plan.base, refused=plan.refused, waiting=plan.waiting, reported=plan.reported)
        link = replace(link, mapping=rules.mapping, sources=rules.sources, answer_by=plan.answer_by)
        stays_parked = link.state is State.PARKED and link.has_refused_value
        cause = plan.cause and kept_cause(link, plan.cause)
        self.link = link if stays_parked else replace(link, state=plan.state, cause=cause)
        self.pending.is_held = True

    def take_shown(self, mark: Mark | None, unshown: Unshown | None = None, *, unwritten: bool = False) -> None:
        """Note what the opportunity shows, and which columns it does not; the next write of the row stores it."""
        self.link = replace(self.link, mark=mark, unshown=unshown, unwritten=unwritten)

    def end(self, outcome: Outcome) -> None:
        """End the work, and the plan unless a value is parked. That a write may have taken effect is not forgotten."""
        if self.outcome is None or not self.outcome.unsure:
            self.outcome = outcome
        if outcome.result is not Result.PARKED:
            self.drop_plan()


def record_intent(
    ctx: Context, pair: Pair, *effects: Effect, link: Link | None = None, lines: tuple[Line, ...] = ()
) -> None:
    """Store the coming effects before the first, with another `link` if one is given. Raises StoreConflict."""
    decided = link or pair.link
    _store(ctx, pair, replace(decided, intent=Intent(effects), unwritten=decided.unwritten or bool(lines)), lines)
    pair.interrupted = Intent()


def _store(ctx: Context, pair: Pair, link: Link, lines: tuple[Line, ...]) -> None:
    """Write the row with new audit lines in one transaction, which renews the lease. Raises StoreConflict."""
    lines = (*pair.pending.confirmed, *lines)
    write = partial(ctx.store.replace_link, pair.entry) if pair.entry.etag else ctx.store.insert_link
    pair.entry = write(link, lines, ctx.correlation_id)
    pair.link, pair.renewed_at, pair.pending.confirmed = pair.entry.value, ctx.clock.now(), ()
    if pair.written is not None:
        pair.written.append(lines)


def audit_lines(ctx: Context, pair: Pair) -> Sequence[Line]:
    """The audit lines of a pair, newest first; what this run has written itself is not read again."""
    return ctx.store.audit(pair.id, pair.written)


def record_writes(ctx: Context, pair: Pair, changes: tuple[Change, ...] = ()) -> None:
    """Store the coming writes with the plan's notes: `changes` to Partner Center, then the plan's to Salesforce."""
    plan, opportunity, referral = pair.plan, pair.opportunity, pair.referral
    effects = [_effect(EffectKind.PATCH_REFERRAL, changes, referral.etag)] if changes and referral else []
    if plan and plan.to_salesforce and opportunity:
        write = _effect(EffectKind.WRITE_OPPORTUNITY, plan.to_salesforce, opportunity.modified.isoformat())
        etag = None if changes else version_held(pair.link, referral, write.values, ctx.translation.rules)
        effects.append(replace(write, etag=etag, computed=opportunity.computed))
    else:
        effects.append(Effect(EffectKind.MARK_OPPORTUNITY))
    record_intent(ctx, pair, *effects, lines=pair.pending.dated_notes(ctx.clock.now()))
    pair.pending.drop_notes()  # they are stored


def _effect(kind: EffectKind, changes: tuple[Change, ...], version: str) -> Effect:
    return Effect(kind, Deal({c.field: c.new for c in changes}), Deal({c.field: c.old for c in changes}), version)


def confirm_effect(
    ctx: Context, pair: Pair, kind: EffectKind, link: Link, lines: tuple[Line, ...] = (), *, is_last: bool = False
) -> None:
    """Remove a confirmed effect from the intent, with the base it moves and its audit lines, in one transaction.

    After the last effect of a pair, that is the next write of the row. If the process stops before it, recovery looks.
    """
    rest = tuple(effect for effect in (pair.link.intent or Intent()).effects if effect.kind is not kind)
    confirmed = replace(link, intent=Intent(rest))
    if is_last and not rest:
        pair.link, pair.pending.confirmed = confirmed, (*pair.pending.confirmed, *lines)
    else:
        _store(ctx, pair, confirmed, lines)
    if pair.plan is not None:
        # Otherwise a later effect would move the base back.
        pair.plan = replace(pair.plan, base=link.base, refused=link.refused, reported=link.reported)


def release(ctx: Context, pair: Pair) -> None:
    """Store the versions that are known now and the notes of a plan, and release the lease unless a write is open."""
    lines = pair.pending.take_held(ctx.clock.now())
    intent = pair.link.intent if pair.may_have_written else None
    link = replace(pair.link, unwritten=pair.link.unwritten or bool(lines))
    unsent = link.referral_id is None and pair.outcome is not None and pair.outcome.result is Result.RETRY
    # What a run fails to send stays unknown: it may stop before the deal is in the retry queue.
    known = with_known_versions(link, None if unsent else pair.opportunity, pair.read_referral, ctx.translation.rules)
    known = replace(known, intent=intent, answer_by=pair.answer_by if pair.link.answer_by else None)
    _store(ctx, pair, known, lines)


def end_parked(ctx: Context, pair: Pair, cause: Cause, at: datetime | None = None, *, is_last: bool = True) -> None:
    """End the work on a pair whose last value was refused; it is tried again at a time if one is given."""
    if is_last:
        pair.end(Outcome(Result.PARKED, cause.code, at, pushed=pair.id))
    ids = {"opportunity_id": pair.id, "referral_id": pair.link.referral_id}
    ctx.log("pair_parked", correlation_id=ctx.correlation_id, **ids, code=cause.code, field=cause.field)


# --- the work on many pairs, so that one bad record does not stop the others


def open_pairs(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs whose work has not ended."""
    return [pair for pair in pairs if pair.outcome is None]


def run_step[T](ctx: Context, pair: Pair, step: Callable[..., T], *arguments: object) -> T | None:
    """Run one step of one pair; an error ends the work on this pair only."""
    try:
        return step(ctx, pair, *arguments)
    except Exception as error:  # noqa: BLE001 - a defect in the work on one pair must not stop the others
        pair.end(outcome_of_error(ctx, error, pair.id))
        return None


def read_opportunities(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Read the opportunities of the open pairs; one that is absent was deleted or is not visible."""
    if not (pending := open_pairs(pairs)):
        return
    try:
        with pausing_on_failure(ctx, Side.SALESFORCE):
            answer = ctx.salesforce.opportunities([pair.id for pair in pending], *ctx.translation.read_items)
    except CosellError as error:
        for pair in pending:
            pair.end(outcome_of_error(ctx, error, pair.id))
        return
    records = {str(record["Id"]): record for page in answer.pages for record in page.records}
    read = ctx.translation.opportunities([records[pair.id] for pair in pending if pair.id in records], answer.at)
    for pair in pending:
        if pair.id not in read:
            _miss(pair, answer.at)
        elif isinstance(result := read[pair.id], Opportunity):
            pair.opportunity = result
        else:
            pair.end(outcome_of_error(ctx, result, pair.id))


def _miss(pair: Pair, at: datetime) -> None:
    """Note that an opportunity was not found. A referral that may be created is looked for; else nothing waits."""
    pair.opportunity, pair.missing_at = None, at
    if pair.link.referral_id or not pair.link.is_creating:
        pair.link = pair.link if pair.link.referral_id else replace(pair.link, waiting={})
        pair.end(RECONCILED)


type Call = Callable[[Sequence[Write], Sequence[str]], Sequence[Written]]


def call_salesforce(ctx: Context, pairs: Sequence[Pair], call: Call, writes: Sequence[Write]) -> Sequence[Written]:
    """Make one batched write; if it fails, its pairs are queued. Halves show which record a gateway refuses."""
    until, failure = paused_until(ctx, Side.SALESFORCE), None
    if until is None:
        try:
            return call(writes, ctx.translation.columns)
        except Exception as error:  # noqa: BLE001 - the pairs of other calls go on
            if isinstance(error, CosellError):
                pause_side(ctx, Side.SALESFORCE, error)
            failure = error
    if isinstance(failure, UnreadableRefusal) and len(writes) > 1:
        by_id, half = {pair.id: pair for pair in pairs}, len(writes) // 2
        parts = (([by_id[write.id] for write in part], call, part) for part in (writes[:half], writes[half:]))
        return [written for part in parts for written in call_salesforce(ctx, *part)]
    for pair in pairs:
        if isinstance(failure, UnreadableRefusal) and (found := count_refusal(ctx, pair, Side.SALESFORCE, failure)):
            return [Written(pair.id, None, ctx.clock.now(), refused=found)]
        pair.end(outcome_of_error(ctx, failure, pair.id) if failure else retry_after_pause(until))
    return ()


def count_refusal(ctx: Context, pair: Pair, side: Side, error: UnreadableRefusal) -> Cause | None:
    """Store one more unreadable refusal, and tell its number to the error; why the pair is parked, once it lasts."""
    pair.link, error.tries, found = refused_once_more(pair.link, side, ctx.clock.now())
    if found is None:
        record_intent(ctx, pair, *(pair.link.intent or Intent()).effects)
    return found
