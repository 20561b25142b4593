"""Requests to the two sides, and their answers, that break one rule each."""

import json
from copy import replace
from typing import Any

from emulators.base.server import Request, Response
from tests.simulation.sabotage import RequestHandler, Sabotage

STATUS = ("/status", "/substatus", "/statusReason")


def json_of(response: Response) -> dict[str, Any]:
    """The body of a good answer; empty where it has no JSON object, or where the connection ends without an answer."""
    if response.status != 200 or response.close:
        return {}
    try:
        body = json.loads(response.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _without_if_match(handle: RequestHandler) -> RequestHandler:
    def changed(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "if-match"}
        return handle(replace(request, headers=headers))

    return changed


def _without_condition(handle: RequestHandler) -> RequestHandler:
    def changed(request: Request) -> Response:
        if not request.path.endswith("/composite"):
            return handle(request)
        body = json.loads(request.body)
        for part in body["compositeRequest"]:
            part.pop("httpHeaders", None)
        return handle(replace(request, body=json.dumps(body).encode()))

    return changed


def _closed_looks_open(handle: RequestHandler) -> RequestHandler:
    def changed(request: Request) -> Response:
        response = handle(request)
        body = json_of(response) if request.method == "GET" else {}
        if body.get("status") != "Closed":
            return response
        body |= {"status": "Active", "substatus": "Accepted"}
        return replace(response, body=json.dumps(body).encode())

    return changed


def _status_first(handle: RequestHandler) -> RequestHandler:
    """A PATCH with a status and other values goes as two: the status alone, and then the rest."""

    def changed(request: Request) -> Response:
        operations = json.loads(request.body) if request.method == "PATCH" else []
        first = [one for one in operations if one["path"] in STATUS]
        rest = [one for one in operations if one["path"] not in STATUS]
        answer = handle(_with_operations(request, first)) if first and rest else Response(0)
        version = json_of(answer).get("eTag")
        if version is None:  # nothing to part, or the first part failed
            return answer if first and rest else handle(request)
        headers = {**request.headers, "if-match": version}
        return handle(replace(_with_operations(request, rest), headers=headers))

    return changed


def _with_operations(request: Request, operations: list[dict[str, Any]]) -> Request:
    return replace(request, body=json.dumps(operations).encode())


def _repeats_creates(handle: RequestHandler) -> RequestHandler:
    """A create whose answer was lost is sent once more."""

    def changed(request: Request) -> Response:
        answer = handle(request)
        is_lost = answer.close or answer.status >= 500
        return handle(request) if request.method == "POST" and is_lost else answer

    return changed


def _finds_no_created(handle: RequestHandler) -> RequestHandler:
    """A list by the time of creation is empty: what an earlier create made is not found."""

    def changed(request: Request) -> Response:
        answer = handle(request)
        is_list = request.method == "GET" and "createdDateTime" in request.query.get("$filter", "")
        return Response.of({"items": [], "value": []}) if is_list and answer.status == 200 else answer

    return changed


BROKEN_REQUESTS = {
    "If-Match is dropped": Sabotage(partner_center=_without_if_match),
    "If-Unmodified-Since is dropped": Sabotage(salesforce=_without_condition),
    "a closed referral looks open": Sabotage(partner_center=_closed_looks_open),
    "the status is sent first": Sabotage(partner_center=_status_first),
    "a lost create is sent again": Sabotage(partner_center=_repeats_creates),
    "a lost create is not looked for": Sabotage(partner_center=_finds_no_created),
}
