"""Decides whether a side's version counts as known, so that the next look may skip it.

Source: docs/protocol.md#known-versions.
"""

from copy import replace

from shared.domain.deal import Deal, Side, Value, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.link import Link
from shared.domain.records import Opportunity, Referral
from shared.sync.reconcile.pair import Pair


def with_known_versions(link: Link, pair: Pair, rules: Rules) -> Link:
    """Move each side's known version, if every mapped value there is agreed or a known difference."""
    if pair.referral is not None and not pair.is_from_base:
        link = _with_known_referral(link, pair.referral, rules)
    return _with_known_opportunity(link, pair.opportunity, rules) if pair.opportunity is not None else link


def _with_known_referral(link: Link, referral: Referral, rules: Rules) -> Link:
    is_accounted = _is_accounted(link, referral.deal, Side.PARTNER_CENTER, rules)
    is_agreed = is_accounted and not link.refused and not link.waiting
    return replace(link, etag=referral.etag if is_accounted else None, agreed=is_agreed)


def _with_known_opportunity(link: Link, opportunity: Opportunity, rules: Rules) -> Link:
    is_accounted = link.referral_id is None or _is_accounted(link, opportunity.deal, Side.SALESFORCE, rules)
    stamps = {**link.stamps, **opportunity.stamps} if is_accounted else {}
    unknown = () if is_accounted and "opportunity" in opportunity.stamps else ("opportunity",)
    return replace(link, stamps={query: stamp for query, stamp in stamps.items() if stamp and query not in unknown})


def _is_accounted(link: Link, deal: Deal, side: Side, rules: Rules) -> bool:
    return all(
        deal[rule.field] == link.base.get(rule.field) or _is_known_difference(link, rule.field, deal[rule.field], side)
        for rule in rules.updatable
        if rule.field in deal
    )


def _is_known_difference(link: Link, name: str, value: Value | None, side: Side) -> bool:
    """Whether this difference is known and stays: the other side refused it, or it waits for its time."""
    if link.refuses(f"{side.other}.{name}", value):
        return True
    waiting = link.waiting.get(name)
    return side is Side.SALESFORCE and waiting is not None and waiting.value == fingerprint(value)
