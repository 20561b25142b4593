"""Tells which mapped columns the integration user does not see, so that their values do not travel. Pure.

Source: docs/protocol.md#hidden-and-read-only-columns.
"""

from collections.abc import Mapping
from datetime import datetime

from shared.domain.audit import Line, cause_line
from shared.domain.deal import Side, fingerprint
from shared.domain.field_rules import Direction, Rules
from shared.domain.link import Difference
from shared.domain.sentences import LineDirection

HIDDEN_COLUMN = "hidden_column"
"""The code of a field whose column is hidden: nobody knows whether both sides agree."""


def hidden_column_lines(rules: Rules, now: datetime, direction: LineDirection = LineDirection.NOTE) -> dict[str, Line]:
    """The lines about hidden columns, by the key under which a link remembers that one was reported."""
    return {found.key: cause_line(now, Side.SALESFORCE, name, found, direction) for name, found in rules.hidden_columns}


def hidden_column_records(known: Mapping[str, Difference], rules: Rules, now: datetime) -> dict[str, Difference]:
    """The records of the fields that do not travel while their columns are hidden, so that no tick says they agree.

    A record that is `known` stays as it is.
    """
    unseen = (name for name, _ in rules.hidden_columns if rules[name].direction is Direction.OFF)
    records = {f"{Side.SALESFORCE}.{name}": Difference(fingerprint(name), HIDDEN_COLUMN, now) for name in unseen}
    old = {key: known[key] for key in records if key in known and known[key].code == HIDDEN_COLUMN}
    return {**records, **old}
