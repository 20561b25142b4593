"""Read a mapping file and check it. With a wrong file the app does not start, and the error names the line.

All faults of a file are reported at once. The modules that describe them are imported late, because only a wrong file
needs them.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.foundation.errors import ConfigurationError
from shared.mapping.rules import rule_violations
from shared.mapping.schema import DEFAULT, MappingFile
from shared.mapping.source import MappingSource
from shared.mapping.violations import Place, Violation, describe_place, describe_value, expectation, nearest


def load_mapping(path: Path = DEFAULT) -> tuple[MappingFile, str]:
    """Read and check a mapping file; return it with the hash of its content.

    Comments and layout do not change the hash. Raises ConfigurationError with one line for each violation, in the order
    of the file. A line names the file, the line, the place, what was expected and what was found.
    """
    source = MappingSource(path)
    file, violations = None, source.violations
    if source.document is not None:
        document = _extend_default(source)
        file = _validate(document)
        violations = [*violations, *_content_violations(source, document, is_valid=file is not None)]
    if file is None or violations:
        raise ConfigurationError(_describe_violations(source, violations))
    return file, hashlib.sha256(file.content.encode()).hexdigest()[:12]


def _validate(document: Mapping[str, Any]) -> MappingFile | None:
    """Return the file, or None if its content does not fit the schema."""
    try:
        return MappingFile.model_validate(document)
    except ValidationError:
        return None


def _content_violations(source: MappingSource, document: Mapping[str, Any], *, is_valid: bool) -> Iterator[Violation]:
    """Yield the violations of the content: of the key `extends`, of the schema, and of the rules beyond it."""
    found: list[Violation] = list(_extends_violations(source))
    if not is_valid:
        from shared.mapping.schema_violations import schema_violations  # noqa: PLC0415 - late: only a wrong file needs it

        found += schema_violations(document, source.lines.has)
    reported = {place for violation in found for place in (violation.place, _without_position(violation.place))}
    found += (violation for violation in rule_violations(document, source) if violation.place not in reported)
    for violation in found:
        if not any(_overlap(violation.place, place) for place in source.unread):
            yield violation


def _without_position(place: Place) -> Place:
    """Return the place of the list, for the place of one of its elements."""
    return place[:-1] if place and isinstance(place[-1], int) else place


def _overlap(place: Place, other: Place) -> bool:
    """Whether one place is the other, or contains it."""
    shorter = min(len(place), len(other))
    return place[:shorter] == other[:shorter]


def _describe_violations(source: MappingSource, violations: Sequence[Violation]) -> str:
    """Return one line for each violation, in the order of the file."""
    located = [(violation.line or source.lines.line_of(violation.place), violation) for violation in violations]
    return "\n".join(
        f"{source.name}, line {line}{f', column {violation.column}' if violation.column else ''}: "
        f"{describe_place(violation.place or source.lines.place_at(line))}: {violation.problem}"
        for line, violation in sorted(located, key=lambda item: item[0])
    )


# --- a file that extends the default ----------------------------------------------------------------------------------


def _extend_default(source: MappingSource) -> dict[str, Any]:
    """Return the file's content, merged with the default if the file extends it.

    Tables are merged key by key. Lists, such as the stage table, are replaced whole
    (docs/mapping.md#a-file-of-your-own).
    """
    document = dict(source.document or {})
    if not _is_extension(source):
        return document
    document.pop("extends", None)
    return _merge_tables(tomllib.loads(DEFAULT.read_text(encoding="utf-8")), document)


def _is_extension(source: MappingSource) -> bool:
    """Whether the file extends the default, or tries to: otherwise every key of the default would count as missing."""
    document = source.document or {}
    known = ("extends", *MappingFile.model_fields)
    return (
        "extends" in document
        or ("extends",) in source.unread
        or any(nearest(key, known) == "extends" for key in document.keys() - set(known))
    )


def _extends_violations(source: MappingSource) -> Iterator[Violation]:
    value = (source.document or {}).get("extends", "default")
    if value != "default":
        expected = '"default", the only file that can be extended'
        yield Violation(("extends",), expectation(expected, describe_value(value)))


def _merge_tables(default: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(default)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = _merge_tables(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
