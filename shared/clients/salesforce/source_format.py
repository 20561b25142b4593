"""From a project in source format to the zip that a deployment carries (reference/salesforce.md 5.1, 5.8).

In source format each field, list view and validation rule of an object is a file; in the zip they stand together in one
file of the object, which holds nothing else of it: what is not named there is left as the org has it.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.metadata_xml import add, local, parse, tag, text_of, write
from shared.foundation.errors import ConfigurationError

PROJECT_FILE = "sfdx-project.json"
_SUFFIX = "-meta.xml"
_EARLIEST = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # every file in a zip has a date: always this one, so that equal sources give equal bytes


class _Whole(Struct, frozen=True):
    """A file that travels as it is, in a folder of its kind."""

    type: str
    folder: str


class _Part(Struct, frozen=True):
    """A file that becomes one element of its parent's file; `type` is empty where the parent is the member."""

    type: str
    element: str


_WHOLES = {
    "permissionset": _Whole("PermissionSet", "permissionsets"),
    "layout": _Whole("Layout", "layouts"),
    "flexipage": _Whole("FlexiPage", "flexipages"),
    "objectTranslation": _Whole("CustomObjectTranslation", "objectTranslations"),
}
_PARTS = {
    "field": _Part("CustomField", "fields"),
    "listView": _Part("ListView", "listViews"),
    "validationRule": _Part("ValidationRule", "validationRules"),
}
_FIELD_TRANSLATION = "fieldTranslation"


class Package(Struct, frozen=True):
    """What is deployed: files by their place in the zip, and members by metadata type."""

    files: Mapping[str, bytes]
    members: Mapping[str, tuple[str, ...]]

    def manifest(self, version: str) -> bytes:
        """The `package.xml`: every member by name, so that a missing file is an error and not an omission."""
        root = Element(tag("Package"))
        for name, members in sorted(self.members.items()):
            types = add(root, "types")
            for member in sorted(members):
                add(types, "members", member)
            add(types, "name", name)
        add(root, "version", version)
        return write(root)

    def zipped(self, version: str) -> bytes:
        """The zip, the same bytes for the same sources."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted({**self.files, "package.xml": self.manifest(version)}.items()):
                archive.writestr(zipfile.ZipInfo(name, _EARLIEST), data, zipfile.ZIP_DEFLATED)
        return made.getvalue()

    def only_languages(self, languages: Iterable[str]) -> "Package":
        """The package with these translations alone. Raises ConfigurationError for a language that is not there."""
        wanted, kind = set(languages), "CustomObjectTranslation"
        names = {name for name in self.members.get(kind, ()) if name.rpartition("-")[2] in wanted}
        if unknown := wanted - {name.rpartition("-")[2] for name in names}:
            raise ConfigurationError(f"--language: there are no translations into {', '.join(sorted(unknown))}")
        left = {f"objectTranslations/{name}.objectTranslation" for name in names}
        files = {name: data for name, data in self.files.items() if name in left or "objectTranslations/" not in name}
        return Package(files, {**self.members, kind: tuple(sorted(names))})

    def elements(self, type_name: str) -> Iterator[tuple[str, Element]]:
        """The parts of objects of one type, such as CustomField, by `Object.Name`."""
        part = next(part for part in _PARTS.values() if part.type == type_name)
        for path, data in self.files.items():
            folder, _, name = path.rpartition("/")
            if folder == "objects":
                for element in parse(data).findall(tag(part.element)):
                    yield f"{name.removesuffix('.object')}.{text_of(element, 'fullName')}", element


def package_folders(project: Path) -> list[Path]:
    """The package directories of a source project. Raises ConfigurationError."""
    try:
        said = json.loads((project / PROJECT_FILE).read_text(encoding="utf-8"))
        return [project / package["path"] for package in said["packageDirectories"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{project / PROJECT_FILE} is not there or names no packageDirectories") from None


def read_source(*folders: Path) -> Package:
    """The package that lies in source folders. Raises ConfigurationError for a kind of file not known here."""
    files: dict[str, bytes] = {}
    parents: dict[str, Element] = {}
    members: dict[str, list[str]] = {}
    for path in sorted(path for folder in folders for path in _sources(folder)):
        name, _, kind = path.name.removesuffix(_SUFFIX).rpartition(".")
        if kind in _PARTS:
            part, parent = _PARTS[kind], path.parent.parent.name
            _put(parents, f"objects/{parent}.object", "CustomObject", part.element, _root(path))
            members.setdefault(part.type, []).append(f"{parent}.{name}")
        elif kind == _FIELD_TRANSLATION:
            place = f"objectTranslations/{path.parent.name}.objectTranslation"
            _put(parents, place, "CustomObjectTranslation", "fields", _root(path))
        elif kind == "objectTranslation":
            place = f"objectTranslations/{name}.objectTranslation"
            for child in _root(path):
                _put(parents, place, "CustomObjectTranslation", local(child), child)
            members.setdefault("CustomObjectTranslation", []).append(name)
        elif kind in _WHOLES:
            whole = _WHOLES[kind]
            files[f"{whole.folder}/{name}.{kind}"] = write(_root(path))
            members.setdefault(whole.type, []).append(name)
        else:
            raise ConfigurationError(f"{path.name}: metadata of the kind {kind!r} cannot be deployed from here")
    files |= {place: write(_in_schema_order(root)) for place, root in parents.items()}
    return Package(files, {name: tuple(found) for name, found in members.items()})


def layout_package(full_name: str, layout: bytes) -> Package:
    """A package of one layout, named as Salesforce names it: `Opportunity-Opportunity Layout`."""
    return Package({f"layouts/{full_name}.layout": layout}, {"Layout": (full_name,)})


def _sources(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is not there: run the command in a checkout of the project")
    return folder.glob(f"**/*{_SUFFIX}")


def _root(path: Path) -> Element:
    try:
        return parse(path.read_bytes())
    except ValueError as error:
        raise ConfigurationError(f"{path.name}: {error}") from None


def _put(parents: dict[str, Element], place: str, root: str, name: str, element: Element) -> None:
    parent = parents.setdefault(place, Element(tag(root)))
    element.tag = tag(name)
    parent.append(element)


def _in_schema_order(root: Element) -> Element:
    """The schema wants elements by name; within one name the order of the files stays."""
    root[:] = sorted(root, key=local)
    return root
