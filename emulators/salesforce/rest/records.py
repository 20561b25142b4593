"""Single records: create, read, update, delete, upsert by external id (reference/salesforce.md 2.6, 2.7, 2.10)."""

from collections.abc import Callable, Sequence
from typing import Any

from emulators.salesforce.data.errors import ApiError, gone, no_such_field, not_allowed, not_found
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.record_ids import canonical
from emulators.salesforce.data.schema import Field, Record, SObject
from emulators.salesforce.query.paths import reader
from emulators.salesforce.rest.call import Call, Reply, Service
from emulators.salesforce.rest.conditional_requests import check_unmodified, not_modified

MULTIPLE_CHOICES = 300


def created(record_id: str, **more: object) -> dict[str, Any]:
    """The body of a successful save."""
    return {"id": record_id, "success": True, "errors": [], **more}


def data_object(org: Org, name: str) -> SObject:
    """An object by its name in an address. Raises ApiError (404)."""
    sobject = org.model.find(name)
    if sobject is None:
        raise not_found()
    return sobject


def writable_object(sobject: SObject, operation: str) -> SObject:
    """The object, unless it is changed in Setup only. Raises ApiError."""
    if sobject.setup:
        message = f"entity type {sobject.name} does not support {operation}"
        raise ApiError(400, "INVALID_TYPE_FOR_OPERATION", message)
    return sobject


def shaped(sobject: SObject, row: Record, names: Sequence[str] | None, base: str) -> Record:
    """A record as a read by id returns it: own fields only, all of them if none are named. Raises ApiError."""
    made: Record = {"attributes": {"type": sobject.name, "url": f"{base}/sobjects/{sobject.name}/{row['Id']}"}}
    for name, get in getters(sobject, names):
        made[name] = get(row)
    return made


def getters(sobject: SObject, names: Sequence[str] | None) -> list[tuple[str, Callable[[Record], Any]]]:
    """Names and readers of fields. Raises ApiError."""
    if names is None:
        return [(field.name, reader(sobject, field)) for field in sobject.fields.values()]
    found = []
    for name in names:
        field = sobject.find(name.strip())
        if field is None:
            raise no_such_field(name.strip(), sobject.name)
        found.append((field.name, reader(sobject, field)))
    return found


def external_field(sobject: SObject, name: str) -> Field:
    """The external id field an address names. Raises ApiError (404)."""
    field = sobject.find(name)
    if field is None or not field.external_id:
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


class Rows:
    """The resources below `/sobjects/NAME` that concern records."""

    def __init__(self, service: Service) -> None:
        """Share the org."""
        self._org = service.org
        self._tag = service.tag

    def create(self, call: Call, name: str) -> Reply:
        """`POST /sobjects/NAME`: 201 with `Location`."""
        self._tag("create")
        sobject = writable_object(data_object(self._org, name), "insert")
        values = call.fields()
        if any(key.lower() == "id" for key in values):
            raise ApiError(400, "INVALID_FIELD", "cannot specify Id in an insert call", ["Id"])
        record_id = self._org.insert(sobject.name, values, call.user)
        return self._created(call, sobject, record_id)

    def by_id(self, call: Call, name: str, text: str) -> Reply:
        """`GET | PATCH | DELETE /sobjects/NAME/ID`."""
        sobject = data_object(self._org, name)
        record_id = canonical(text)
        if record_id is None:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {text}")
        match call.method:
            case "GET":
                return self._read(call, sobject, record_id)
            case "PATCH":
                return self._update(call, writable_object(sobject, "update"), record_id)
            case "DELETE":
                self._tag("delete")
                self._org.delete(writable_object(sobject, "delete").name, record_id, call.user)
                return Reply(204)
        raise not_allowed(call.method, "HEAD,GET,PATCH,DELETE")

    def parent(self, call: Call, name: str, text: str, relationship: str) -> Reply:
        """`GET /sobjects/NAME/ID/RELATIONSHIP`: the parent's record (sObject Relationships)."""
        sobject = data_object(self._org, name)
        link, record_id = sobject.parent(relationship), canonical(text)
        if link is None or record_id is None:
            raise not_found()
        if call.method != "GET":
            raise not_allowed(call.method, "HEAD,GET")
        above = self._readable(sobject, record_id)[link.name]
        if above is None:
            raise not_found()
        return self._read(call, self._org.model.get(link.refers), above)

    def by_external_id(self, call: Call, name: str, field_name: str, value: str) -> Reply:
        """`GET | PATCH /sobjects/NAME/FIELD/VALUE`: read or upsert; several matches are answered by 300."""
        sobject = data_object(self._org, name)
        field = external_field(sobject, field_name)
        matches = [row["Id"] for row in self._org.lookup(sobject.name, field.name, value)]
        if call.method not in {"GET", "PATCH"}:
            raise not_allowed(call.method, "HEAD,GET,PATCH")
        if len(matches) > 1:
            return Reply(MULTIPLE_CHOICES, [f"{call.base}/sobjects/{sobject.name}/{each}" for each in matches])
        if call.method == "PATCH":
            return self._upsert(call, writable_object(sobject, "upsert"), field, value, matches)
        if not matches:
            raise not_found()
        return self._read(call, sobject, matches[0])

    # --- one method each

    def _readable(self, sobject: SObject, record_id: str) -> Record:
        row = self._org.row(sobject.name, record_id)
        if row is None:
            raise not_found()
        if row["IsDeleted"]:
            raise gone()
        return row

    def _read(self, call: Call, sobject: SObject, record_id: str) -> Reply:
        self._tag("read")
        row = self._readable(sobject, record_id)
        if "fields" in call.query and not call.query["fields"]:
            raise no_such_field("", sobject.name)
        check_unmodified(call.headers, row["LastModifiedDate"])
        if not_modified(call.headers, row["LastModifiedDate"]):
            return Reply(304)
        names = call.query["fields"].split(",") if "fields" in call.query else None
        return Reply(200, shaped(sobject, row, names, call.base))

    def _update(self, call: Call, sobject: SObject, record_id: str) -> Reply:
        self._tag("update")
        values = call.fields()
        if any(key.lower() == "id" for key in values):
            raise _not_in_body("Id")
        check_unmodified(call.headers, self._org.alive(sobject.name, record_id)["LastModifiedDate"])
        self._org.update(sobject.name, record_id, values, call.user)
        return Reply(204)

    def _upsert(self, call: Call, sobject: SObject, field: Field, value: str, matches: list[str]) -> Reply:
        self._tag("upsert")
        values = call.fields()
        for key in values:
            if key.lower() in {"id", field.name.lower()}:
                raise _not_in_body("Id" if key.lower() == "id" else field.name)
        if matches:
            check_unmodified(call.headers, self._org.alive(sobject.name, matches[0])["LastModifiedDate"])
            self._org.update(sobject.name, matches[0], values, call.user)
            return Reply(200, created(matches[0], created=False))
        if call.query.get("updateOnly", "").lower() == "true":
            raise not_found()
        record_id = self._org.insert(sobject.name, {field.name: value, **values}, call.user)
        return self._created(call, sobject, record_id, created=True)

    @staticmethod
    def _created(call: Call, sobject: SObject, record_id: str, **more: object) -> Reply:
        location = f"{call.base}/sobjects/{sobject.name}/{record_id}"
        return Reply(201, created(record_id, **more), {"Location": location})


def _not_in_body(name: str) -> ApiError:
    return ApiError(400, "INVALID_FIELD", f"The {name} field should not be specified in the sobject data.", [name])
