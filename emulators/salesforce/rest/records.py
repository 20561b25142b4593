"""Create, read, update, delete and upsert single records.

The contract: docs/reference/salesforce.md#single-records, docs/reference/salesforce.md#upsert-by-external-id and
docs/reference/salesforce.md#conditional-requests.
"""

from collections.abc import Callable, Sequence
from typing import Any

from emulators.salesforce.data.errors import (
    ApiError,
    method_not_allowed,
    no_such_field,
    not_found,
    record_deleted,
)
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.record_ids import canonical_id
from emulators.salesforce.data.schema import Field, Record, SObject
from emulators.salesforce.data.values import field_reader
from emulators.salesforce.rest.call import Call, Reply, RestContext
from emulators.salesforce.rest.conditional_requests import check_unmodified, is_not_modified

MULTIPLE_CHOICES = 300


def save_result(record_id: str, **more: object) -> dict[str, Any]:
    """The body of a successful save."""
    return {"id": record_id, "success": True, "errors": [], **more}


def object_by_name(org: Org, name: str) -> SObject:
    """The object that an address names. Raises ApiError (404)."""
    sobject = org.seen.find_object(name)
    if sobject is None:
        raise not_found()
    return sobject


def writable_object(sobject: SObject, operation: str) -> SObject:
    """The same object. Raises ApiError if only administrators change its records, in Setup."""
    if sobject.setup and not sobject.by_administrators:
        message = f"entity type {sobject.name} does not support {operation}"
        raise ApiError(400, "INVALID_TYPE_FOR_OPERATION", message)
    return sobject


def external_id_field(sobject: SObject, name: str) -> Field:
    """The external id field that an address names. Raises ApiError (404)."""
    field = sobject.find_field(name)
    if field is None or not field.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def field_readers(sobject: SObject, names: Sequence[str] | None) -> list[tuple[str, Callable[[Record], Any]]]:
    """The name of each requested field, and a function that reads it; None requests all fields. Raises ApiError."""
    if names is None:
        return [(field.name, field_reader(sobject, field)) for field in sobject.fields.values()]
    readers = []
    for name in names:
        field = sobject.find_field(name.strip())
        if field is None:
            raise no_such_field(name.strip(), sobject.name)
        readers.append((field.name, field_reader(sobject, field)))
    return readers


