"""Tell which record types an object has, and which picklist values each offers.

The resources: `describe`, `/sobjects/NAME/describe/layouts` and `/ui-api/object-info/NAME/picklist-values/ID/FIELD`.
"""

from collections.abc import Sequence
from typing import Any

from emulators.salesforce.data.errors import not_found
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.record_ids import canonical_id
from emulators.salesforce.data.record_types import MASTER_ID
from emulators.salesforce.data.schema import Field, Kind, Record, SObject
from emulators.salesforce.rest.call import Call, Reply, RestContext
from emulators.salesforce.rest.records import object_by_name


def describe_picks(field: Field, values: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The (value, label) pairs of a picklist, as describe shows them."""
    valid_for = field.valid_for or (None,) * len(values)
    return [
        {"active": True, "defaultValue": value == field.default, "label": label, "validFor": bits, "value": value}
        for (value, label), bits in zip(values, valid_for, strict=True)
    ]


def record_type_infos(org: Org, sobject: SObject) -> list[dict[str, Any]]:
    """The record types of an object as describe lists them; the master record type is the last."""
    defaults = org.record_types.defaults
    master = {"Name": "Master", "DeveloperName": "Master", "Id": MASTER_ID, "IsActive": True}
    own = org.record_types.of_object(org, sobject.name)
    offered = [*(each for each in own if org.offers_record_type(each)), master]
    default = next((each for each in offered if each["Id"] in defaults), master)
    return [_record_type_info(each, is_default=each is default, is_offered=each in offered) for each in (*own, master)]


def _record_type_info(record: Record, *, is_default: bool, is_offered: bool) -> dict[str, Any]:
    return {
        "name": record["Name"], "developerName": record["DeveloperName"], "recordTypeId": record["Id"],
        "master": record["Id"] == MASTER_ID, "active": record["IsActive"], "available": is_offered,
        "defaultRecordTypeMapping": is_default,
    }  # fmt: skip


class RecordTypeResources:
    """The resources that tell the picklist values of record types."""

    def __init__(self, context: RestContext) -> None:
        self._org = context.org
        self._tag = context.tag

    def describe_layouts(self, call: Call, name: str) -> Reply:
        """Each record type with its picklist values; the layouts themselves are left out. Raises ApiError."""
        del call
        self._tag("describe.layouts")
        sobject = object_by_name(self._org, name)
        mappings = [self._mapping(sobject, info) for info in record_type_infos(self._org, sobject)]
        return Reply(200, {"layouts": [], "recordTypeMappings": mappings})

    def picklist_values(self, parts: tuple[str, ...]) -> Reply:
        """Answer `GET /ui-api/object-info/NAME/picklist-values/RECORD_TYPE/FIELD`. Raises ApiError."""
        self._tag("picklist.values")
        match parts:
            case ("ui-api", "object-info", name, "picklist-values", record_type, column):
                sobject = object_by_name(self._org, name)
                field = sobject.find_field(column)
                known = {info["recordTypeId"] for info in record_type_infos(self._org, sobject)}
                identifier = canonical_id(record_type) or ""
                if field is None or field.kind is not Kind.PICKLIST or identifier not in known:
                    raise not_found()
                picks: list[dict[str, Any]] = [
                    {"attributes": None, "label": label, "validFor": [], "value": value}
                    for value, label in self._offered(identifier, field)
                ]
                return Reply(200, {"controllerValues": {}, "defaultValue": None, "values": picks})
        raise not_found()

    def _mapping(self, sobject: SObject, info: dict[str, Any]) -> dict[str, Any]:
        picklists = [
            {
                "picklistName": each.name,
                "picklistValues": describe_picks(each, self._offered(info["recordTypeId"], each)),
            }
            for each in sobject.fields.values()
            if each.kind is Kind.PICKLIST
        ]
        return {**info, "picklistsForRecordType": picklists}

    def _offered(self, record_type: str, field: Field) -> list[tuple[str, str]]:
        return self._org.record_types.offered_values(record_type, field, self._org.picklist_values(field))
