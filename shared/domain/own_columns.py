"""Decides in which order the connector's own columns are written to a record that refuses them together. Pure.

It also decides what is kept of the refusal.

Source: docs/protocol.md#writing-the-connectors-own-fields.
"""

import re
from collections.abc import Mapping
from copy import replace

from msgspec import Struct

from shared.domain.cause import Cause

_TOO_LONG = "STRING_TOO_LONG"
_QUOTED_VALUE = re.compile(r"(too large: ?).*?(\s*\(max length|\Z)", re.DOTALL)
"""Where the text of that error repeats the value, which may name people; a long text is cut before its end."""


class ColumnTries(Struct, frozen=True):
    """The columns of ours that a record is to show: together, without those that a refusal names, else singly, once.

    `coming` is written next, and is empty at the end; `left` follows singly. `taken` is what was written, and `refusal`
    the first reason why not all was.
    """

    coming: Mapping[str, object]
    left: Mapping[str, object] | None = None
    taken: Mapping[str, object] = {}
    refusal: Cause | None = None

    def after(self, refusal: Cause | None) -> "ColumnTries":
        """What follows an answer: None if the record took the columns, or else why it did not."""
        reason = self.refusal or refusal
        if refusal is None:
            return _with_next(replace(self, taken={**self.taken, **self.coming}))
        if self.left is not None or len(self.coming) == 1:
            return _with_next(replace(self, refusal=reason))
        if refusal.field in self.coming:
            others = {column: value for column, value in self.coming.items() if column != refusal.field}
            return replace(self, coming=others, refusal=reason)
        return _with_next(replace(self, left=self.coming, refusal=reason))


def _with_next(tries: ColumnTries) -> ColumnTries:
    left = dict(tries.left or {})
    column = next(iter(left), None)
    return replace(tries, coming={} if column is None else {column: left.pop(column)}, left=left)


def kept_refusal(refusal: Cause | None) -> Cause | None:
    """What the link keeps of a refusal of columns of ours: Salesforce's text, without a value that it repeats.

    Source: docs/reference/salesforce.md#message-texts-that-carry-data.
    """
    if refusal is None or refusal.code != _TOO_LONG:
        return refusal
    return replace(refusal, reason=_QUOTED_VALUE.sub(r"\1…\2", refusal.reason))
