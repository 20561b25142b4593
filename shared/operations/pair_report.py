"""Reports one deal: what the store has of it, beside what both sides show now.

It costs one call of Salesforce and one of Partner Center, one more where a record beside the deal keeps it held, and
writes nothing.

Source: docs/reference/commands.md#cosell-status.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime

from msgspec import Struct, field

from shared.app import App
from shared.domain.answering import answer_for
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.compared import POLLED, is_young, without_old_lease
from shared.domain.deal import STATUS, Status
from shared.domain.known_versions import LOOKED_AT
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.records import Opportunity, Referral
from shared.domain.scope import split_reference
from shared.foundation.errors import ConfigurationError, CosellError, NotFound
from shared.mapping.inbox_record import KEY as INBOX_KEY
from shared.mapping.inbox_record import OBJECT as INBOX
from shared.operations.find_pair import FoundPair, find_deal, read_id
from shared.operations.held_by import with_accounts, with_parent
from shared.operations.pair_fields import FieldReport, field_reports, left_out_of_compare
from shared.operations.queue_texts import APPROVAL, CLOSES, is_approved, is_late, reason_of_entry
from shared.operations.refused_columns import column_cause
from shared.operations.remedy_choices import how_to_answer, with_choices
from shared.store.stored_values import RetryEntry
from shared.sync.ports import Context


class PairReport(Struct, frozen=True):
    """Everything that `cosell status ID` prints: what the store has, and `problems` that say what cannot be read.

    `columns` are those of ours that Salesforce refuses, and `columns_cause` why; an earlier build stored no reason.
    `compare_says` is why `cosell compare` would not list now what differs.
    `queue_reason` is why it is in the retry queue, without a full stop, and `taken_next` has the labels of the fields
    whose new values in Salesforce the next push takes.
    `is_late` says that it is tried again for longer than usual, and `is_of_other_party` that the id is that of a record
    of Microsoft or another partner.
    """

    opportunity_id: str | None
    referral_id: str | None
    state: str | None
    mark: str | None
    cause: Cause | None
    versions: Mapping[str, str | None]
    fields: Sequence[FieldReport]
    intent: Sequence[str]
    retry_entry: RetryEntry | None
    in_inbox: bool
    audit: Sequence[str]
    problems: Sequence[str] = ()
    parties: Sequence[str] = field(default_factory=tuple)
    answer_by: datetime | None = None
    columns: Sequence[str] = ()
    is_late: bool = False
    is_of_other_party: bool = False
    name: str = ""
    how_to_answer: str = ""
    columns_cause: Cause | None = None
    compare_says: str = ""
    queue_reason: str = ""
    taken_next: Sequence[str] = ()

    @property
    def needs_approval(self) -> bool:
        """Whether it waits for `cosell approve`, and nobody has approved it yet."""
        entry = self.retry_entry
        return entry is not None and entry.cause in APPROVAL and not is_approved(entry)

    @property
    def is_well(self) -> bool:
        """Whether nothing is left for a person to do."""
        return not (self.is_retried or self.problems or self.needs_approval)

    @property
    def is_retried(self) -> bool:
        """Whether something failed that a retry does again, once a person has removed its cause."""
        return bool(self.cause or self.columns or self.in_inbox or self.is_late)


def pair_report(app: App, text: str) -> PairReport:
    """Read what the store and both sides have of a deal.

    Raises ConfigurationError for an unknown id, and what the sign-ins raise. A record that a side does not show is a
    problem in the report.
    """
    ctx = _context(app)
    try:
        found = find_deal(app.store, text)
    except ConfigurationError as error:
        raise _explained(ctx, text, error) from None
    problems: list[str] = []
    opportunity = _opportunity(ctx, found.opportunity_id, problems)
    referral = _referral(ctx, found.referral_id or (opportunity.referral_id if opportunity else None), problems)
    link = without_old_lease(found.link.value, found.link.age) if found.link else None
    fields = field_reports(ctx, link, opportunity, referral)
    taken = _taken_next(ctx, found, opportunity, fields)
    in_inbox = bool((link and link.inbox) or (found.pointer and found.pointer.value.inbox))
    return PairReport(
        found.opportunity_id,
        found.referral_id,
        str(link.state) if link else None,
        str(link.mark) if link and link.mark else None,
        _cause(ctx, found, referral, problems) if in_inbox else _own_cause(ctx, link),
        _versions(link, opportunity, referral),
        fields,
        _intent(found),
        found.retry_entry,
        in_inbox,
        [_line_text(line) for line in _audit(app, found)],
        problems,
        _parties(link),
        link.answer_by.until if link and link.answer_by else None,
        link.unshown.columns if link and link.unshown else (),
        found.retry_entry is not None and is_late(found.retry_entry, app.clock.now(), ctx.policy.run_time),
        found.is_of_other_party,
        _name(link, opportunity, referral),
        how_to_answer(ctx.translation) if link and _must_be_answered(ctx, link, opportunity, taken) else "",
        column_cause(link.unshown if link else None),
        _left_out(ctx, link, opportunity, referral) if any(one.differs for one in fields) else "",
        reason_of_entry(found.retry_entry, link) if found.retry_entry else "",
        [one.label for one in taken],
    )


def _must_be_answered(ctx: Context, link: Link, opportunity: Opportunity | None, taken: Sequence[FieldReport]) -> bool:
    """Whether the owner still has to answer the deal: no answer waits for its time, and the next push finds none."""
    if link.answer_by is None or link.state is not State.ON_HOLD:
        return False
    if (known := link.waiting.get(STATUS)) is not None and known.code in CLOSES:
        return False
    wanted = opportunity.deal.get(STATUS) if opportunity and any(one.field == STATUS for one in taken) else None
    if opportunity is None or not isinstance(wanted, Status):
        return True
    agreed, answers = link.base.get(STATUS), ctx.translation.rules.answers
    current = agreed if isinstance(agreed, Status) else None
    return answer_for(current, wanted, opportunity, answers).cause is not None


def _taken_next(
    ctx: Context, found: FoundPair, opportunity: Opportunity | None, fields: Sequence[FieldReport]
) -> Sequence[FieldReport]:
    """The fields that differ because of a save that the next push finds: no look has taken it, and no wait stops it."""
    link, now, entry = found.link, ctx.clock.now(), found.retry_entry
    if link is None or opportunity is None or (entry is not None and entry.must_wait(now)):
        return []
    is_found = is_young(opportunity, now) and opportunity.seen.get(POLLED) != link.value.stamps.get(POLLED)
    return [one for one in fields if is_found and one.differs and one.salesforce != one.base]


def _left_out(ctx: Context, link: Link | None, opportunity: Opportunity | None, referral: Referral | None) -> str:
    """Why `cosell compare` would not list a field that differs."""
    if link is None or opportunity is None or referral is None:
        return ""
    return left_out_of_compare(ctx, link, opportunity, referral, ctx.clock.now())


def _name(link: Link | None, opportunity: Opportunity | None, referral: Referral | None) -> str:
    """The name of the deal, from whichever place has one."""
    deals = (opportunity and opportunity.deal, link and link.base, referral and referral.deal)
    return next((str(name) for deal in deals if deal and (name := deal.get("name"))), "")


def _own_cause(ctx: Context, link: Link | None) -> Cause | None:
    if link is None or link.cause is None:
        return None
    cause = replace(link.cause, remedy=with_choices(ctx.translation, link.cause.code, link.cause.remedy))
    return with_parent(ctx, cause, link.opportunity_id) if link.state is not State.PARKED else cause


def _cause(ctx: Context, found: FoundPair, referral: Referral | None, problems: list[str]) -> Cause | None:
    """Why a deal is in the inbox, with the accounts that its customer may be."""
    cause = _cause_of_inbox(ctx, found.key, problems)
    return with_accounts(ctx, cause, referral.deal) if cause and referral else cause


def _context(app: App) -> Context:
    """The context that knows the org's shape from the store, so that the org is not asked again."""
    known, ctx = app.store.org_shape(), app.local
    return replace(ctx, translation=ctx.translation.for_org(known[0])) if known else app.context


