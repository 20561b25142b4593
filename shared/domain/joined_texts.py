"""Two texts in one, the later one below a dated line; its audit line, and by what a refused text is known again. Pure.

Source: docs/protocol.md#notes.
"""

import re
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.deal import Side, Value, fingerprint
from shared.domain.sentences import LineDirection, system_name

BOTH_TEXTS = "both_texts"
"""The code and the rule of the line about joined texts."""
_DATED_LINE = re.compile(r"\n--- \d{4}-\d\d-\d\d \d\d:\d\d UTC, (?:Salesforce|Partner Center) ---\n")


def join_texts(salesforce: str, partner_center: str, changed: datetime, updated: datetime) -> str:
    """Both texts, the later one below a dated line; a text that already contains the other is the result.

    `changed` is when Salesforce had its last change, and `updated` when Partner Center had it.
    """
    if partner_center in salesforce:
        return salesforce
    if salesforce in partner_center:
        return partner_center
    if changed >= updated:
        return _append_dated(partner_center, salesforce, changed, Side.SALESFORCE)
    return _append_dated(salesforce, partner_center, updated, Side.PARTNER_CENTER)


def _append_dated(earlier: str, later: str, moment: datetime, origin: Side) -> str:
    return f"{earlier}\n--- {moment:%Y-%m-%d %H:%M} UTC, {system_name(origin)} ---\n{later}"


def is_joined(value: Value | None) -> bool:
    """Whether a text holds two texts, with a dated line between them."""
    return isinstance(value, str) and _DATED_LINE.search(value) is not None


def both_kept_line(now: datetime, name: str, label: str) -> Line:
    """The line that asks to check the joined text of a field."""
    return Line(now, BOTH_TEXTS, LineDirection.NOTE, field=name, rule=BOTH_TEXTS, values={"label": label})


def refusal_mark(value: Value | None) -> str:
    """The fingerprint of a value that is refused: of joined texts, that of the texts.

    Their order and the dated line follow the record's date, which also a mark of ours moves: that is no other text.
    """
    if isinstance(value, str) and len(texts := _DATED_LINE.split(value)) > 1:
        return fingerprint(tuple(sorted(texts)))
    return fingerprint(value)
