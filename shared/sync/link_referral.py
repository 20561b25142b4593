"""Brings a referral to its link: find the opportunity that it belongs to, or create one with account and contact.

Source: docs/protocol.md#creating-an-opportunity and docs/protocol.md#events-overtake-replies.
"""

from collections.abc import Sequence
from copy import replace
from datetime import datetime
from itertools import batched, chain

from shared.domain.arrival import Arrival, arrival_lines, arriving, creation_of
from shared.domain.audit_text import audit_text
from shared.domain.customer_match import Customer, customer_of
from shared.domain.deal import Change, Deal, Side
from shared.domain.foreign_money import given_to_salesforce
from shared.domain.link import EffectKind, Link
from shared.domain.owner import passed_over
from shared.domain.records import Opportunity, Referral
from shared.domain.transitions import (
    adopted_opportunity,
    created_opportunity,
    ignored_lines,
    linked_referral,
    sent_deal,
    split_by_effect,
)
from shared.foundation.errors import Conflict, CosellError, NotFound, Rejected, StoreConflict
from shared.mapping.account_columns import account_columns
from shared.mapping.arriving_rows import found_rows, row_lookups, with_row_steps
from shared.mapping.creation_draft import Draft, draft_of, matches_to_read, with_matches, without_cause
from shared.mapping.creation_graph import creation_nodes
from shared.mapping.customer_lookup import (
    QUERIES_OF_A_CALL,
    Found,
    account_query,
    accounts_of,
    company_of,
    contact_queries,
    named_by,
    opportunity_query,
    without_deleted,
)
from shared.mapping.new_records import completed_nodes
from shared.mapping.owner_choice import owned, users_query, with_owners
from shared.mapping.owner_rules import Wanted, wanted_owners
from shared.sync.deal_of_lead import converted_opportunity, link_of_lead, with_lead_notes
from shared.sync.follow_lead import follow_lead, tell_left_lead
from shared.sync.mass_change import stopped_opportunity
from shared.sync.ports import BUSY, RECONCILED, WAITING, Context, Entry, Json, Node, Outcome, Result, Written
from shared.sync.referral_claim import (
    Claim,
    claim_account,
    claim_referral,
    deleted_if_nothing_was_created,
    ignore_referral,
)
from shared.sync.refuse_referral import leave_second_referral, may_have_changed, refused_referral
from shared.sync.retry_queue import outcome_of_error, pausing_on_failure, queue_pair

MISSING = Outcome(Result.RECONCILED, "missing")


def link_referral(ctx: Context, referral_id: str) -> str | Outcome:
    """Bring one referral to its link, creating opportunity and link if there are none. Raises the client's errors."""
    claim = claim_referral(ctx, referral_id)
    if not isinstance(claim, Claim):
        return claim
    try:
        result = claim.entry.value.opportunity_id or _link_claimed(ctx, claim)
        return _leave_inbox(ctx, claim, result) if claim.is_in_inbox else result
    except StoreConflict:
        claim.delete_if_unused(ctx)
        return BUSY
    except Exception:
        claim.delete_if_unused(ctx)
        raise


def _leave_inbox(ctx: Context, claim: Claim, result: str | Outcome) -> str | Outcome:
    """Delete the inbox record of a referral, unless it is still refused. After a failure it is tried again later."""
    if isinstance(result, Outcome) and result.result is Result.RETRY and result.cause != WAITING:
        return result
    try:
        with pausing_on_failure(ctx, Side.SALESFORCE):
            claim.leave_inbox(ctx)
    except CosellError as error:
        queue_pair(ctx, Side.PARTNER_CENTER, claim.referral_id, outcome_of_error(ctx, error, claim.referral_id))
    return result


def _link_claimed(ctx: Context, claim: Claim) -> str | Outcome:
    """Link the referral to the opportunity that it names or that was made of its Lead, or create one."""
    referral, lead = _referral_to_link(ctx, claim), claim.entry.value.lead
    if not isinstance(referral, Referral):
        return referral
    try:
        if ctx.scope.shows_as_lead(referral, has_lead=lead is not None):
            return follow_lead(ctx, referral, claim)
        named = ctx.scope.opportunity_named_by(referral.external_reference)
        converted = None if named else converted_opportunity(ctx, referral, lead)
        company, arrival = company_of(referral), ctx.translation.arrival(referral, ctx.clock.now())
        arrival = with_lead_notes(ctx, referral, lead, arrival)
        customer = customer_of(company, referral.duns, arrival.people)
        with claim_account(ctx, customer.keys) as is_claimed:
            if not is_claimed:
                claim.delete_if_unused(ctx)
                return BUSY
            found = look_up(ctx, referral, named or converted, customer, arrival)
            found = without_deleted(found, converted) if converted else found
            joined = _join_found(ctx, referral, claim, found)
            if joined is None and claim.is_unused:  # else an interrupted run has begun to create it, and was counted
                joined = stopped_opportunity(ctx, claim.referral_id, claim.delete_if_unused)
            return joined or create_opportunity(ctx, referral, claim, found, customer, arrival)
    except Rejected as error:
        return refused_referral(ctx, referral, claim, error)


