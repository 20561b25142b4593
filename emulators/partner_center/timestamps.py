"""Convert times between datetimes, ISO 8601 text, and ticks of 100 ns, the unit in which the service counts.

The service prints up to seven digits after the second and drops trailing zeros
(docs/reference/partner-center.md#wire-format).
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 10_000_000
DAY = 86_400 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:T(?P<time>\d\d:\d\d(?::\d\d)?)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d\d:\d\d)?)?"
)


def to_ticks(moment: datetime) -> int:
    """Return the ticks since 1970 of an aware datetime."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * 10


def format_ticks(ticks: int, zone: str = "Z") -> str:
    """Return the time as text, such as `2026-02-28T17:27:47.8754901Z`, without trailing zeros in the fraction."""
    seconds, fraction = divmod(ticks, SECOND)
    whole = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    digits = f"{fraction:07d}".rstrip("0")
    return f"{whole}.{digits}{zone}" if digits else f"{whole}{zone}"


@lru_cache(maxsize=65_536)
def parse_ticks(text: str) -> int:
    """Return the ticks of an ISO 8601 time. A time without a zone is UTC. Raises ValueError."""
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 time")
    zone = (match["zone"] or "Z").replace("Z", "+00:00")
    whole = datetime.fromisoformat(f"{match['day']}T{match['time'] or '00:00:00'}{zone}")
    return to_ticks(whole) + int((match["fraction"] or "0").ljust(7, "0")[:7])
