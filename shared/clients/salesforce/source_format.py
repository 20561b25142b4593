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

from shared.clients.salesforce.metadata_xml import add_child, format_xml, local_name, parse_xml, qualified_name, text_of
from shared.foundation.errors import ConfigurationError

PROJECT_FILE = "sfdx-project.json"
_SUFFIX = "-meta.xml"
_ZIP_DATE = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # every file in a zip has a date: always this one, so that equal sources give equal bytes


class _SingleFile(Struct, frozen=True):
    """A file that travels as it is, in a folder of its kind."""

    type: str
    folder: str


class _ObjectPart(Struct, frozen=True):
    """A file that becomes one element of its parent's file; `type` is empty where the parent is the member."""

    type: str
    element: str


_SINGLE_FILES = {
    "permissionset": _SingleFile("PermissionSet", "permissionsets"),
    "layout": _SingleFile("Layout", "layouts"),
    "flexipage": _SingleFile("FlexiPage", "flexipages"),
    "objectTranslation": _SingleFile("CustomObjectTranslation", "objectTranslations"),
}
_OBJECT_PARTS = {
    "field": _ObjectPart("CustomField", "fields"),
    "listView": _ObjectPart("ListView", "listViews"),
    "validationRule": _ObjectPart("ValidationRule", "validationRules"),
}
_FIELD_TRANSLATION = "fieldTranslation"


class Package(Struct, frozen=True):
    """What is deployed: files by their place in the zip, and members by metadata type."""

    files: Mapping[str, bytes]
    members: Mapping[str, tuple[str, ...]]

    def manifest_xml(self, version: str) -> bytes:
        """The `package.xml`: every member by name, so that a missing file is an error and not an omission."""
        root = Element(qualified_name("Package"))
        for name, members in sorted(self.members.items()):
            types = add_child(root, "types")
            for member in sorted(members):
                add_child(types, "members", member)
            add_child(types, "name", name)
        add_child(root, "version", version)
        return format_xml(root)

    def to_zip(self, version: str) -> bytes:
        """The zip, the same bytes for the same sources."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted({**self.files, "package.xml": self.manifest_xml(version)}.items()):
                archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
        return made.getvalue()

    def with_languages(self, languages: Iterable[str]) -> "Package":
        """The package with these translations alone. Raises ConfigurationError for a language that is not there."""
        wanted, kind = set(languages), "CustomObjectTranslation"
        names = {name for name in self.members.get(kind, ()) if name.rpartition("-")[2] in wanted}
        if unknown := wanted - {name.rpartition("-")[2] for name in names}:
            raise ConfigurationError(f"--language: there are no translations into {', '.join(sorted(unknown))}")
        left = {f"objectTranslations/{name}.objectTranslation" for name in names}
        files = {name: data for name, data in self.files.items() if name in left or "objectTranslations/" not in name}
        return Package(files, {**self.members, kind: tuple(sorted(names))})

    def components_of_type(self, type_name: str) -> Iterator[tuple[str, Element]]:
        """The parts of objects of one type, such as CustomField, by `Object.Name`."""
        part = next(part for part in _OBJECT_PARTS.values() if part.type == type_name)
        for path, data in self.files.items():
            folder, _, name = path.rpartition("/")
            if folder == "objects":
                for element in parse_xml(data).findall(qualified_name(part.element)):
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
    for path in sorted(path for folder in folders for path in _source_files(folder)):
        name, _, kind = path.name.removesuffix(_SUFFIX).rpartition(".")
        if kind in _OBJECT_PARTS:
            part, parent = _OBJECT_PARTS[kind], path.parent.parent.name
            _append_to_parent(parents, f"objects/{parent}.object", "CustomObject", part.element, _read_root(path))
            members.setdefault(part.type, []).append(f"{parent}.{name}")
        elif kind == _FIELD_TRANSLATION:
            place = f"objectTranslations/{path.parent.name}.objectTranslation"
            _append_to_parent(parents, place, "CustomObjectTranslation", "fields", _read_root(path))
        elif kind == "objectTranslation":
            place = f"objectTranslations/{name}.objectTranslation"
            for child in _read_root(path):
                _append_to_parent(parents, place, "CustomObjectTranslation", local_name(child), child)
            members.setdefault("CustomObjectTranslation", []).append(name)
        elif kind in _SINGLE_FILES:
            whole = _SINGLE_FILES[kind]
            files[f"{whole.folder}/{name}.{kind}"] = format_xml(_read_root(path))
            members.setdefault(whole.type, []).append(name)
        else:
            raise ConfigurationError(f"{path.name}: metadata of the kind {kind!r} cannot be deployed from here")
    files |= {place: format_xml(_in_schema_order(root)) for place, root in parents.items()}
    return Package(files, {name: tuple(found) for name, found in members.items()})


def layout_package(full_name: str, layout: bytes) -> Package:
    """A package of one layout, named as Salesforce names it: `Opportunity-Opportunity Layout`."""
    return Package({f"layouts/{full_name}.layout": layout}, {"Layout": (full_name,)})


def _source_files(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is not there: run the command in a checkout of the project")
    return folder.glob(f"**/*{_SUFFIX}")


def _read_root(path: Path) -> Element:
    try:
        return parse_xml(path.read_bytes())
    except ValueError as error:
        raise ConfigurationError(f"{path.name}: {error}") from None


def _append_to_parent(parents: dict[str, Element], place: str, root: str, name: str, element: Element) -> None:
    parent = parents.setdefault(place, Element(qualified_name(root)))
    element.tag = qualified_name(name)
    parent.append(element)


def _in_schema_order(root: Element) -> Element:
    """The schema wants elements by name; within one name the order of the files stays."""
    root[:] = sorted(root, key=local_name)
    return root
