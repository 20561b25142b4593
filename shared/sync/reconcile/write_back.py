"""Writes the fields that are the connector's own: id, link, mark, status and audit.

Source: docs/protocol.md#writing-the-connectors-own-fields.
"""

from collections.abc import Sequence
from copy import replace

from shared.domain.link import Effect, EffectKind, Link
from shared.domain.link_states import Mark, State
from shared.domain.records import Opportunity
from shared.sync.context import Context
from shared.sync.outcome import Outcome, Result
from shared.sync.ports import Side, Write, Written
from shared.sync.reconcile.audit_lines import render_audit, take_all_lines
from shared.sync.reconcile.confirmation import has_refused_value
from shared.sync.reconcile.isolation import call_salesforce, run_step
from shared.sync.reconcile.lease import is_lease_short, record_intent
from shared.sync.reconcile.pair import Pair

COLLECTION = 200
"""Records of one collection update."""


def mark_of(link: Link) -> Mark:
    """Return the mark for the seller: failed if somebody must act, waiting if time must pass, else synced."""
    if link.cause is not None or has_refused_value(link):
        return Mark.FAILED
    return Mark.WAITING if link.waiting or link.state is State.ON_HOLD else Mark.SYNCED


def own_values(ctx: Context, pair: Pair, audit: str) -> dict[str, object]:
    """Mark and audit always; the referral's id and link where the opportunity lacks them."""
    values: dict[str, object] = dict(ctx.translation.mark(mark_of(pair.link), audit))
    current = pair.opportunity.referral_id if pair.opportunity else None
    if pair.link.referral_id and current != pair.link.referral_id:
        values |= ctx.translation.identity(pair.link.referral_id)
    return values


def needs_write_back(pair: Pair) -> bool:
    """Whether the opportunity does not show the present state of the sync."""
    link, opportunity = pair.link, pair.opportunity
    if opportunity is None:
        return False
    lacks_identity = link.referral_id is not None and opportunity.referral_id != link.referral_id
    has_pending_lines = pair.plan is not None and bool(pair.plan.lines or pair.plan.losses)
    return link.unwritten or lacks_identity or has_pending_lines or link.mark != mark_of(link)


def write_back(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Write back, 200 records a call. If Salesforce refuses, the link stands and the lines wait."""
    chunks = [pairs[start : start + COLLECTION] for start in range(0, len(pairs), COLLECTION)]
    at_most = ctx.parallelism(Side.SALESFORCE)
    ctx.workers.map(lambda chunk: _write_back_chunk(ctx, chunk), chunks, at_most=at_most)


def _write_back_chunk(ctx: Context, pairs: Sequence[Pair]) -> None:
    writes = [write for pair in pairs if (write := run_step(ctx, pair, _prepare_write_back))]
    if not writes:
        return
    by_id = {pair.id: pair for pair in pairs}
    for written in call_salesforce(ctx, pairs, ctx.salesforce.update, writes):
        run_step(ctx, by_id[written.id], _confirm_write_back, written)


def _prepare_write_back(ctx: Context, pair: Pair) -> Write:
    lines = take_all_lines(ctx, pair)
    if lines or not (pair.link.intent and pair.link.intent.effects) or is_lease_short(ctx, pair):
        link = replace(pair.link, unwritten=True)
        record_intent(ctx, pair, Effect(EffectKind.MARK_OPPORTUNITY), lines=lines, link=link)
    return Write(pair.id, own_values(ctx, pair, render_audit(ctx.store.audit(pair.id))))


def _confirm_write_back(ctx: Context, pair: Pair, written: Written) -> None:
    if written.locked or written.refused or written.record is None:
        code = written.refused.code if written.refused else "locked"
        pair.outcome = Outcome(Result.RETRY, code)
        return
    set_read_back(pair, ctx.translation.opportunity(written.record, written.at))
    # Stored with the release that follows at once; a repeated write-back does no harm.
    pair.entry = replace(pair.entry, value=replace(pair.link, mark=mark_of(pair.link), unwritten=False))


def set_read_back(pair: Pair, read_back: Opportunity) -> None:
    """Take the record that was read back; the account's stamp and problems stay, because plain columns lack them."""
    previous = pair.opportunity
    if previous is not None:
        stamps = {"account": previous.stamps.get("account", ""), **read_back.stamps}
        read_back = replace(read_back, problems=previous.problems, stamps=stamps)
    pair.opportunity = read_back
