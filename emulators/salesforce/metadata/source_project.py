"""Load the project's own source-format metadata, the same files that are deployed, so that the two cannot differ.

A project is read once in each process, because an org begins its first day often. The layout of the files:
docs/reference/salesforce.md#metadata-source-projects. Metadata that the emulator cannot reproduce
raises MetadataError.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import parse as parse_file

from emulators.salesforce.data.schema import Field, Model, SObject
from emulators.salesforce.data.standard_objects import standard_objects
from emulators.salesforce.metadata.component_xml import NAMESPACE, MetadataError, field_from_xml, object_from_xml
from emulators.salesforce.metadata.documents import Documents
from emulators.salesforce.metadata.package import FOLDERS, Component
from emulators.salesforce.metadata.xml_schema import parse_xml

PROJECT = Path(__file__).parents[3] / "infra" / "salesforce"
_OBJECT_PARTS = {"listView": "ListView", "validationRule": "ValidationRule"}
_WHOLE_FILES = {suffix.removeprefix("."): type_name for type_name, suffix in FOLDERS.values()}


def load_model(project: Path = PROJECT, *, multi_currency: bool = True, bare: bool = False) -> Model:
    """The standard objects with the custom fields of a project; `bare` leaves the fields out. Raises MetadataError."""
    return _read_model(project, multi_currency, bare).copy()


@cache
def _read_model(project: Path, multi_currency: bool, bare: bool) -> Model:
    objects = standard_objects(multi_currency=multi_currency)
    for folder in () if bare else _object_folders(project):
        if folder.name not in objects:
            objects[folder.name] = _load_object(folder, Model(objects))
        for path in sorted(folder.glob("fields/*.field-meta.xml")):
            objects[folder.name].add_fields(_load_field(path))
    model = Model(objects)
    for sobject in model:
        _check_formulas(sobject.fields)
        for field in sobject.fields.values():
            model.link_to_parent(sobject, field)
    return model


def package_folders(project: Path) -> list[Path]:
    """The package directories that `sfdx-project.json` lists."""
    settings = json.loads((project / "sfdx-project.json").read_text())
    return [project / package["path"] for package in settings["packageDirectories"]]


@cache
def load_components(project: Path) -> tuple[Component, ...]:
    """The components of a project, except fields: `load_model` puts those into the model of the org."""
    return tuple(_read_components(project))


def _read_components(project: Path) -> Iterator[Component]:
    for path in sorted(path for folder in package_folders(project) for path in folder.glob("**/*-meta.xml")):
        name, _, kind = path.name.removesuffix("-meta.xml").rpartition(".")
        if kind in _OBJECT_PARTS:
            full_name = f"{path.parent.parent.name}.{name}"
            yield Component(_OBJECT_PARTS[kind], full_name, path.name, parse_xml(path.read_bytes()))
        elif kind in {"object", *_WHOLE_FILES}:
            yield Component(_WHOLE_FILES.get(kind, "CustomObject"), name, path.name, parse_xml(path.read_bytes()))


@cache
def field_documents(project: Path) -> Mapping[tuple[str, str], bytes]:
    """The XML of each field of a project, as a retrieval returns it, by type and full name."""
    documents = Documents()
    folders = _object_folders(project)
    for path in (path for folder in folders for path in sorted(folder.glob("fields/*.field-meta.xml"))):
        root = parse_xml(path.read_bytes())
        name = f"{path.parent.parent.name}.{root.findtext(NAMESPACE + 'fullName')}"
        documents.put(Component("CustomField", name, path.name, root))
    return documents.kept


def _object_folders(project: Path) -> Iterator[Path]:
    for package in package_folders(project):
        yield from sorted(path for path in package.glob("**/objects/*") if path.is_dir())


def _load_object(folder: Path, model: Model) -> SObject:
    path = folder / f"{folder.name}.object-meta.xml"
    if not path.is_file():
        raise MetadataError(f"the emulator does not know the object {folder.name}")
    return object_from_xml(folder.name, parse_file(path).getroot(), model)  # noqa: S314 - the project's own files


def _load_field(path: Path) -> Field:
    root = parse_file(path).getroot()  # noqa: S314 - the project's own files
    if path.name != f"{root.findtext(NAMESPACE + 'fullName')}.field-meta.xml":
        raise MetadataError(f"{path.name}: the element fullName does not match the name of the file")
    return field_from_xml(root)


def _check_formulas(fields: dict[str, Field]) -> None:
    for field in fields.values():
        for name in field.formula.fields if field.formula else ():
            if name not in fields or fields[name].formula:
                raise MetadataError(f"{field.name}: its formula reads {name}, which is not a stored field")
