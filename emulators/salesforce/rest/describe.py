"""Describe: the schema as the integration user sees it (reference/salesforce.md 2.17)."""

from typing import Any

from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import NUMBERS, TEXTS, Field, Kind, SObject
from emulators.salesforce.data.values import stamp
from emulators.salesforce.rest.call import Call, Reply, Service
from emulators.salesforce.rest.conditional_requests import not_modified
from emulators.salesforce.rest.records import data_object

_SOAP_TYPES = {
    Kind.ID: "tns:ID", Kind.REFERENCE: "tns:ID", Kind.BOOLEAN: "xsd:boolean", Kind.DATE: "xsd:date",
    Kind.DATETIME: "xsd:dateTime", Kind.INT: "xsd:int", Kind.CURRENCY: "xsd:double", Kind.DOUBLE: "xsd:double",
    Kind.PERCENT: "xsd:double",
}  # fmt: skip


class Describe:
    """`/sobjects`, `/sobjects/NAME` and `/sobjects/NAME/describe`."""

    def __init__(self, service: Service) -> None:
        """Share the org."""
        self._org = service.org
        self._tag = service.tag

    def everything(self, call: Call) -> Reply:
        """All objects, without their fields."""
        self._tag("describe.global")
        objects = [_summary(call, sobject) for sobject in self._org.model]
        return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})

    def basics(self, call: Call, name: str) -> Reply:
        """One object without its fields."""
        self._tag("describe.basics")
        return Reply(200, {"objectDescribe": _summary(call, data_object(self._org, name)), "recentItems": []})

    def sobject(self, call: Call, name: str) -> Reply:
        """One object with its fields; 304 where the schema has not changed since `If-Modified-Since`."""
        self._tag("describe")
        sobject = data_object(self._org, name)
        if not_modified(call.headers, stamp(self._org.began)):
            return Reply(304)
        fields = [_field(self._org, field) for field in sobject.fields.values()]
        children = [_child(name, *link) for name, link in sobject.children.items()]
        more = {"fields": fields, "childRelationships": children, "recordTypeInfos": [_master_record_type()]}
        return Reply(200, _summary(call, sobject) | more)


def _summary(call: Call, sobject: SObject) -> dict[str, Any]:
    base = f"{call.base}/sobjects/{sobject.name}"
    changeable = not sobject.setup
    return {
        "name": sobject.name, "label": sobject.label, "labelPlural": sobject.plural, "keyPrefix": sobject.prefix,
        "custom": sobject.name.endswith("__c"), "customSetting": False, "queryable": True, "retrieveable": True,
        "createable": changeable, "updateable": changeable, "deletable": changeable,
        "undeletable": changeable and not sobject.hard_delete, "replicateable": True, "searchable": False,
        "urls": {"sobject": base, "describe": f"{base}/describe", "rowTemplate": f"{base}/{{ID}}"},
    }  # fmt: skip


def _field(org: Org, field: Field) -> dict[str, Any]:
    number = field.kind in NUMBERS
    picks = org.picks(field) if field.kind is Kind.PICKLIST else []
    return {
        "name": field.name, "label": field.label, "type": str(field.kind), "soapType": _soap_type(field),
        "length": field.length, "byteLength": field.length * 3 if field.kind in TEXTS else field.length,
        "precision": field.precision if number and field.kind is not Kind.INT else 0,
        "digits": field.precision if field.kind is Kind.INT else 0, "scale": field.scale if number else 0,
        "createable": field.writable, "updateable": field.writable and not field.fixed,
        "nillable": not field.required and field.kind not in {Kind.BOOLEAN, Kind.ID},
        "defaultedOnCreate": field.kind is Kind.BOOLEAN or field.default is not None or field.name == "OwnerId",
        "defaultValue": field.default, "unique": field.unique, "externalId": field.external_id,
        "caseSensitive": field.case_sensitive, "idLookup": field.kind is Kind.ID or field.external_id,
        "custom": field.custom, "calculated": field.formula is not None,
        "calculatedFormula": field.formula.source if field.formula else None,
        "filterable": not field.long, "sortable": not field.long, "groupable": not field.long and not number,
        "restrictedPicklist": field.restricted, "picklistValues": [_pick(field, *pair) for pair in picks],
        "referenceTo": [field.refers] if field.refers else [], "relationshipName": field.relationship or None,
        "cascadeDelete": field.cascade, "nameField": field.name == "Name", "inlineHelpText": field.help or None,
        "htmlFormatted": False, "encrypted": False, "permissionable": field.custom,
    }  # fmt: skip


def _soap_type(field: Field) -> str:
    return _SOAP_TYPES.get(field.kind, "xsd:string")


def _pick(field: Field, value: str, label: str) -> dict[str, Any]:
    return {"active": True, "defaultValue": value == field.default, "label": label, "validFor": None, "value": value}


def _child(name: str, sobject: str, field: str) -> dict[str, Any]:
    return {"childSObject": sobject, "field": field, "relationshipName": name, "cascadeDelete": True}


def _master_record_type() -> dict[str, Any]:
    return {
        "name": "Master", "developerName": "Master", "recordTypeId": "012000000000000AAA", "master": True,
        "active": True, "available": True, "defaultRecordTypeMapping": True,
    }  # fmt: skip
