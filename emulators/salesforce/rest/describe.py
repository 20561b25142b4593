"""Describe objects and fields as the service does (docs/reference/salesforce.md#what-differs-between-orgs)."""

from typing import Any

from emulators.salesforce.data.org import Org
from emulators.salesforce.data.permissions import is_permissionable
from emulators.salesforce.data.schema import NUMBER_KINDS, TEXT_KINDS, Field, Kind, SObject
from emulators.salesforce.data.values import format_stamp
from emulators.salesforce.rest.call import Call, Reply, RestContext
from emulators.salesforce.rest.conditional_requests import is_not_modified
from emulators.salesforce.rest.record_types import describe_picks, record_type_infos
from emulators.salesforce.rest.records import object_by_name

_SOAP_TYPES = {
    Kind.ID: "tns:ID", Kind.REFERENCE: "tns:ID", Kind.BOOLEAN: "xsd:boolean", Kind.DATE: "xsd:date",
    Kind.DATETIME: "xsd:dateTime", Kind.INT: "xsd:int", Kind.CURRENCY: "xsd:double", Kind.DOUBLE: "xsd:double",
    Kind.PERCENT: "xsd:double",
}  # fmt: skip


class Describe:
    """The resources `/sobjects`, `/sobjects/NAME` and `/sobjects/NAME/describe`."""

    def __init__(self, context: RestContext) -> None:
        self._org = context.org
        self._tag = context.tag

    def describe_all(self, call: Call) -> Reply:
        """All objects, without their fields."""
        self._tag("describe.global")
        objects = [_describe_basics(call, sobject) for sobject in self._org.seen]
        return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})

    def describe_without_fields(self, call: Call, name: str) -> Reply:
        """One object, without its fields. Raises ApiError."""
        self._tag("describe.basics")
        return Reply(
            200, {"objectDescribe": _describe_basics(call, object_by_name(self._org, name)), "recentItems": []}
        )

    def describe_response(self, call: Call, name: str) -> Reply:
        """One object with its fields; 304 if its schema is older than `If-Modified-Since`. Raises ApiError."""
        self._tag("describe")
        sobject = object_by_name(self._org, name)
        if is_not_modified(call.headers, format_stamp(self._org.schema_changed_at)):
            return Reply(304)
        fields = [_describe_field(self._org, sobject, field) for field in sobject.fields.values()]
        children = [_describe_child(self._org, name, *link) for name, link in sobject.children.items()]
        infos = record_type_infos(self._org, sobject)
        details = {"fields": fields, "childRelationships": children, "recordTypeInfos": infos}
        return Reply(200, _describe_basics(call, sobject) | details)


def _describe_basics(call: Call, sobject: SObject) -> dict[str, Any]:
    base = f"{call.base_path}/sobjects/{sobject.name}"
    changeable = not sobject.setup
    return {
        "name": sobject.name, "label": sobject.label, "labelPlural": sobject.plural, "keyPrefix": sobject.prefix,
        "custom": sobject.name.endswith("__c"), "customSetting": False, "queryable": True, "retrieveable": True,
        "createable": changeable and sobject.createable, "updateable": changeable and sobject.updateable,
        "deletable": changeable and sobject.deletable,
        "undeletable": changeable and sobject.deletable and not sobject.hard_delete, "replicateable": True,
        "searchable": False, "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }  # fmt: skip


def _describe_field(org: Org, sobject: SObject, field: Field) -> dict[str, Any]:
    is_number = field.kind in NUMBER_KINDS
    values = org.picklist_values(field) if field.kind is Kind.PICKLIST else []
    return {
        "name": field.name, "label": field.label, "type": str(field.kind), "soapType": _soap_type(field),
        "length": field.length, "byteLength": field.length * 3 if field.kind in TEXT_KINDS else field.length,
        "precision": field.precision if is_number and field.kind is not Kind.INT else 0,
        "digits": field.precision if field.kind is Kind.INT else 0, "scale": field.scale if is_number else 0,
        "createable": field.writable and sobject.createable,
        "updateable": field.writable and not field.fixed and sobject.updateable,
        "nillable": not field.required and field.kind not in {Kind.BOOLEAN, Kind.ID},
        "defaultedOnCreate": field.kind is Kind.BOOLEAN or field.default is not None or field.name == "OwnerId",
        "defaultValue": field.default, "unique": field.unique, "externalId": field.external_id,
        "caseSensitive": field.case_sensitive, "idLookup": field.kind is Kind.ID or field.external_id,
        "custom": field.is_custom, "calculated": field.formula is not None,
        "calculatedFormula": field.formula.source if field.formula else None,
        "filterable": not field.is_long, "sortable": not field.is_long,
        "groupable": not field.is_long and not is_number,
        "restrictedPicklist": field.restricted, "picklistValues": describe_picks(field, values),
        "controllerName": field.controller or None, "dependentPicklist": bool(field.controller),
        "referenceTo": [field.refers] if field.refers else [], "relationshipName": field.relationship or None,
        "cascadeDelete": field.cascade, "nameField": field.name == "Name", "inlineHelpText": field.help or None,
        "htmlFormatted": False, "encrypted": False, "permissionable": _is_permissionable(org, sobject, field),
    }  # fmt: skip


def _is_permissionable(org: Org, sobject: SObject, field: Field) -> bool:
    """As `is_permissionable`, of the field as it is for a user with all rights."""
    return is_permissionable(sobject, org.model.get(sobject.name).fields[field.name.lower()])


def _soap_type(field: Field) -> str:
    return _SOAP_TYPES.get(field.kind, "xsd:string")


def _describe_child(org: Org, name: str, sobject: str, field: str) -> dict[str, Any]:
    is_cascading = org.model.get(sobject).fields[field.lower()].cascade
    return {"childSObject": sobject, "field": field, "relationshipName": name, "cascadeDelete": is_cascading}
