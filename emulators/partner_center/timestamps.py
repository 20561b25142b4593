"""Times as the service counts and prints them: ticks of 100 ns, seven digits, trailing zeros dropped (3.1)."""

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
    """Ticks since 1970 of an aware datetime."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * 10


def format_ticks(ticks: int, zone: str = "Z") -> str:
    """`2026-02-28T17:27:47.8754901Z`; the fraction is shorter, or missing, where it ends in zeros."""
    seconds, fraction = divmod(ticks, SECOND)
    stamp = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    digits = f"{fraction:07d}".rstrip("0")
    return f"{stamp}.{digits}{zone}" if digits else f"{stamp}{zone}"


@lru_cache(maxsize=65_536)
def parse_ticks(stamp: str) -> int:
    """Ticks of an ISO 8601 time; without a zone it is UTC. Raises ValueError."""
    found = _ISO.fullmatch(stamp)
    if found is None:
        raise ValueError("not an ISO 8601 time")
    zone = (found["zone"] or "Z").replace("Z", "+00:00")
    whole = datetime.fromisoformat(f"{found['day']}T{found['time'] or '00:00:00'}{zone}")
    return to_ticks(whole) + int((found["fraction"] or "0").ljust(7, "0")[:7])
