"""A deployed zip taken apart into components (reference/salesforce.md 5.8), with what is wrong with zip and files."""

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from emulators.salesforce.metadata.xml_schema import PREFIX, NotXml, mistakes, read

MANIFEST = "package.xml"
WHOLES = {
    "permissionsets": ("PermissionSet", ".permissionset"),
    "layouts": ("Layout", ".layout"),
    "flexipages": ("FlexiPage", ".flexipage"),
    "objectTranslations": ("CustomObjectTranslation", ".objectTranslation"),
}
PARTS = {"fields": "CustomField", "listViews": "ListView", "validationRules": "ValidationRule"}
_SOURCES = {"field": "CustomField", "listView": "ListView", "validationRule": "ValidationRule"}
_SOURCE_WHOLES = {suffix.removeprefix("."): name for name, suffix in WHOLES.values()}


class BrokenPackage(ValueError):
    """Nothing in the zip can be deployed."""


@dataclass(frozen=True, slots=True)
class Component:
    """One member; `full_name` of a part of an object is `Object.Name`."""

    type: str
    full_name: str
    file: str
    element: Any  # lxml ships no types
    line: int = 0

    @property
    def parent(self) -> str:
        """The object of a part."""
        return self.full_name.partition(".")[0]

    def texts(self, path: str) -> list[str]:
        """The texts under a path of names such as `fieldPermissions/field`."""
        found = self.element.findall("/".join(PREFIX + name for name in path.split("/")))
        return [each.text or "" for each in found]

    def text(self, name: str) -> str:
        """The first text under a path, empty if there is none."""
        return next(iter(self.texts(name)), "")


@dataclass(frozen=True, slots=True)
class Problem:
    """What the service says of a component, or of a file that has none."""

    type: str
    full_name: str
    file: str
    text: str
    line: int = 1
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Components in the order in which they are deployed, and what was wrong before any of them was looked at."""

    components: tuple[Component, ...]
    problems: tuple[Problem, ...]


_ORDER = (
    "CustomField",
    "ValidationRule",
    "ListView",
    "Layout",
    "FlexiPage",
    "PermissionSet",
    "CustomObjectTranslation",
)


def unpack(data: bytes) -> Unpacked:
    """Read a zip. Raises BrokenPackage."""
    files = _files(data)
    named = _manifest(files.pop(MANIFEST, None))
    components: dict[tuple[str, str], Component] = {}
    problems: list[Problem] = []
    for name, content in sorted(files.items()):
        found = _components(name, content)
        if isinstance(found, Problem):
            problems.append(found)
            continue
        components |= {(each.type, each.full_name): each for each in found}
    broken_files = {problem.file for problem in problems}
    problems += (_unnamed(each) for key, each in components.items() if key not in named)
    problems += (_missing(*key) for key in sorted(named - set(components)) if not _is_in(key, broken_files))
    chosen = (each for key, each in components.items() if key in named)
    return Unpacked(tuple(sorted(chosen, key=_turn)), tuple(problems))


def from_source(project_folders: list[Path]) -> Iterator[Component]:
    """The components of source-format folders, fields left out: the org model has those from the beginning."""
    for path in sorted(path for folder in project_folders for path in folder.glob("**/*-meta.xml")):
        name, _, kind = path.name.removesuffix("-meta.xml").rpartition(".")
        if kind in _SOURCES and kind != "field":
            yield Component(_SOURCES[kind], f"{path.parent.parent.name}.{name}", path.name, read(path.read_bytes()))
        elif kind in _SOURCE_WHOLES:
            yield Component(_SOURCE_WHOLES[kind], name, path.name, read(path.read_bytes()))


def _turn(component: Component) -> tuple[int, bool, str]:
    """Who is deployed when: formulas after the fields that they read."""
    return _ORDER.index(component.type), bool(component.texts("formula")), component.full_name


def _files(data: bytes) -> dict[str, bytes]:
    """The files by name; they may stand in one folder of any name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise BrokenPackage("Failed to process the request successfully. Cause(INVALID_ZIP)") from error
    if MANIFEST in files:
        return files
    inside = {name.partition("/")[2]: content for name, content in files.items()}
    return inside if MANIFEST in inside and len({name.partition("/")[0] for name in files}) == 1 else files


def _manifest(data: bytes | None) -> set[tuple[str, str]]:
    """The named members as (type, full name)."""
    if data is None:
        raise BrokenPackage("No package.xml found")
    try:
        root = read(data)
    except NotXml as error:
        raise BrokenPackage(f"Error parsing file: {error}") from None
    wrong = mistakes(root) if root.tag == f"{PREFIX}Package" else [("it is no Package", 1)]
    if wrong:
        raise BrokenPackage(f"Error parsing file: {wrong[0][0]}")
    return {
        (types.findtext(f"{PREFIX}name"), member.text)
        for types in root.findall(f"{PREFIX}types")
        for member in types.findall(f"{PREFIX}members")
    }


def _components(name: str, content: bytes) -> list[Component] | Problem:
    """The components of one file, or what is wrong with it."""
    folder, stem = name.partition("/")[0], PurePosixPath(name).name
    type_name, suffix = ("CustomObject", ".object") if folder == "objects" else WHOLES.get(folder, ("", ""))
    full_name = stem.removesuffix(suffix)
    if not suffix or not stem.endswith(suffix):
        return Problem("", full_name, name, "Unknown type of file: this emulator deploys no such metadata")
    try:
        root = read(content)
    except NotXml as error:
        return Problem(type_name, full_name, name, f"Error parsing file: {error}")
    wrong = mistakes(root) if root.tag == PREFIX + type_name else [(f"it is no {type_name}", 1)]
    if wrong:
        return Problem(type_name, full_name, name, f"Error parsing file: {wrong[0][0]}", wrong[0][1])
    if folder != "objects":
        return [Component(type_name, full_name, name, root, root.sourceline)]
    return _parts(root, full_name, name)


def _parts(root: Any, sobject: str, file: str) -> list[Component] | Problem:  # noqa: ANN401 - lxml ships no types
    made = []
    for child in root:
        name = str(child.tag).removeprefix(PREFIX)
        if name not in PARTS:
            return Problem(
                "CustomObject", sobject, file, f"This emulator deploys no {name} of an object", child.sourceline
            )
        full_name = f"{sobject}.{child.findtext(PREFIX + 'fullName')}"
        made.append(Component(PARTS[name], full_name, file, child, child.sourceline))
    return made


def _unnamed(component: Component) -> Problem:
    text = "Not in package.xml"
    return Problem(component.type, component.full_name, component.file, text, component.line, warning=True)


def _missing(type_name: str, full_name: str) -> Problem:
    text = (
        f"An object '{full_name}' of type {type_name} was named in package.xml, but was not found in zipped directory"
    )
    return Problem(type_name, full_name, MANIFEST, text)


def _is_in(key: tuple[str, str], files: set[str]) -> bool:
    """Whether the member's own file is there and broken: that is told already."""
    type_name, full_name = key
    places: Mapping[str, str] = {name: f"{folder}/{full_name}{suffix}" for folder, (name, suffix) in WHOLES.items()}
    return places.get(type_name, f"objects/{full_name.partition('.')[0]}.object") in files
