"""Creates account, contact, opportunity and contact role for a referral in one graph, all or nothing.

Source: docs/protocol.md#creating-an-opportunity.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from shared.domain.deal import Company, Side
from shared.domain.link import Effect, EffectKind, Link
from shared.domain.link_states import Mark, State
from shared.domain.plan import Change, full_text_warnings
from shared.domain.records import Opportunity, Referral
from shared.foundation.errors import Ambiguous, Conflict, CosellError, Rejected, StoreError
from shared.sync.context import Context
from shared.sync.outcome import BUSY, RECONCILED, Outcome, Result
from shared.sync.ports import Entry, Node, Written
from shared.sync.reconcile.arrival_lines import arrival_lines
from shared.sync.reconcile.audit_lines import ignored_lines, render_audit
from shared.sync.reconcile.confirmation import split_by_effect, with_refused
from shared.sync.reconcile.known_versions import with_known_versions
from shared.sync.reconcile.look_up import Found, first_contact
from shared.sync.reconcile.pair import Pair
from shared.sync.reconcile.referral_claim import Claim, Linked
from shared.sync.retry.side_health import pausing_on_failure


def create_opportunity(
    ctx: Context, referral: Referral, claim: Claim, found: Found, company: Company
) -> Linked | Outcome:
    """Create what is missing; then the link, then the pointer to it."""
    effect = Effect(EffectKind.CREATE_OPPORTUNITY, referral.deal, version=referral.etag, decided=ctx.clock.now())
    claim.record_intent(ctx, effect)
    lines = arrival_lines(ctx, referral)
    try:
        written = _send_graph(ctx, claim, _graph_nodes(ctx, referral, found, company, render_audit(lines)))
    except Conflict:
        return BUSY  # somebody created it just now: the next look finds it
    except Rejected as error:
        return queue_refused_referral(ctx, referral, error.cause.code, error.cause.field)
    if written.record is None:
        return Outcome(Result.RETRY, "not_read_back")
    opportunity = ctx.translation.opportunity(written.record, written.at)
    ignored = _ignored_values(ctx, referral, opportunity)
    lines = (*lines, *ignored_lines(ctx.clock.now(), Side.SALESFORCE, ignored))
    ctx.store.insert_link(_new_link(ctx, referral, opportunity, ignored), lines)
    claim.point_to(ctx, opportunity.id)
    ctx.log("opportunity_created", opportunity_id=opportunity.id, referral_id=referral.id)
    return Linked(opportunity.id) if ignored else RECONCILED


def queue_refused_referral(ctx: Context, referral: Referral, code: str, field: str | None) -> Outcome:
    """Log why a referral makes no opportunity, and try again hourly: there is no link yet to park it on."""
    ctx.log("pair_parked", opportunity_id=None, referral_id=referral.id, code=code, field=field)
    return Outcome(Result.RETRY, "refused", ctx.clock.now() + ctx.policy.held_interval)


def _send_graph(ctx: Context, claim: Claim, nodes: Sequence[Node]) -> Written:
    """Send the graph; if it is certain that nothing was created, the next try need not look for it."""
    try:
        with pausing_on_failure(ctx, Side.SALESFORCE):
            return ctx.salesforce.create(nodes, "opportunity", ctx.translation.columns)
    except (Ambiguous, Conflict):
        raise
    except CosellError:
        with suppress(StoreError):
            claim.delete(ctx)
        raise


def _ignored_values(ctx: Context, referral: Referral, opportunity: Opportunity) -> tuple[Change, ...]:
    """Values of the graph that Salesforce left empty without an error (docs/protocol.md#confirmed-means-seen)."""
    changes = (
        Change(rule.field, rule.label, None, referral.deal[rule.field])
        for rule in ctx.translation.rules.updatable
        if rule.on_create and rule.direction.owns(Side.PARTNER_CENTER) and rule.field in referral.deal
    )
    return split_by_effect(tuple(changes), opportunity.deal)[1]


def _new_link(ctx: Context, referral: Referral, opportunity: Opportunity, ignored: tuple[Change, ...]) -> Link:
    """Return the link of a new opportunity. Its base holds the values that were sent.

    If the record has another value, that value counts as an edit in Salesforce. If Salesforce left a value empty, the
    link notes it as refused.
    """
    link = Link(
        opportunity.id,
        State.ON_HOLD if referral.status and referral.status.is_unanswered else State.LIVE,
        referral.id,
        referral.engagement_id,
        referral.deal.with_values({change.field: None for change in ignored}),
        mark=_first_mark(referral),
        reported=tuple(full_text_warnings(referral.deal, ctx.translation.rules)),
        unwritten=bool(ignored),
    )
    link = with_refused(link, ignored, Side.SALESFORCE, ctx.clock.now())
    pair = Pair(Entry(link, "", timedelta()), opportunity=opportunity, referral=referral)
    return with_known_versions(link, pair, ctx.translation.rules)


def _first_mark(referral: Referral) -> Mark:
    return Mark.WAITING if referral.status and referral.status.is_unanswered else Mark.SYNCED


def _graph_nodes(ctx: Context, referral: Referral, found: Found, company: Company, audit: str) -> list[Node]:
    translation, person = ctx.translation, first_contact(referral.deal)
    nodes: list[Node] = []
    account_id, contact_id = found.account_id, found.contact_id
    if account_id is None:
        nodes.append(Node("account", "Account", translation.account(company)))
        account_id = "@{account.id}"
    if contact_id is None and person is not None:
        nodes.append(Node("contact", "Contact", {**translation.contact(person), "AccountId": account_id}))
        contact_id = "@{contact.id}"
    own = {**translation.identity(referral.id), **translation.mark(_first_mark(referral), audit)}
    identifier = translation.file.ours.identifier
    values = {**translation.new_opportunity(referral.deal), **own, "AccountId": account_id}
    del values[identifier]
    nodes.append(Node("opportunity", "Opportunity", values, (identifier, referral.id)))
    if contact_id is not None:
        role = {"OpportunityId": "@{opportunity.id}", "ContactId": contact_id, "IsPrimary": True}
        nodes.append(Node("role", "OpportunityContactRole", role))
    return nodes
