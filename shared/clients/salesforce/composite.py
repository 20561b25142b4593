"""Bodies of Composite and Composite Graph calls, and what their answers say of each part.

One call of either kind counts once against the org's limit, whatever it carries (reference/salesforce.md 2.8, 2.9).
The answer's status is 200 even when every part failed: each part is judged by itself.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from shared.clients.salesforce.error_codes import (
    GONE,
    HALTED,
    LOCKS,
    Fault,
    cause_of,
    error_of,
    fault_of,
    faults_of,
    passing,
)
from shared.clients.salesforce.records import Json, Node, Write, Written
from shared.clients.salesforce.request import Unreadable
from shared.clients.salesforce.soql_literals import full_id
from shared.foundation.errors import Ambiguous, Conflict, CosellError, Rejected

OBJECT = "Opportunity"
READ_BACK = "read_back"
URL_LIMIT = 16_384
_FAILURE, _NOT_FOUND, _PRECONDITION_FAILED = 300, 404, 412
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class Part(Struct, frozen=True):
    """One subrequest; `path` is below `/services/data/vN/`."""

    name: str
    path: str
    method: str = "GET"
    body: Json | None = None
    headers: Json | None = None


class Fate(Struct, frozen=True):
    """How one subrequest was answered."""

    name: str
    status: int
    body: Any

    @property
    def failed(self) -> bool:
        """Whether the part did not succeed."""
        return self.status >= _FAILURE

    @property
    def fault(self) -> Fault:
        """The refusal of a part that failed."""
        if self.status == _NOT_FOUND and not faults_of(self.body):
            return Fault("NOT_FOUND", "no reason was given")
        return fault_of(self.status, self.body)


# --- requests ---------------------------------------------------------------------------------------------------------


def composite(parts: Sequence[Part], version: str) -> Json:
    """A Composite body: each part on its own, in the order given (collation would reorder them)."""
    return {
        "allOrNone": False,
        "collateSubrequests": False,
        "compositeRequest": [_subrequest(part, version) for part in parts],
    }


def graph(parts: Sequence[Part], version: str) -> Json:
    """A Composite Graph body with a single graph, which is all or nothing."""
    return {"graphs": [{"graphId": "1", "compositeRequest": [_subrequest(part, version) for part in parts]}]}


def query_part(number: int, soql: str, *, deleted: bool) -> Part:
    """The GET of a query. Raises ValueError if its address is longer than Salesforce accepts."""
    path = query_path(soql, deleted=deleted)
    if len(path) + len("/services/data/v66.0/") >= URL_LIMIT:
        raise ValueError(f"a query's address must stay below {URL_LIMIT} characters")
    return Part(f"q{number}", path)


def query_path(soql: str, *, deleted: bool = False) -> str:
    """The address of a query, percent-encoded."""
    return f"{'queryAll' if deleted else 'query'}?q={quote(soql, safe='(),')}"


def retrieve_part(ids: Sequence[str], fields: Sequence[str]) -> Part:
    """A collection retrieve of opportunities. It knows no parent paths and no subqueries: these are left out."""
    return Part(READ_BACK, f"composite/sobjects/{OBJECT}", "POST", {"ids": list(ids), "fields": plain(fields)})


def conditional_part(number: int, write: Write) -> Part:
    """A PATCH that Salesforce refuses with 412 if the record changed after `unmodified_since` (whole seconds)."""
    since = write.unmodified_since
    headers = {"If-Unmodified-Since": _http_date(since)} if since else None
    return Part(f"w{number}", f"sobjects/{OBJECT}/{write.id}", "PATCH", dict(write.values), headers)


def collection_part(writes: Sequence[Write]) -> Part:
    """A collection update of opportunities, each on its own."""
    records = [{"attributes": {"type": OBJECT}, "id": write.id, **write.values} for write in writes]
    return Part("update", "composite/sobjects", "PATCH", {"allOrNone": False, "records": records})


def node_parts(nodes: Sequence[Node], read: str, fields: Sequence[str]) -> list[Part]:
    """The steps of a graph, and the read of node `read` at its end. Raises ValueError for names that do not fit."""
    names = {node.name: node for node in nodes}
    if read not in names or READ_BACK in names or len(names) != len(nodes):
        raise ValueError("a graph has nodes of different names, one of which is read back")
    if not all(_NAME.fullmatch(text) for node in nodes for text in (node.name, node.sobject)):
        raise ValueError("names of nodes and objects are letters, digits and underscores")
    columns = quote(",".join(plain(fields)), safe=",")
    path = f"sobjects/{names[read].sobject}/@{{{read}.id}}?fields={columns}"
    return [*map(_node_part, nodes), Part(READ_BACK, path)]


def plain(fields: Sequence[str]) -> list[str]:
    """The fields that belong to the record itself, with its Id."""
    return list(dict.fromkeys(["Id", *(name for name in fields if _NAME.fullmatch(name))]))


# --- answers ----------------------------------------------------------------------------------------------------------


def fates(answer: object, parts: Sequence[Part]) -> list[Fate]:
    """What became of each part of a Composite, in the order of `parts`. Raises Unreadable."""
    return _fates(answer, [part.name for part in parts])


def graph_fates(answer: object, parts: Sequence[Part]) -> tuple[bool, list[Fate]]:
    """Whether the graph succeeded, and what became of each part. Raises Unreadable."""
    graphs = _listed(_member(answer, "graphs"))
    if len(graphs) != 1:
        raise Unreadable("one graph was sent")
    success = _member(graphs[0], "isSuccessful")
    if not isinstance(success, bool):
        raise Unreadable("isSuccessful is a truth value")
    return success, _fates(_member(graphs[0], "graphResponse"), [part.name for part in parts])


def record(body: object) -> Json:
    """A record in an answer. Raises Unreadable."""
    if not isinstance(body, Mapping):
        raise Unreadable("a record is an object")
    return body


def read_back(fate: Fate) -> dict[str, Json]:
    """The rows of a collection retrieve by 18-character id; none if it failed: the writes before it still count."""
    rows = fate.body if isinstance(fate.body, list) and not fate.failed else []
    found = [row for row in rows if isinstance(row, Mapping) and isinstance(row.get("Id"), str)]
    return {full_id(row["Id"]): row for row in found}


def patched(fate: Fate, write: Write, row: Json | None, at: datetime) -> Written:
    """The outcome of one conditional PATCH. Raises Ambiguous if it is unknown and the row was not read back."""
    if not fate.failed:
        return Written(write.id, row, at)
    if fate.status == _PRECONDITION_FAILED and write.unmodified_since:
        return Written(write.id, row, at, changed=True)
    return refused(fate.status, fate.fault, write, row, at)


def collected(fate: Fate, writes: Sequence[Write]) -> list[tuple[int, Fault | None]]:
    """Per record of a collection update: None, or why it failed. Raises Unreadable, or the error of the whole."""
    if fate.failed:
        raise error_of(fate.status, fate.body, "a collection update", write=True)
    results = _listed(fate.body)
    if len(results) != len(writes):
        raise Unreadable("a collection update answers for each record")
    return [(fate.status, None if _member(result, "success") is True else _first(result)) for result in results]


def refused(status: int, fault: Fault, write: Write, row: Json | None, at: datetime) -> Written:
    """A write that failed: locked (or any passing trouble of the service: due again), or refused for a cause."""
    if fault.code not in LOCKS and passing(status, fault):
        if row is None:
            raise Ambiguous(f"Salesforce answered a write with {status} {fault.code} and the row was not read back")
        return Written(write.id, row, at, locked=True)
    if fault.code in LOCKS:
        return Written(write.id, row, at, locked=True)
    return Written(write.id, row, at, refused=cause_of(fault))


def graph_error(parts: Sequence[Fate]) -> CosellError:
    """Why a graph failed: the fault of the part that failed, not of those halted with it. Nothing was written."""
    guilty = next((part for part in parts if part.failed and part.fault.code not in HALTED), None)
    if guilty is None:
        raise Unreadable("a graph that fails names the part that failed")
    fault = guilty.fault
    if fault.code == "DUPLICATE_VALUE":
        return Conflict(
            f"{fault.code} at {guilty.name}: {fault.field}, held by {', '.join(fault.matches) or 'unknown'}"
        )
    if fault.code in GONE:
        return Rejected(cause_of(fault))
    return error_of(guilty.status, guilty.body, f"the graph at {guilty.name}", write=False)


def _subrequest(part: Part, version: str) -> Json:
    optional = {"body": part.body, "httpHeaders": part.headers}
    return {
        "method": part.method,
        "url": f"/services/data/v{version}/{part.path}",
        "referenceId": part.name,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _node_part(node: Node) -> Part:
    if node.external is None:
        return Part(node.name, f"sobjects/{node.sobject}", "POST", node.values)
    field, value = node.external
    if not _NAME.fullmatch(field) or not value:
        raise ValueError("an upsert names a field and a value")
    return Part(node.name, f"sobjects/{node.sobject}/{field}/{quote(value, safe='')}", "PATCH", node.values)


def _http_date(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("unmodified_since needs a time zone")
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _fates(answer: object, names: Sequence[str]) -> list[Fate]:
    told = {fate.name: fate for fate in map(_fate, _listed(_member(answer, "compositeResponse")))}
    if set(told) != set(names):
        raise Unreadable("a composite answers for each part")
    return [told[name] for name in names]


def _fate(item: object) -> Fate:
    name, status = _member(item, "referenceId"), _member(item, "httpStatusCode")
    if not isinstance(name, str) or not isinstance(status, int):
        raise Unreadable("a part's answer has a name and a status")
    return Fate(name, status, _member(item, "body"))


def _first(result: object) -> Fault:
    found = faults_of(_member(result, "errors"))
    return found[0] if found else Fault("UNKNOWN_ERROR", "no reason was given")


def _member(value: object, name: str) -> object:
    if not isinstance(value, Mapping) or name not in value:
        raise Unreadable(f"{name} is missing")
    return value[name]


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Unreadable("a list was expected")
    return value