class RecordResources:
    """The resources of single records, below `/sobjects/NAME`. All methods raise ApiError."""

    def __init__(self, context: RestContext) -> None:
        self._org = context.org
        self._tag = context.tag

    def create(self, call: Call, name: str) -> Reply:
        """Answer `POST /sobjects/NAME` with 201 and `Location`."""
        self._tag("create")
        sobject = writable_object(object_by_name(self._org, name), "insert")
        values = call.field_values()
        if any(key.lower() == "id" for key in values):
            raise ApiError(400, "INVALID_FIELD", "cannot specify Id in an insert call", ["Id"])
        record_id = self._org.insert(sobject.name, values, call.user)
        return self._created_reply(call, sobject, record_id)

    def answer_by_id(self, call: Call, name: str, text: str) -> Reply:
        """Answer `GET | PATCH | DELETE /sobjects/NAME/ID`."""
        sobject = object_by_name(self._org, name)
        record_id = canonical_id(text)
        if record_id is None:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
        match call.method:
            case "GET":
                return self._read_record(call, sobject, record_id)
            case "PATCH":
                return self._update_record(call, writable_object(sobject, "update"), record_id)
            case "DELETE":
                return self._delete_record(call, sobject, record_id)
        raise method_not_allowed(call.method, "HEAD,GET,PATCH,DELETE")

    def read_parent(self, call: Call, name: str, text: str, relationship: str) -> Reply:
        """Answer `GET /sobjects/NAME/ID/RELATIONSHIP` with the parent's record."""
        sobject = object_by_name(self._org, name)
        link, record_id = sobject.reference_field(relationship), canonical_id(text)
        if link is None or record_id is None:
            raise not_found()
        if call.method != "GET":
            raise method_not_allowed(call.method, "HEAD,GET")
        parent_id = self._readable_record(sobject, record_id)[link.name]
        if parent_id is None:
            raise not_found()
        return self._read_record(call, object_by_name(self._org, link.refers), parent_id)

    def answer_by_external_id(self, call: Call, name: str, field_name: str, value: str) -> Reply:
        """Answer `GET | PATCH | DELETE /sobjects/NAME/FIELD/VALUE`: read, upsert or delete; 300 if several match."""
        sobject = object_by_name(self._org, name)
        field = external_id_field(sobject, field_name)
        found = self._org.records_by_value(sobject.name, field.name, value)
        matches = [record["Id"] for record in self._org.readable_records(sobject.name, found)]
        if call.method not in {"GET", "PATCH", "DELETE"}:
            raise method_not_allowed(call.method, "HEAD,GET,PATCH,DELETE")
        if len(matches) > 1:
            return Reply(MULTIPLE_CHOICES, [f"{call.base_path}/sobjects/{sobject.name}/{each}" for each in matches])
        if call.method == "PATCH":
            return self._upsert_record(call, writable_object(sobject, "upsert"), field, value, matches)
        if not matches:
            raise not_found()
        if call.method == "DELETE":
            return self._delete_record(call, sobject, matches[0])
        return self._read_record(call, sobject, matches[0])

    # --- one method each

    def _readable_record(self, sobject: SObject, record_id: str) -> Record:
        record = self._org.stored_record(sobject.name, record_id)
        if record is None or not self._org.is_readable(sobject.name, record):
            raise not_found()
        if record["IsDeleted"]:
            raise record_deleted()
        return record

    def _read_record(self, call: Call, sobject: SObject, record_id: str) -> Reply:
        self._tag("read")
        record = self._readable_record(sobject, record_id)
        if "fields" in call.query and not call.query["fields"]:
            raise no_such_field("", sobject.name)
        check_unmodified(call.headers, record["LastModifiedDate"])
        if is_not_modified(call.headers, record["LastModifiedDate"]):
            return Reply(304)
        names = call.query["fields"].split(",") if "fields" in call.query else None
        body: Record = {"attributes": {"type": sobject.name, "url": _address(call, sobject, record["Id"])}}
        return Reply(200, body | {name: read(record) for name, read in field_readers(sobject, names)})

    def _update_record(self, call: Call, sobject: SObject, record_id: str) -> Reply:
        self._tag("update")
        values = call.field_values()
        if any(key.lower() == "id" for key in values):
            raise _field_in_body("Id")
        check_unmodified(call.headers, self._org.existing_record(sobject.name, record_id)["LastModifiedDate"])
        self._org.update(sobject.name, record_id, values, call.user)
        return Reply(204)

    def _delete_record(self, call: Call, sobject: SObject, record_id: str) -> Reply:
        self._tag("delete")
        self._org.delete(writable_object(sobject, "delete").name, record_id, call.user)
        return Reply(204)

    def _upsert_record(self, call: Call, sobject: SObject, field: Field, value: str, matches: list[str]) -> Reply:
        self._tag("upsert")
        values = call.field_values()
        for key in values:
            if key.lower() in {"id", field.name.lower()}:
                raise _field_in_body("Id" if key.lower() == "id" else field.name)
        if matches:
            check_unmodified(call.headers, self._org.existing_record(sobject.name, matches[0])["LastModifiedDate"])
            self._org.update(sobject.name, matches[0], values, call.user)
            return Reply(200, save_result(matches[0], created=False))
        if call.query.get("updateOnly", "").lower() == "true":
            raise not_found()
        record_id = self._org.insert(sobject.name, {field.name: value, **values}, call.user)
        return self._created_reply(call, sobject, record_id, created=True)

    @staticmethod
    def _created_reply(call: Call, sobject: SObject, record_id: str, **more: object) -> Reply:
        return Reply(201, save_result(record_id, **more), {"Location": _address(call, sobject, record_id)})


def _address(call: Call, sobject: SObject, record_id: str) -> str:
    return f"{call.base_path}/sobjects/{sobject.name}/{record_id}"


def _field_in_body(name: str) -> ApiError:
    return ApiError(400, "INVALID_FIELD", f"The {name} field should not be specified in the sobject data.", [name])
