"""Read the rights that permission sets give from the metadata of the org."""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any

from emulators.salesforce.data.permissions import ObjectRights, Rights
from emulators.salesforce.metadata.documents import Documents
from emulators.salesforce.metadata.xml_schema import parse_xml

LICENCE_WITHOUT_STANDARD_OBJECTS = "Salesforce API Integration"


def rights_of_sets(documents: Documents, names: Collection[str]) -> Rights:
    """The united rights of the permission sets with these names, as they are deployed now."""
    return _rights_in(tuple(documents.kept.get(("PermissionSet", name)) for name in names))


@lru_cache(maxsize=128)  # each call of a user with limited rights asks
def _rights_in(documents: tuple[bytes | None, ...]) -> Rights:
    objects: dict[str, ObjectRights] = {}
    fields: dict[str, bool] = {}
    record_types: set[str] = set()
    users = set[str]()
    for data in documents:
        root: Any = parse_xml(data) if data else None
        if root is None:
            continue
        for sobject, rights in _object_rights(root):
            objects[sobject] = objects.get(sobject, ObjectRights()).united(rights)
        for full_name, editable in _field_rights(root):
            fields[full_name] = fields.get(full_name, False) or editable
        record_types |= set(_record_types(root))
        users |= {each.findtext("{*}name") for each in root.findall("{*}userPermissions") if _is_enabled(each)}
    return Rights(objects, fields, frozenset(record_types), frozenset(users))


def _is_enabled(entry: Any) -> bool:  # noqa: ANN401 - lxml ships no types
    return bool(entry.findtext("{*}enabled") == "true")


def _object_rights(root: Any) -> Iterator[tuple[str, ObjectRights]]:  # noqa: ANN401 - lxml ships no types
    for entry in root.findall("{*}objectPermissions"):
        flags = {str(each.tag).rpartition("}")[2]: each.text == "true" for each in entry}
        sobject = entry.findtext("{*}object")
        if _applies(root, sobject):
            yield (
                sobject.lower(),
                ObjectRights(
                    read=flags["allowRead"],
                    create=flags["allowCreate"],
                    edit=flags["allowEdit"],
                    delete=flags["allowDelete"],
                    view_all=flags["viewAllRecords"],
                    modify_all=flags["modifyAllRecords"],
                ),
            )


def _field_rights(root: Any) -> Iterator[tuple[str, bool]]:  # noqa: ANN401 - lxml ships no types
    for entry in root.findall("{*}fieldPermissions"):
        name = entry.findtext("{*}field")
        if _applies(root, name.partition(".")[0]) and entry.findtext("{*}readable") != "false":
            yield name.lower(), entry.findtext("{*}editable") == "true"


def _record_types(root: Any) -> Iterator[str]:  # noqa: ANN401 - lxml ships no types
    for entry in root.findall("{*}recordTypeVisibilities"):
        name = entry.findtext("{*}recordType")
        if entry.findtext("{*}visible") == "true" and _applies(root, name.partition(".")[0]):
            yield name.lower()


def _applies(root: Any, sobject: str) -> bool:  # noqa: ANN401 - lxml ships no types
    """Whether the licence of the set lets it give rights to this object."""
    return root.findtext("{*}license") != LICENCE_WITHOUT_STANDARD_OBJECTS or sobject.endswith("__c")
