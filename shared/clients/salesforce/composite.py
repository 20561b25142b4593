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
    LOCK_CODES,
    MISSING_RECORD_CODES,
    ROLLED_BACK_CODES,
    ApiError,
    api_errors_in,
    cause_of,
    exception_for,
    first_api_error,
    is_temporary,
)
from shared.clients.salesforce.records import Json, Node, Write, Written
from shared.clients.salesforce.request import UnreadableAnswer
from shared.clients.salesforce.soql_literals import full_id
from shared.foundation.errors import Ambiguous, Conflict, CosellError, Rejected

OPPORTUNITY = "Opportunity"
READ_BACK_NAME = "read_back"
MAX_URL_LENGTH = 16_384
_FAILURE, _NOT_FOUND, _PRECONDITION_FAILED = 300, 404, 412
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class Subrequest(Struct, frozen=True):
    """One subrequest; `path` is below `/services/data/vN/`."""

    name: str
    path: str
    method: str = "GET"
    body: Json | None = None
    headers: Json | None = None


class SubrequestResult(Struct, frozen=True):
    """How one subrequest was answered."""

    name: str
    status: int
    body: Any

    @property
    def is_failure(self) -> bool:
        """Whether the part did not succeed."""
        return self.status >= _FAILURE

    @property
    def api_error(self) -> ApiError:
        """The refusal of a part that failed."""
        if self.status == _NOT_FOUND and not api_errors_in(self.body):
            return ApiError("NOT_FOUND", "no reason was given")
        return first_api_error(self.status, self.body)


# --- requests ---------------------------------------------------------------------------------------------------------


def composite_body(parts: Sequence[Subrequest], version: str) -> Json:
    """A Composite body: each part on its own, in the order given (collation would reorder them)."""
    return {
        "allOrNone": False,
        "collateSubrequests": False,
        "compositeRequest": [_subrequest_json(part, version) for part in parts],
    }


def graph_body(parts: Sequence[Subrequest], version: str) -> Json:
    """A Composite Graph body with a single graph, which is all or nothing."""
    return {"graphs": [{"graphId": "1", "compositeRequest": [_subrequest_json(part, version) for part in parts]}]}


def query_subrequest(number: int, soql: str, *, deleted: bool) -> Subrequest:
    """The GET of a query. Raises ValueError if its address is longer than Salesforce accepts."""
    path = query_path(soql, deleted=deleted)
    if len(path) + len("/services/data/v66.0/") >= MAX_URL_LENGTH:
        raise ValueError(f"a query's address must stay below {MAX_URL_LENGTH} characters")
    return Subrequest(f"q{number}", path)


def query_path(soql: str, *, deleted: bool = False) -> str:
    """The address of a query, percent-encoded."""
    return f"{'queryAll' if deleted else 'query'}?q={quote(soql, safe='(),')}"


def retrieve_subrequest(ids: Sequence[str], fields: Sequence[str]) -> Subrequest:
    """A collection retrieve of opportunities. It knows no parent paths and no subqueries: these are left out."""
    return Subrequest(
        READ_BACK_NAME, f"composite/sobjects/{OPPORTUNITY}", "POST", {"ids": list(ids), "fields": own_fields(fields)}
    )


def conditional_update_subrequest(number: int, write: Write) -> Subrequest:
    """A PATCH that Salesforce refuses with 412 if the record changed after `unmodified_since` (whole seconds)."""
    since = write.unmodified_since
    headers = {"If-Unmodified-Since": _http_date(since)} if since else None
    return Subrequest(f"w{number}", f"sobjects/{OPPORTUNITY}/{write.id}", "PATCH", dict(write.values), headers)


def collection_update_subrequest(writes: Sequence[Write]) -> Subrequest:
    """A collection update of opportunities, each on its own."""
    records = [{"attributes": {"type": OPPORTUNITY}, "id": write.id, **write.values} for write in writes]
    return Subrequest("update", "composite/sobjects", "PATCH", {"allOrNone": False, "records": records})


def graph_subrequests(nodes: Sequence[Node], read: str, fields: Sequence[str]) -> list[Subrequest]:
    """The steps of a graph, and the read of node `read` at its end. Raises ValueError for names that do not fit."""
    names = {node.name: node for node in nodes}
    if read not in names or READ_BACK_NAME in names or len(names) != len(nodes):
        raise ValueError("a graph has nodes of different names, one of which is read back")
    if not all(_NAME.fullmatch(text) for node in nodes for text in (node.name, node.sobject)):
        raise ValueError("names of nodes and objects are letters, digits and underscores")
    columns = quote(",".join(own_fields(fields)), safe=",")
    path = f"sobjects/{names[read].sobject}/@{{{read}.id}}?fields={columns}"
    return [*map(_node_subrequest, nodes), Subrequest(READ_BACK_NAME, path)]


def own_fields(fields: Sequence[str]) -> list[str]:
    """The fields that belong to the record itself, with its Id."""
    return list(dict.fromkeys(["Id", *(name for name in fields if _NAME.fullmatch(name))]))


# --- answers ----------------------------------------------------------------------------------------------------------


def subrequest_results(answer: object, parts: Sequence[Subrequest]) -> list[SubrequestResult]:
    """What became of each part of a Composite, in the order of `parts`. Raises Unreadable."""
    return _results_in(answer, [part.name for part in parts])