def _explained(ctx: Context, text: str, error: ConfigurationError) -> ConfigurationError:
    """Say of a referral that the store does not know which environment it belongs to, if its reference tells."""
    side, key = read_id(text)
    try:
        referral = ctx.translation.referral(ctx.partner_center.get(key)) if str(side) == "partner_center" else None
    except CosellError:
        return error
    tag, bare = split_reference(referral.external_reference if referral else None)
    if referral is None or tag == ctx.scope.tag or not bare:
        return error
    environment = (tag or "production").lower()
    return ConfigurationError(f"ID: the referral {key} belongs to the environment {environment}: give --env for it")


def _opportunity(ctx: Context, key: str | None, problems: list[str]) -> Opportunity | None:
    if key is None:
        return None
    answer = ctx.salesforce.opportunities([key], *ctx.translation.read_items)
    records = [record for page in answer.pages for record in page.records]
    read = ctx.translation.opportunities(records, answer.at).get(key)
    if isinstance(read, Opportunity):
        return read
    problems.append(f"Salesforce: {read}" if read else f"Salesforce does not show the opportunity {key}")
    return None


def _referral(ctx: Context, key: str | None, problems: list[str]) -> Referral | None:
    if not key:
        return None
    try:
        return ctx.translation.referral(ctx.partner_center.get(key))
    except NotFound:
        problems.append(f"Partner Center does not show the referral {key}")
    return None


