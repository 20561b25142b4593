"""The text of the audit field, from the stored lines (docs/protocol.md#writing-the-connectors-own-fields)."""

from collections.abc import Iterable

from shared.domain.audit import Line

AUDIT_LENGTH = 100_000
"""Characters of the audit field, a long text area."""


def audit_text(lines: Iterable[Line], limit: int = AUDIT_LENGTH) -> str:
    """The text of the audit field: the lines, which are newest first, cut at a line end."""
    text = ""
    for line in lines:
        rendered = f"{line.at:%Y-%m-%d %H:%M:%S} UTC - {line.text}\n"
        if len(text) + len(rendered) > limit:
            break
        text += rendered
    return text.rstrip("\n")
