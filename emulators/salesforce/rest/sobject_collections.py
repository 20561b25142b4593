"""Answer sObject Collections: up to 200 records in one call, each with its own result.

The contract: docs/reference/salesforce.md#sobject-collections.
"""

from collections.abc import Callable, Sequence
from typing import Any

from emulators.salesforce.data.errors import ApiError, malformed_body, method_not_allowed
from emulators.salesforce.data.record_ids import canonical_id, malformed_id
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.rest.call import Call, Reply, RestContext
from emulators.salesforce.rest.records import (
    external_id_field,
    field_readers,
    object_by_name,
    save_result,
    writable_object,
)

MAX_WRITES, MAX_READS, MAX_TYPE_RUNS = 200, 2_000, 10
ROLLED_BACK = ApiError(
    400,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

type Save = Callable[[Any], dict[str, Any]]


class Collections:
    """The resources below `/composite/sobjects`."""

    def __init__(self, context: RestContext) -> None:
        self._org = context.org
        self._tag = context.tag

    def answer_call(self, call: Call) -> Reply:
        """Choose the operation by the method and the path. Raises ApiError if the whole call is refused."""
        match call.method, call.parts[2:]:
            case "POST", ():
                return self._create_records(call)
            case "PATCH", ():
                return self._update_records(call)
            case "DELETE", ():
                return self._delete_records(call)
            case (("POST" | "GET"), (name,)):
                return self._retrieve_records(call, name)
            case "PATCH", (name, field):
                return self._upsert_records(call, name, field)
        raise method_not_allowed(call.method, "GET,POST,PATCH,DELETE")

    # --- writing

    def _create_records(self, call: Call) -> Reply:
        self._tag("collections.create")
        return self._save_all(call, lambda record: self._insert_one(call, record))

    def _update_records(self, call: Call) -> Reply:
        self._tag("collections.update")
        seen: set[str] = set()
        return self._save_all(call, lambda record: self._update_one(call, record, seen))

    def _upsert_records(self, call: Call, name: str, field_name: str) -> Reply:
        self._tag("collections.upsert")
        sobject = writable_object(object_by_name(self._org, name), "upsert")
        external_id_field(sobject, field_name)
        seen: set[str] = set()
        return self._save_all(call, lambda record: self._upsert_one(call, sobject, field_name, record, seen))

    def _delete_records(self, call: Call) -> Reply:
        self._tag("collections.delete")
        ids = [text for text in call.query.get("ids", "").split(",") if text]
        all_or_none = call.query.get("allOrNone", "").lower() == "true"
        return self._run_saves(ids, lambda text: self._delete_one(call, text), all_or_none=all_or_none)

    def _save_all(self, call: Call, save: Save) -> Reply:
        records = call.body.get("records") if isinstance(call.body, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise malformed_body("records: a list of records is required")
        types = [_type_name(record) for record in records]
        runs = sum(1 for place, name in enumerate(types) if place == 0 or name != types[place - 1])
        if runs > MAX_TYPE_RUNS:
            raise ApiError(400, "LIMIT_EXCEEDED", f"The request has {runs} chunks of types, more than {MAX_TYPE_RUNS}")
        return self._run_saves(records, save, all_or_none=call.body.get("allOrNone") is True)

    def _run_saves(self, items: Sequence[Any], save: Save, *, all_or_none: bool) -> Reply:
        if len(items) > MAX_WRITES:
            raise ApiError(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MAX_WRITES}")
        position, results = self._org.undo_position(), []
        for item in items:
            try:
                results.append(save(item))
            except ApiError as error:
                results.append(error.to_result())
        if all_or_none and not all(result["success"] for result in results):
            self._org.roll_back(position)
            results = [ROLLED_BACK.to_result() if result["success"] else result for result in results]
        return Reply(200, results)

    def _insert_one(self, call: Call, record: Record) -> dict[str, Any]:
        sobject = writable_object(self._object_of(record), "insert")
        values = _field_values(record)
        if _id_text(record) is not None:
            raise ApiError(400, "INVALID_FIELD", "cannot specify Id in an insert call", ["Id"])
        return save_result(self._org.insert(sobject.name, values, call.user))

    def _update_one(self, call: Call, record: Record, seen: set[str]) -> dict[str, Any]:
        sobject = writable_object(self._object_of(record), "update")
        text = _id_text(record)
        if text is None:
            raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        record_id = canonical_id(text)
        if record_id is None:
            raise malformed_id(text)
        _check_not_seen(record_id, seen)
        self._org.update(sobject.name, record_id, _field_values(record), call.user)
        return save_result(record_id)

    def _upsert_one(
        self, call: Call, sobject: SObject, field_name: str, record: Record, seen: set[str]
    ) -> dict[str, Any]:
        field = external_id_field(sobject, field_name)
        values = {name.lower(): value for name, value in _field_values(record).items()}
        value = values.pop(field.name.lower(), None)
        if not value:
            raise ApiError(400, "MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
        if self._object_of(record) is not sobject or _id_text(record) is not None:
            raise ApiError(400, "INVALID_FIELD", "an upsert takes records of one type, without Id")
        _check_not_seen(field.index_key(value), seen)
        found = self._org.records_by_value(sobject.name, field.name, value)
        matches = [each["Id"] for each in self._org.readable_records(sobject.name, found)]
        if len(matches) > 1:
            message = f"{field.name}: more than one record found for external id field: {matches}"
            raise ApiError(300, "DUPLICATE_EXTERNAL_ID", message, [field.name])
        if matches:
            self._org.update(sobject.name, matches[0], values, call.user)
            return save_result(matches[0], created=False)
        return save_result(self._org.insert(sobject.name, {field.name: value, **values}, call.user), created=True)

    def _delete_one(self, call: Call, text: str) -> dict[str, Any]:
        record_id = canonical_id(text)
        sobject = self._org.seen.object_of_id(record_id) if record_id else None
        if record_id is None or sobject is None:
            raise malformed_id(text)
        self._org.delete(writable_object(sobject, "delete").name, record_id, call.user)
        return save_result(record_id)

    def _object_of(self, record: Record) -> SObject:
        sobject = self._org.seen.find_object(_type_name(record))
        if sobject is None:
            raise ApiError(400, "INVALID_TYPE", f"sObject type '{_type_name(record)}' is not supported.")
        return sobject

    # --- reading

    def _retrieve_records(self, call: Call, name: str) -> Reply:
        self._tag("collections.retrieve")
        sobject = object_by_name(self._org, name)
        ids, fields = self._requested_ids_and_fields(call)
        if len(ids) > MAX_READS:
            raise ApiError(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MAX_READS}")
        readers = field_readers(sobject, fields)
        base = f"{call.base_path}/sobjects/{sobject.name}/"
        records = (self._org.stored_record(sobject.name, canonical_id(text) or "") for text in ids)
        undeleted = (
            record if record and not record["IsDeleted"] and self._org.is_readable(sobject.name, record) else None
            for record in records
        )
        return Reply(200, [_retrieved_body(sobject, record, readers, base) if record else None for record in undeleted])

    @staticmethod
    def _requested_ids_and_fields(call: Call) -> tuple[list[str], list[str]]:
        if call.method == "GET":
            return call.query.get("ids", "").split(","), call.query.get("fields", "").split(",")
        body = call.body if isinstance(call.body, dict) else {}
        ids, fields = body.get("ids"), body.get("fields")
        if not isinstance(ids, list) or not isinstance(fields, list):
            raise malformed_body("ids and fields are required")
        return [str(each) for each in ids], [str(each) for each in fields]


def _retrieved_body(
    sobject: SObject, record: Record, readers: list[tuple[str, Callable[[Record], Any]]], base: str
) -> Record:
    attributes = {"type": sobject.name, "url": base + record["Id"]}
    return {"attributes": attributes, **{name: read(record) for name, read in readers}}


def _type_name(record: Record) -> str:
    attributes = record.get("attributes")
    return str(attributes.get("type", "")) if isinstance(attributes, dict) else ""


def _id_text(record: Record) -> str | None:
    return next((str(value) for name, value in record.items() if name.lower() == "id"), None)


def _field_values(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "attributes" and name.lower() != "id"}


def _check_not_seen(key: str, seen: set[str]) -> None:
    if key in seen:
        raise ApiError(400, "DUPLICATE_VALUE", f"duplicate id in list: {key}", [])
    seen.add(key)
