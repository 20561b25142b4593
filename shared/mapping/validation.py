"""Read a mapping file and check it. With a wrong file the app does not start, and the error names the line.

All faults of a file are reported at once. The modules that describe them are imported late, because only a wrong file
needs them.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.foundation.errors import ConfigurationError
from shared.mapping.extension import extension_violations, merged_with_default
from shared.mapping.rules import rule_violations
from shared.mapping.schema import DEFAULT, MappingFile
from shared.mapping.source import MappingSource
from shared.mapping.violations import Place, Violation, describe_place


def load_mapping(path: Path = DEFAULT) -> tuple[MappingFile, str]:
    """Read and check a mapping file; return it with the hash of its content.

    Comments and layout do not change the hash. Raises ConfigurationError with one line for each violation, in the order
    of the file. A line names the file, the line, the place, what was expected and what was found.
    """
    source = MappingSource(path)
    file, violations = None, source.violations
    if source.document is not None:
        document = merged_with_default(source)
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
    """Yield the violations of the content: of `extends` and `remove`, of the schema, and of the rules beyond it."""
    found: list[Violation] = list(extension_violations(source))
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
