"""Reads the referrals and opportunities that no link has, for a first load by match and link.

call                                  costs
the list of all referrals, whole      its pages
the opportunities, by one query       its pages of up to 2,000
the links                             one scan of the store

Nothing is written. Source: docs/protocol.md#a-first-load.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import replace
from itertools import chain
from typing import Protocol

from msgspec import Struct

from shared.domain.deal import STATUS, Deal, Side, display_text
from shared.domain.pair_match import SAME_ID, SAME_REFERENCE, Half, half_of
from shared.domain.records import Referral
from shared.foundation.errors import ConfigurationError, Unavailable
from shared.mapping.field_base import FieldBase
from shared.mapping.read_values import read_values
from shared.operations.soql_option import typed_condition
from shared.sync.ports import Context, Json
from shared.sync.retry_queue import pausing_on_failure

COMPARED = ("name", "account", "money", "closing", "solutions", STATUS)
"""The fields of the mapping file that are read of an opportunity."""
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""A referral id within a column of any kind: bare, in braces, or at the end of an address."""
_COLUMN = re.compile(r"[A-Za-z]\w*")


class WholeList(Protocol):
    """The part of the client of Partner Center that lists whole referrals."""

    def whole_referrals(self) -> Iterator[Sequence[Json]]:
        """Pages of all referrals, whole, the last created first."""


class FoundReferral(Struct, frozen=True):
    """A referral of ours that may be linked."""

    half: Half
    read: Referral

    @property
    def deal(self) -> Deal:
        """Its values."""
        return self.read.deal

    @property
    def engagement_id(self) -> str | None:
        """Its engagement."""
        return self.read.engagement_id


class FoundOpportunity(Struct, frozen=True):
    """An opportunity that may be linked; `is_ticked` says whether *Sync with Partner Center* is ticked."""

    half: Half
    deal: Deal
    is_ticked: bool


class Unlinked(Struct, frozen=True):
    """What was read of both sides, by id. `linked` has the opportunity of each linked referral.

    `left_out` counts the referrals that are never linked: of other environments or organisations, or leads.
    """

    referrals: Mapping[str, FoundReferral]
    opportunities: Mapping[str, FoundOpportunity]
    linked: Mapping[str, str]
    left_out: int


def read_unlinked(
    ctx: Context,
    partner_center: WholeList,
    column: str | None = None,
    condition: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Unlinked:
    """Read both sides. `column` is one of the opportunity that holds referral ids; `condition` is a SOQL condition.

    Raises ConfigurationError for a column or condition that can be none, and the errors of both sides and of the store.
    """
    linked = {
        link.referral_id.lower(): link.opportunity_id
        for entry in ctx.store.links()
        if (link := entry.value).referral_id is not None
    }
    taken, opportunities = frozenset(linked.values()), dict[str, FoundOpportunity]()
    for one in _opportunities(ctx, column, condition):
        if one.half.id not in taken:
            opportunities[one.half.id] = one
            progress(len(opportunities))
    referrals, left_out = dict[str, FoundReferral](), 0
    for record in _records(ctx, partner_center):
        found = _found_referral(ctx, record)
        left_out += found is None
        if found is not None and found.half.id not in linked:
            referrals[found.half.id] = found
            progress(len(opportunities) + len(referrals))
    return Unlinked(referrals, opportunities, linked, left_out)


def _records(ctx: Context, partner_center: WholeList) -> Iterator[Json]:
    with pausing_on_failure(ctx, Side.PARTNER_CENTER):
        yield from chain.from_iterable(partner_center.whole_referrals())


def _found_referral(ctx: Context, record: Json) -> FoundReferral | None:
    """What is compared of a referral; None for one that this environment never links."""
    try:
        referral = ctx.translation.referral(record)
    except Unavailable:
        return None
    if not _may_be_linked(ctx, referral):
        return None
    named = ctx.scope.opportunity_named_by(referral.external_reference)
    half = half_of(referral.id.lower(), referral.deal, {named: SAME_REFERENCE} if named else {})
    return FoundReferral(half, replace(referral, raw=None))


def _may_be_linked(ctx: Context, referral: Referral) -> bool:
    is_foreign = ctx.scope.exclusion_reason(referral.organization_id, referral.external_reference) is not None
    return not (is_foreign or referral.is_lead or referral.is_target_microsoft)


# --- opportunities


def _opportunities(ctx: Context, column: str | None, condition: str | None) -> Iterator[FoundOpportunity]:
    if column is not None and not _COLUMN.fullmatch(column):
        raise ConfigurationError(f"{column!r} is no name of a column of Opportunity, such as Referral_ID__c")
    fields = _compared_fields(ctx)
    own = (ctx.translation.file.ours.flag, ctx.translation.file.ours.identifier, *([column] if column else ()))
    items = dict.fromkeys(("Id", *own, *(item for each in fields.values() for item in each.select_items())))
    where = f" WHERE {condition}" if condition else ""
    with typed_condition(condition), pausing_on_failure(ctx, Side.SALESFORCE):
        page = ctx.salesforce.query(f"SELECT {', '.join(items)} FROM Opportunity{where}").pages[0]  # noqa: S608 - the operator's own condition
        yield from (_found_opportunity(ctx, record, fields, own[1:]) for record in page.records)
        while page.next:
            page = ctx.salesforce.more(page.next).pages[0]
            yield from (_found_opportunity(ctx, record, fields, own[1:]) for record in page.records)


def _compared_fields(ctx: Context) -> dict[str, FieldBase]:
    """The fields that columns of the opportunity and its parents hold: rows of a related list are not compared."""
    known, read = ctx.translation.fields, frozenset(ctx.translation.selects)
    listed = {name: known[name] for name in COMPARED if name in known and known[name].related_list is None}
    return {name: field for name, field in listed.items() if read.issuperset(field.select_items())}


def _found_opportunity(
    ctx: Context, record: Json, fields: Mapping[str, FieldBase], columns: Sequence[str]
) -> FoundOpportunity:
    deal = read_values(lambda field: field.read_record(record), fields).deal
    texts = (str(record.get(column) or "") for column in columns)
    ids = (match[0].lower() for text in texts if (match := _GUID.search(text)))
    half = half_of(str(record["Id"]), deal, dict.fromkeys(ids, SAME_ID))
    return FoundOpportunity(half, deal, is_ticked=bool(record.get(ctx.translation.file.ours.flag)))


def texts_of(deal: Deal) -> dict[str, str]:
    """The values of a deal as a person reads them."""
    return {name: display_text(deal.get(name)) if deal.get(name) is not None else "" for name in COMPARED}
