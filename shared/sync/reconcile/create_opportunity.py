"""A referral without a link: find the opportunity it belongs to, or make one (protocol.md section 6).

R| row              what happens
pointer             the pair is pulled
none                claimed, then looked up: external reference, our records, Salesforce; found: adopted; else made
live claim          due: somebody is at it, and nothing is read
old claim           taken over; Salesforce is looked into before anything is made
"""

from collections.abc import Sequence
from contextlib import suppress
from copy import replace
from datetime import timedelta

from msgspec import Struct

from shared.domain.deal import Company, Deal, Person, Side
from shared.domain.link import Effect, EffectKind, Intent, Link, Pointer
from shared.domain.plan import Change, full_texts
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import sentence
from shared.domain.states import Mark, State
from shared.foundation.errors import Ambiguous, Conflict, CosellError, NotFound, Rejected, StoreConflict, StoreError
from shared.sync.change_detection.poll_query import look_ups
from shared.sync.context import Context
from shared.sync.ports import Entry, Json, Line, Node, Page, Written
from shared.sync.reconcile.audit_lines import FROM_PARTNER_CENTER, line, render
from shared.sync.reconcile.pair import BUSY, SETTLED, Outcome, Pair, Result, with_known_versions
from shared.sync.reconcile.write_referral import compared, ignored_lines, with_ignored
from shared.sync.retry.error_policy import watching


class Linked(Struct, frozen=True):
    """The referral has a link: pull that pair."""

    opportunity_id: str


class Claim(Struct):
    """The lock of a referral that has no link yet, as last written: nobody else's is ever let go."""

    referral_id: str
    entry: Entry[Pointer]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come of it yet."""
        return self.begun is None and self.entry.value.opportunity_id is None

    @property
    def begun(self) -> Effect | None:
        """What somebody set out to make, and may have made."""
        return _begun(self.entry.value)

    def fill(self, ctx: Context, effect: Effect) -> None:
        """Write down what is about to be made, which renews the lease. Raises StoreConflict: the lease was lost."""
        self.entry = ctx.store.replace_pointer(self.referral_id, self.entry, Pointer(intent=Intent((effect,))))

    def turn(self, ctx: Context, opportunity_id: str) -> None:
        """Make the claim a pointer to the link."""
        self.entry = ctx.store.replace_pointer(self.referral_id, self.entry, Pointer(opportunity_id))

    def drop(self, ctx: Context) -> None:
        """Let go, so that the next try need not wait for the lease."""
        ctx.store.delete_pointer(self.referral_id, self.entry)


def receive(ctx: Context, referral_id: str) -> Linked | Outcome:
    """Bring one referral to its link, making opportunity and link where there are none. Raises the client's errors."""
    claim = _claim(ctx, referral_id)
    if not isinstance(claim, Claim):
        return claim
    try:
        return _received(ctx, claim)
    except StoreConflict:
        _let_go(ctx, claim)
        return BUSY
    except Exception:
        _let_go(ctx, claim)
        raise


def _let_go(ctx: Context, claim: Claim) -> None:
    """Drop a claim after a failure, if nothing can have been made; else it says what, and ends with its lease."""
    if claim.is_empty:
        with suppress(StoreError):
            claim.drop(ctx)


def _claim(ctx: Context, referral_id: str) -> Linked | Outcome | Claim:
    try:
        entry = ctx.store.pointer(referral_id)
        if entry is None:
            return Claim(referral_id, ctx.store.insert_pointer(referral_id, Pointer(intent=Intent())))
        if entry.value.opportunity_id:
            return Linked(entry.value.opportunity_id)
        if entry.age < ctx.policy.lease:
            return BUSY
        return Claim(referral_id, ctx.store.replace_pointer(referral_id, entry, entry.value))
    except StoreConflict:
        return BUSY


def _received(ctx: Context, claim: Claim) -> Linked | Outcome:
    try:
        with watching(ctx, Side.PARTNER_CENTER):
            referral = ctx.translation.referral(ctx.partner_center.get(claim.referral_id))
    except NotFound:
        claim.drop(ctx)
        ctx.log("referral_missing", referral_id=claim.referral_id)
        return SETTLED
    named = ctx.scope.opportunity_of(referral.external_reference)
    known = ctx.store.link(named) if named else None
    if known is not None and not ctx.scope.excludes(referral.organization_id, referral.external_reference):
        return _to_link(ctx, referral, claim, known)
    reason = ctx.scope.excludes_unlinked(referral)
    return _ignored(ctx, claim, reason) if reason else _find_or_make(ctx, referral, claim, named)


