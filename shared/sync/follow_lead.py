"""Brings a lead of Partner Center to its Lead in Salesforce, which shows it and is never sent.

the Lead            what happens
none                it is created, by the referral's id as external id
found               it takes over what changed in Partner Center and no person has edited
converted, deleted  nothing: the deal that the lead may become finds the converted opportunity

Source: docs/protocol.md#leads.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from copy import replace
from datetime import timedelta

from msgspec import Struct

from shared.domain.audit import Line
from shared.domain.audit_text import audit_text
from shared.domain.cause import Cause
from shared.domain.deal import Company, Side
from shared.domain.lead_texts import FILL_LEAD
from shared.domain.leads import (
    KnownLead,
    LeadChange,
    LeadValues,
    changed_lead,
    hidden_lines,
    new_lead,
    refused_line,
    refused_mark,
    resembling_line,
)
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection, cause
from shared.foundation.errors import Conflict, CosellError, Rejected
from shared.mapping.lead_columns import DEMANDED, LEAD, facts_of_lead, lead_address, status_text
from shared.mapping.paths import normal_text, parse_time
from shared.mapping.stamps import rests_in
from shared.sync.ports import ALLOW_DUPLICATE, RECONCILED, Context, Json, Node, Outcome, Result, text_literal
from shared.sync.referral_claim import Claim
from shared.sync.retry_queue import pausing_on_failure, retry_once_rested

AUDIT_OF_LEAD = 32_000
"""Characters of the audit field of a lead."""
MOST_REFUSALS = 15
"""A lead has fewer columns than this, so whoever still refuses it then refuses the record."""
_FLAGS = ("IsDeleted", "IsConverted")
_FIXED = ("Id", *_FLAGS, "LastModifiedDate")


class _JustSavedError(Exception):
    """A Lead was saved too lately for the condition of a write; `left` is how long it must rest."""

    def __init__(self, left: timedelta) -> None:
        super().__init__("the record was just saved")
        self.left = left


class FoundLead(Struct, frozen=True):
    """A Lead as it was read. `rests_in` is how long another save may still be committed under its last change."""

    record: Json
    rests_in: timedelta

    @property
    def id(self) -> str:
        """The id of the record."""
        return str(self.record["Id"])

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing is written to it any more."""
        return any(self.record.get(flag) for flag in _FLAGS)

    def held(self, columns: Collection[str]) -> dict[str, str | None]:
        """The values of these columns in normal form. Salesforce spells a column as it was made."""
        values = {name.casefold(): value for name, value in self.record.items()}
        return {column: normal_text(values.get(column.casefold())) for column in columns}


def follow_lead(ctx: Context, referral: Referral, claim: Claim) -> Outcome:
    """Create or change the Lead of a referral, as far as no person has edited it. Raises the client's errors."""
    known, wanted = claim.entry.value.lead, lead_values(ctx, referral)
    if known is None and referral.status is not None and referral.status.is_final:
        claim.delete(ctx)
        ctx.log("referral_ignored", referral_id=referral.id, reason="lead_closed")
        return RECONCILED
    if known is not None and known.holds(wanted):
        claim.keep_lead(ctx, replace(known, etag=referral.etag))
        return RECONCILED
    for _ in range(ctx.policy.tries):
        try:
            with pausing_on_failure(ctx, Side.SALESFORCE):
                _bring_up(ctx, referral, claim, wanted)
        except _JustSavedError as error:
            claim.delete_if_unused(ctx)
            return retry_once_rested(ctx, error.left)
        except Conflict:  # somebody was faster, so the record is read again
            ctx.clock.sleep(timedelta(seconds=1))
        else:
            return RECONCILED
    claim.delete_if_unused(ctx)
    return Outcome(Result.RETRY, "lead_kept_changing")