def graph_results(answer: object, parts: Sequence[Subrequest]) -> tuple[bool, list[SubrequestResult]]:
    """Whether the graph succeeded, and what became of each part. Raises Unreadable."""
    graphs = _as_list(_json_member(answer, "graphs"))
    if len(graphs) != 1:
        raise UnreadableAnswer("one graph was sent")
    success = _json_member(graphs[0], "isSuccessful")
    if not isinstance(success, bool):
        raise UnreadableAnswer("isSuccessful is a truth value")
    return success, _results_in(_json_member(graphs[0], "graphResponse"), [part.name for part in parts])


def as_record(body: object) -> Json:
    """A record in an answer. Raises Unreadable."""
    if not isinstance(body, Mapping):
        raise UnreadableAnswer("a record is an object")
    return body


def records_read_back(fate: SubrequestResult) -> dict[str, Json]:
    """The rows of a collection retrieve by 18-character id; none if it failed: the writes before it still count."""
    rows = fate.body if isinstance(fate.body, list) and not fate.is_failure else []
    found = [row for row in rows if isinstance(row, Mapping) and isinstance(row.get("Id"), str)]
    return {full_id(row["Id"]): row for row in found}


def outcome_of_conditional_update(fate: SubrequestResult, write: Write, row: Json | None, at: datetime) -> Written:
    """The outcome of one conditional PATCH. Raises Ambiguous if it is unknown and the row was not read back."""
    if not fate.is_failure:
        return Written(write.id, row, at)
    if fate.status == _PRECONDITION_FAILED and write.unmodified_since:
        return Written(write.id, row, at, changed=True)
    return outcome_of_failed_write(fate.status, fate.api_error, write, row, at)


def outcomes_of_collection_update(fate: SubrequestResult, writes: Sequence[Write]) -> list[tuple[int, ApiError | None]]:
    """Per record of a collection update: None, or why it failed. Raises Unreadable, or the error of the whole."""
    if fate.is_failure:
        raise exception_for(fate.status, fate.body, "a collection update", write=True)
    results = _as_list(fate.body)
    if len(results) != len(writes):
        raise UnreadableAnswer("a collection update answers for each record")
    return [
        (fate.status, None if _json_member(result, "success") is True else _first_error_of(result))
        for result in results
    ]


def outcome_of_failed_write(status: int, fault: ApiError, write: Write, row: Json | None, at: datetime) -> Written:
    """A write that failed: locked (or any passing trouble of the service: due again), or refused for a cause."""
    if fault.code not in LOCK_CODES and is_temporary(status, fault):
        if row is None:
            raise Ambiguous(f"Salesforce answered a write with {status} {fault.code} and the row was not read back")
        return Written(write.id, row, at, locked=True)
    if fault.code in LOCK_CODES:
        return Written(write.id, row, at, locked=True)
    return Written(write.id, row, at, refused=cause_of(fault))


def graph_error(parts: Sequence[SubrequestResult]) -> CosellError:
    """Why a graph failed: the fault of the part that failed, not of those halted with it. Nothing was written."""
    failed_part = next(
        (part for part in parts if part.is_failure and part.api_error.code not in ROLLED_BACK_CODES), None
    )
    if failed_part is None:
        raise UnreadableAnswer("a graph that fails names the part that failed")
    fault = failed_part.api_error
    if fault.code == "DUPLICATE_VALUE":
        return Conflict(
            f"{fault.code} at {failed_part.name}: {fault.field_name}, held by {', '.join(fault.matches) or 'unknown'}"
        )
    if fault.code in MISSING_RECORD_CODES:
        return Rejected(cause_of(fault))
    return exception_for(failed_part.status, failed_part.body, f"the graph at {failed_part.name}", write=False)


def _subrequest_json(part: Subrequest, version: str) -> Json:
    optional = {"body": part.body, "httpHeaders": part.headers}
    return {
        "method": part.method,
        "url": f"/services/data/v{version}/{part.path}",
        "referenceId": part.name,
        **{name: value for name, value in optional.items() if value is not None},
    }


def _node_subrequest(node: Node) -> Subrequest:
    if node.external is None:
        return Subrequest(node.name, f"sobjects/{node.sobject}", "POST", node.values)
    field, value = node.external
    if not _NAME.fullmatch(field) or not value:
        raise ValueError("an upsert names a field and a value")
    return Subrequest(node.name, f"sobjects/{node.sobject}/{field}/{quote(value, safe='')}", "PATCH", node.values)


def _http_date(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("unmodified_since needs a time zone")
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _results_in(answer: object, names: Sequence[str]) -> list[SubrequestResult]:
    results = {fate.name: fate for fate in map(_result_in, _as_list(_json_member(answer, "compositeResponse")))}
    if set(results) != set(names):
        raise UnreadableAnswer("a composite answers for each part")
    return [results[name] for name in names]


def _result_in(item: object) -> SubrequestResult:
    name, status = _json_member(item, "referenceId"), _json_member(item, "httpStatusCode")
    if not isinstance(name, str) or not isinstance(status, int):
        raise UnreadableAnswer("a part's answer has a name and a status")
    return SubrequestResult(name, status, _json_member(item, "body"))


def _first_error_of(result: object) -> ApiError:
    found = api_errors_in(_json_member(result, "errors"))
    return found[0] if found else ApiError("UNKNOWN_ERROR", "no reason was given")


def _json_member(value: object, name: str) -> object:
    if not isinstance(value, Mapping) or name not in value:
        raise UnreadableAnswer(f"{name} is missing")
    return value[name]


def _as_list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise UnreadableAnswer("a list was expected")
    return value
