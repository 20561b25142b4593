"""Keeps a default that we chose apart from what people enter.

It stands until a person enters a value on either side. A seller's value is sent like any edit, and a value in Partner
Center replaces the default without a conflict (docs/protocol.md#defaults-of-an-arrival).
"""

from collections.abc import Mapping

from msgspec import Struct

from shared.domain.deal import Deal, Side
from shared.domain.link import CHOSEN_DEFAULT, Difference, Link


class Defaults(Struct, frozen=True):
    """The defaults that stand, by key of their record, and what is merged: the base, and Salesforce's values."""

    base: Deal
    opportunity: Deal
    records: Mapping[str, Difference] = {}

    def holds(self, field: str) -> bool:
        """Whether the field still has its default."""
        return f"{Side.PARTNER_CENTER}.{field}" in self.records


def standing_defaults(link: Link, base: Deal, opportunity: Deal, referral: Deal) -> Defaults:
    """Leave the defaults that stand out of the merge; where Partner Center has a value now, the default is the base."""
    chosen = {key: record for key, record in link.refused.items() if record.code == CHOSEN_DEFAULT}
    fields = {key: key.partition(".")[2] for key in chosen}
    held = {key: name for key, name in fields.items() if name in opportunity and link.refuses(key, opportunity[name])}
    replaced = {name: opportunity[name] for name in held.values() if referral.get(name) is not None}
    records = {key: chosen[key] for key, name in held.items() if name not in replaced}
    return Defaults(base.with_values(replaced), opportunity.without(*(held[key] for key in records)), records)
