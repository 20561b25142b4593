"""A referral without a link: find the opportunity it belongs to, or make one (protocol.md section 6).

R| row              what happens
pointer             the pair is pulled
none                claimed, then looked up: external reference, our records, Salesforce; found: adopted; else made
live claim          due: somebody is at it, and nothing is read
old claim           taken over; Salesforce is looked into before anything is made
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.domain.catalogue import sentence
from shared.domain.deal import Company, Deal, Person, Side
from shared.domain.link import Effect, EffectKind, Intent, Link, Pointer
from shared.domain.records import Referral
from shared.domain.states import Mark, State
from shared.errors import Ambiguous, Conflict, NotFound, StoreConflict, StoreError
from shared.sync.audit import FROM_PARTNER_CENTER, line, render
from shared.sync.context import Context
from shared.sync.failing import watching
from shared.sync.pair import BUSY, SETTLED, Outcome, Pair, Result, with_known_versions
from shared.sync.ports import Entry, Json, Line, Node, Page
from shared.sync.queries import look_ups
from shared.sync.write_referral import point


@dataclass(frozen=True, slots=True)
class Linked:
    """The referral has a link: pull that pair."""

    opportunity_id: str


def receive(ctx: Context, referral_id: str) -> Linked | Outcome:
    """Bring one referral to its link, making opportunity and link where there are none. Raises the client's errors."""
    claim = _claim(ctx, referral_id)
    if not isinstance(claim, Entry):
        return claim
    try:
        return _received(ctx, referral_id, claim)
    except StoreConflict:
        return BUSY
    except Ambiguous:
        raise
    except Exception:
        _let_go(ctx, referral_id)
        raise


def _let_go(ctx: Context, referral_id: str) -> None:
    """Drop a claim after a failure in which nothing was made, so that the next try need not wait for the lease."""
    try:
        entry = ctx.store.pointer(referral_id)
        if entry is not None and entry.value.opportunity_id is None:
            ctx.store.delete_pointer(referral_id, entry)
    except StoreError:
        return  # the claim then ends with its lease


def _claim(ctx: Context, referral_id: str) -> Linked | Outcome | Entry[Pointer]:
    try:
        entry = ctx.store.pointer(referral_id)
        if entry is None:
            return ctx.store.insert_pointer(referral_id, Pointer(intent=Intent()))
        if entry.value.opportunity_id:
            return Linked(entry.value.opportunity_id)
        if entry.age < ctx.policy.lease:
            return BUSY
        return ctx.store.replace_pointer(referral_id, entry, entry.value)
    except StoreConflict:
        return BUSY


def _received(ctx: Context, referral_id: str, claim: Entry[Pointer]) -> Linked | Outcome:
    try:
        with watching(ctx, Side.PARTNER_CENTER):
            referral = ctx.translation.referral(ctx.partner_center.get(referral_id))
    except NotFound:
        ctx.store.delete_pointer(referral_id, claim)
        ctx.log("referral_missing", referral_id=referral_id)
        return SETTLED
    named = ctx.scope.opportunity_of(referral.external_reference)
    known = ctx.store.link(named) if named else None
    if known is not None and not ctx.scope.excludes(referral.organization_id, referral.external_reference):
        return _named(ctx, referral, claim, known)
    reason = ctx.scope.excludes_unlinked(referral)
    if reason:
        ctx.store.delete_pointer(referral_id, claim)
        ctx.log("referral_ignored", referral_id=referral_id, reason=reason)
        return SETTLED
    return _find_or_make(ctx, referral, claim, named)


def _named(ctx: Context, referral: Referral, claim: Entry[Pointer], known: Entry[Link]) -> Linked | Outcome:
    """The external reference names an opportunity that we have a row for: our own push made this referral."""
    link = known.value
    if link.referral_id == referral.id:
        ctx.store.replace_pointer(referral.id, claim, Pointer(link.opportunity_id))
        return Linked(link.opportunity_id)
    ctx.store.delete_pointer(referral.id, claim)
    if link.referral_id is None and link.intent is not None:
        return BUSY  # an event that overtook the reply of our own create
    if link.referral_id is None:
        return _link(ctx, referral, replace(link, referral_id=referral.id), known)
    ctx.log("referral_ignored", referral_id=referral.id, reason="another_referral_is_linked")
    return SETTLED


