"""Stops writing a value that something sets back each time: it is parked, and written once an hour. Pure.

Source: docs/protocol.md#the-ping-pong-guard.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.deal import Change, Side, Value, fingerprint
from shared.domain.link import Link
from shared.domain.repeats import Repeats, Writes

PING_PONG = "ping_pong"
MOST_WRITES, WITHIN = 3, timedelta(hours=1)
"""So often, within so long, one value is written to one field of a side."""
FORGOTTEN = timedelta(hours=2)
"""After so long, a write is forgotten at the next one. A stopped value that is still set back is written before."""


def with_writes(known: Repeats | None, side: Side, changes: Iterable[Change], now: datetime) -> Repeats | None:
    """What is known after these values were written to a side."""
    repeats = known or Repeats()
    written = {key: one for key, one in repeats.written.items() if now - one.times[-1] < FORGOTTEN}
    for change in changes:
        key, value = f"{side}.{change.field}", fingerprint(change.new)
        written[key] = _written_again(written.get(key), value, now)
    left = Repeats(repeats.unreadable, written, repeats.unknown)
    return None if left == Repeats() else left


def _written_again(known: Writes | None, value: str, now: datetime) -> Writes:
    if known is None or known.value != value:
        return Writes(value, (now,))
    times = (*(time for time in known.times if now - time < WITHIN), now)[-MOST_WRITES:]
    return Writes(value, times, known.is_stopped or len(times) == MOST_WRITES)


def is_set_back(known: Repeats, key: str, value: Value | None, now: datetime) -> bool:
    """Whether this value was written so often that it is not written now. `key` names side and field."""
    writes = known.written.get(key)
    if writes is None or not writes.is_stopped or writes.value != fingerprint(value):
        return False
    return now - writes.times[-1] < WITHIN


def report_key(key: str, value: str) -> str:
    """The key under which the link remembers that this value, by its fingerprint, was told to be set back."""
    return f"{PING_PONG}:{key}:{value}"


def standing_reports(link: Link) -> list[str]:
    """What was told of values that are stopped: it is not told again after the hourly write."""
    stopped = link.repeats.written.items() if link.repeats else ()
    keys = [report_key(key, one.value) for key, one in stopped if one.is_stopped]
    return [key for key in keys if key in link.reported]