def _ignored(ctx: Context, claim: Claim, reason: str) -> Outcome:
    claim.drop(ctx)
    ctx.log("referral_ignored", referral_id=claim.referral_id, reason=reason)
    return SETTLED


def _to_link(ctx: Context, referral: Referral, claim: Claim, known: Entry[Link]) -> Linked | Outcome:
    """There is a row for the opportunity that this referral names, or that names this referral."""
    link = known.value
    if link.referral_id == referral.id:
        claim.turn(ctx, link.opportunity_id)  # our own push made it, or an earlier attempt came as far as the link
        return Linked(link.opportunity_id)
    if link.referral_id is not None:
        return _ignored(ctx, claim, "another_referral_is_linked")
    if link.intent is None:
        return _link(ctx, referral, claim, known)
    if claim.begun is None:
        claim.drop(ctx)  # somebody is at the pair: an event that overtook the reply of our own create
    return BUSY


def _link(ctx: Context, referral: Referral, claim: Claim, known: Entry[Link] | None, named: str = "") -> Linked:
    """Link an opportunity that exists; the pull that follows merges, the referral's values being the other side."""
    link, told = adoption(ctx, known.value if known else Link(named), referral, claim.entry.value)
    if known is None:
        ctx.store.insert_link(link, told)
    else:
        ctx.store.replace_link(known, link, told)
    claim.turn(ctx, link.opportunity_id)
    ctx.log("referral_adopted", opportunity_id=link.opportunity_id, referral_id=referral.id)
    return Linked(link.opportunity_id)


def adoption(ctx: Context, link: Link, referral: Referral, claim: Pointer | None) -> tuple[Link, tuple[Line, ...]]:
    """The link of an opportunity that exists with its referral, and what to tell.

    If somebody set out to make the opportunity for this referral, it is what he made: its values are the base, so that
    an edit made since survives.
    """
    begun = _begun(claim)
    base = begun.values if begun and not link.base else link.base
    found = replace(link, referral_id=referral.id, engagement_id=referral.engagement_id, base=base, state=State.LIVE)
    told = (line(ctx.clock.now(), FROM_PARTNER_CENTER, sentence("adopted_opportunity")),)
    return replace(found, told=(), cause=None, unwritten=True), _told(ctx, referral) if begun else told


def _begun(pointer: Pointer | None) -> Effect | None:
    intent = pointer.intent if pointer else None
    return intent.find(EffectKind.CREATE_OPPORTUNITY) if intent else None


# --- look up, or make -------------------------------------------------------------------------------------------------


class Found(Struct, frozen=True):
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


def _find_or_make(ctx: Context, referral: Referral, claim: Claim, named: str | None) -> Linked | Outcome:
    company = referral.deal.get("account")
    if not isinstance(company, Company):
        _let_go(ctx, claim)
        return _refused(ctx, referral, "no_account", "account")
    key = f"{company.name.casefold()}|{company.country}"
    account_claim = ctx.store.claim_account(key, ctx.policy.lease)
    if account_claim is None:
        _let_go(ctx, claim)
        return BUSY
    try:
        return _under_claims(ctx, referral, claim, named, company)
    finally:
        with suppress(StoreError):  # it ends with its lease
            ctx.store.release_account(key, account_claim)


def _under_claims(
    ctx: Context, referral: Referral, claim: Claim, named: str | None, company: Company
) -> Linked | Outcome:
    found = _look_up(ctx, referral, named, company)
    alive = [str(row["Id"]) for row in found.opportunities if not row.get("IsDeleted")]
    if alive:
        known = ctx.store.link(alive[0])
        return _to_link(ctx, referral, claim, known) if known else _link(ctx, referral, claim, None, alive[0])
    if found.opportunities:
        return _ignored(ctx, claim, "opportunity_deleted")
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


