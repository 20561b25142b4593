"""Take a zip apart into components, and find what is wrong with the zip and its files.

The layout of a zip: docs/reference/salesforce.md#manifest-and-zip.
"""

import copy
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from emulators.salesforce.metadata.xml_schema import PREFIX, NotXml, parse_xml, schema_errors

MANIFEST = "package.xml"
FOLDERS = {
    "permissionsets": ("PermissionSet", ".permissionset"),
    "layouts": ("Layout", ".layout"),
    "flexipages": ("FlexiPage", ".flexipage"),
    "notificationtypes": ("CustomNotificationType", ".notiftype"),
    "tabs": ("CustomTab", ".tab"),
    "flows": ("Flow", ".flow"),
    "groups": ("Group", ".group"),
    "sharingRules": ("SharingRules", ".sharingRules"),
    "objectTranslations": ("CustomObjectTranslation", ".objectTranslation"),
}
"""The type and the suffix of the components of each folder, one component a file."""
OBJECT_PARTS = {"fields": "CustomField", "listViews": "ListView", "validationRules": "ValidationRule"}
"""The types of the components of an `objects` file, by element name."""
_DEPLOY_ORDER = (
    "CustomObject",
    "CustomField",
    "ValidationRule",
    "ListView",
    "CustomTab",
    "CustomNotificationType",
    "Flow",
    "Group",
    "SharingRules",
    "Layout",
    "FlexiPage",
    "PermissionSet",
    "CustomObjectTranslation",
)


class BrokenPackage(ValueError):
    """Nothing in the zip can be deployed."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component. The `full_name` of a part of an object is `Object.Name`."""

    type: str
    full_name: str
    file: str
    element: Any  # lxml ships no types
    line: int = 0

    @property
    def parent(self) -> str:
        """The object that the component is a part of."""
        return self.full_name.partition(".")[0]

    def all_texts(self, path: str) -> list[str]:
        """The texts of all elements under a path of names such as `fieldPermissions/field`."""
        elements = self.element.findall("/".join(PREFIX + name for name in path.split("/")))
        return [each.text or "" for each in elements]

    def first_text(self, path: str) -> str:
        """The text of the first element under a path; empty if there is no such element."""
        return next(iter(self.all_texts(path)), "")


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or a warning about a component, or about a file that holds no component."""

    type: str
    full_name: str
    file: str
    text: str
    line: int = 1
    warning: bool = False


@dataclass(frozen=True, slots=True)
class UnpackedZip:
    """The components in the order of their deployment, and the problems of the zip itself."""

    components: tuple[Component, ...]
    problems: tuple[Problem, ...]


def unpack_zip(data: bytes) -> UnpackedZip:
    """The components that the manifest names. Raises BrokenPackage."""
    files = _read_files(data)
    members = _read_manifest(files.pop(MANIFEST, None))
    components: dict[tuple[str, str], Component] = {}
    problems: list[Problem] = []
    for name, content in sorted(files.items()):
        result = _read_components(name, content)
        if isinstance(result, Problem):
            problems.append(result)
        else:
            components |= {(each.type, each.full_name): each for each in result}
    broken_files = {problem.file for problem in problems}
    problems += (_not_in_manifest(each) for key, each in components.items() if key not in members)
    missing = sorted(members - set(components))
    problems += (_not_in_zip(*key) for key in missing if _file_of_member(*key) not in broken_files)
    named = (each for key, each in components.items() if key in members)
    return UnpackedZip(tuple(sorted(named, key=_deploy_order)), tuple(problems))


def _deploy_order(component: Component) -> tuple[int, bool, str]:
    """The sort key: types in a fixed order, formulas after the fields that they read."""
    has_formula = bool(component.all_texts("formula"))
    return _DEPLOY_ORDER.index(component.type), has_formula, component.full_name


def _read_files(data: bytes) -> dict[str, bytes]:
    """The files by name. If they all stand in one folder, its name is left out."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise BrokenPackage("Failed to process the request successfully. Cause(INVALID_ZIP)") from error
    if MANIFEST in files:
        return files
    inside = {name.partition("/")[2]: content for name, content in files.items()}
    has_one_folder = len({name.partition("/")[0] for name in files}) == 1
    return inside if MANIFEST in inside and has_one_folder else files