def tell_left_lead(ctx: Context, referral: Referral, claim: Claim, opportunity_id: str) -> None:
    """Say on a Lead that nobody converted which opportunity its deal is. A failure stops nothing: the deal says it too.

    Source: docs/protocol.md#leads.
    """
    lead = claim.entry.value.lead
    if lead is None:
        return
    with suppress(CosellError):
        found, _ = find_lead(ctx, referral.id, LeadValues({}, lead.status))
        if found is not None and not found.is_left_alone:
            values = {"address": ctx.salesforce.page_address(opportunity_id)}
            line = Line(ctx.clock.now(), "lead_became", LineDirection.NOTE, Side.SALESFORCE, values=values)
            _LeadWriter(ctx, referral, lead, found, {}).send({}, (line,))
            claim.keep_lead(ctx, lead, (line,))


def lead_values(ctx: Context, referral: Referral) -> LeadValues:
    """What the Lead of a referral is to hold."""
    customer, company = ctx.translation.customer, referral.deal.get("account")
    known = company if isinstance(company, Company) else None
    address = lead_address(customer.account_values(known)) if known else {}
    facts = facts_of_lead(referral.raw or {})
    return ctx.translation.file.lead.values(facts, known, address, status_text(referral.status))


def _bring_up(ctx: Context, referral: Referral, claim: Claim, wanted: LeadValues) -> None:
    """Create or change the record, and note it. Raises Conflict if somebody was faster."""
    found, seen = find_lead(ctx, referral.id, wanted)
    known, outcome = claim.entry.value.lead, "left_alone"
    lead, lines = known or KnownLead(found.id if found else "", ""), tuple[Line, ...]()
    hidden = {column: value for column, value in wanted.values.items() if column not in seen.values}
    if found is not None and not found.is_left_alone:
        outcome, (lead, lines) = "changed", _LeadWriter(ctx, referral, known, found, hidden).write(seen)
    elif found is None and known is None:
        outcome, (lead, lines) = "created", _LeadWriter(ctx, referral, None, None, hidden).write(seen)
    claim.keep_lead(ctx, replace(lead, etag=referral.etag, status=wanted.status), lines)
    ids = {"correlation_id": ctx.correlation_id, "referral_id": referral.id}
    ctx.log("lead_followed", **ids, lead_id=lead.record_id, outcome=outcome)


def find_lead(ctx: Context, referral_id: str, wanted: LeadValues) -> tuple[FoundLead | None, LeadValues]:
    """The Lead of a referral, deleted ones included, and what it is to hold without columns that are hidden.

    Raises Rejected where the org has no Leads for us, or no column by which one is found.
    """
    identifier = ctx.translation.file.lead.identifier
    for _ in range(MOST_REFUSALS):
        columns = ", ".join(dict.fromkeys((*_FIXED, *wanted.values)))
        soql = f"SELECT {columns} FROM {LEAD} WHERE {identifier} = {text_literal(referral_id)} LIMIT 2"  # noqa: S608 - columns from the checked mapping file
        try:
            answer = ctx.salesforce.query(soql, deleted=True)
        except Rejected as error:
            wanted = _without_hidden(wanted, error, identifier)
            continue
        records = sorted(answer.pages[0].records, key=lambda record: bool(record.get("IsDeleted")))
        if not records:
            return None, wanted
        changed = parse_time(records[0]["LastModifiedDate"])
        return FoundLead(records[0], rests_in(changed, answer.at)), wanted
    raise Rejected(_no_leads(identifier))


def _without_hidden(wanted: LeadValues, error: Rejected, identifier: str) -> LeadValues:
    """The values without a column that Salesforce does not know. Raises Rejected if no Lead can be made without it."""
    column = _named_column(wanted.values, error.cause)
    if column is not None and column not in DEMANDED:
        return wanted.without(column)
    named = error.cause.field or ""
    if error.cause.code == "INVALID_TYPE" or named.casefold() == identifier.casefold():
        raise Rejected(_no_leads(identifier)) from None
    raise error


def _no_leads(identifier: str) -> Cause:
    return cause("no_lead_column", identifier, value=identifier)


def _named_column(columns: Collection[str], refusal: Cause) -> str | None:
    """The column that a refusal names. Salesforce may name the column of a text where its code was written."""
    named = (refusal.field or "").casefold()
    return next((column for column in columns if column.casefold() in (named, f"{named}code")), None)


