"""Send one write by every path of the data API, with a plain HTTP client, and tell what each answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.unit.emulators.salesforce.api_session import ApiSession

type Values = Mapping[str, object]
type Errors = list[dict[str, Any]]

ROOT = "/services/data/v66.0"
UNKNOWN_KEY = "new-key"


def errors_by_path(
    api: ApiSession,
    sobject: str,
    values: Values,
    *,
    edited: str = "",
    key_field: str = "",
    headers: Mapping[str, str] | None = None,
) -> dict[str, Errors]:
    """The errors of each write path: creations, or updates of the record `edited`; upserts too with a `key_field`."""
    writes = _updates(sobject, edited, values) if edited else _creations(sobject, values)
    found = {}
    for name, method, path, body in writes:
        answer = api(method, path, body, headers)
        found[name] = _errors(name, answer.status, answer.json() if answer.body else None)
    if key_field:
        path = f"/sobjects/{sobject}/{key_field}/{UNKNOWN_KEY}"
        answer = api("PATCH", path, values, headers)
        found["upsert"] = _errors("upsert", answer.status, answer.json() if answer.body else None)
        record = {"attributes": {"type": sobject}, key_field: UNKNOWN_KEY + "-2", **values}
        body = {"records": [record]}
        answer = api("PATCH", f"/composite/sobjects/{sobject}/{key_field}", body, headers)
        found["collections.upsert"] = _errors("collections", answer.status, answer.json())
    return found


def codes_by_path(api: ApiSession, sobject: str, values: Values, **options: Any) -> set[tuple[str, ...]]:  # noqa: ANN401 - the options of errors_by_path
    """The distinct lists of error codes over all write paths: one element if all paths answer alike."""
    found = errors_by_path(api, sobject, values, **options)
    return {tuple(each.get("errorCode") or each["statusCode"] for each in errors) for errors in found.values()}


def _creations(sobject: str, values: Values) -> Iterator[tuple[str, str, str, Any]]:
    yield "single", "POST", f"/sobjects/{sobject}", values
    subrequest = {"method": "POST", "url": f"{ROOT}/sobjects/{sobject}", "referenceId": "one", "body": values}
    yield from _envelopes(subrequest)
    record = {"attributes": {"type": sobject}, **values}
    yield "collections", "POST", "/composite/sobjects", {"records": [record]}


def _updates(sobject: str, edited: str, values: Values) -> Iterator[tuple[str, str, str, Any]]:
    yield "single", "PATCH", f"/sobjects/{sobject}/{edited}", values
    url = f"{ROOT}/sobjects/{sobject}/{edited}"
    yield from _envelopes({"method": "PATCH", "url": url, "referenceId": "one", "body": values})
    record = {"attributes": {"type": sobject}, "id": edited, **values}
    yield "collections", "PATCH", "/composite/sobjects", {"records": [record]}


def _envelopes(subrequest: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    yield "composite", "POST", "/composite", {"compositeRequest": [subrequest]}
    graph = {"graphId": "g", "compositeRequest": [subrequest]}
    yield "graph", "POST", "/composite/graph", {"graphs": [graph]}


def _errors(name: str, status: int, body: Any) -> Errors:  # noqa: ANN401 - JSON
    """The errors of an answer; empty if the write was made."""
    if name == "composite":
        status, body = _subresponse(body)
    elif name == "graph":
        status, body = _subresponse(body["graphs"][0]["graphResponse"])
    elif name == "collections":
        return [error for result in body for error in result["errors"]]
    return list(body) if status >= 300 else []


def _subresponse(body: Any) -> tuple[int, Any]:  # noqa: ANN401 - JSON
    (response,) = body["compositeResponse"]
    return response["httpStatusCode"], response["body"]