def _referral_to_link(ctx: Context, claim: Claim) -> Referral | str | Outcome:
    """Read the referral; the end of the work where it joins a link that exists, or makes no opportunity."""
    referral = _read_referral(ctx, claim)
    if isinstance(referral, Outcome):
        return referral
    named = ctx.scope.opportunity_named_by(referral.external_reference)
    known = ctx.store.link(named) if named else None
    if known is not None and not ctx.scope.exclusion_reason(referral.organization_id, referral.external_reference):
        return _join_link(ctx, referral, claim, known)
    reason = ctx.scope.unlinked_exclusion_reason(referral)
    return ignore_referral(ctx, claim, reason) if reason else referral


def _read_referral(ctx: Context, claim: Claim) -> Referral | Outcome:
    try:
        with pausing_on_failure(ctx, Side.PARTNER_CENTER):
            return ctx.translation.referral(ctx.partner_center.get(claim.referral_id))
    except NotFound:
        claim.delete_if_unused(ctx)  # else its values are the base of what it may have created
        ctx.log("referral_missing", referral_id=claim.referral_id)
        return MISSING


# --- an opportunity that exists


def look_up(ctx: Context, referral: Referral, named: str | None, customer: Customer, arrival: Arrival) -> Found:
    """Find opportunity, account and contacts of a referral; `named` is the opportunity that the referral names."""
    emails = [person.email for person in arrival.people if person.email and person.email.isascii()]
    columns = account_columns(ctx.translation.customer, ctx.translation.org)
    queries = {
        "opportunities": opportunity_query(ctx.translation.file.ours.identifier, referral.id, named),
        "accounts": account_query(customer, columns),
        **contact_queries(emails, columns),
        **users_query(_wanted_owners(ctx, referral)),
        **row_lookups(ctx.translation.in_rows, referral),
    }
    with pausing_on_failure(ctx, Side.SALESFORCE):
        calls = batched(queries.values(), QUERIES_OF_A_CALL, strict=False)
        pages = [page for call in calls for page in ctx.salesforce.query(*call, deleted=True).pages]
    records = {name: page.records for name, page in zip(queries, pages, strict=True)}
    contacts = chain.from_iterable(found for name, found in records.items() if name.startswith("contacts"))
    accounts = accounts_of(customer, records["accounts"], columns)
    return Found(records["opportunities"], accounts, tuple(contacts), records.get("users", ()), found_rows(records))


def _join_found(ctx: Context, referral: Referral, claim: Claim, found: Found) -> str | Outcome | None:
    existing = [str(record["Id"]) for record in found.opportunities if not record.get("IsDeleted")]
    if existing:  # of several with the referral's id, the one that the referral names counts
        existing.sort(key=lambda each: each != ctx.scope.opportunity_named_by(referral.external_reference))
        known = ctx.store.link(existing[0])
        if known:
            return _join_link(ctx, referral, claim, known)
        return _adopt_opportunity(ctx, referral, claim, None, existing[0])
    return ignore_referral(ctx, claim, "opportunity_deleted") if found.opportunities else None


def _join_link(ctx: Context, referral: Referral, claim: Claim, known: Entry[Link]) -> str | Outcome:
    """Join the link of the opportunity that this referral names, or that names this referral."""
    link = known.value
    if link.referral_id == referral.id:
        claim.point_to(ctx, link.opportunity_id)  # our own push made it, or an earlier attempt came as far as the link
        return link.opportunity_id
    if link.referral_id is not None:
        return leave_second_referral(ctx, referral, claim, known)
    if link.intent is None:
        return _adopt_opportunity(ctx, referral, claim, known)
    creation = link.intent.find(EffectKind.CREATE_REFERRAL)
    if creation and (creation.ended or known.age >= ctx.policy.lease):
        return _confirm_creation(ctx, referral, claim, known)
    if claim.entry.value.intended_opportunity is None:
        claim.delete(ctx)  # another instance works on the pair: the event overtook the reply of our own create
    return BUSY


