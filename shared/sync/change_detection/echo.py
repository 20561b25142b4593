"""Recognises what was seen before, our own writes included, by version and never by user (docs/protocol.md#echoes).

A person may have edited right after us, so the user who wrote last proves nothing.
"""

from collections.abc import Collection

from shared.domain.link import Link
from shared.mapping.paths import Json
from shared.sync.ports import Entry, Store


def is_known_opportunity(entry: Entry[Link] | None, query: str, stamp: str | None) -> bool:
    """Whether the link has already seen this stamp of an opportunity."""
    return entry is not None and entry.value.has_seen(query, stamp)


def is_known_referral(store: Store, stamp: Json, opportunity_id: str) -> bool:
    """Whether the link of a listed referral has already seen its version."""
    entry = store.link(opportunity_id)
    return entry is not None and entry.value.etag == stamp.get("eTag")


def is_echo(link: Link, etag: str, opportunity_id: str, queued: Collection[str]) -> bool:
    """Whether a referral that was just read holds nothing new, so that the work on its pair can end.

    A pair from the retry queue is never an echo: what it waits for, such as the time of a close, need not be a change
    of the referral (docs/protocol.md#echoes).
    """
    return opportunity_id not in queued and not link.unwritten and etag == link.etag