def _cause_of_inbox(ctx: Context, key: str, problems: list[str]) -> Cause | None:
    """Why no deal can be made, as the record of the inbox says it: the store keeps a fingerprint only."""
    columns = "Code__c, Refused_Field__c, Cause__c, Remedy__c"
    answer = ctx.salesforce.query(f"SELECT {columns} FROM {INBOX} WHERE {INBOX_KEY} = '{key}' LIMIT 1")  # noqa: S608 - the key is an id
    for record in (record for page in answer.pages for record in page.records):
        code, reason, remedy = (str(record.get(name) or "") for name in ("Code__c", "Cause__c", "Remedy__c"))
        return Cause(code, record.get("Refused_Field__c"), reason, remedy)
    problems.append("Salesforce does not show the record of the Co-sell Inbox")
    return None


def _versions(link: Link | None, opportunity: Opportunity | None, referral: Referral | None) -> dict[str, str | None]:
    """The versions that the store knows, beside those of now."""
    known = {query: stamp for query, stamp in (link.stamps if link else {}).items() if query != LOOKED_AT}
    return {
        "known_referral": link.etag if link else None,
        "referral": referral.etag if referral else None,
        "known_opportunity": ", ".join(f"{query} {stamp}" for query, stamp in known.items()) if link else None,
        "opportunity": opportunity.modified.isoformat() if opportunity else None,
        "mapping": link.mapping if link else None,
    }


def _intent(found: FoundPair) -> list[str]:
    """The writes that were begun and are not confirmed."""
    link, pointer = found.link, found.pointer
    intent = (link.value.intent if link else None) or (pointer.value.intent if pointer else None)
    return [str(effect.kind) for effect in intent.effects] or ["reading"] if intent else []


def _audit(app: App, found: FoundPair) -> Sequence[Line]:
    return app.store.audit(found.opportunity_id) if found.opportunity_id else app.store.audit_of_lead(found.key)


def _line_text(line: Line) -> str:
    return f"{line.at:%Y-%m-%d %H:%M:%S} UTC - {line.text}"


def _parties(link: Link | None) -> list[str]:
    """The records of other parties in the deal that were heard of."""
    if link is None:
        return []
    microsoft = ["Microsoft"] if link.microsoft else []
    return [*microsoft, *link.partners]
