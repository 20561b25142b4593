"""Keep the state of the whole store as a row: which copy it is being imported from, or was.

partition     key     row
side|store    state   a side state without a pause, and behind it what is known of the copy

The partition is one of those that every instance reads together at most 5 seconds late, so it costs no call. An earlier
build keeps it, and stays away from a store that is being imported because both sides are paused
(docs/protocol.md#copies-of-the-store).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins

from shared.store.stored_values import SideState

PARTITION = "side|store"
IMPORT = "import"
"""Why both sides are paused while a copy is imported."""


class Copied(Struct, frozen=True):
    """The copy that the store was imported from: its hash, and when its reading began.

    `has_all_rows` says that its rows are in and may change from now on, `imported` when the import ended.
    """

    sha256: str
    began: datetime
    has_all_rows: bool = False
    imported: datetime | None = None


class StoreState:
    """Part of `shared.store.link_store.LinkStore`: the copy that the store was imported from; None for any other store.

    It is as old as the states of the sides, and no call: it is asked on the way of each new deal.
    """

    copied: Copied | None = None


def copied_in(sides: Mapping[str, tuple[SideState, tuple[Any, ...]]]) -> Copied | None:
    """Return the copy that the state of the store names."""
    _, further = sides.get(PARTITION, (SideState(), ()))
    return copied_from(further)


def copied_from(further: tuple[Any, ...]) -> Copied | None:
    """Return what stands behind the state of the store; None where that is nothing, or of a later build."""
    try:
        return convert(further[0], Copied) if further else None
    except ValidationError:
        return None


def state_of_store(copied: Copied) -> list[Any]:
    """Return the row of the state of the store as JSON: an empty side state with the copy behind it."""
    return [None, None, None, {}, to_builtins(copied)]