def _confirm_creation(ctx: Context, referral: Referral, claim: Claim, known: Entry[Link]) -> str:
    """Link the referral that a create of unknown outcome made: it names our reference, so the create took effect.

    The pull that follows merges the referral's values.
    """
    rules, sent = ctx.translation.rules, sent_deal(known.value)
    left_out, now = ctx.translation.contacts_left_out(sent), ctx.clock.now()
    linked = linked_referral(known.value, referral, sent, rules, is_adopted=True, left_out=left_out, now=now)
    ctx.store.replace_link(known, replace(linked.link, intent=None), linked.lines, ctx.correlation_id)
    claim.point_to(ctx, linked.link.opportunity_id)
    _log_adopted(ctx, linked.link.opportunity_id, referral.id)
    return linked.link.opportunity_id


def _log_adopted(ctx: Context, opportunity_id: str, referral_id: str) -> None:
    ids = {"opportunity_id": opportunity_id, "referral_id": referral_id}
    ctx.log("referral_adopted", correlation_id=ctx.correlation_id, **ids)


def _adopt_opportunity(
    ctx: Context, referral: Referral, claim: Claim, known: Entry[Link] | None, opportunity_id: str = ""
) -> str:
    """Link an existing opportunity; the pull that follows merges the referral's values."""
    link, now = known.value if known else Link(opportunity_id), ctx.clock.now()
    intended = claim.entry.value.intended_opportunity
    arrival = ctx.translation.arrival(referral, (intended and intended.decided) or now)
    adopted = adopted_opportunity(link, referral, intended, ctx.translation.rules, arrival, now)
    link = link_of_lead(ctx, referral, adopted.link, claim.entry.value.lead)
    if known is None:
        ctx.store.insert_link(link, adopted.lines, ctx.correlation_id)
    else:
        ctx.store.replace_link(known, link, adopted.lines, ctx.correlation_id)
    claim.point_to(ctx, link.opportunity_id)
    _log_adopted(ctx, link.opportunity_id, referral.id)
    return link.opportunity_id


# --- a new opportunity


def create_opportunity(
    ctx: Context, referral: Referral, claim: Claim, found: Found, customer: Customer, arrival: Arrival
) -> str | Outcome:
    """Create what is missing in one graph, all or nothing; then the link, then the pointer to it."""
    now, written = ctx.clock.now(), None
    draft = draft_of(customer, arrival, found.accounts, found.contacts, ctx.translation.customer.several)
    draft = with_row_steps(ctx.translation.in_rows, referral, found.rows, _with_owners(ctx, referral, found, draft))
    claim.record_intent(ctx, creation_of(referral, draft.arrival, ctx.translation.rules, now))
    try:
        with deleted_if_nothing_was_created(ctx, claim), pausing_on_failure(ctx, Side.SALESFORCE):
            while written is None:
                nodes = _creation_nodes(ctx, referral, draft, now)
                try:
                    written = ctx.salesforce.create(nodes, "opportunity", ctx.translation.columns)
                except Rejected as error:
                    account = draft.account
                    query = _query_of_matches(ctx, draft, error)
                    matches = ctx.salesforce.query(query).pages[0].records if query else ()
                    draft = _mended(ctx, draft, error, matches)
                    draft = draft if draft.account == account else _with_owners(ctx, referral, found, draft)
                    claim.record_intent(ctx, creation_of(referral, draft.arrival, ctx.translation.rules, now))
    except Conflict:
        return BUSY  # somebody created it just now: the next look finds it
    if written.record is None:
        return Outcome(Result.RETRY, "not_read_back")
    return _link_created(ctx, referral, claim, draft.arrival, written, now)


def _with_owners(ctx: Context, referral: Referral, found: Found, draft: Draft) -> Draft:
    if not ctx.translation.file.owners:
        return draft
    wanted, own_id = _wanted_owners(ctx, referral), ctx.salesforce.user_id()
    return replace(draft, arrival=with_owners(draft.arrival, wanted, found.users, draft.account, own_id))


def _wanted_owners(ctx: Context, referral: Referral) -> Sequence[Wanted]:
    org = ctx.translation.org
    return wanted_owners(ctx.translation.file.owners, referral, org.addresses.lists if org else None)


