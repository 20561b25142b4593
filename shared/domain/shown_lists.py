"""Says what a field shows that only shows another one: what Partner Center holds once it has taken a plan's changes.

Pure. Source: docs/protocol.md#lists-merge-as-sets.
"""

from collections.abc import Iterable
from copy import replace

from shared.domain.deal import Change, Side
from shared.domain.merge import Merged


def shown_after(merged: Merged, to_partner_center: Iterable[Change]) -> Merged:
    """The merged field with what it shows after these changes. An edit of it in Salesforce stays one that is undone."""
    rule = merged.rule
    change = next((one for one in to_partner_center if one.field == rule.shows), None)
    if change is None or rule.shown is None:
        return merged
    value = rule.shown(change.new)
    edited = (merged.edited or Side.PARTNER_CENTER) if merged.salesforce != value else None
    return replace(merged, value=value, partner_center=value, edited=edited)