def _with_default_named(error: Rejected) -> Rejected:
    """The refusal of a Lead that lacks a column which the org demands, with the way to fill it."""
    refusal = error.cause
    if refusal.code != "REQUIRED_FIELD_MISSING":
        return error
    return Rejected(replace(refusal, remedy=FILL_LEAD.format(field=refusal.field or "the field")), error.step)


# --- writing


class _LeadWriter:
    """Writes one Lead, without what Salesforce refuses of it. `hidden` are the values for which it shows no column."""

    def __init__(
        self,
        ctx: Context,
        referral: Referral,
        known: KnownLead | None,
        found: FoundLead | None,
        hidden: Mapping[str, str | None],
    ) -> None:
        self._ctx, self._referral, self._known, self._found = ctx, referral, known, found
        self._is_duplicate = False
        self._untaken = dict(hidden)
        self._refused: list[Line] = []
        self._left_out: set[str] = set()

    def write(self, wanted: LeadValues) -> tuple[KnownLead, tuple[Line, ...]]:
        """Write what the record takes over; returns what is known of it then, and the audit lines."""
        now = self._ctx.clock.now()
        hidden = hidden_lines(self._known, self._untaken, wanted, now)
        for _ in range(MOST_REFUSALS):
            change = self._change(wanted)
            lines = (*change.lines, *hidden, *self._refused)
            try:
                record_id = self.send(change.values, lines)
            except Rejected as error:
                wanted = self._without_refused(wanted, error)
            else:
                untaken = {column: refused_mark(value) for column, value in self._untaken.items()}
                unknown = self._known.unknown if self._known else {}
                return KnownLead(record_id, "", "", {**change.written, **untaken}, unknown), lines
        raise Conflict("a Lead was refused for each of its columns")

    def _change(self, wanted: LeadValues) -> LeadChange:
        now = self._ctx.clock.now()
        if self._found is None:
            return new_lead(wanted, now)
        return changed_lead(self._known, self._found.held(wanted.values), wanted, now)

    def send(self, values: Mapping[str, str | None], lines: tuple[Line, ...]) -> str:
        """Write values and the connector's own columns; returns the record's id. Raises the client's errors."""
        table, found = self._ctx.translation.file.lead, self._found
        if found is not None and not (values or lines):
            return found.id
        stored = self._ctx.store.audit_of_lead(self._referral.id)
        address = self._ctx.translation.constants.referral_link.format(id=self._referral.id)
        own = {table.link: address, table.audit: audit_text((*lines, *stored), AUDIT_OF_LEAD)}
        shown = {column: text for column, text in own.items() if column and column not in self._left_out}
        whole = {**values, **shown}
        if found is None:
            headers = ALLOW_DUPLICATE if self._is_duplicate else None
            node = Node("lead", LEAD, {**table.defaults, **whole}, (table.identifier, self._referral.id), headers)
            return self._ctx.salesforce.create([node], "lead", ("Id",)).id
        if values and found.rests_in:
            raise _JustSavedError(found.rests_in)
        self._ctx.salesforce.update_one(LEAD, found.id, whole, parse_time(found.record["LastModifiedDate"]))
        return found.id

    def _without_refused(self, wanted: LeadValues, error: Rejected) -> LeadValues:
        """What to write after a refusal. Raises Rejected if no Lead can be made without it."""
        refusal, now, table = error.cause, self._ctx.clock.now(), self._ctx.translation.file.lead
        if refusal.code == "DUPLICATES_DETECTED" and not self._is_duplicate:
            self._is_duplicate = True
            self._refused.append(resembling_line(refusal.matches, now))
            return wanted
        if own := _named_column({table.link, table.audit} - self._left_out, refusal):
            self._left_out.add(own)
            return wanted
        column = _named_column(wanted.values, refusal)
        if column is None or column in DEMANDED:
            raise _with_default_named(error)
        self._refused.append(refused_line(column, refusal, wanted, now))
        self._untaken[column] = wanted.values[column]
        return wanted.without(column)
