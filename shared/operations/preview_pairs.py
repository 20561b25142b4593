"""Plans deals as the engine does, and stops before it would write: what `open_pushed` and `open_pulled` have planned.

The leases, holds and adoptions of the engine go into a store that keeps them in memory, and so do the counts of the
mass-change stop. So each rule is the engine's own. Source: docs/protocol.md#a-preview.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from functools import partial

from shared.domain.deal import Side
from shared.domain.inbox import MAY_BE_SHOWN
from shared.domain.scope import split_reference
from shared.foundation.errors import CosellError
from shared.operations.preview_context import Preview
from shared.operations.preview_deals import (
    BUSY_NOW,
    STOPPED,
    Creates,
    DealPreview,
    Events,
    Note,
    NoteKind,
    Planned,
    deal_of_pair,
    given_values,
    unread_text,
)
from shared.operations.read_only_sides import NotCarriedOutError
from shared.sync.acquire_pair import Work
from shared.sync.decide_pair import make_plan
from shared.sync.link_referral import MISSING, link_referral
from shared.sync.mass_change import stop_mass_changes
from shared.sync.pair_lease import Pair, run_step
from shared.sync.ports import BUSY, Context, Outcome, Result
from shared.sync.reconcile import open_pulled, open_pushed
from shared.sync.retry_queue import outcome_of_error
from shared.sync.write_opportunity import batches_of_write_backs
from shared.sync.write_referral import adopt_referral
from shared.sync.write_related import writes_of

REASONS: Mapping[str, str] = {
    "another_referral_is_linked": "Its opportunity is linked with another referral.",
    "before_the_beginning": "It is older than the beginning of the sync (SYNC_FROM).",
    "foreign_organization": "It belongs to another organisation.",
    "lead": "It is a lead, and the sync leaves leads alone (LEADS).",
    "lead_closed": "It is a lead that is closed.",
    "opportunity_deleted": "Its opportunity was deleted.",
    "other_environment": "It belongs to another environment",
    "target_microsoft": "It is a referral to Microsoft, and none of ours.",
}
"""Why the engine ignores a referral, by the code of its log event."""

type EventsByKey = Mapping[str, Events]
NO_EVENTS: EventsByKey = {}


def preview_pushed(preview: Preview, opportunity_ids: Sequence[str]) -> list[DealPreview]:
    """Preview the push of opportunities. Raises the errors of the store."""
    ctx = preview.ctx
    work = open_pushed(ctx, opportunity_ids)
    for pair in work.pairs:
        if pair.must_create and pair.existing is not None and pair.outcome is None:
            run_step(ctx, pair, _adopt)
    deals = _deals_of(preview, work)
    _let_go(preview)
    return deals


def preview_pulled(preview: Preview, referral_ids: Sequence[str]) -> list[DealPreview]:
    """Preview the pull of referrals: of those that are linked, both sides are read. Raises the errors of the store."""
    ctx = preview.ctx
    found = ctx.map(partial(_link, ctx), referral_ids, to=Side.PARTNER_CENTER)
    results = dict(zip(referral_ids, found, strict=True))
    events = preview.log.take()
    ended = [_deal_of_referral(preview, key, one, events) for key, one in results.items()]
    linked = list(dict.fromkeys(one for one in results.values() if isinstance(one, str)))
    pulled = _deals_of(preview, open_pulled(ctx, linked, queued=linked), events)
    _let_go(preview)
    return [*(one for one in ended if one is not None), *pulled]


def _let_go(preview: Preview) -> None:
    """Let go what was kept of the records of a batch, so that a preview of many deals stays small."""
    preview.partner_center.read.clear()
    preview.salesforce.inbox.clear()


def _adopt(ctx: Context, pair: Pair) -> None:
    """Link the referral that an earlier create made, as the engine does before it merges."""
    if pair.existing is not None:
        adopt_referral(ctx, pair, pair.existing)
        make_plan(ctx, pair)


def _link(ctx: Context, referral_id: str) -> str | Outcome | NotCarriedOutError:
    try:
        _forget_inbox(ctx, referral_id)
        return link_referral(ctx, referral_id)
    except NotCarriedOutError as error:
        return error
    except Exception as error:  # noqa: BLE001 - one bad record must not stop the others
        return outcome_of_error(ctx, error, referral_id)


def _forget_inbox(ctx: Context, referral_id: str) -> None:
    """Forget in memory that the inbox shows a referral, so that the engine says again why."""
    known = ctx.store.pointer(referral_id)
    if known and known.value.inbox and known.value.intent is None:
        ctx.store.replace_pointer(referral_id, known, replace(known.value, inbox=MAY_BE_SHOWN))


# --- what the engine has planned


def _deals_of(preview: Preview, work: Work, earlier: EventsByKey = NO_EVENTS) -> list[DealPreview]:
    ctx = preview.ctx
    planned = [Planned(pair, pair.must_create and pair.existing is None, pair.plan) for pair in work.pairs]
    stop_mass_changes(ctx, work.pairs)
    _count_writes(preview, work.pairs)
    later, deals = preview.log.take(), list[DealPreview]()
    for one in planned:
        key = one.pair.id
        deals.append(deal_of_pair(ctx, one, (*earlier.get(key, ()), *later.get(key, ()))))
        if not deals[-1].adopts:  # else a referral that is looked at later would be adopted once more
            preview.rows.forget(f"O|{key}")
    deals += [DealPreview(key, None, notes=_notes_of(one, later.get(key, ()))) for key, one in work.ended.items()]
    return deals


def _count_writes(preview: Preview, pairs: Sequence[Pair]) -> None:
    """Count the calls that would follow, by the batches of the engine."""
    ctx, writes, writing = preview.ctx, preview.calls.writes, list[Pair]()
    for pair in pairs:
        pair.put_plan_into_link(ctx.translation.rules)
        if pair.outcome is None and pair.plan is not None:
            steps = bool(pair.plan.to_partner_center) + pair.plan.continues + (pair.plan.help is not None)
            writes[Side.PARTNER_CENTER] += steps
            writing += [pair] if pair.plan.to_salesforce else []
        writes[Side.PARTNER_CENTER] += pair.must_create and pair.existing is None
    shown = {pair.id for pair in writing}
    backs = batches_of_write_backs(ctx, [pair for pair in pairs if pair.id not in shown])
    writes[Side.SALESFORCE] += len(writes_of(ctx, writing)) + len(backs)


def _deal_of_referral(
    preview: Preview, referral_id: str, result: str | Outcome | NotCarriedOutError, events: EventsByKey
) -> DealPreview | None:
    """What would become of a referral that has no link; None if it has one now."""
    if isinstance(result, str):
        return None
    if isinstance(result, NotCarriedOutError):
        preview.calls.writes[Side.SALESFORCE] += 1
        return _creation(preview, referral_id, result)
    deal = DealPreview(None, referral_id, _name_in(preview, referral_id))
    if result.cause == "mass_change":
        name, makes = deal.name, Creates.OPPORTUNITY
        return DealPreview(None, referral_id, name, makes, is_stopped=True, notes=_STOPPED, needs_approval=True)
    reference = str(preview.partner_center.read.get(referral_id, {}).get("externalReferenceId") or "")
    if (shown := preview.salesforce.inbox.get(referral_id)) is not None:
        text = f"{shown.get('Cause__c') or ''} {shown.get('Remedy__c') or ''}".strip()
        return DealPreview(None, referral_id, deal.name, notes=(Note(NoteKind.REFUSED, text),))
    notes = _notes_of(result, events.get(referral_id, ()), reference)
    return DealPreview(None, referral_id, deal.name, notes=notes, exists=result != MISSING)


REFUSED_BEFORE = "Salesforce has refused it before: the inbox tells why. It is tried again."
_STOPPED = (Note(NoteKind.WAITS, STOPPED),)


def _creation(preview: Preview, referral_id: str, stopped: NotCarriedOutError) -> DealPreview:
    """The record that would be created for a referral, with the values that its claim holds."""
    name = _name_in(preview, referral_id)
    pointer = preview.ctx.store.pointer(referral_id)
    intended = pointer.value.intended_opportunity if pointer else None
    preview.rows.forget(f"R|{referral_id}")
    if intended is None:
        if stopped.call != "create":
            return DealPreview(None, referral_id, name, notes=(Note(NoteKind.TOLD, "Its Lead would be changed."),))
        return DealPreview(None, referral_id, name, Creates.LEAD)
    values = given_values(Side.SALESFORCE, intended.values, preview.ctx.translation.rules)
    notes = tuple(Note(NoteKind.TOLD, line.text) for line in intended.lines[1:])
    if pointer and pointer.value.inbox is not None:
        notes = (Note(NoteKind.TOLD, REFUSED_BEFORE), *notes)
    return DealPreview(
        None, referral_id, name, Creates.OPPORTUNITY, to_salesforce=values, further=list(_further(stopped)), notes=notes
    )


def _further(stopped: NotCarriedOutError) -> Iterator[str]:
    """The records that are created with an opportunity."""
    for node in stopped.nodes:
        if node.sobject in ("Account", "Contact") and node.record is None:
            parts = (node.values.get(name) for name in ("Name", "FirstName", "LastName"))
            yield f"{node.sobject} {' '.join(str(part) for part in parts if part)}".strip()


def _name_in(preview: Preview, referral_id: str) -> str:
    raw = preview.partner_center.read.get(referral_id)
    try:
        return str(preview.ctx.translation.referral(raw).deal.get("name") or "") if raw is not None else ""
    except (CosellError, ValueError, LookupError, TypeError):
        return ""


def _notes_of(outcome: Outcome, events: Events, reference: str = "") -> tuple[Note, ...]:
    """Why the work on a record ended before both sides were compared; `events` are those about it."""
    ignored = [str(fields["reason"]) for event, fields in events if event == "referral_ignored"]
    errors = [str(fields["error"]) for event, fields in events if event == "pair_failed"]
    if outcome == BUSY:
        return (Note(NoteKind.UNREAD, BUSY_NOW),)
    if outcome == MISSING:
        return (Note(NoteKind.LEFT, "Partner Center does not show it."),)
    if ignored:
        tag = split_reference(reference)[0] or "production"
        environment = f": {tag.lower()}." if ignored[0] == "other_environment" else ""
        return (Note(NoteKind.LEFT, REASONS.get(ignored[0], ignored[0]) + environment),)
    if outcome.result is Result.RECONCILED:
        return ()
    return (Note(NoteKind.UNREAD, unread_text(outcome, errors)),)
