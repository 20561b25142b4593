"""Keeps an amount in a currency that Salesforce cannot hold out of Amount. Pure.

Partner Center        conversion   Amount
EUR in a USD org      none         stays as it is
EUR in a USD org      a rate       receives the converted amount, once for each amount of Partner Center

In both cases nothing is sent to Partner Center: a seller's Amount is refused. The base holds what Amount was last
given.

Source: docs/protocol.md#currencies.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from shared.domain.audit import Line
from shared.domain.deal import Change, Deal, Money, Side, Value, display_text, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import REFUSED_BY_FAR_SIDE, Difference, Link
from shared.domain.merge import Merged
from shared.domain.sentences import LineDirection

NOT_HELD, CONVERTED, LEFT_OUT = "currency_not_held", "currency_converted", "amount_left_out"
"""The codes of the records: Partner Center's amount, alone or with its converted form; and a seller's Amount."""


class KeptOut(Struct, frozen=True):
    """What is noted about one field, its value in the base, the audit lines, and the changes to write to Salesforce."""

    refused: Mapping[str, Difference]
    base: Value | None
    lines: tuple[Line, ...] = ()
    changes: tuple[Change, ...] = ()


def keep_out(link: Link, base: Value | None, merged: Merged, now: datetime) -> KeptOut | None:
    """What to do about an amount that Salesforce cannot hold; None if it can. `base` is the field's base."""
    if not _is_foreign(merged):
        return None
    rule, ours, theirs = merged.rule, merged.salesforce, merged.partner_center
    converted, key = rule.converted(theirs), f"{Side.SALESFORCE}.{rule.field}"
    known, record = link.refused.get(key), _record(rule, theirs, now)
    if known is not None and known.code.startswith(REFUSED_BY_FAR_SIDE) and link.refuses(key, converted):
        return KeptOut({key: known}, base)
    is_known = known is not None and (known.code, known.value) == (record.code, record.value)
    refused = {key: known if known is not None and is_known else record}
    lines = () if is_known else (_line(rule, ours, theirs, now),)
    if converted is not None and converted == ours:
        return KeptOut(refused, ours, lines)
    if converted is not None and converted != base:
        return KeptOut(refused, base, lines, (Change(rule.field, rule.label, ours, converted),))
    if ours == base:
        return KeptOut(refused, base, lines)
    edits, told = _refused_edit(link, merged, now)
    return KeptOut(refused | edits, base, lines + told)


def value_for_base(link: Link, change: Change, referral: Deal) -> Value | None:
    """The value that the base takes after a confirmed write to Salesforce: what the referral holds of the field.

    Of a converted amount it is what Salesforce holds, so that the amount is no edit later.
    """
    known = link.refused.get(f"{Side.SALESFORCE}.{change.field}")
    is_converted = known is not None and known.code == CONVERTED
    return change.new if is_converted else referral.get(change.field, change.new)


def _is_foreign(merged: Merged) -> bool:
    """Whether Salesforce cannot hold Partner Center's amount, and the opportunity is not in its currency already."""
    ours, theirs = merged.salesforce, merged.partner_center
    is_same_currency = isinstance(ours, Money) and isinstance(theirs, Money) and ours.currency == theirs.currency
    return not merged.rule.holds(theirs) and not is_same_currency


def _record(rule: Rule, theirs: Value | None, now: datetime) -> Difference:
    return Difference(fingerprint(theirs), CONVERTED if rule.converted(theirs) else NOT_HELD, now)


def _line(rule: Rule, ours: Value | None, theirs: Value | None, now: datetime) -> Line:
    converted, values = rule.converted(theirs), {"label": rule.label}
    if converted is not None and rule.conversion is not None and isinstance(theirs, Money):
        values |= {"converted": str(converted), "rate": str(rule.conversion.rates[theirs.currency])}
    code = CONVERTED if converted is not None else NOT_HELD
    before, after = display_text(ours), display_text(theirs)
    return Line(now, code, LineDirection.NOTE, Side.SALESFORCE, rule.field, before, after, code, values)


def _refused_edit(link: Link, merged: Merged, now: datetime) -> tuple[dict[str, Difference], tuple[Line, ...]]:
    """The record of a seller's Amount that is not sent, and its line, which is reported once for each amount."""
    rule, ours = merged.rule, merged.salesforce
    key = f"{Side.PARTNER_CENTER}.{rule.field}"
    known = link.refused.get(key)
    if known is not None and link.refuses(key, ours):
        return {key: known}, ()
    before, after = display_text(merged.partner_center), display_text(ours)
    values, side = {"label": rule.label}, Side.PARTNER_CENTER
    line = Line(now, LEFT_OUT, LineDirection.NOTE, side, rule.field, before, after, LEFT_OUT, values)
    return {key: Difference(fingerprint(ours), LEFT_OUT, now)}, (line,)


# --- a deal that arrives


def given_to_salesforce(deal: Deal, rules: Rules) -> Deal:
    """The values of a referral as Salesforce receives them in a new opportunity."""
    foreign = {rule.field: rule.given_to_salesforce(deal[rule.field]) for rule in _foreign_rules(deal, rules)}
    return deal.with_values(foreign) if foreign else deal


def foreign_records(deal: Deal, rules: Rules, now: datetime) -> dict[str, Difference]:
    """The records of the amounts of a new opportunity that differ from Partner Center's."""
    return {
        f"{Side.SALESFORCE}.{rule.field}": _record(rule, deal[rule.field], now) for rule in _foreign_rules(deal, rules)
    }


def foreign_lines(deal: Deal, rules: Rules, now: datetime) -> list[Line]:
    """The lines that report these amounts."""
    return [_line(rule, None, deal[rule.field], now) for rule in _foreign_rules(deal, rules)]


def _foreign_rules(deal: Deal, rules: Rules) -> Iterator[Rule]:
    return (rule for rule in rules.updatable if not rule.holds(deal.get(rule.field)))
