"""sObject Collections: up to 200 records a call, each with a result of its own (reference/salesforce.md 2.8)."""

from collections.abc import Callable, Sequence
from typing import Any

from emulators.salesforce.data.errors import ApiError, malformed, not_allowed
from emulators.salesforce.data.record_ids import canonical, malformed_id
from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.rest.call import Call, Reply, Service
from emulators.salesforce.rest.records import created, data_object, external_field, getters, writable_object

MAX_WRITES, MAX_READS, MAX_RUNS = 200, 2_000, 10
ROLLED_BACK = ApiError(
    400,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)

type Save = Callable[[Any], dict[str, Any]]


class Collections:
    """The resources below `/composite/sobjects`."""

    def __init__(self, service: Service) -> None:
        """Share the org."""
        self._org = service.org
        self._tag = service.tag

    def answer(self, call: Call) -> Reply:
        """Dispatch by method and depth of the address."""
        match call.method, call.parts[2:]:
            case "POST", ():
                return self._create(call)
            case "PATCH", ():
                return self._update(call)
            case "DELETE", ():
                return self._delete(call)
            case (("POST" | "GET"), (name,)):
                return self._retrieve(call, name)
            case "PATCH", (name, field):
                return self._upsert(call, name, field)
        raise not_allowed(call.method, "GET,POST,PATCH,DELETE")

    # --- writing

    def _create(self, call: Call) -> Reply:
        self._tag("collections.create")
        return self._save_all(call, lambda record: self._insert(call, record))

    def _update(self, call: Call) -> Reply:
        self._tag("collections.update")
        seen: set[str] = set()
        return self._save_all(call, lambda record: self._update_one(call, record, seen))

    def _upsert(self, call: Call, name: str, field_name: str) -> Reply:
        self._tag("collections.upsert")
        sobject = writable_object(data_object(self._org, name), "upsert")
        external_field(sobject, field_name)
        seen: set[str] = set()
        return self._save_all(call, lambda record: self._upsert_one(call, sobject, field_name, record, seen))

    def _delete(self, call: Call) -> Reply:
        self._tag("collections.delete")
        ids = [text for text in call.query.get("ids", "").split(",") if text]
        together = call.query.get("allOrNone", "").lower() == "true"
        return self._run(ids, lambda text: self._delete_one(call, text), together=together)

    def _save_all(self, call: Call, save: Save) -> Reply:
        records = call.body.get("records") if isinstance(call.body, dict) else None
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise malformed("records: a list of records is required")
        types = [_type(record) for record in records]
        runs = sum(1 for place, name in enumerate(types) if place == 0 or name != types[place - 1])
        if runs > MAX_RUNS:
            raise ApiError(400, "LIMIT_EXCEEDED", f"The request has {runs} chunks of types, more than {MAX_RUNS}")
        return self._run(records, save, together=call.body.get("allOrNone") is True)

    def _run(self, items: Sequence[Any], save: Save, *, together: bool) -> Reply:
        if len(items) > MAX_WRITES:
            raise ApiError(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MAX_WRITES}")
        mark, results = self._org.mark(), []
        for item in items:
            try:
                results.append(save(item))
            except ApiError as error:
                results.append(error.result())
        if together and not all(result["success"] for result in results):
            self._org.roll_back(mark)
            results = [ROLLED_BACK.result() if result["success"] else result for result in results]
        return Reply(200, results)

    def _insert(self, call: Call, record: Record) -> dict[str, Any]:
        sobject = writable_object(self._object(record), "insert")
        values = _values(record)
        if _id(record) is not None:
            raise ApiError(400, "INVALID_FIELD", "cannot specify Id in an insert call", ["Id"])
        return created(self._org.insert(sobject.name, values, call.user))

    def _update_one(self, call: Call, record: Record, seen: set[str]) -> dict[str, Any]:
        sobject = writable_object(self._object(record), "update")
        if _id(record) is None:
            raise ApiError(400, "MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        record_id = _known_once(_id(record), seen)
        self._org.update(sobject.name, record_id, _values(record), call.user)
        return created(record_id)

    def _upsert_one(
        self, call: Call, sobject: SObject, field_name: str, record: Record, seen: set[str]
    ) -> dict[str, Any]:
        field = external_field(sobject, field_name)
        values = {name.lower(): value for name, value in _values(record).items()}
        value = values.pop(field.name.lower(), None)
        if not value:
            raise ApiError(400, "MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
        if self._object(record) is not sobject or _id(record) is not None:
            raise ApiError(400, "INVALID_FIELD", "an upsert takes records of one type, without Id")
        _once(field.key(value), seen)
        matches = [row["Id"] for row in self._org.lookup(sobject.name, field.name, value)]
        if len(matches) > 1:
            message = f"{field.name}: more than one record found for external id field: {matches}"
            raise ApiError(300, "DUPLICATE_EXTERNAL_ID", message, [field.name])
        if matches:
            self._org.update(sobject.name, matches[0], values, call.user)
            return created(matches[0], created=False)
        return created(self._org.insert(sobject.name, {field.name: value, **values}, call.user), created=True)

    def _delete_one(self, call: Call, text: str) -> dict[str, Any]:
        record_id = canonical(text)
        sobject = self._org.model.of_id(record_id) if record_id else None
        if record_id is None or sobject is None:
            raise malformed_id(text)
        self._org.delete(writable_object(sobject, "delete").name, record_id, call.user)
        return created(record_id)

    def _object(self, record: Record) -> SObject:
        sobject = self._org.model.find(_type(record))
        if sobject is None:
            raise ApiError(400, "INVALID_TYPE", f"sObject type '{_type(record)}' is not supported.")
        return sobject

    # --- reading

    def _retrieve(self, call: Call, name: str) -> Reply:
        self._tag("collections.retrieve")
        sobject = data_object(self._org, name)
        ids, fields = self._wanted(call)
        if len(ids) > MAX_READS:
            raise ApiError(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {MAX_READS}")
        pairs = getters(sobject, fields)
        rows = [self._org.row(sobject.name, canonical(text) or "") for text in ids]
        base = f"{call.base}/sobjects/{sobject.name}/"
        return Reply(200, [_read(sobject, row, pairs, base) if row and not row["IsDeleted"] else None for row in rows])

    @staticmethod
    def _wanted(call: Call) -> tuple[list[str], list[str]]:
        if call.method == "GET":
            return call.query.get("ids", "").split(","), call.query.get("fields", "").split(",")
        body = call.body if isinstance(call.body, dict) else {}
        ids, fields = body.get("ids"), body.get("fields")
        if not isinstance(ids, list) or not isinstance(fields, list):
            raise malformed("ids and fields are required")
        return [str(each) for each in ids], [str(each) for each in fields]


def _read(sobject: SObject, row: Record, pairs: list[tuple[str, Callable[[Record], Any]]], base: str) -> Record:
    attributes = {"type": sobject.name, "url": base + row["Id"]}
    return {"attributes": attributes, **{name: get(row) for name, get in pairs}}


def _type(record: Record) -> str:
    attributes = record.get("attributes")
    return str(attributes.get("type", "")) if isinstance(attributes, dict) else ""


def _id(record: Record) -> str | None:
    return next((str(value) for name, value in record.items() if name.lower() == "id"), None)


def _values(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "attributes" and name.lower() != "id"}


def _known_once(text: str | None, seen: set[str]) -> str:
    record_id = canonical(text or "")
    if record_id is None:
        raise malformed_id(text)
    _once(record_id, seen)
    return record_id


def _once(key: str, seen: set[str]) -> None:
    if key in seen:
        raise ApiError(400, "DUPLICATE_VALUE", f"duplicate id in list: {key}", [])
    seen.add(key)