def _make(ctx: Context, referral: Referral, claim: Claim, found: Found, company: Company) -> Linked | Outcome:
    """Account, contact, opportunity and contact role in one graph, all or nothing; then the link, then the pointer."""
    effect = Effect(EffectKind.CREATE_OPPORTUNITY, referral.deal, version=referral.etag, decided=ctx.clock.now())
    claim.fill(ctx, effect)
    told = _told(ctx, referral)
    try:
        written = _written(ctx, claim, _nodes(ctx, referral, found, company, render(told)))
    except Conflict:
        return BUSY  # somebody made it this moment: the next look finds it
    except Rejected as error:
        return _refused(ctx, referral, error.cause.code, error.cause.field)
    if written.row is None:
        return Outcome(Result.DUE, "not_read_back")
    seen = ctx.translation.opportunity(written.row, written.at)
    ignored = _ignored_values(ctx, referral, seen)
    ctx.store.insert_link(_new_link(ctx, referral, seen, ignored), (*told, *ignored_lines(ctx.clock.now(), ignored)))
    claim.turn(ctx, seen.id)
    ctx.log("opportunity_created", opportunity_id=seen.id, referral_id=referral.id)
    return Linked(seen.id) if ignored else SETTLED


def _refused(ctx: Context, referral: Referral, code: str, field: str | None) -> Outcome:
    """There is no opportunity yet to park it on: the log says what is wrong, and the hourly look sees it mended."""
    ctx.log("pair_parked", opportunity_id=None, referral_id=referral.id, code=code, field=field)
    return Outcome(Result.DUE, "refused", ctx.clock.now() + ctx.policy.held_interval)


def _ignored_values(ctx: Context, referral: Referral, seen: Opportunity) -> tuple[Change, ...]:
    """Values of the graph that Salesforce left empty, without an error (protocol.md section 3)."""
    changes = (
        Change(rule.field, rule.label, None, referral.deal[rule.field])
        for rule in ctx.translation.rules.updatable
        if rule.on_create and rule.direction.owns(Side.PARTNER_CENTER) and rule.field in referral.deal
    )
    return compared(tuple(changes), seen.deal)[1]


def _new_link(ctx: Context, referral: Referral, seen: Opportunity, ignored: tuple[Change, ...]) -> Link:
    """The base is what was sent: another value in the row is an edit on top of it, and none at all is refused."""
    link = Link(
        seen.id,
        State.ON_HOLD if referral.status and referral.status.is_unanswered else State.LIVE,
        referral.id,
        referral.engagement_id,
        referral.deal.with_({change.field: None for change in ignored}),
        mark=_mark(referral),
        told=tuple(_full_texts(ctx, referral)),
        unwritten=bool(ignored),
    )
    link = with_ignored(link, ignored, Side.SALESFORCE, ctx.clock.now())
    pair = Pair(Entry(link, "", timedelta()), opportunity=seen, referral=referral)
    return with_known_versions(link, pair, ctx.translation.rules)


def _written(ctx: Context, claim: Claim, nodes: Sequence[Node]) -> Written:
    """Send the graph; where it is sure that nothing was made, the next try need not look for it."""
    try:
        with watching(ctx, Side.SALESFORCE):
            return ctx.salesforce.create(nodes, "opportunity", ctx.translation.columns)
    except (Ambiguous, Conflict):
        raise
    except CosellError:
        with suppress(StoreError):
            claim.drop(ctx)
        raise


def _mark(referral: Referral) -> Mark:
    return Mark.WAITING if referral.status and referral.status.is_unanswered else Mark.SYNCED


def _told(ctx: Context, referral: Referral) -> tuple[Line, ...]:
    now = ctx.clock.now()
    lines = [line(now, FROM_PARTNER_CENTER, sentence("created_opportunity"))]
    fitting, all_of_them = ctx.translation.cut_solutions(referral.deal)
    if fitting < all_of_them:
        lines.append(line(now, FROM_PARTNER_CENTER, sentence("solutions_cut", fitting=fitting, all=all_of_them)))
    lines += [line(now, FROM_PARTNER_CENTER, text) for text in _full_texts(ctx, referral).values()]
    unreadable = (rule.label for rule in ctx.translation.rules.updatable if rule.field in referral.problems)
    lines += [line(now, FROM_PARTNER_CENTER, sentence("unreadable", label=label)) for label in unreadable]
    return tuple(lines)


def _full_texts(ctx: Context, referral: Referral) -> dict[str, str]:
    return full_texts(referral.deal, ctx.translation.rules)


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
