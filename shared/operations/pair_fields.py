"""Compares the values of one pair field by field, and says of each difference how it stands.

Which field differs is decided where the compare of all links decides it (`compare_pairs.drift_of`), so that
`cosell compare` and `cosell status ID` say the same of it.

Source: docs/protocol.md#the-daily-compare.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.compared import GRACE, is_compared, is_paused, is_unread, is_young
from shared.domain.deal import Deal, Side, Value, display_text
from shared.domain.field_rules import Rule
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.records import Opportunity, Referral
from shared.domain.resting_links import resumed, seen_closed
from shared.mapping.seller_field import SellerField
from shared.operations.compare_pairs import drift_of, is_queued
from shared.operations.on_file import reason_on_file
from shared.sync.ports import Context

ONLY_AT_CREATION = "it travels only with a new deal"
KEPT_APART = "each side keeps its own"
OWN_USER = "the app's own user"
INCOMPLETE, UNREADABLE = "incomplete, see below", "cannot be read"
AT_REST = "the deal is closed, so nothing travels any more"
ALIKE = "both sides have the same new value"


NOT_IN_STEP = "the deal is not kept in step now"
_YOUNG = "A change of the last hour may be under way, so `cosell compare` leaves the deal out now."
_QUEUED = "The retry queue has the deal, so `cosell compare` leaves it out now."
_UNREAD = "`cosell compare` says of the whole deal that no push has read its last save or its tick."


class Standing(StrEnum):
    """How the values of a field stand to each other.

    same        all that are known are the same
    differs     they differ, and nothing is on file for it: `cosell compare` lists it
    on_file     they differ, and one waits or was refused
    unreadable  one cannot be read
    at_rest     they differ, and the deal is not kept in step now: it would travel, or be told, if it were
    apart       they differ, and that is meant
    """

    SAME = "same"
    DIFFERS = "differs"
    ON_FILE = "on_file"
    UNREADABLE = "unreadable"
    AT_REST = "at_rest"
    APART = "apart"


class FieldReport(Struct, frozen=True):
    """A field as both sides agreed on it, and as each side shows it now; None: not known.

    differs    whether `standing` is *differs*
    note       the codes of what is on file
    why        what `note` means, why a value cannot be read, or why a difference does not matter
    """

    field: str
    label: str
    base: str | None
    salesforce: str | None
    partner_center: str | None
    differs: bool
    note: str
    why: str = ""
    standing: Standing = Standing.SAME


def field_reports(
    ctx: Context, link: Link | None, opportunity: Opportunity | None, referral: Referral | None
) -> list[FieldReport]:
    """Return the fields of which a value is known, or cannot be read, in the order of the mapping file."""
    sides, base = _Sides(opportunity, referral), link.base if link else Deal()
    drifted = _drifted(ctx, link, opportunity, referral)
    reports = [
        _report(rule, link, base, sides, drifted)
        for rule in ctx.translation.rules
        if rule.field in sides.problems or any(rule.field in deal for deal in (base, *sides.deals))
    ]
    return [_with_owner(ctx, one) for one in reports]


def _with_owner(ctx: Context, report: FieldReport) -> FieldReport:
    """The field of the sellers with its owner: each opportunity has one, and only the app's user is no seller."""
    is_sellers = isinstance(ctx.translation.file.fields.get(report.field), SellerField)
    return replace(report, salesforce=OWN_USER) if is_sellers and report.salesforce == display_text(None) else report


class _Sides:
    """What both sides show, as far as it was read."""

    def __init__(self, opportunity: Opportunity | None, referral: Referral | None) -> None:
        self.opportunity, self.referral = opportunity, referral
        self.deals = [side.deal for side in (opportunity, referral) if side is not None]
        self.problems = _problems(opportunity, referral)

    def agree_on(self, name: str) -> bool:
        """Whether both sides show the same value."""
        values = [deal.get(name) for deal in self.deals if name in deal]
        return len(values) > 1 and values[0] == values[1]


def _report(rule: Rule, link: Link | None, base: Deal, sides: _Sides, drifted: frozenset[str] | None) -> FieldReport:
    name, codes = rule.field, _codes(link, rule.field)
    standing = _standing(name, [deal.get(name) for deal in (base, *sides.deals) if name in deal], sides, drifted)
    if standing is Standing.DIFFERS and not (link is not None and is_compared(link)):
        standing = Standing.AT_REST
    elif standing is Standing.APART and codes:
        standing = Standing.ON_FILE
    why = _why(rule, link, sides, standing)
    known = display_text(base[name]) if name in base else None
    shown = _shown(sides.opportunity, name), _shown(sides.referral, name)
    differs = standing is Standing.DIFFERS
    return FieldReport(name, rule.label, known, *shown, differs, ", ".join(codes), why, standing)


