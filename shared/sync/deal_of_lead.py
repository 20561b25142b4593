"""Finds what became of a lead once it is a deal: the opportunity into which people converted its Lead, or a new one.

Source: docs/protocol.md#leads.
"""

from copy import replace

from shared.domain.arrival import Arrival
from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.leads import KnownLead, Leads
from shared.domain.link import Link
from shared.domain.plan_lead import ACCEPTED_LEAD, OPEN_LEAD
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection
from shared.foundation.errors import Rejected
from shared.mapping.lead_columns import LEAD, facts_of_lead
from shared.sync.ports import Context, text_literal
from shared.sync.retry_queue import pausing_on_failure


def converted_opportunity(ctx: Context, referral: Referral, lead: KnownLead | None) -> str | None:
    """The opportunity into which people converted the Lead of a referral; None if there is none."""
    identifier = ctx.translation.file.lead.identifier
    if lead is None and not (referral.is_lead and ctx.scope.leads is not Leads.OFF):
        return None
    return _first(
        ctx,
        f"SELECT ConvertedOpportunityId FROM {LEAD} WHERE {identifier} = {text_literal(referral.id)} "  # noqa: S608 - a column from the checked mapping file
        "AND ConvertedOpportunityId != null LIMIT 1",
        "ConvertedOpportunityId",
    )


def is_of_open_lead(ctx: Context, opportunity_id: str) -> bool:
    """Whether people made this opportunity of a Lead whose referral nobody has accepted, or that is not known.

    It costs a query for each deal that is to be created, where leads arrive.
    """
    if ctx.scope.leads is Leads.OFF:
        return False
    identifier = ctx.translation.file.lead.identifier
    referral_id = _first(
        ctx,
        f"SELECT {identifier} FROM {LEAD} WHERE ConvertedOpportunityId = {text_literal(opportunity_id)} "  # noqa: S608 - as above
        f"AND {identifier} != null LIMIT 1",
        identifier,
    )
    pointer = ctx.store.pointer(referral_id) if referral_id else None
    lead = pointer.value.lead if pointer else None
    return referral_id is not None and not (lead is not None and lead.is_closed)


def _first(ctx: Context, soql: str, column: str) -> str | None:
    """The value of a column in the first record that a query finds; None too where the org has no such column."""
    try:
        with pausing_on_failure(ctx, Side.SALESFORCE):
            records = ctx.salesforce.query(soql).pages[0].records
    except Rejected:
        return None
    found = (value for name, value in records[0].items() if name.casefold() == column.casefold()) if records else ()
    return next((str(value) for value in found if value), None)


def link_of_lead(ctx: Context, referral: Referral, link: Link, lead: KnownLead | None) -> Link:
    """The link of an opportunity whose referral is a lead, or was one: it is not synced yet, or must be ticked."""
    if ctx.scope.leads is not Leads.OFF and referral.is_open_lead:
        return replace(link, lead=OPEN_LEAD)
    return replace(link, lead=ACCEPTED_LEAD) if lead is not None else link


def with_lead_notes(ctx: Context, referral: Referral, lead: KnownLead | None, arrival: Arrival) -> Arrival:
    """The arrival of a lead, or of a deal that was one, with a line that says so."""
    now = ctx.clock.now()
    if referral.is_open_lead:
        facts = facts_of_lead(referral.raw or {})
        solutions = "; ".join(facts.solutions) or "none named"
        values = {"source": facts.source or "an unknown source", "action": facts.requested_action or "nothing named"}
        note = Line(
            now, "lead_opportunity", LineDirection.NOTE, Side.SALESFORCE, values={**values, "solutions": solutions}
        )
        return replace(arrival, notes=(note,), is_lead=True)
    if lead is not None and lead.record_id:
        address = ctx.salesforce.page_address(lead.record_id)
        note = Line(now, "lead_before", LineDirection.NOTE, Side.SALESFORCE, values={"address": address})
        return replace(arrival, notes=(note,))
    return arrival
