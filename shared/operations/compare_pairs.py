"""Compares one batch of links: the values in Salesforce with the bases, then both sides of what may differ.

A batch costs one call of Salesforce. A referral is read where its pair may have drifted, and where the pair is one of
the day's sample. Nothing is written.

Source: docs/protocol.md#the-daily-compare.
"""

from collections.abc import Iterator, Sequence
from copy import replace
from functools import partial

from msgspec import Struct

from shared.domain.compared import (
    GRACE,
    FieldDrift,
    Finding,
    FindingKind,
    drift_in,
    is_at_rest,
    is_compared,
    is_paused,
    is_unread,
    is_young,
    may_have_drifted,
    without_old_lease,
)
from shared.domain.deal import Side
from shared.domain.forgetting import recognised
from shared.domain.link import Link
from shared.domain.plan import plan_pair
from shared.domain.planned import Plan
from shared.domain.question import is_question
from shared.domain.records import Opportunity, Referral
from shared.foundation.errors import CosellError, NotFound, SignInFailed, Throttled
from shared.operations.compare_news import find_news
from shared.sync.learned_paths import rules_to_keep
from shared.sync.ports import Context, Entry, RetryEntry
from shared.sync.retry_queue import outcome_of_error, pausing_on_failure


class Read(Struct, frozen=True):
    """A link and its ticked opportunity; `is_young` says that a change of it may be under way."""

    entry: Entry[Link]
    opportunity: Opportunity
    is_young: bool

    @property
    def link(self) -> Link:
        """The link as it was scanned."""
        return self.entry.value


class Compared(Struct, frozen=True):
    """What a batch brought: the findings, and the opportunities whose referral was read as a sample."""

    findings: Sequence[Finding]
    sampled: Sequence[str] = ()


def compare_links(ctx: Context, entries: Sequence[Entry[Link]], sampled_to: str, sample: int) -> Compared:
    """Compare a batch of links; `sample` referrals more are read, of the links behind `sampled_to`.

    Raises Throttled and SignInFailed, which end the run, and the errors of the store and of the call of Salesforce.
    """
    stopped = [one for entry in entries if (one := _interrupted(ctx, entry))]
    read, missing = read_compared(ctx, entries)
    chosen = [one.opportunity.id for one in read if one.opportunity.id > sampled_to][:sample]
    sampled = frozenset(chosen)
    drifted = (may_have_drifted(one.link, one.opportunity, ctx.translation.rules) for one in read)
    wanted = [one for one, may_differ in zip(read, drifted, strict=True) if may_differ or one.opportunity.id in sampled]
    found = look_at_pairs(ctx, wanted)
    doubled = [one for each in read if (one := _carries_another(ctx, each))]
    news = find_news(ctx, [one.link for one in read], {one.opportunity.id for one in read if one.is_young})
    return Compared((*stopped, *missing, *found, *doubled, *news), chosen)


def read_compared(ctx: Context, entries: Sequence[Entry[Link]]) -> tuple[list[Read], list[Finding]]:
    """The ticked opportunities of links that are in step, and what is found of those that are unread or not shown.

    A deal at rest may have left Salesforce for ever: that it is not shown is nothing to tell.
    """
    free = [replace(entry, value=without_old_lease(entry.value, entry.age)) for entry in entries]
    by_id = {entry.value.opportunity_id: entry for entry in free if _is_read(entry.value)}
    if not by_id:
        return [], []
    with pausing_on_failure(ctx, Side.SALESFORCE):
        answer = ctx.salesforce.opportunities(list(by_id), *ctx.translation.read_items)
    records = [record for page in answer.pages for record in page.records]
    read, shown = list[Read](), {str(record["Id"]) for record in records}
    for key, result in sorted(ctx.translation.opportunities(records, answer.at).items(), key=lambda item: item[0]):
        if not isinstance(result, Opportunity):
            outcome_of_error(ctx, result, key)
        else:
            read.append(Read(by_id[key], result, is_young(result, answer.at)))
    missing = (entry.value for key, entry in by_id.items() if key not in shown)
    hidden = [link for link in missing if not is_at_rest(link) and "deleted" not in link.stamps]
    unread = [one for one in read if is_unread(one.link, one.opportunity)]
    told = [
        *((FindingKind.UNREAD_OPPORTUNITY, one.link) for one in unread if not one.is_young),
        *((FindingKind.OPPORTUNITY_MISSING, link) for link in hidden),
    ]
    in_step = [one for one in read if is_compared(one.link) and one not in unread]
    return in_step, [_found(kind, link) for kind, link in told if not is_queued(ctx, link)]


