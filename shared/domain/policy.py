"""The numbers of the protocol, and whether the sync runs."""

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from shared.domain.sweep_cursor import MARGIN


class Mode(StrEnum):
    """`off` does nothing; `preview` plans, logs and writes nothing; `on` syncs (docs/protocol.md#off-preview-on)."""

    OFF = "off"
    PREVIEW = "preview"
    ON = "on"


PUSH, PULL = "push", "pull"
"""The two directions, which an operator can pause one by one."""
PAUSED = "paused"
"""Why a pair waits that a run has left, because its direction was paused meanwhile."""


class Policy(Struct, frozen=True):
    """The numbers of the protocol.

    The settings set `mode`, `paused`, `lease`, `settle_time`, `deadline`, `irreversible_wait`, `hold_win`, `run_time`,
    `may_share` (whether deals are shared with Microsoft), `needs_consent` (whether a checkbox must say
    that the customer has consented) and `mass_change_limit` (None: by the number of links). `release` is the app's own.
    `unapproved` are the fields of which nothing is sent to Partner Center yet (`mapping_change.py`).
    `singly` is how many members of a list may be refused one by one. A `batch` of pairs is read in one call, and a
    `chunk` of it is locked, sent, shown and released before the next. A version
    counts as newer if its date is later by more than `clocks_differ`. For each `pairs_of_page` pairs that a list may
    tell, one page of it is read, and `list_sample` of its rows are compared. Nothing sets the others: their defaults
    are constants of the protocol.
    """

    mode: Mode = Mode.ON
    paused: frozenset[str] = frozenset()
    lease: timedelta = timedelta(minutes=5)
    settle_time: timedelta = timedelta(minutes=10)
    deadline: timedelta = timedelta(seconds=60)
    irreversible_wait: timedelta = timedelta(minutes=2)
    hold_win: timedelta = timedelta(hours=72)
    poll_overlap: timedelta = timedelta(minutes=10)
    sweep_overlap: timedelta = timedelta(minutes=30)
    held_interval: timedelta = timedelta(hours=1)
    longest_wait: timedelta = timedelta(hours=1)
    shortest_wait: timedelta = timedelta(minutes=1)
    probe_interval: timedelta = timedelta(minutes=15)
    run_time: timedelta = timedelta(minutes=8)
    may_share: bool = True
    needs_consent: bool = False
    mass_change_limit: int | None = None
    unapproved: frozenset[str] = frozenset()
    release: str = ""
    tries: int = 3
    singly: int = 10
    batch: int = 2000
    chunk: int = 200
    clocks_differ: timedelta = MARGIN
    pairs_of_page: int = 10
    list_sample: int = 5
    few_own_writes: int = 4
