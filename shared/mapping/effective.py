"""Say what a mapping file means as a whole: each key with its value, and the file and line that it comes from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from shared.mapping.extension import REMOVE, is_extension
from shared.mapping.schema import DEFAULT, MappingFile
from shared.mapping.source import MappingSource
from shared.mapping.validation import load_mapping
from shared.mapping.violations import Place

NOT_SET = "not set"
"""The origin of a value that no file names: what the key means where it is left out."""
_ABSENT = object()


class Origin(Struct, frozen=True):
    """Where a value comes from; without a file, no file names it."""

    file: str | None = None
    line: int | None = None

    @property
    def text(self) -> str:
        """Words for the place."""
        return f"{self.file}, line {self.line}" if self.file else NOT_SET


class Key(Struct, frozen=True):
    """One key of the effective mapping."""

    place: Place
    value: Any
    origin: Origin


class Effective(Struct, frozen=True):
    """A mapping file as it counts. `removed` are the fields of the default that it takes out, with the place."""

    name: str
    hash: str
    file: MappingFile
    keys: tuple[Key, ...]
    removed: tuple[Key, ...] = ()


def effective_mapping(path: Path = DEFAULT) -> Effective:
    """Return what the file says, with what it takes over from the default. Raises ConfigurationError."""
    file, digest = load_mapping(path)
    own = MappingSource(path)
    sources = [own, MappingSource(DEFAULT)] if is_extension(own) else [own]
    keys = tuple(Key(place, value, _origin_of(place, sources)) for place, value in _leaves(file.model_dump()))
    taken = (own.document or {}).get(REMOVE, ()) if is_extension(own) else ()
    where = _origin_of((REMOVE,), [own])
    return Effective(own.name, digest, file, keys, tuple(Key(("fields", name), None, where) for name in taken))


def _leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:  # noqa: ANN401 - a value of a TOML file
    """Yield the keys with a value. A table in a list, such as a stage, is walked too; other lists are values.

    An empty table is left out: it says the same as none, and some rules allow none.
    """
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _leaves(one, (*place, name))
    elif _is_list_of_tables(value):
        for number, one in enumerate(value):
            yield from _leaves(one, (*place, number))
    elif value is not None:
        yield place, value


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _origin_of(place: Place, sources: list[MappingSource]) -> Origin:
    """Return the first file that names the place. A list replaces the whole list of the default."""
    for source in sources:
        if _value_at(source.document or {}, place) is not _ABSENT:
            return Origin(source.name, source.lines.line_of(place))
        if _is_in_list_of(source.document or {}, place):
            break
    return Origin()


def _value_at(document: Mapping[str, Any], place: Place) -> object:
    value: Any = document
    for step in place:
        is_known = step in value if isinstance(value, Mapping) else isinstance(value, list) and int(step) < len(value)
        if not is_known:
            return _ABSENT
        value = value[step]
    return value


def _is_in_list_of(document: Mapping[str, Any], place: Place) -> bool:
    """Whether the document itself has the list that the place is in."""
    ends = (end for end, step in enumerate(place) if isinstance(step, int))
    return any(_value_at(document, place[:end]) is not _ABSENT for end in ends)
