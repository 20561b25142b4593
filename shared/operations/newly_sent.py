"""Finds the fields that are newly sent to Partner Center, with deals that wait for them, and approves them.

This module writes rows of the store only: the app sends the values at its next runs.

Source: docs/protocol.md#a-field-that-is-newly-sent.
"""

from collections.abc import Iterable, Sequence
from copy import replace

from msgspec import Struct

from shared.domain.deal import Side, display_text
from shared.domain.mapping_change import MAPPING_CHANGE, unapproved_fields, with_approval
from shared.mapping.outbound import label_of, outbound_sources
from shared.sync.ports import Context, RetryEntry

MOST_EXAMPLES = 5


class NewField(Struct, frozen=True):
    """A field that is newly sent.

    source     the columns that it is read from, and the path that it is sent to
    deals      the ids of the opportunities whose value waits
    examples   values of some of them, with the id. They are for the operator's terminal, and never for a log
    """

    name: str
    label: str
    source: str
    deals: tuple[str, ...]
    examples: tuple[tuple[str, str], ...] = ()


def find_new_fields(ctx: Context) -> Sequence[NewField]:
    """The fields that wait for an operator now. Reads every link, if there is one. Raises the errors of the store."""
    outbound, approved = outbound_sources(ctx.translation.file), ctx.store.approved_fields()
    names = unapproved_fields(outbound, approved) if approved is not None else frozenset[str]()
    if not names:
        return ()
    deals: dict[str, list[str]] = {name: [] for name in outbound if name in names}
    for entry in ctx.store.links():
        for name, ids in deals.items():
            record = entry.value.waiting.get(f"{Side.PARTNER_CENTER}.{name}")
            if record is not None and record.code == MAPPING_CHANGE:
                ids.append(entry.value.opportunity_id)
    file = ctx.translation.file
    return [NewField(name, label_of(file, name), outbound[name], tuple(ids)) for name, ids in deals.items()]


def with_examples(ctx: Context, fields: Iterable[NewField]) -> Sequence[NewField]:
    """The fields with values of some deals, as Salesforce has them now. Raises the errors of Salesforce."""
    return [replace(field, examples=tuple(_examples(ctx, field))) for field in fields]


def _examples(ctx: Context, field: NewField) -> list[tuple[str, str]]:
    ids = field.deals[:MOST_EXAMPLES]
    if not ids:
        return []
    answer = ctx.salesforce.opportunities(ids, *ctx.translation.read_items)
    records = [record for page in answer.pages for record in page.records]
    read = [ctx.translation.opportunity(record, answer.at) for record in records]
    return [(one.id, display_text(one.deal.get(field.name))) for one in read]


def approve_fields(ctx: Context, fields: Iterable[NewField]) -> None:
    """Let these fields be sent from where the mapping file reads them now, and queue the deals that wait.

    Raises the errors of the store.
    """
    listed, now = list(fields), ctx.clock.now()
    sources = {field.name: field.source for field in listed}
    ctx.store.change_approval(lambda approved: with_approval(approved, sources, sources))
    for key in {key for field in listed for key in field.deals}:
        known = ctx.store.retry_entry(Side.SALESFORCE, key)
        entry = known or RetryEntry(Side.SALESFORCE, key, now, MAPPING_CHANGE, since=now)
        ctx.store.put_retry_entry(replace(entry, at=now))
