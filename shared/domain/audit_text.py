"""The text of the audit field, from the stored lines (docs/protocol.md#writing-the-connectors-own-fields)."""

from collections.abc import Iterable

from shared.domain.audit import Line

AUDIT_LENGTH = 100_000
"""Characters of the audit field, a long text area."""


def audit_text(lines: Iterable[Line], limit: int = AUDIT_LENGTH) -> str:
    """The text of the audit field: the lines, which are newest first, cut at a line end.

    What was told twice in one second, such as two notes that were joined twice, is shown once.
    """
    shown, length = dict[str, None](), 0
    for line in lines:
        rendered = f"{line.at:%Y-%m-%d %H:%M:%S} UTC - {line.text}\n"
        if rendered in shown:
            continue
        length += len(rendered)
        if length > limit:
            break
        shown[rendered] = None
    return "".join(shown).rstrip("\n")
