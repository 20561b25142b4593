"""Finds texts that fill their field in Salesforce, so that Partner Center may hold more. Pure."""

from datetime import datetime

from shared.domain.audit import Line
from shared.domain.deal import Deal, Side, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference
from shared.domain.sentences import LineDirection

SPACE_AT_A_CUT = 9
"""How many characters shorter than its field a cut text may be, because spaces at its end are removed."""


def full_texts(deal: Deal, rules: Rules) -> dict[str, Rule]:
    """The fields that a text fills, by the key of their warning: Partner Center may hold more text.

    Source: docs/protocol.md#the-narrower-side-judges-equality. A cut text is compared without the spaces at its end.
    """
    return {
        f"full:{rule.field}": rule
        for rule in rules.updatable
        if rule.length and len(str(deal.get(rule.field) or "")) > rule.length - SPACE_AT_A_CUT
    }


def full_text_records(deal: Deal, rules: Rules, now: datetime) -> dict[str, Difference]:
    """The records of full texts: Partner Center may hold more, so that the two sides differ."""
    full = full_texts(deal, rules).values()
    return {
        f"{Side.SALESFORCE}.{rule.field}": Difference(fingerprint(deal[rule.field]), "full_text", now) for rule in full
    }


def full_text_line(at: datetime, direction: LineDirection, rule: Rule) -> Line:
    """The warning that a text fills its field in Salesforce."""
    values = {"label": rule.label, "length": f"{rule.length:,}"}
    return Line(at, "full_text", direction, Side.SALESFORCE, rule.field, values=values)