def _query_of_matches(ctx: Context, draft: Draft, error: Rejected) -> str | None:
    """The query of the records that a duplicate rule found, if there are any that decide what is done."""
    if may_have_changed(ctx, error):
        raise error
    wanted = matches_to_read(draft, error)
    return named_by(*wanted, account_columns(ctx.translation.customer, ctx.translation.org)) if wanted else None


def _mended(ctx: Context, draft: Draft, error: Rejected, matches: Sequence[Json]) -> Draft:
    """The draft that Salesforce may accept after this refusal. Raises Rejected if nothing can be left out."""
    if matches_to_read(draft, error) is None:
        return without_cause(ctx.translation.fields, ctx.translation.file, draft, error, ctx.policy.tries)
    columns = account_columns(ctx.translation.customer, ctx.translation.org)
    return with_matches(draft, error, matches, columns, ctx.policy.tries)


def _link_created(
    ctx: Context, referral: Referral, claim: Claim, arrival: Arrival, written: Written, at: datetime
) -> str | Outcome:
    """Store the link of the opportunity that was just created, and turn the claim into its pointer."""
    rules, given = ctx.translation.rules, given_to_salesforce(arrival.deal, ctx.translation.rules)
    lines, arrived = arrival_lines(referral, arrival, rules, at), arriving(referral, arrival, rules, at)
    opportunity, now = ctx.translation.opportunity(written.record or {}, written.at), ctx.clock.now()
    ignored = _ignored_values(ctx, given, opportunity)
    link = created_opportunity(arrived, opportunity, referral, ignored, rules, now)
    link = link_of_lead(ctx, referral, link, None)
    ctx.store.insert_link(link, (*lines, *ignored_lines(ignored, now)), ctx.correlation_id)
    claim.point_to(ctx, opportunity.id)
    tell_left_lead(ctx, referral, claim, opportunity.id)
    ids = {"correlation_id": ctx.correlation_id, "opportunity_id": opportunity.id, "referral_id": referral.id}
    ctx.log("opportunity_created", **ids)
    for gap in arrival.gaps:
        ctx.log("referral_incomplete", **ids, code=gap.cause.code, field=gap.field)
    for one in passed_over(arrival.owners):
        ctx.log("owner_passed_over", **ids, code=one.code)
    until = link.answer_by
    if not link.etag or link.unwritten or link.notice is not None or (until and until.due_warning(now)):
        return opportunity.id
    warns_at = until.next_warning(now) if until else None
    return Outcome(Result.RETRY, WAITING, warns_at) if warns_at else RECONCILED


def _ignored_values(ctx: Context, given: Deal, opportunity: Opportunity) -> tuple[Change, ...]:
    """Values of the graph that Salesforce left empty without an error (docs/protocol.md#confirmed-means-seen)."""
    changes = (
        Change(rule.field, rule.label, None, given[rule.field])
        for rule in ctx.translation.rules.updatable
        if rule.on_create and rule.direction.owns(Side.PARTNER_CENTER) and rule.field in given
    )
    return split_by_effect(tuple(changes), opportunity.deal)[1]


def _creation_nodes(ctx: Context, referral: Referral, draft: Draft, now: datetime) -> list[Node]:
    """The steps of the graph that creates the opportunity with account and contacts, as far as they are missing."""
    translation, arrival, rules = ctx.translation, draft.arrival, ctx.translation.rules
    lines, arrived = arrival_lines(referral, arrival, rules, now), arriving(referral, arrival, rules, now)
    shown = translation.shown_state(arrived.due_mark, audit_text(lines), referral.id)
    if arrived.answer_by:
        shown |= translation.shown_answer(arrived.answer_by.until)
    shown = {name: value for name, value in shown.items() if name not in arrival.unshown}
    if arrival.is_lead:
        shown[translation.file.ours.flag] = False
    nodes = creation_nodes(
        draft.account_id or draft.accepted(translation.account(draft.customer.company)),
        [draft.contacts.get(person) or translation.contact(person) for person in arrival.people],
        {
            **translation.new_opportunity(arrival.deal),
            **shown,
        },
        translation.file.ours.identifier,
        {number for number, person in enumerate(arrival.people) if person in draft.allowed},
    )
    new, stage = translation.file.new, translation.stage_column
    nodes += draft.row_nodes
    return owned(completed_nodes(nodes, new, translation.org, arrival.left_out, stage), arrival)
