"""Reads what `what-if` says a deployment would change, as lines for the person who is asked.

An answer has three lists (docs/reference/azure.md#what-if): changes, changes that may or may not happen, and notes on
what could not be foreseen. A row without an id is named by its symbol in the Bicep file and its type. Only names,
reasons and property names are shown, never values: a value may be a secret.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.foundation.errors import MAX_REMOTE_TEXT

UNCHANGED = frozenset({"Ignore", "NoChange"})
UNSUPPORTED = "Unsupported"


@dataclass(frozen=True, slots=True)
class Changes:
    """What may change: rows of `what-if` without those that say that nothing does."""

    certain: Sequence[Mapping[str, Any]] = ()
    possible: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Mapping[str, Any]] = field(default=())

    def lines(self) -> Iterator[str]:
        """One line for each row."""
        yield from (_line(row) for row in self.certain)
        yield from (f"{_line(row)} (may or may not happen)" for row in self.possible)
        yield from (f"  {note.get('level') or 'Note'}: {_cut(_note_text(note))}" for note in self.notes)

    def summary(self) -> str:
        """The counts, or an empty text if nothing may change."""
        kinds = Counter(_kind(row) for row in self.certain)
        counts = [f"{count} {kind}" for kind, count in sorted(kinds.items())]
        if self.possible:
            counts.append(f"{len(self.possible)} that may or may not happen")
        if self.notes:
            counts.append(f"{len(self.notes)} {'note' if len(self.notes) == 1 else 'notes'} on what is not foreseen")
        return ", ".join(counts)


def read_changes(answer: object) -> Changes:
    """The changes of an answer. An answer without a list of changes gives a note, because it excludes nothing.

    The Azure CLI prints the lists at the top, as older clients of Resource Manager do, or under `properties`.
    """
    document = answer if isinstance(answer, dict) else {}
    if isinstance(document.get("properties"), dict):
        document = document["properties"]
    notes = _rows(document, "diagnostics")
    if not isinstance(document.get("changes"), list):
        notes = [*notes, {"level": "Warning", "message": "Azure gave no list of changes."}]
    certain, possible = (_changing(_rows(document, name)) for name in ("changes", "potentialChanges"))
    return Changes(certain, possible, notes)


def _rows(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = document.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _changing(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if _kind(row) not in UNCHANGED]


def _kind(row: Mapping[str, Any]) -> str:
    return str(row.get("changeType") or "Unknown")


def _line(row: Mapping[str, Any]) -> str:
    if _kind(row) == UNSUPPORTED:
        details = _cut(str(row.get("unsupportedReason") or "Azure gives no reason"))
    else:
        details = ", ".join(str(part["path"]) for part in _rows(row, "delta") if part.get("path"))
    line = f"  {_kind(row):<12} {_name(row)}"
    return f"{line}: {details}" if details else line


def _name(row: Mapping[str, Any]) -> str:
    """The end of the resource's id, or else its symbol in the Bicep file and its type."""
    if resource_id := row.get("resourceId"):
        return "/".join(str(resource_id).rpartition("/providers/")[2].split("/")[-3:])
    symbol, kind = row.get("symbolicName"), row.get("resourceType")
    return f"{symbol} ({kind})" if symbol and kind else str(symbol or kind or "a resource without a name")


def _note_text(note: Mapping[str, Any]) -> str:
    """The code, what it is about, and the message."""
    return ": ".join(str(note[name]) for name in ("code", "target", "message") if note.get(name))


def _cut(text: str) -> str:
    return " ".join(text.split())[:MAX_REMOTE_TEXT]