def _standing(name: str, values: Sequence[Value | None], sides: _Sides, drifted: frozenset[str] | None) -> Standing:
    """How a field stands, without what is on file."""
    if name in sides.problems:
        return Standing.UNREADABLE
    if drifted is not None and name in drifted:
        return Standing.DIFFERS
    if all(value == values[0] for value in values[1:]):
        return Standing.SAME
    return Standing.AT_REST if drifted is None else Standing.APART


def _problems(opportunity: Opportunity | None, referral: Referral | None) -> Mapping[str, Cause]:
    """By field, why a value cannot be read on one side."""
    return {**(referral.problems if referral else {}), **(opportunity.problems if opportunity else {})}


def _drifted(
    ctx: Context, link: Link | None, opportunity: Opportunity | None, referral: Referral | None
) -> frozenset[str] | None:
    """The fields that drifted; of a deal that is not kept in step now, those that would travel or be told if it were.

    A look at a closed deal writes nothing: it puts each later edit on file (docs/protocol.md#states-of-a-link). Of a
    deal that is not ticked, it is what a tick lets travel. None where that is not known.
    """
    if link is None or opportunity is None or referral is None:
        return None
    if is_paused(link):
        link, opportunity = resumed(link), replace(opportunity, flagged=True)
    if _is_closed(link):
        rules, now = ctx.translation.rules, ctx.clock.now()
        seen = seen_closed(link, opportunity, referral, rules, ctx.policy, now).link.refused
        return frozenset(_field_of(key) for key, record in seen.items() if record != link.refused.get(key))
    if not is_compared(link):
        return None
    return frozenset(one.field for one in drift_of(ctx, link, opportunity, referral))


def left_out_of_compare(ctx: Context, link: Link, opportunity: Opportunity, referral: Referral, now: datetime) -> str:
    """Why a compare of now would not list what differs in a pair that is kept in step; empty if it would."""
    if is_young(opportunity, now) or now - referral.updated < GRACE:
        return _YOUNG
    if is_queued(ctx, link):
        return _QUEUED
    return _UNREAD if is_unread(link, opportunity) else ""


def _shown(side: Opportunity | Referral | None, name: str) -> str | None:
    """The value of a side as text. One that cannot be read is shown as it is written, where its cause names it."""
    if side is None:
        return None
    if name in side.deal:
        return display_text(side.deal[name])
    if (problem := side.problems.get(name)) is None:
        return None
    return (problem.values or {}).get("value") or (INCOMPLETE if problem.code.startswith("missing_") else UNREADABLE)


def _codes(link: Link | None, name: str) -> list[str]:
    """The codes of what is on file for the field."""
    return list(dict.fromkeys(code for _, code in _on_file(link, name)))


def _on_file(link: Link | None, name: str) -> Iterator[tuple[str, str]]:
    """Side ("" for both) and code of each record about the field."""
    if link is not None:
        yield from ((key.partition(".")[0], one.code) for key, one in link.refused.items() if _field_of(key) == name)
        sides = {name: "", **{f"{side}.{name}": str(side) for side in Side}}  # the mass-change stop stops one side's
        yield from ((side, link.waiting[key].code) for key, side in sides.items() if key in link.waiting)


def _field_of(key: str) -> str:
    return key.partition(".")[2]


def _why(rule: Rule, link: Link | None, sides: _Sides, standing: Standing) -> str:
    """Why a field stands so. What is on file for another value than that of now explains no drift."""
    if standing is Standing.DIFFERS:
        return ""
    texts = [reason_on_file(side, code) for side, code in _on_file(link, rule.field)]
    if (problem := sides.problems.get(rule.field)) is not None:
        texts.append(f"{problem.reason} {problem.remedy}".strip().rstrip("."))
    if not texts and standing is Standing.APART:
        texts.append(ALIKE if sides.agree_on(rule.field) else _why_apart(rule, link))
    if not texts and standing is Standing.AT_REST:
        texts.append(NOT_IN_STEP)
    return "; ".join(dict.fromkeys(texts))


def _is_closed(link: Link | None) -> bool:
    return link is not None and link.state is State.CLOSED and link.intent is None


def _why_apart(rule: Rule, link: Link | None) -> str:
    if _is_closed(link):
        return AT_REST
    return KEPT_APART if rule.on_update else ONLY_AT_CREATION