def _link(ctx: Context, referral: Referral, link: Link, known: Entry[Link] | None) -> Linked:
    """Link an opportunity that exists; the pull that follows merges, the referral's values being the other side."""
    found = replace(link, engagement_id=referral.engagement_id, state=State.LIVE, told=(), cause=None, unwritten=True)
    told = (line(ctx.clock.now(), FROM_PARTNER_CENTER, sentence("adopted_opportunity")),)
    if known is None:
        ctx.store.insert_link(found, told)
    else:
        ctx.store.replace_link(known, found, told)
    point(ctx, referral.id, link.opportunity_id)
    ctx.log("referral_adopted", opportunity_id=link.opportunity_id, referral_id=referral.id)
    return Linked(link.opportunity_id)


# --- look up, or make -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What Salesforce has for a referral: opportunities (deleted ones included), accounts and contacts that match."""

    opportunities: Sequence[Json]
    accounts: Sequence[Json]
    contacts: Sequence[Json]

    @property
    def account_id(self) -> str | None:
        """The one account that matches; several or none: a new one is made."""
        return str(self.accounts[0]["Id"]) if len(self.accounts) == 1 else None

    @property
    def contact_id(self) -> str | None:
        """The one contact that matches."""
        return str(self.contacts[0]["Id"]) if len(self.contacts) == 1 else None


def _find_or_make(ctx: Context, referral: Referral, claim: Entry[Pointer], named: str | None) -> Linked | Outcome:
    company = referral.deal.get("account")
    if not isinstance(company, Company):
        ctx.store.delete_pointer(referral.id, claim)
        ctx.log("referral_ignored", referral_id=referral.id, reason="no_account")
        return SETTLED
    key = f"{company.name.casefold()}|{company.country}"
    account_claim = ctx.store.claim_account(key, ctx.policy.lease)
    if account_claim is None:
        ctx.store.delete_pointer(referral.id, claim)
        return BUSY
    try:
        return _under_claims(ctx, referral, claim, named, company)
    finally:
        ctx.store.release_account(key, account_claim)


def _under_claims(
    ctx: Context, referral: Referral, claim: Entry[Pointer], named: str | None, company: Company
) -> Linked | Outcome:
    found = _look_up(ctx, referral, named, company)
    alive = [row for row in found.opportunities if not row.get("IsDeleted")]
    if alive:
        ctx.store.delete_pointer(referral.id, claim)
        return _adopt_row(ctx, referral, str(alive[0]["Id"]), claim.value)
    if found.opportunities:
        ctx.store.delete_pointer(referral.id, claim)
        ctx.log("referral_ignored", referral_id=referral.id, reason="opportunity_deleted")
        return SETTLED
    return _make(ctx, referral, claim, found, company)


def _look_up(ctx: Context, referral: Referral, named: str | None, company: Company) -> Found:
    """One Composite of look-ups."""
    person = _first_contact(referral.deal)
    queries = look_ups(ctx.translation, referral.id, named, company, person.email if person else None)
    with watching(ctx, Side.SALESFORCE):
        answer = ctx.salesforce.query(*queries.values(), deleted=True)
    pages: dict[str, Page] = dict(zip(queries, answer.pages, strict=True))
    contacts = pages["contacts"].rows if "contacts" in pages else ()
    return Found(pages["opportunities"].rows, pages["accounts"].rows, contacts)