def _read_manifest(data: bytes | None) -> set[tuple[str, str]]:
    """The type and full name of each member. Raises BrokenPackage."""
    if data is None:
        raise BrokenPackage("No package.xml found")
    try:
        root = parse_xml(data)
    except NotXml as error:
        raise BrokenPackage(f"Error parsing file: {error}") from None
    errors = _document_errors(root, "Package")
    if errors:
        raise BrokenPackage(f"Error parsing file: {errors[0][0]}")
    return {
        (types.findtext(f"{PREFIX}name"), member.text)
        for types in root.findall(f"{PREFIX}types")
        for member in types.findall(f"{PREFIX}members")
    }


def _document_errors(root: Any, type_name: str) -> list[tuple[str, int]]:  # noqa: ANN401 - lxml ships no types
    if root.tag != PREFIX + type_name:
        return [(f"the root element is not {type_name}", 1)]
    return schema_errors(root)


def _read_components(name: str, content: bytes) -> list[Component] | Problem:
    """The components of one file, or the first problem with it."""
    folder, stem = name.partition("/")[0], PurePosixPath(name).name
    type_name, suffix = ("CustomObject", ".object") if folder == "objects" else FOLDERS.get(folder, ("", ""))
    full_name = stem.removesuffix(suffix)
    if not suffix or not stem.endswith(suffix):
        return Problem("", full_name, name, "Unknown type of file: this emulator does not deploy such metadata")
    try:
        root = parse_xml(content)
    except NotXml as error:
        return Problem(type_name, full_name, name, f"Error parsing file: {error}")
    errors = _document_errors(root, type_name)
    if errors:
        return Problem(type_name, full_name, name, f"Error parsing file: {errors[0][0]}", errors[0][1])
    if folder != "objects":
        return [Component(type_name, full_name, name, root, root.sourceline)]
    return _read_object_parts(root, full_name, name)


def _read_object_parts(root: Any, sobject: str, file: str) -> list[Component] | Problem:  # noqa: ANN401 - lxml ships no types
    components = []
    own = [child for child in root if str(child.tag).removeprefix(PREFIX) not in OBJECT_PARTS]
    if own and not sobject.endswith("__c"):
        text = f"This emulator does not deploy the element {str(own[0].tag).removeprefix(PREFIX)} of a standard object"
        return Problem("CustomObject", sobject, file, text, own[0].sourceline)
    if own:
        components.append(Component("CustomObject", sobject, file, _only(root, own), root.sourceline))
    for child in (each for each in root if each not in own):
        name = str(child.tag).removeprefix(PREFIX)
        full_name = f"{sobject}.{child.findtext(PREFIX + 'fullName')}"
        components.append(Component(OBJECT_PARTS[name], full_name, file, child, child.sourceline))
    return components


def _only(root: Any, children: list[Any]) -> Any:  # noqa: ANN401 - lxml ships no types
    """A copy of the root element with these children only."""
    reduced = copy.copy(root)
    reduced[:] = [copy.deepcopy(child) for child in children]
    return reduced


def _not_in_manifest(component: Component) -> Problem:
    text = "Not in package.xml"
    return Problem(component.type, component.full_name, component.file, text, component.line, warning=True)


def _not_in_zip(type_name: str, full_name: str) -> Problem:
    text = (
        f"An object '{full_name}' of type {type_name} was named in package.xml, but was not found in zipped directory"
    )
    return Problem(type_name, full_name, MANIFEST, text)


def _file_of_member(type_name: str, full_name: str) -> str:
    """The file that should hold a member. If that file is broken, its own problem is enough."""
    for folder, (name, suffix) in FOLDERS.items():
        if name == type_name:
            return f"{folder}/{full_name}{suffix}"
    return f"objects/{full_name.partition('.')[0]}.object"
