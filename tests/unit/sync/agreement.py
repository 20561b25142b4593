"""In which fields the two sides of a deal do not agree."""

from collections.abc import Iterable

from shared.domain.deal import Deal, Side, Value
from shared.domain.field_rules import Rule
from shared.domain.left_members import is_known_list, is_same
from shared.domain.link import Link


def differing_fields(rules: Iterable[Rule], opportunity: Deal, referral: Deal, link: Link | None) -> list[str]:
    """The fields in which the sides differ. What does not travel of a list, and is on record, is no difference."""
    return [rule.field for rule in rules if not _agree(rule, opportunity, referral, link)]


def _agree(rule: Rule, opportunity: Deal, referral: Deal, link: Link | None) -> bool:
    ours, theirs = opportunity.get(rule.field), referral.get(rule.field)
    return is_same(ours, theirs) or (rule.is_set and link is not None and _is_on_record(link, rule.field, ours, theirs))


def _is_on_record(link: Link, name: str, ours: Value | None, theirs: Value | None) -> bool:
    pairs = ((ours, Side.SALESFORCE), (theirs, Side.PARTNER_CENTER))
    return all(is_known_list(link, name, value, side) for value, side in pairs)
