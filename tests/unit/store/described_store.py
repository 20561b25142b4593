"""A description of all that a build reads from a store that `representative_store` filled.

It also runs beside the code of the build before, so it uses only names that both builds have.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import to_builtins

from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.store.link_store import LinkStore
from tests.unit.store.stored_store import (
    described_link,
    described_pointer,
    described_retry_entry,
    described_side,
)

FAR = datetime(2100, 1, 1, tzinfo=UTC)
OPPORTUNITIES = tuple(f"006AA00000000{number}" for number in range(10, 10 + len(State)))
REFERRALS = ("r-linked", "r-claimed", "r-creating", "r-refused", "r-lead", "r-backfilled")
BACKFILLED = "006AA00000000098"


def described_line(line: Line) -> Mapping[str, Any]:
    """The data of an audit line, and whether a build that may not know its code shows it. The words may differ."""
    return {**to_builtins(line), "is shown": bool(line.text)}


def _unshown(link: Link) -> Sequence[str] | None:
    """The columns of ours that Salesforce refused, and when."""
    return None if link.unshown is None else [*link.unshown.columns, link.unshown.since.isoformat()]


def describe_store(store: LinkStore) -> Mapping[str, Any]:
    """All that this build reads from a filled store."""
    links = {
        entry.value.opportunity_id: {**described_link(entry.value), "unshown": _unshown(entry.value)}
        for entry in store.links()
    }
    found = {referral_id: store.pointer(referral_id) for referral_id in REFERRALS}
    return {
        "links": links,
        "audit": {key: [described_line(line) for line in store.audit(key)] for key in links},
        "pointers": {key: described_pointer(entry.value) if entry else None for key, entry in found.items()},
        "is claimed": store.claim_account("northwind|US", timedelta(days=1)) is None,
        "retry": {side: [described_retry_entry(one) for one in store.retry_entries(side, FAR, 100)] for side in Side},
        "sides": {side: described_side(store.side_state(side)) for side in Side},
        "cursors": {name: at.isoformat() for name, at in store.cursors().items()},
        "owner": store.owner("another organisation"),
    }
