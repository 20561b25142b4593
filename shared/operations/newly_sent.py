"""Finds the fields that are newly sent to Partner Center, with deals that wait for them, and approves them.

This module writes rows of the store only: the app sends the values at its next runs.

Source: docs/protocol.md#a-field-that-is-newly-sent.
"""

from collections.abc import Iterable, Sequence
from copy import replace

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.deal import Side, display_text
from shared.domain.help_request import HELP
from shared.domain.link import Link
from shared.domain.mapping_change import MAPPING_CHANGE, unapproved_fields, with_approval
from shared.domain.records import Opportunity
from shared.domain.sentences import cause, is_reported
from shared.mapping.outbound import label_of, outbound_sources
from shared.store.stored_values import Asker
from shared.sync.ports import Context, RetryEntry

MOST_EXAMPLES = 5


class NewField(Struct, frozen=True):
    """A field that is newly sent.

    source     the columns that it is read from, and the path that it is sent to
    deals      the ids of the opportunities whose value waits, or which wait for it
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
    file, deals = ctx.translation.file, {name: list[str]() for name in outbound if name in names}
    told = {name: cause("newly_sent", name, label=label_of(file, name)) for name in deals}
    for entry in ctx.store.links():
        for name, ids in deals.items():
            if _waits_for(entry.value, name, told[name]):
                ids.append(entry.value.opportunity_id)
    return [NewField(name, label_of(file, name), outbound[name], tuple(ids)) for name, ids in deals.items()]


def _waits_for(link: Link, name: str, told: Cause) -> bool:
    """Whether a value of the field waits, or the field holds the deal, or its request for help."""
    record = link.waiting.get(f"{Side.PARTNER_CENTER}.{name}")
    return (record is not None and record.code == MAPPING_CHANGE) or is_reported(told, link.reported)


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
    return [(one.id, _shown(one, field.name)) for one in read]


def _shown(one: Opportunity, name: str) -> str:
    """What would be sent of a field. A request for help sends the notes to Microsoft, too."""
    if name == HELP:
        return " ".join(filter(None, (one.sharing.help, one.sharing.notes)))
    return display_text(one.deal.get(name))


def approve_fields(ctx: Context, fields: Iterable[NewField], operator: str) -> None:
    """Let these fields be sent from where the mapping file reads them now, and queue the deals that wait.

    The deals show that the operator (their Entra object id) has approved it. Raises the errors of the store.
    """
    listed, now = list(fields), ctx.clock.now()
    sources = {field.name: field.source for field in listed}
    ctx.store.change_approval(lambda approved: with_approval(approved, sources, sources))
    for key in {key for field in listed for key in field.deals}:
        known = ctx.store.retry_entry(Side.SALESFORCE, key)
        entry = known or RetryEntry(Side.SALESFORCE, key, now, MAPPING_CHANGE, since=now)
        ctx.store.put_retry_entry(replace(entry, at=now, asked=Asker(operator, now)))