def _adopt_row(ctx: Context, referral: Referral, opportunity_id: str, claimed: Pointer) -> Linked | Outcome:
    """An opportunity of this referral exists: link it. If an earlier attempt made it, its values are the base."""
    known = ctx.store.link(opportunity_id)
    if known and known.value.intent is not None:
        return BUSY
    if known and known.value.referral_id not in (None, referral.id):
        ctx.log("referral_ignored", referral_id=referral.id, reason="another_referral_is_linked")
        return SETTLED
    made = (claimed.intent or Intent()).find(EffectKind.CREATE_OPPORTUNITY)
    link = known.value if known else Link(opportunity_id)
    base = made.values if made and not link.base else link.base
    return _link(ctx, referral, replace(link, referral_id=referral.id, base=base), known)


def _make(ctx: Context, referral: Referral, claim: Entry[Pointer], found: Found, company: Company) -> Linked | Outcome:
    """Account, contact, opportunity and contact role in one graph, all or nothing; then the link, then the pointer."""
    effect = Effect(EffectKind.CREATE_OPPORTUNITY, referral.deal, version=referral.etag, decided=ctx.clock.now())
    claim = ctx.store.replace_pointer(referral.id, claim, Pointer(intent=Intent((effect,))))
    told = _told(ctx, referral)
    try:
        nodes = _nodes(ctx, referral, found, company, render(told))
        with watching(ctx, Side.SALESFORCE):
            written = ctx.salesforce.create(nodes, "opportunity", ctx.translation.columns)
    except Conflict:
        return BUSY  # somebody made it this moment: the next look finds it
    if written.row is None:
        return Outcome(Result.DUE, "not_read_back")
    seen = ctx.translation.opportunity(written.row, written.at)
    base = {name: value for name, value in referral.deal.items() if seen.deal.get(name, value) == value}
    link = Link(
        seen.id,
        State.ON_HOLD if referral.status and referral.status.is_unanswered else State.LIVE,
        referral.id,
        referral.engagement_id,
        Deal(base),
        mark=_mark(referral),
    )
    known = with_known_versions(link, Pair(Entry(link, "", claim.age), opportunity=seen, referral=referral),
                                ctx.translation.rules)  # fmt: skip
    ctx.store.insert_link(known, told)
    ctx.store.replace_pointer(referral.id, claim, Pointer(seen.id))
    ctx.log("opportunity_created", opportunity_id=seen.id, referral_id=referral.id)
    return SETTLED


def _mark(referral: Referral) -> Mark:
    return Mark.WAITING if referral.status and referral.status.is_unanswered else Mark.SYNCED


def _told(ctx: Context, referral: Referral) -> tuple[Line, ...]:
    now = ctx.clock.now()
    lines = [line(now, FROM_PARTNER_CENTER, sentence("created_opportunity"))]
    fitting, all_of_them = ctx.translation.cut_solutions(referral.deal)
    if fitting < all_of_them:
        lines.append(line(now, FROM_PARTNER_CENTER, sentence("solutions_cut", fitting=fitting, all=all_of_them)))
    return tuple(lines)


def _nodes(ctx: Context, referral: Referral, found: Found, company: Company, audit: str) -> list[Node]:
    translation, person = ctx.translation, _first_contact(referral.deal)
    nodes: list[Node] = []
    account_id, contact_id = found.account_id, found.contact_id
    if account_id is None:
        nodes.append(Node("account", "Account", translation.account(company)))
        account_id = "@{account.id}"
    if contact_id is None and person is not None:
        nodes.append(Node("contact", "Contact", {**translation.contact(person), "AccountId": account_id}))
        contact_id = "@{contact.id}"
    ours = {**translation.identity(referral.id), **translation.mark(_mark(referral), audit)}
    identifier = translation.file.ours.identifier
    values = {**translation.new_opportunity(referral.deal), **ours, "AccountId": account_id}
    del values[identifier]
    nodes.append(Node("opportunity", "Opportunity", values, (identifier, referral.id)))
    if contact_id is not None:
        role = {"OpportunityId": "@{opportunity.id}", "ContactId": contact_id, "IsPrimary": True}
        nodes.append(Node("role", "OpportunityContactRole", role))
    return nodes


def _first_contact(deal: Deal) -> Person | None:
    people = deal.get("contacts")
    first = people[0] if isinstance(people, tuple) and people else None
    return first if isinstance(first, Person) else None
