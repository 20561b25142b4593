"""Composite and Composite Graph: many subrequests for one call (reference/salesforce.md 2.9)."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from emulators.base.server import Request
from emulators.salesforce.data.errors import ApiError, malformed
from emulators.salesforce.rest.call import ROOT, Call, Reply, Service

MAX_SUBREQUESTS, MAX_QUERIES = 25, 5
MAX_NODES, MAX_GRAPHS, MAX_DEPTH, MAX_FAILED_GRAPHS = 500, 75, 15, 14
_REFERENCE = re.compile(r"@\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_NAME = re.compile(r"[A-Za-z0-9]\w*")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."

type Dispatch = Callable[[Call], Reply]
type Sub = Mapping[str, Any]


class Composite:
    """Runs subrequests through the same dispatch as single calls."""

    def __init__(self, service: Service, dispatch: Dispatch) -> None:
        """`dispatch` answers one call; it raises ApiError."""
        self._org = service.org
        self._tag = service.tag
        self._dispatch = dispatch

    def composite(self, call: Call) -> Reply:
        """`POST /composite`: HTTP 200 whatever the subrequests did."""
        self._tag("composite")
        subs = _subrequests(call.body)
        if len(subs) > MAX_SUBREQUESTS:
            raise _limit(f"Limit of {MAX_SUBREQUESTS} reached for Operations in Composite Rest API")
        if sum(map(_is_query, subs)) > MAX_QUERIES:
            raise _limit(f"Limit of {MAX_QUERIES} reached for query and sObject Collections operations")
        collate = call.body.get("collateSubrequests", True)
        replies = self._run(call, _collated(subs) if collate else subs, together=call.body.get("allOrNone") is True)
        return Reply(200, {"compositeResponse": [_result(sub, replies[sub["referenceId"]]) for sub in subs]})

    def graph(self, call: Call) -> Reply:
        """`POST /composite/graph`: each graph is all or nothing."""
        self._tag("graph")
        graphs = _graphs(call.body)
        answers: list[dict[str, Any]] = []
        for graph in graphs:
            if sum(not answer["isSuccessful"] for answer in answers) >= MAX_FAILED_GRAPHS:
                break
            subs = _subrequests(graph)
            _check_depth(subs)
            replies = self._run(call, subs, together=True)
            results = [_result(sub, replies[sub["referenceId"]]) for sub in subs]
            done = all(reply.ok for reply in replies.values())
            response = {"compositeResponse": results}
            answers.append({"graphId": graph["graphId"], "graphResponse": response, "isSuccessful": done})
        return Reply(200, {"graphs": answers})

    # --- running

    def _run(self, call: Call, subs: list[Sub], *, together: bool) -> dict[str, Reply]:
        mark, replies = self._org.mark(), dict[str, Reply]()
        for sub in subs:
            replies[sub["referenceId"]] = self._one(call, sub, replies)
            if together and not replies[sub["referenceId"]].ok:
                return self._rolled_back(mark, subs, sub["referenceId"], replies[sub["referenceId"]])
        return replies

    def _rolled_back(self, mark: int, subs: list[Sub], guilty: str, reply: Reply) -> dict[str, Reply]:
        self._org.roll_back(mark)
        halted = Reply(400, ApiError(400, "PROCESSING_HALTED", _HALTED).body())
        return {sub["referenceId"]: reply if sub["referenceId"] == guilty else halted for sub in subs}

    def _one(self, call: Call, sub: Sub, replies: Mapping[str, Reply]) -> Reply:
        try:
            return self._dispatch(_subcall(call, sub, replies))
        except ApiError as error:
            return Reply(error.status, error.body())


def _subcall(call: Call, sub: Sub, replies: Mapping[str, Reply]) -> Call:
    url = _resolved(sub["url"], replies)
    headers = sub.get("httpHeaders") or {}
    request = Request.of(str(sub.get("method", "")), url, {str(name): str(text) for name, text in headers.items()})
    prefix, _, rest = request.path.removeprefix(f"{ROOT}/v").partition("/")
    if not request.path.startswith(f"{ROOT}/v") or prefix != call.version:
        raise ApiError(400, "INVALID_INPUT", f"The url {sub['url']} is not one of version {call.version}")
    parts = tuple(part for part in rest.split("/") if part)
    body = _resolved(sub.get("body"), replies)
    return Call(request.method, parts, request.query, request.headers, body, call.version, call.user)


def _resolved(value: Any, replies: Mapping[str, Reply]) -> Any:  # noqa: ANN401 - any JSON
    """The value with every `@{reference.path}` replaced. Raises ApiError (PROCESSING_HALTED)."""
    match value:
        case str():
            whole = _REFERENCE.fullmatch(value)
            if whole:
                return _looked_up(whole, replies)
            return _REFERENCE.sub(lambda found: str(_looked_up(found, replies)), value)
        case dict():
            return {name: _resolved(each, replies) for name, each in value.items()}
        case list():
            return [_resolved(each, replies) for each in value]
    return value


def _looked_up(found: re.Match[str], replies: Mapping[str, Reply]) -> Any:  # noqa: ANN401 - any JSON
    name, path = found[1], found[2]
    reply = replies.get(name)
    value = reply.body if reply and reply.ok else None
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


def _subrequests(body: Any) -> list[Sub]:  # noqa: ANN401 - any JSON
    subs = body.get("compositeRequest") if isinstance(body, dict) else None
    if not isinstance(subs, list) or not subs or not all(_is_subrequest(sub) for sub in subs):
        raise malformed("compositeRequest: a list of subrequests with method, url and referenceId is required")
    names = [sub["referenceId"] for sub in subs]
    if len(set(names)) != len(names):
        raise ApiError(400, "INVALID_INPUT", "Duplicate referenceId in the request")
    return subs


def _is_subrequest(sub: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(sub, dict) or not all(isinstance(sub.get(k), str) for k in ("method", "url", "referenceId")):
        return False
    return bool(_NAME.fullmatch(sub["referenceId"])) and isinstance(sub.get("httpHeaders") or {}, dict)


def _graphs(body: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    graphs = body.get("graphs") if isinstance(body, dict) else None
    if not isinstance(graphs, list) or not all(
        isinstance(g, dict) and isinstance(g.get("graphId"), str) for g in graphs
    ):
        raise malformed("graphs: a list of graphs with graphId and compositeRequest is required")
    nodes = [sub for graph in graphs for sub in _subrequests(graph)]
    if len(nodes) > MAX_NODES or len(graphs) > MAX_GRAPHS:
        raise _limit(f"The request has {len(graphs)} graphs and {len(nodes)} nodes")
    if any("/sobjects/" not in sub["url"] or "/composite/" in sub["url"] for sub in nodes):
        raise ApiError(400, "INVALID_INPUT", "A graph takes sobjects subrequests only")
    return graphs


def _check_depth(subs: list[Sub]) -> None:
    depths: dict[str, int] = {}
    for sub in subs:
        depths[sub["referenceId"]] = 1 + max((depths.get(name, 0) for name in _referenced(sub)), default=0)
    if max(depths.values()) > MAX_DEPTH:
        raise _limit(f"Limit of {MAX_DEPTH} reached for the depth of a graph")


def _referenced(sub: Sub) -> set[str]:
    return {found[1] for found in _REFERENCE.finditer(json.dumps([sub["url"], sub.get("body")]))}


def _kind(sub: Sub) -> tuple[str, str]:
    """What may be bulkified together: one method on one object."""
    path = str(sub["url"]).partition("?")[0]
    found = re.search(r"/sobjects/(\w+)", path)
    return str(sub["method"]).upper(), found[1].lower() if found else path


def _is_query(sub: Sub) -> bool:
    path = str(sub["url"]).partition("?")[0]
    return bool(re.search(r"/v[\d.]+/(query|queryAll|composite/sobjects)(/|$)", path))


def _collated(subs: list[Sub]) -> list[Sub]:
    """The order in which the service runs unrelated subrequests when it may collate them: like with like.

    A caller that reads after writing must therefore switch collation off, or refer to the write.
    """
    ordered: list[Sub] = []
    waiting = list(subs)
    while waiting:
        first, done = waiting[0], {sub["referenceId"] for sub in ordered}
        ready = [sub for sub in waiting if _kind(sub) == _kind(first) and _referenced(sub) <= done]
        group = ready or [first]
        ordered += group
        waiting = [sub for sub in waiting if sub not in group]
    return ordered


def _result(sub: Sub, reply: Reply) -> dict[str, Any]:
    return {
        "body": reply.body,
        "httpHeaders": dict(reply.headers),
        "httpStatusCode": reply.status,
        "referenceId": sub["referenceId"],
    }


def _limit(message: str) -> ApiError:
    return ApiError(400, "LIMIT_EXCEEDED", message)
