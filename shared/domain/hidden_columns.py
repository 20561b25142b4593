"""Tells which mapped columns the integration user does not see, so that their values do not travel. Pure.

Source: docs/protocol.md#hidden-and-read-only-columns.
"""

from datetime import datetime

from shared.domain.audit import Line, cause_line
from shared.domain.deal import Side
from shared.domain.field_rules import Rules
from shared.domain.sentences import LineDirection


def hidden_column_lines(rules: Rules, now: datetime, direction: LineDirection = LineDirection.NOTE) -> dict[str, Line]:
    """The lines about hidden columns, by the key under which a link remembers that one was reported."""
    return {found.key: cause_line(now, Side.SALESFORCE, name, found, direction) for name, found in rules.hidden_columns}
