"""The mark in front of an opportunity's name: how the sync stands, as users of Microsoft's former connector know it.

A mark is never part of the name (docs/protocol.md#the-mark-in-the-name). Pure.
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.link_states import Mark

SIGNS: Mapping[Mark, str] = {Mark.SYNCED: "✔", Mark.DIFFERENCES: "⚠", Mark.FAILED: "✘", Mark.WAITING: ""}
"""The same signs as those of Sync_Mark__c, which is empty for a deal that waits."""
FORMER_SIGNS: Mapping[Mark, str] = {Mark.SYNCED: "✓", Mark.DIFFERENCES: "✓", Mark.FAILED: "✗", Mark.WAITING: ""}
"""Those of Microsoft's former connector: whoever returns to it finds the names as it leaves them."""
NO_SIGNS: Mapping[Mark, str] = dict.fromkeys(Mark, "")
"""For names that lose the marks that they have."""
SIGNS_BY_CHOICE: Mapping[str, Mapping[Mark, str]] = {"own": SIGNS, "former": FORMER_SIGNS, "none": NO_SIGNS}
KNOWN_SIGNS = frozenset("✔⚠✘✓✗")
"""Ours, and those of Microsoft's former connector (`✓ `, as its documentation shows it)."""
NAME_LENGTH = 120
"""Characters of Opportunity.Name."""
_MARKS = re.compile(f"(?:[{''.join(sorted(KNOWN_SIGNS))}]\ufe0f?(?:\\s+|$))+")
"""Signs with a space behind them; U+FE0F lets a sign be shown in colours. A sign without a space is part of a word."""


def without_mark(name: str) -> str:
    """The name without the marks in front of it."""
    found = _MARKS.match(name)
    return name[found.end() :] if found else name


def with_mark(name: str, mark: Mark | None, signs: Mapping[Mark, str] = SIGNS) -> str:
    """The name with this mark in front of it, in place of any other; without one, if there is no room for it."""
    bare = without_mark(name)
    sign = signs[mark] if mark else ""
    marked = f"{sign} {bare}" if sign and bare else bare
    return marked if len(marked) <= NAME_LENGTH else bare


def marked_name(
    values: Mapping[str, Any], column: str, shown: str, mark: Mark | None, signs: Mapping[Mark, str] = SIGNS
) -> dict[str, Any]:
    """The name with its mark, if it shows another one, or if these values have a new name."""
    name = with_mark(values.get(column) or shown, mark, signs)
    return {column: name} if name and (name != shown or column in values) else {}
