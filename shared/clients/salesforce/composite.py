"""Build the bodies of Composite and Composite Graph calls, and read the result of each subrequest from the answers.

One call of either kind counts once against the org's limit, whatever it carries. The answer's status is 200 even if
every subrequest failed, so each result is examined by itself. Sources:
docs/reference/salesforce.md#composite-requests, docs/reference/salesforce.md#composite-graph,
docs/reference/salesforce.md#sobject-collections.
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
from shared.clients.salesforce.records import ALLOW_DUPLICATE, Json, Node, Write, Written
from shared.clients.salesforce.request import UnreadableAnswer
from shared.clients.salesforce.soql_literals import is_id, short_id
from shared.foundation.errors import Ambiguous, Conflict, CosellError, Rejected

OPPORTUNITY = "Opportunity"
READ_BACK_NAME = "read_back"
MAX_URL_LENGTH = 16_384
PRECONDITION_FAILED = 412
_FIRST_ERROR_STATUS, _NOT_FOUND = 300, 404
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class Subrequest(Struct, frozen=True):
    """One subrequest of a Composite or of a graph; `path` is below `/services/data/vN/`."""

    name: str
    path: str
    method: str = "GET"
    body: Json | None = None
    headers: Json | None = None


class SubrequestResult(Struct, frozen=True):
    """The answer to one subrequest."""

    name: str
    status: int
    body: Any

    @property
    def is_failure(self) -> bool:
        """Whether the subrequest failed."""
        return self.status >= _FIRST_ERROR_STATUS

    @property
    def api_error(self) -> ApiError:
        """The error of a subrequest that failed."""
        if self.status == _NOT_FOUND and not api_errors_in(self.body):
            return ApiError("NOT_FOUND", "no reason was given")
        return first_api_error(self.status, self.body)


# --- requests ---------------------------------------------------------------------------------------------------------


def composite_body(subrequests: Sequence[Subrequest], version: str, *, is_whole: bool = False) -> Json:
    """Return a Composite body, whose order is kept.

    Each subrequest succeeds or fails by itself, or all of them together (`is_whole`).
    """
    return {
        "allOrNone": is_whole,
        "collateSubrequests": False,
        "compositeRequest": [_subrequest_json(subrequest, version) for subrequest in subrequests],
    }


def graph_body(subrequests: Sequence[Subrequest], version: str) -> Json:
    """Return a Composite Graph body with one graph, which is all or nothing."""
    return {
        "graphs": [
            {"graphId": "1", "compositeRequest": [_subrequest_json(subrequest, version) for subrequest in subrequests]}
        ]
    }


def query_subrequest(number: int, soql: str, *, deleted: bool) -> Subrequest:
    """Return the GET of a query. Raises ValueError if its address is longer than Salesforce accepts."""
    path = query_path(soql, deleted=deleted)
    if len(path) + len("/services/data/v66.0/") >= MAX_URL_LENGTH:
        raise ValueError(f"the address of a query must be shorter than {MAX_URL_LENGTH} characters")
    return Subrequest(f"q{number}", path)


def query_path(soql: str, *, deleted: bool = False) -> str:
    """Return the address of a query, percent-encoded."""
    return f"{'queryAll' if deleted else 'query'}?q={quote(soql, safe='(),')}"


def retrieve_subrequest(ids: Sequence[str], fields: Sequence[str]) -> Subrequest:
    """Return a collection retrieve of opportunities. It cannot read parent paths or subqueries, so it omits them."""
    return Subrequest(
        READ_BACK_NAME, f"composite/sobjects/{OPPORTUNITY}", "POST", {"ids": list(ids), "fields": own_fields(fields)}
    )


def conditional_update_subrequest(number: int, write: Write) -> Subrequest:
    """Return a PATCH that Salesforce refuses with 412 if the record changed after `unmodified_since` (whole seconds).

    Source: docs/reference/salesforce.md#conditional-requests.
    """
    since = write.unmodified_since
    headers = {"If-Unmodified-Since": _http_date(since)} if since else None
    return Subrequest(f"w{number}", f"sobjects/{OPPORTUNITY}/{write.id}", "PATCH", dict(write.values), headers)


def conditional_subrequest(sobject: str, record_id: str, values: Json, unmodified_since: datetime) -> Subrequest:
    """Return the same for a record of any object, which is saved although it resembles others."""
    headers = {"If-Unmodified-Since": _http_date(unmodified_since), **ALLOW_DUPLICATE}
    return Subrequest("w0", f"sobjects/{sobject}/{record_id}", "PATCH", dict(values), headers)


def collection_update_subrequest(writes: Sequence[Write]) -> Subrequest:
    """Return a collection update of opportunities, in which each record succeeds or fails by itself."""
    records = [{"attributes": {"type": OPPORTUNITY}, "id": write.id, **write.values} for write in writes]
    return Subrequest("update", "composite/sobjects", "PATCH", {"allOrNone": False, "records": records})


def graph_subrequests(nodes: Sequence[Node], read: str, fields: Sequence[str]) -> list[Subrequest]:
    """Return the steps of a graph, and at its end the read of node `read`. Raises ValueError for unsuitable names."""
    names = {node.name: node for node in nodes}
    if read not in names or READ_BACK_NAME in names or len(names) != len(nodes):
        raise ValueError("the nodes of a graph need different names, and one of them is read back")
    if not all(_NAME.fullmatch(text) for node in nodes for text in (node.name, node.sobject)):
        raise ValueError("the names of nodes and objects have only letters, digits and underscores")
    field_list = quote(",".join(own_fields(fields)), safe=",")
    path = f"sobjects/{names[read].sobject}/@{{{read}.id}}?fields={field_list}"
    return [*map(node_subrequest, nodes), Subrequest(READ_BACK_NAME, path)]


def check_ids(writes: Sequence[Write]) -> None:
    """Raise ValueError unless each write names another record, by an id."""
    if not all(is_id(write.id) for write in writes):
        raise ValueError("a record id has 15 or 18 letters and digits")
    if len({short_id(write.id) for write in writes}) != len(writes):
        raise ValueError("one call must write each record only once")


def own_fields(fields: Sequence[str]) -> list[str]:
    """Return `Id` and those fields that belong to the record itself: no parent paths and no subqueries."""
    return list(dict.fromkeys(["Id", *(name for name in fields if _NAME.fullmatch(name))]))


# --- answers ----------------------------------------------------------------------------------------------------------


def subrequest_results(answer: object, subrequests: Sequence[Subrequest]) -> list[SubrequestResult]:
    """Return the result of each subrequest of a Composite, in the order of `subrequests`. Raises UnreadableAnswer."""
    return _results_in(answer, [subrequest.name for subrequest in subrequests])


def graph_results(answer: object, subrequests: Sequence[Subrequest]) -> tuple[bool, list[SubrequestResult]]:
    """Return whether the graph succeeded, and the result of each subrequest. Raises UnreadableAnswer."""
    graphs = _as_list(_json_member(answer, "graphs"))
    if len(graphs) != 1:
        raise UnreadableAnswer("one graph was sent, so one is answered")
    success = _json_member(graphs[0], "isSuccessful")
    if not isinstance(success, bool):
        raise UnreadableAnswer("isSuccessful is true or false")
    return success, _results_in(
        _json_member(graphs[0], "graphResponse"), [subrequest.name for subrequest in subrequests]
    )


def as_record(body: object) -> Json:
    """Return the body, which must be a record. Raises UnreadableAnswer."""
    if not isinstance(body, Mapping):
        raise UnreadableAnswer("a record is a JSON object")
    return body


def records_read_back(result: SubrequestResult) -> dict[str, Json]:
    """Return the records of a collection retrieve by their short ids.

    If the retrieve failed, the dictionary is empty, and the writes before it still count.
    """
    listed = result.body if isinstance(result.body, list) and not result.is_failure else []
    records = [item for item in listed if isinstance(item, Mapping) and isinstance(item.get("Id"), str)]
    return {short_id(record["Id"]): record for record in records}


def outcome_of_conditional_update(result: SubrequestResult, write: Write, record: Json | None, at: datetime) -> Written:
    """Return the outcome of one conditional PATCH; `record` is what was read back.

    Raises Ambiguous if the outcome is unknown and the record was not read back.
    """
    if result.is_failure and result.status == PRECONDITION_FAILED and write.unmodified_since:
        return Written(write.id, record, at, changed=True)
    error = result.api_error if result.is_failure else None
    return outcome_of_update(result.status, error, write, record, at)


def errors_of_collection_update(result: SubrequestResult, writes: Sequence[Write]) -> list[ApiError | None]:
    """Return for each record of a collection update None, or why its update failed.

    Raises UnreadableAnswer, or the error of the whole update.
    """
    if result.is_failure:
        raise exception_for(result.status, result.body, "a collection update", write=True)
    results = _as_list(result.body)
    if len(results) != len(writes):
        raise UnreadableAnswer("a collection update has a result for each record")
    return [None if _json_member(item, "success") is True else _first_error_of(item) for item in results]


def outcome_of_update(status: int, error: ApiError | None, write: Write, record: Json | None, at: datetime) -> Written:
    """Return the outcome of one update. `error` is None if it succeeded; `record` is what was read back.

    After a record lock or a temporary error the outcome is `locked`, so that the pair waits in the retry queue. Raises
    Ambiguous if a temporary error leaves the outcome unknown and the record was not read back.
    """
    if error is None:
        return Written(write.id, record, at)
    if error.code in LOCK_CODES:
        return Written(write.id, record, at, locked=True)
    if is_temporary(status, error):
        if record is None:
            raise Ambiguous(f"Salesforce answered a write with {status} {error.code} and the record was not read back")
        return Written(write.id, record, at, locked=True)
    return Written(write.id, record, at, refused=cause_of(error))


def graph_error(results: Sequence[SubrequestResult], subrequests: Sequence[Subrequest]) -> CosellError:
    """Return the error of the subrequest that failed, not of those that were rolled back with it.

    Nothing was written. A duplicate of the external id means that somebody created the record just now; of another
    unique field, that the record cannot be created. Raises UnreadableAnswer if no subrequest failed by itself.
    """
    failures = (result for result in results if result.is_failure)
    failed = next((result for result in failures if result.api_error.code not in ROLLED_BACK_CODES), None)
    if failed is None:
        raise UnreadableAnswer("a graph that fails names the subrequest that failed")
    error = failed.api_error
    external = {subrequest.path.split("/")[2] for subrequest in subrequests if subrequest.method == "PATCH"}
    is_other_field = bool(external) and error.field_name is not None and error.field_name not in external
    if error.code == "DUPLICATE_VALUE" and not is_other_field:
        holders = ", ".join(error.matches) or "unknown"
        return Conflict(f"{error.code} at {failed.name}: {error.field_name}, held by {holders}")
    found = exception_for(failed.status, failed.body, f"the graph at {failed.name}", write=False)
    is_refusal = isinstance(found, Rejected) or error.code in MISSING_RECORD_CODES
    return Rejected(cause_of(error), failed.name) if is_refusal else found


def _subrequest_json(subrequest: Subrequest, version: str) -> Json:
    optional = {"body": subrequest.body, "httpHeaders": subrequest.headers}
    return {
        "method": subrequest.method,
        "url": f"/services/data/v{version}/{subrequest.path}",
        "referenceId": subrequest.name,
        **{name: value for name, value in optional.items() if value is not None},
    }


def node_subrequest(node: Node) -> Subrequest:
    """Return the POST or PATCH of one step. Raises ValueError for an unsuitable external id."""
    if node.record is not None:
        return Subrequest(node.name, f"sobjects/{node.sobject}/{node.record}", "PATCH", node.values)
    if node.external is None:
        return Subrequest(node.name, f"sobjects/{node.sobject}", "POST", node.values, node.headers)
    field, value = node.external
    if not _NAME.fullmatch(field) or not value:
        raise ValueError("an upsert needs a field name and a value")
    path = f"sobjects/{node.sobject}/{field}/{quote(value, safe='')}"
    return Subrequest(node.name, path, "PATCH", node.values, node.headers)


def _http_date(time: datetime) -> str:
    if time.tzinfo is None:
        raise ValueError("unmodified_since needs a time zone")
    return format_datetime(time.astimezone(UTC), usegmt=True)


def _results_in(answer: object, names: Sequence[str]) -> list[SubrequestResult]:
    results = {result.name: result for result in map(_result_in, _as_list(_json_member(answer, "compositeResponse")))}
    if set(results) != set(names):
        raise UnreadableAnswer("a Composite has a result for each subrequest")
    return [results[name] for name in names]


def _result_in(item: object) -> SubrequestResult:
    name, status = _json_member(item, "referenceId"), _json_member(item, "httpStatusCode")
    if not isinstance(name, str) or not isinstance(status, int):
        raise UnreadableAnswer("the result of a subrequest has a name and a status")
    return SubrequestResult(name, status, _json_member(item, "body"))


def _first_error_of(result: object) -> ApiError:
    errors = api_errors_in(_json_member(result, "errors"))
    return errors[0] if errors else ApiError("UNKNOWN_ERROR", "no reason was given")


def _json_member(value: object, name: str) -> object:
    if not isinstance(value, Mapping) or name not in value:
        raise UnreadableAnswer(f"{name} is missing")
    return value[name]


def _as_list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise UnreadableAnswer("a list was expected")
    return value
