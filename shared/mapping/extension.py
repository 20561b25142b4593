"""Merge a mapping file that extends the default with it, and say what is wrong with the keys `extends` and `remove`.

Source: docs/mapping.md#a-file-of-your-own.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from shared.mapping.schema import DEFAULT, REQUIRED_FIELDS, MappingFile
from shared.mapping.source import MappingSource
from shared.mapping.violations import Violation, describe_value, expectation, nearest, quote

EXTENDS, REMOVE = "extends", "remove"
"""The keys of a file that are not in the schema, because nothing of them is left in the merged file."""

_A_LIST = 'a list of fields, such as ["contacts"]'


def merged_with_default(source: MappingSource) -> dict[str, Any]:
    """Return the file's content, merged with the default if the file extends it.

    Tables are merged key by key. Lists, such as the stage table, are replaced whole. The fields that `remove` names are
    left out, apart from those that every referral needs, and those that the file sets itself: both are violations.
    """
    document = dict(source.document or {})
    own = document.get("fields")
    removed = _texts(document.pop(REMOVE, ())) - REQUIRED_FIELDS.keys() - set(own if isinstance(own, Mapping) else ())
    if not is_extension(source):
        return document
    document.pop(EXTENDS, None)
    default = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))
    default["fields"] = {name: field for name, field in default["fields"].items() if name not in removed}
    return _merge_tables(default, document)


def is_extension(source: MappingSource) -> bool:
    """Whether the file extends the default, or tries to: otherwise every key of the default would count as missing."""
    document = source.document or {}
    known = (EXTENDS, REMOVE, *MappingFile.model_fields)
    return (
        EXTENDS in document
        or (EXTENDS,) in source.unread
        or any(nearest(key, known) == EXTENDS for key in document.keys() - set(known))
    )


def extension_violations(source: MappingSource) -> Iterator[Violation]:
    """Yield what is wrong with the keys `extends` and `remove`."""
    document = source.document or {}
    value = document.get(EXTENDS, "default")
    if value != "default":
        found = describe_value(value)
        found = f"{found}, which is this file itself" if _is_itself(source, value) else found
        yield Violation((EXTENDS,), expectation('"default", the only file that can be extended', found))
    if REMOVE in document and not is_extension(source):
        problem = 'works only beside extends = "default". A whole file leaves out the table of the field instead.'
        yield Violation((REMOVE,), problem)
    elif REMOVE in document:
        yield from _removal_violations(source, document[REMOVE])


def _is_itself(source: MappingSource, value: object) -> bool:
    """Whether the file names itself as the file that it extends."""
    if not isinstance(value, str) or not value.strip():
        return False
    meant, path = PurePath(value.strip().replace("\\", "/")), source.path
    return meant.name in (path.name, path.stem)


def _removal_violations(source: MappingSource, removed: object) -> Iterator[Violation]:
    if not isinstance(removed, list) or not all(isinstance(name, str) for name in removed):
        yield Violation((REMOVE,), expectation(_A_LIST, describe_value(removed)))
        return
    document = source.document or {}
    own = document.get("fields")
    known = tomllib.loads(DEFAULT.read_text(encoding="utf-8"))["fields"].keys()
    for name in dict.fromkeys(removed):
        if name in REQUIRED_FIELDS:
            expected = "fields that a referral can be created without"
            yield Violation((REMOVE,), expectation(expected, quote(name)))
        elif name not in known:
            expected = "fields of the default file"
            yield Violation(
                (REMOVE,), expectation(expected, quote(name), nearest(name, known - REQUIRED_FIELDS.keys()))
            )
        elif isinstance(own, Mapping) and name in own:
            line = source.lines.line_of(("fields", name))
            found = f"{quote(name)}, which line {line} has a table for"
            yield Violation((REMOVE,), expectation("fields that this file does not set", found))


def _texts(value: object) -> set[str]:
    return {name for name in value if isinstance(name, str)} if isinstance(value, list) else set()


def _merge_tables(default: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(default)
    for key, value in changes.items():
        old = result.get(key)
        result[key] = _merge_tables(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
