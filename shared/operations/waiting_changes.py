"""Shows what waits for an approval, by name and with old and new values: what the engine would do once it may.

Source: docs/protocol.md#a-preview.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from shared.domain.counted_changes import Kind
from shared.domain.deal import Side
from shared.operations.newly_sent import NewField
from shared.operations.preview_context import preview_of
from shared.operations.preview_deals import DealPreview, ShownChange
from shared.operations.preview_pairs import preview_pulled, preview_pushed
from shared.operations.stopped_changes import Stop
from shared.store.rows import Rows
from shared.sync.ports import Context

EXAMPLES = 5
"""So many deals of a stop, or of a field, are shown."""
FIELDS_OF_NEW_DEALS = ("account", "money")
"""What is shown of a deal that waits to be created."""


class WaitingDeal(Struct, frozen=True):
    """A deal that waits: its id, its name, the values that wait, and whether it waits to be created."""

    id: str
    name: str
    changes: Sequence[ShownChange]
    is_new: bool = False


def show_waiting(
    ctx: Context, rows: Rows, stops: Sequence[Stop], fields: Sequence[NewField]
) -> Mapping[str, Sequence[WaitingDeal]]:
    """Some of the deals of each stop and of each newly sent field, by its name. Raises the errors of both sides."""
    arriving = [stop for stop in stops if _is_arriving(stop)]
    pushed = _ids(stop.deals for stop in stops if stop not in arriving)
    sent = _ids(field.deals for field in fields)
    preview = preview_of(ctx, rows)
    deals = {key: deal for deal in preview_pushed(preview, pushed) if (key := deal.opportunity_id)}
    deals |= {
        key: deal
        for deal in preview_pulled(preview, _ids(stop.deals for stop in arriving))
        if (key := deal.referral_id) and deal.opportunity_id is None
    }
    approved = preview_pushed(preview_of(ctx, rows, sends_all=True), sent) if sent else ()
    coming = {deal.opportunity_id: deal for deal in approved}
    shown = {stop.name: [_stopped(stop, deals[key]) for key in stop.deals[:EXAMPLES] if key in deals] for stop in stops}
    by_field = {one.name: [_sent(one, coming[key]) for key in one.deals[:EXAMPLES] if key in coming] for one in fields}
    return {**shown, **by_field}


def _ids(deals: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(key for some in deals for key in some[:EXAMPLES]))


def _is_arriving(stop: Stop) -> bool:
    return stop.kind is Kind.CREATION and stop.side is Side.SALESFORCE


def _stopped(stop: Stop, deal: DealPreview) -> WaitingDeal:
    """What waits of a deal by one stop."""
    key = deal.opportunity_id or deal.referral_id or ""
    if stop.kind is Kind.CREATION:
        values = [one for one in deal.to_partner_center if one.field in FIELDS_OF_NEW_DEALS]
        return WaitingDeal(key, deal.name, values if deal.is_stopped else [], is_new=True)
    changes = [one for one in deal.stopped if one.side is stop.side and stop.field in (None, one.field)]
    return WaitingDeal(key, deal.name, changes)


def _sent(field: NewField, deal: DealPreview) -> WaitingDeal:
    """What waits of a deal by one newly sent field."""
    changes = [one for one in deal.to_partner_center if one.field == field.name]
    return WaitingDeal(deal.opportunity_id or "", deal.name, changes, is_new=deal.creates is not None)
