"""Compares the values of one pair field by field, and says of each difference whether it matters.

A difference matters if the app would carry a value over, or if one waits or was refused. Any other is meant: a value
that travels only with a new deal, one that each side keeps for itself, or one of a closed deal.
"""

from collections.abc import Iterator, Mapping
from copy import replace

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.compared import is_compared, is_paused
from shared.domain.deal import Deal, display_text
from shared.domain.field_rules import Rule
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.records import Opportunity, Referral
from shared.domain.resting_links import resumed, seen_closed
from shared.mapping.seller_field import SellerField
from shared.operations.compare_pairs import planned
from shared.operations.on_file import reason_on_file
from shared.sync.ports import Context

ONLY_AT_CREATION = "it travels only with a new deal"
KEPT_APART = "each side keeps its own"
OWN_USER = "the app's own user"
INCOMPLETE, UNREADABLE = "incomplete, see below", "cannot be read"
AT_REST = "the deal is closed, so nothing travels any more"
ALIKE = "both sides have the same new value"


class FieldReport(Struct, frozen=True):
    """A field as both sides agreed on it, and as each side shows it now; None: not known.

    differs    whether a difference matters
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


def field_reports(
    ctx: Context, link: Link | None, opportunity: Opportunity | None, referral: Referral | None
) -> list[FieldReport]:
    """Return the fields of which a value is known, or cannot be read, in the order of the mapping file."""
    sides, base = _Sides(opportunity, referral), link.base if link else Deal()
    coming = _coming(ctx, link, opportunity, referral)
    reports = [
        _report(rule, link, base, sides, coming)
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


def _report(rule: Rule, link: Link | None, base: Deal, sides: _Sides, coming: frozenset[str] | None) -> FieldReport:
    name = rule.field
    values = [deal.get(name) for deal in (base, *sides.deals) if name in deal]
    is_other, codes = any(value != values[0] for value in values[1:]), _codes(link, name)
    differs = name in sides.problems or (is_other and (bool(codes) or coming is None or name in coming))
    why = _why(link, name, sides.problems)
    if is_other and not differs:
        why = why or (ALIKE if sides.agree_on(name) else _why_apart(rule, link))
    known = display_text(base[name]) if name in base else None
    shown = _shown(sides.opportunity, name), _shown(sides.referral, name)
    return FieldReport(name, rule.label, known, *shown, differs, ", ".join(codes), why)


def _problems(opportunity: Opportunity | None, referral: Referral | None) -> Mapping[str, Cause]:
    """By field, why a value cannot be read on one side."""
    return {**(referral.problems if referral else {}), **(opportunity.problems if opportunity else {})}


def _coming(
    ctx: Context, link: Link | None, opportunity: Opportunity | None, referral: Referral | None
) -> frozenset[str] | None:
    """The fields that a look at the pair would write, or put on file; None where the sides are not kept in step now.

    A look at a closed deal writes nothing: it puts each later edit on file (docs/protocol.md#states-of-a-link). Of a
    deal that is not ticked, it is what a tick lets travel.
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
    plan = planned(ctx, link, opportunity, referral)
    changes = (*plan.to_partner_center, *plan.to_salesforce)
    told = (key.rpartition(".")[2] for key in (*plan.refused, *plan.waiting))
    return frozenset((*(change.field for change in changes), *told))


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
        yield from (("", one.code) for key, one in link.waiting.items() if key == name)


def _field_of(key: str) -> str:
    return key.partition(".")[2]


def _why(link: Link | None, name: str, problems: Mapping[str, Cause]) -> str:
    texts = [reason_on_file(side, code) for side, code in _on_file(link, name)]
    if (problem := problems.get(name)) is not None:
        texts.append(f"{problem.reason} {problem.remedy}".strip().rstrip("."))
    return "; ".join(dict.fromkeys(texts))


def _is_closed(link: Link | None) -> bool:
    return link is not None and link.state is State.CLOSED and link.intent is None


def _why_apart(rule: Rule, link: Link | None) -> str:
    if _is_closed(link):
        return AT_REST
    return KEPT_APART if rule.on_update else ONLY_AT_CREATION
