"""Answer Composite and Composite Graph, which send many subrequests in one call.

The contract: docs/reference/salesforce.md#composite-requests and docs/reference/salesforce.md#composite-graph.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from emulators.base.server import Request
from emulators.salesforce.data.errors import ApiError, malformed_body
from emulators.salesforce.rest.call import ROOT, Call, Reply, RestContext

MAX_SUBREQUESTS, MAX_QUERIES = 25, 5
MAX_NODES, MAX_GRAPHS, MAX_DEPTH, MAX_FAILED_GRAPHS = 500, 75, 15, 14
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."

type Dispatch = Callable[[Call], Reply]
type Subrequest = Mapping[str, Any]


class Composite:
    """The resources `/composite` and `/composite/graph`."""

    def __init__(self, context: RestContext, dispatch: Dispatch) -> None:
        """`dispatch` answers one subrequest as if it were a call of its own; it raises ApiError."""
        self._org = context.org
        self._tag = context.tag
        self._dispatch = dispatch

    def answer_composite(self, call: Call) -> Reply:
        """Answer `POST /composite`: 200 even if subrequests fail. Raises ApiError if the envelope is wrong."""
        self._tag("composite")
        subrequests = _read_subrequests(call.body)
        if len(subrequests) > MAX_SUBREQUESTS:
            raise _limit_exceeded(f"Limit of {MAX_SUBREQUESTS} reached for Operations in Composite Rest API")
        if sum(map(_is_query, subrequests)) > MAX_QUERIES:
            raise _limit_exceeded(f"Limit of {MAX_QUERIES} reached for query and sObject Collections operations")
        ordered = _collate(subrequests) if call.body.get("collateSubrequests", True) else subrequests
        replies = self._run_subrequests(call, ordered, all_or_none=call.body.get("allOrNone") is True)
        return Reply(200, _composite_response(subrequests, replies))

    def answer_graphs(self, call: Call) -> Reply:
        """Answer `POST /composite/graph`: each graph is all or nothing. Raises ApiError if the envelope is wrong."""
        self._tag("graph")
        answers: list[dict[str, Any]] = []
        for graph in _read_graphs(call.body):
            if sum(not answer["isSuccessful"] for answer in answers) >= MAX_FAILED_GRAPHS:
                break
            subrequests = _read_subrequests(graph)
            _check_depth(subrequests)
            replies = self._run_subrequests(call, subrequests, all_or_none=True)
            is_successful = all(reply.is_success for reply in replies.values())
            response = _composite_response(subrequests, replies)
            answers.append({"graphId": graph["graphId"], "graphResponse": response, "isSuccessful": is_successful})
        return Reply(200, {"graphs": answers})

    # --- running

    def _run_subrequests(self, call: Call, subrequests: list[Subrequest], *, all_or_none: bool) -> dict[str, Reply]:
        """The replies by referenceId. With `all_or_none` the first failure undoes everything."""
        position, replies = self._org.undo_position(), dict[str, Reply]()
        for subrequest in subrequests:
            name = subrequest["referenceId"]
            replies[name] = self._run_subrequest(call, subrequest, replies, all_or_none=all_or_none)
            if all_or_none and not (replies[name].is_success and _all_saved(replies[name])):
                self._org.roll_back(position)
                halted = Reply(400, ApiError(400, "PROCESSING_HALTED", _HALTED).to_body())
                return {each["referenceId"]: halted for each in subrequests} | {name: replies[name]}
        return replies

    def _run_subrequest(
        self, call: Call, subrequest: Subrequest, replies: Mapping[str, Reply], *, all_or_none: bool
    ) -> Reply:
        try:
            sent = _call_of_subrequest(call, subrequest, replies)
            for fault in self._org.hooks.subrequests:
                fault.check(sent.method, subrequest["url"])
            return self._dispatch(_as_all_or_none(sent) if all_or_none else sent)
        except ApiError as error:
            return Reply(error.status, error.to_body())


def _call_of_subrequest(call: Call, subrequest: Subrequest, replies: Mapping[str, Reply]) -> Call:
    url = _resolve_references(subrequest["url"], replies)
    headers = {str(name): str(text) for name, text in (subrequest.get("httpHeaders") or {}).items()}
    request = Request.of(str(subrequest.get("method", "")), url, headers)
    version, _, rest = request.path.removeprefix(f"{ROOT}/v").partition("/")
    if not request.path.startswith(f"{ROOT}/v") or version != call.version:
        raise ApiError(400, "INVALID_INPUT", f"The url {subrequest['url']} is not one of version {call.version}")
    parts = tuple(part for part in rest.split("/") if part)
    body = _resolve_references(subrequest.get("body"), replies)
    return Call(request.method, parts, request.query, request.headers, body, call.version, call.user)


def _resolve_references(value: Any, replies: Mapping[str, Reply]) -> Any:  # noqa: ANN401 - any JSON
    """The value with every `@{reference.path}` replaced. Raises ApiError (PROCESSING_HALTED)."""
    match value:
        case str():
            whole = _REFERENCE.fullmatch(value)
            if whole:
                return _referenced_value(whole, replies)
            return _REFERENCE.sub(lambda reference: str(_referenced_value(reference, replies)), value)
        case dict():
            return {name: _resolve_references(each, replies) for name, each in value.items()}
        case list():
            return [_resolve_references(each, replies) for each in value]
    return value


def _referenced_value(reference: re.Match[str], replies: Mapping[str, Reply]) -> Any:  # noqa: ANN401 - any JSON
    name, path = reference[1], reference[2]
    reply = replies.get(name)
    value = reply.body if reply and reply.is_success else None
    for field, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        if field and isinstance(value, dict):
            value = value.get(field)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            value = None
    if value is None:
        message = f"Invalid reference specified. No value for {name}{path} found in {name}"
        raise ApiError(400, "PROCESSING_HALTED", message)
    return value


# --- envelopes


def _read_subrequests(body: Any) -> list[Subrequest]:  # noqa: ANN401 - any JSON
    subrequests = body.get("compositeRequest") if isinstance(body, dict) else None
    if not isinstance(subrequests, list) or not subrequests or not all(map(_is_subrequest, subrequests)):
        message = "compositeRequest: a list of subrequests with method, url and referenceId is required"
        raise malformed_body(message)
    names = [subrequest["referenceId"] for subrequest in subrequests]
    if len(set(names)) != len(names):
        raise ApiError(400, "INVALID_INPUT", "Duplicate referenceId in the request")
    return subrequests


def _is_subrequest(value: Any) -> bool:  # noqa: ANN401 - any JSON
    required = ("method", "url", "referenceId")
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in required):
        return False
    return bool(_REFERENCE_ID.fullmatch(value["referenceId"])) and isinstance(value.get("httpHeaders") or {}, dict)


def _read_graphs(body: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    graphs = body.get("graphs") if isinstance(body, dict) else None
    if not isinstance(graphs, list) or not all(
        isinstance(graph, dict) and isinstance(graph.get("graphId"), str) for graph in graphs
    ):
        raise malformed_body("graphs: a list of graphs with graphId and compositeRequest is required")
    nodes = [subrequest for graph in graphs for subrequest in _read_subrequests(graph)]
    if len(nodes) > MAX_NODES or len(graphs) > MAX_GRAPHS:
        raise _limit_exceeded(f"The request has {len(graphs)} graphs and {len(nodes)} nodes")
    if any("/sobjects/" not in node["url"] or "/composite/" in node["url"] for node in nodes):
        raise ApiError(400, "INVALID_INPUT", "A graph takes sobjects subrequests only")
    return graphs


def _check_depth(subrequests: list[Subrequest]) -> None:
    depths: dict[str, int] = {}
    for subrequest in subrequests:
        deepest = max((depths.get(name, 0) for name in _referenced_names(subrequest)), default=0)
        depths[subrequest["referenceId"]] = 1 + deepest
    if max(depths.values()) > MAX_DEPTH:
        raise _limit_exceeded(f"Limit of {MAX_DEPTH} reached for the depth of a graph")


def _referenced_names(subrequest: Subrequest) -> set[str]:
    text = json.dumps([subrequest["url"], subrequest.get("body")])
    return {match[1] for match in _REFERENCE.finditer(text)}


def _as_all_or_none(call: Call) -> Call:
    """The subrequest with the `allOrNone` of its Composite, which overrides the one of sObject Collections."""
    if call.parts[:2] != ("composite", "sobjects"):
        return call
    if isinstance(call.body, dict):
        return replace(call, body={**call.body, "allOrNone": True})
    return replace(call, query={**call.query, "allOrNone": "true"})


def _all_saved(reply: Reply) -> bool:
    """Whether all records of an sObject Collections subrequest were saved; one that is no such subrequest has none."""
    results = reply.body if isinstance(reply.body, list) else []
    return all(each.get("success", True) for each in results if isinstance(each, dict))


def _collation_group(subrequest: Subrequest) -> tuple[str, str]:
    """The service may run subrequests together that have the same method and object."""
    path = str(subrequest["url"]).partition("?")[0]
    sobject = re.search(r"/sobjects/(\w+)", path)
    return str(subrequest["method"]).upper(), sobject[1].lower() if sobject else path


def _is_query(subrequest: Subrequest) -> bool:
    path = str(subrequest["url"]).partition("?")[0]
    return bool(re.search(r"/v[\d.]+/(query|queryAll|composite/sobjects)(/|$)", path))


def _collate(subrequests: list[Subrequest]) -> list[Subrequest]:
    """The subrequests in an order that the service may choose: those of one group together.

    So a caller that reads after writing must switch collation off, or refer to the write.
    """
    ordered: list[Subrequest] = []
    waiting = list(subrequests)
    while waiting:
        first, done = waiting[0], {each["referenceId"] for each in ordered}
        ready = [
            each
            for each in waiting
            if _collation_group(each) == _collation_group(first) and _referenced_names(each) <= done
        ]
        group = ready or [first]
        ordered += group
        waiting = [each for each in waiting if each not in group]
    return ordered


def _composite_response(subrequests: list[Subrequest], replies: Mapping[str, Reply]) -> dict[str, Any]:
    """The replies in the order in which the subrequests were sent."""
    names = [subrequest["referenceId"] for subrequest in subrequests]
    return {"compositeResponse": [_subresponse(name, replies[name]) for name in names]}


def _subresponse(name: str, reply: Reply) -> dict[str, Any]:
    return {
        "body": reply.body,
        "httpHeaders": dict(reply.headers),
        "httpStatusCode": reply.status,
        "referenceId": name,
    }


def _limit_exceeded(message: str) -> ApiError:
    return ApiError(400, "LIMIT_EXCEEDED", message)
