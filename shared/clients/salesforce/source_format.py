"""Turn a project in source format into the zip that a deployment sends.

In source format, each field, list view and validation rule of an object is a file of its own. In the zip, one file of
the object holds them all. It holds nothing else, because a deployment leaves unchanged what it does not name. Sources:
docs/reference/salesforce.md#metadata-source-projects, docs/reference/salesforce.md#manifest-and-zip.
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
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The date of every file in the zip, so that equal sources give equal bytes."""


class _SingleFile(Struct, frozen=True):
    """A kind of file that goes into the zip unchanged, into the folder of its kind."""

    type: str
    folder: str


class _ObjectPart(Struct, frozen=True):
    """A kind of file that becomes one element in the file of its object."""

    type: str
    element: str


_SINGLE_FILES = {
    "permissionset": _SingleFile("PermissionSet", "permissionsets"),
    "layout": _SingleFile("Layout", "layouts"),
    "flexipage": _SingleFile("FlexiPage", "flexipages"),
    "tab": _SingleFile("CustomTab", "tabs"),
    "notiftype": _SingleFile("CustomNotificationType", "notificationtypes"),
    "flow": _SingleFile("Flow", "flows"),
    "group": _SingleFile("Group", "groups"),
    "sharingRules": _SingleFile("SharingRules", "sharingRules"),
}
_OBJECT_PARTS = {
    "field": _ObjectPart("CustomField", "fields"),
    "listView": _ObjectPart("ListView", "listViews"),
    "validationRule": _ObjectPart("ValidationRule", "validationRules"),
}
_PART_TYPES = {part.element: part.type for part in _OBJECT_PARTS.values()}
_FIELD_TRANSLATION = "fieldTranslation"
_FILES_WITH_PARTS = {
    "object": _SingleFile("CustomObject", "objects"),
    "objectTranslation": _SingleFile("CustomObjectTranslation", "objectTranslations"),
}
"""The kinds of files that are joined with files of their parts."""


class Package(Struct, frozen=True):
    """The content of a deployment: the files by their path in the zip, and the members by metadata type."""

    files: Mapping[str, bytes]
    members: Mapping[str, tuple[str, ...]]

    @property
    def member_count(self) -> int:
        """The number of components."""
        return sum(map(len, self.members.values()))

    def manifest_xml(self, version: str) -> bytes:
        """Return the `package.xml`. It names every member, so that a missing file is an error and not an omission."""
        root = Element(qualified_name("Package"))
        for name, members in sorted(self.members.items()):
            types = add_child(root, "types")
            for member in sorted(members):
                add_child(types, "members", member)
            add_child(types, "name", name)
        add_child(root, "version", version)
        return format_xml(root)

    def to_zip(self, version: str) -> bytes:
        """Return the zip: the same bytes for the same sources."""
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted({**self.files, "package.xml": self.manifest_xml(version)}.items()):
                archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
        return output.getvalue()

    @property
    def languages(self) -> frozenset[str]:
        """The codes of the languages of its translations."""
        return frozenset(name.rpartition("-")[2] for name in self.members.get("CustomObjectTranslation", ()))

    def with_languages(self, languages: Iterable[str]) -> "Package":
        """Return the package with only these translations. Raises ConfigurationError for a language it lacks."""
        codes, kind = set(languages), "CustomObjectTranslation"
        names = {name for name in self.members.get(kind, ()) if name.rpartition("-")[2] in codes}
        if unknown := codes - {name.rpartition("-")[2] for name in names}:
            raise ConfigurationError(f"--language: there are no translations into {', '.join(sorted(unknown))}")
        kept = {f"objectTranslations/{name}.objectTranslation" for name in names}
        files = {path: data for path, data in self.files.items() if path in kept or "objectTranslations/" not in path}
        others = {each: members for each, members in self.members.items() if each != kind}
        return Package(files, others | ({kind: tuple(sorted(names))} if names else {}))

    def components(self) -> Iterator[tuple[str, str, Element]]:
        """Yield type, name and XML of all components that are not objects. A part of one is named `Object.Name`."""
        for path, data in self.files.items():
            folder, _, file = path.rpartition("/")
            name, root = file.rpartition(".")[0], parse_xml(data)
            if folder != "objects":
                yield local_name(root), name, root
                continue
            for element in root:
                if kind := _PART_TYPES.get(local_name(element)):
                    yield kind, f"{name}.{text_of(element, 'fullName')}", element

    def components_of_type(self, type_name: str) -> Iterator[tuple[str, Element]]:
        """Yield the name and the XML of the components that have one type, such as CustomField."""
        return ((name, element) for kind, name, element in self.components() if kind == type_name)


def package_folders(project: Path) -> list[Path]:
    """Return the package directories of a source project. Raises ConfigurationError."""
    try:
        document = json.loads((project / PROJECT_FILE).read_text(encoding="utf-8"))
        return [project / package["path"] for package in document["packageDirectories"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{project / PROJECT_FILE} does not exist or names no packageDirectories") from None


def read_source(*folders: Path) -> Package:
    """Return the package in these source folders. Raises ConfigurationError for an unknown kind of file."""
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
        elif kind in _FILES_WITH_PARTS:
            whole = _FILES_WITH_PARTS[kind]
            for child in _read_root(path):
                _append_to_parent(parents, f"{whole.folder}/{name}.{kind}", whole.type, local_name(child), child)
            members.setdefault(whole.type, []).append(name)
        elif kind in _SINGLE_FILES:
            single_file = _SINGLE_FILES[kind]
            files[f"{single_file.folder}/{name}.{kind}"] = format_xml(_read_root(path))
            members.setdefault(single_file.type, []).append(name)
        else:
            raise ConfigurationError(f"{path.name}: this command cannot deploy metadata of the kind {kind!r}")
    files |= {place: format_xml(_in_schema_order(root)) for place, root in parents.items()}
    return Package(files, {type_name: tuple(names) for type_name, names in members.items()})


def layout_package(full_name: str, layout: bytes) -> Package:
    """Return a package of one layout. Its name is the one that Salesforce uses: `Opportunity-Opportunity Layout`."""
    return Package({f"layouts/{full_name}.layout": layout}, {"Layout": (full_name,)})


def _source_files(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        raise ConfigurationError(f"{folder} does not exist: run the command in a checkout of the project")
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
    """Sort the elements by name, as the schema demands. Elements of one name keep the order of their files."""
    root[:] = sorted(root, key=local_name)
    return root
