"""The audit field: rendered from the stored lines, newest first, cut at a line end; never read to be extended."""

from collections.abc import Sequence
from datetime import datetime

from shared.sync.ports import Line

LIMIT = 100_000
"""Characters of the audit field (the seed: long text area, 100,000)."""

TO_PARTNER_CENTER, FROM_PARTNER_CENTER = "To Partner Center", "From Partner Center"
NOTICE, MERGED = "Not sent", "Please note"


def line(at: datetime, heading: str, text: str) -> Line:
    """One audit line: direction and what happened."""
    return Line(at, f"{heading}: {text}")


def render(lines: Sequence[Line], limit: int = LIMIT) -> str:
    """Lines, newest first, as the field's text."""
    text = ""
    for entry in lines:
        one = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC - {entry.text}\n"
        if len(text) + len(one) > limit:
            break
        text += one
    return text.rstrip("\n")
