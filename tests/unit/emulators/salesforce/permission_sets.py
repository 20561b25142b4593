"""Give the user of a test the rights of a permission set that is deployed for it."""

from collections.abc import Mapping, Sequence

from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.xml_schema import parse_xml
from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control

RIGHTS = {
    "c": "allowCreate", "d": "allowDelete", "e": "allowEdit", "r": "allowRead", "m": "modifyAllRecords",
    "v": "viewAllRecords",
}  # fmt: skip
ROBOT = "robot@partner.example"


def give_rights(
    api: ApiSession,
    objects: Mapping[str, str],
    fields: Mapping[str, bool] | None = None,
    *,
    licence: str = "",
    name: str = "Test",
    record_types: Sequence[str] = (),
) -> None:
    """Limit the user to these rights: letters of RIGHTS by object, whether a field is editable, and record types."""
    parts = []
    for field, editable in (fields or {}).items():
        flag = str(editable).lower()
        parts.append(
            f"<fieldPermissions><editable>{flag}</editable><field>{field}</field><readable>true</readable></fieldPermissions>"
        )
    parts += [f"<label>{name}</label>", f"<license>{licence}</license>" if licence else ""]
    for sobject, letters in objects.items():
        flags = "".join(f"<{tag}>{str(letter in letters).lower()}</{tag}>" for letter, tag in RIGHTS.items())
        parts.append(f"<objectPermissions>{flags}<object>{sobject}</object></objectPermissions>")
    for each in record_types:
        parts.append(
            f"<recordTypeVisibilities><recordType>{each}</recordType><visible>true</visible></recordTypeVisibilities>"
        )
    xml = f'<PermissionSet xmlns="http://soap.sforce.com/2006/04/metadata">{"".join(parts)}</PermissionSet>'
    api.emulator.deployments.install([Component("PermissionSet", name, "", parse_xml(xml.encode()))])
    control(api.emulator, "permission_sets", username=ROBOT, names=[name])