def _is_read(link: Link) -> bool:
    return is_compared(link) or is_paused(link) or is_at_rest(link)


def look_at_pairs(ctx: Context, pairs: Sequence[Read]) -> list[Finding]:
    """Read the referrals of pairs without young changes, and return what is found of each."""
    settled = [one for one in pairs if not one.is_young]
    found = ctx.map(partial(_look_or_leave, ctx), settled, to=Side.PARTNER_CENTER)
    return [one for one in found if one is not None]


def is_queued(ctx: Context, link: Link) -> bool:
    """Whether the retry queue has the pair: it has failed, or is due within the time that a change may take."""
    return any(entry.is_failure or entry.at - ctx.clock.now() < GRACE for entry in _entries_of(ctx, link))


def _entries_of(ctx: Context, link: Link) -> Iterator[RetryEntry]:
    keys = {Side.SALESFORCE: link.opportunity_id, Side.PARTNER_CENTER: link.referral_id}
    for side, key in keys.items():
        if key and (entry := ctx.store.retry_entry(side, key)):
            yield entry


# --- one pair


def _interrupted(ctx: Context, entry: Entry[Link]) -> Finding | None:
    """A pair with old effects, to which no retry entry returns. An empty intent holds a lease only, which has ended."""
    is_old = entry.value.intent is not None and entry.value.intent.effects and entry.age > GRACE
    return _found(FindingKind.INTERRUPTED, entry.value) if is_old and not is_queued(ctx, entry.value) else None


def _carries_another(ctx: Context, read: Read) -> Finding | None:
    """An opportunity that carries the id of a referral which is linked with another one."""
    link, named = read.link, read.opportunity.referral_id
    pointer = ctx.store.pointer(named) if named and named != link.referral_id else None
    other = pointer.value.opportunity_id if pointer else None
    is_doubled = other is not None and other != link.opportunity_id
    return Finding(FindingKind.TWO_OPPORTUNITIES, link.opportunity_id, named, other=other) if is_doubled else None


def _look_or_leave(ctx: Context, read: Read) -> Finding | None:
    try:
        with pausing_on_failure(ctx, Side.PARTNER_CENTER):
            return _look(ctx, read)
    except (Throttled, SignInFailed):
        raise
    except CosellError as error:  # one bad record must not stop the others
        outcome_of_error(ctx, error, read.opportunity.id)
        return None


def _look(ctx: Context, read: Read) -> Finding | None:
    link = read.link
    if is_queued(ctx, link):
        return None
    try:
        referral = ctx.translation.referral(ctx.partner_center.get(link.referral_id or ""))
    except NotFound:
        return _found(FindingKind.REFERRAL_MISSING, link)
    current = ctx.store.link(link.opportunity_id)
    is_settled = current is not None and current.etag == read.entry.etag
    if not is_settled or ctx.clock.now() - referral.updated < GRACE:
        return None  # the app has just worked on it, or the event of the change is under way
    drift = drift_of(ctx, link, read.opportunity, referral)
    return Finding(FindingKind.DRIFT, link.opportunity_id, link.referral_id, drift) if drift else None


def drift_of(ctx: Context, link: Link, opportunity: Opportunity, referral: Referral) -> tuple[FieldDrift, ...]:
    """The fields of a compared pair that drifted. `cosell compare` lists them, and `cosell status ID` marks them."""
    if link.erased:
        link = recognised(link, opportunity.deal, referral.deal)
    plan = _planned(ctx, link, opportunity, referral)
    return drift_in(plan, link, opportunity, referral, ctx.translation.rules)


def _planned(ctx: Context, link: Link, opportunity: Opportunity, referral: Referral) -> Plan:
    """The plan that a look at the pair would make (`decide_pair.make_plan`)."""
    decide, rules = partial(plan_pair, link, opportunity, referral), ctx.translation.rules
    when = ctx.clock.now(), ctx.policy
    plan = decide(rules, *when)
    if plan.has_answer and is_question(link, opportunity, ctx.salesforce.user_id()):
        decide = partial(decide, is_question=True)
        plan = decide(rules, *when)
    if plan.tries and (kept := rules_to_keep(ctx, link, plan)):
        plan = decide(kept, *when)
    return plan


def _found(kind: FindingKind, link: Link) -> Finding:
    return Finding(kind, link.opportunity_id, link.referral_id)
