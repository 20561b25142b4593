"""Keeps every write that is sent to one of the two sides, also one that is lost on its way."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulators.base.server import Request, Response

RequestHandler = Callable[[Request], Response]
AUDIT = "Audit__c"
"""The text of the audit may change; the values and the mark may not."""
MARK, FORBIDDEN = b'"Name"', "INSUFFICIENT_ACCESS_OR_READONLY"
"""What a request that writes a mark in a name holds, and the code of one that Salesforce forbids."""


@dataclass
class SentWrites:
    """The writes of all instances, in order: method, path, body, and whether the write is conditional.

    `hear` is told each of them, with its body. `trace` gets a line for each write, and below it one for the request
    with its status; 0 means that no answer came. `unmarked` has the opportunities whose last mark in the name was
    forbidden: the next look at the pair tries again (docs/protocol.md#the-mark-in-the-name).
    """

    trace: list[str]
    writes: list[Any] = field(default_factory=list)
    hear: Callable[[str], None] = lambda _: None
    unmarked: set[str] = field(default_factory=set)

    @property
    def digest(self) -> str:
        """A short hash of all writes."""
        return hashlib.sha256(json.dumps(self.writes, sort_keys=True).encode()).hexdigest()[:12]

    def of_partner_center(self, handle: RequestHandler) -> RequestHandler:
        """The same handler, with a note of each write."""

        def noted(request: Request) -> Response:
            if request.method != "GET":
                self._note(request.method, request.path, _body(request), is_conditional="if-match" in request.headers)
            return self._answer("partner_center", handle, request)

        return noted

    def of_salesforce(self, handle: RequestHandler) -> RequestHandler:
        """The same for Salesforce, where each write is a subrequest."""

        def noted(request: Request) -> Response:
            if "/composite" in request.path:
                self._note_subrequests(_body(request))
            response = self._answer("salesforce", handle, request)
            if MARK in request.body:
                self._note_marks(_body(request), response.body)
            return response

        return noted

    def _answer(self, side: str, handle: RequestHandler, request: Request) -> Response:
        response = handle(request)
        self.trace.append(f"{side} {request.method} {request.path} {response.status}")
        return response

    def _note_marks(self, sent: Any, answer: bytes) -> None:  # noqa: ANN401 - a JSON value
        try:
            answers = json.loads(answer)["compositeResponse"]
        except (ValueError, KeyError, TypeError):  # a fault has replaced the answer
            return
        for part, got in zip(sent.get("compositeRequest", ()), answers, strict=False):
            if (part.get("body") or {}).keys() == {"Name"}:
                is_forbidden = FORBIDDEN in json.dumps(got["body"])
                (self.unmarked.add if is_forbidden else self.unmarked.discard)(part["url"].rpartition("/")[2])

    def _note_subrequests(self, body: Any) -> None:  # noqa: ANN401 - a JSON value
        for envelope in body.get("graphs", [body]):
            for part in envelope["compositeRequest"]:
                path = part["url"].partition("/services/data/")[2].partition("/")[2]
                is_retrieve = part["method"] == "POST" and path.startswith("composite/sobjects/")
                if part["method"] != "GET" and not is_retrieve:
                    is_conditional = "If-Unmodified-Since" in part.get("httpHeaders", {})
                    self._note(part["method"], path, _without_audit(part.get("body")), is_conditional=is_conditional)

    def _note(self, method: str, path: str, body: object, *, is_conditional: bool) -> None:
        self.writes.append([method, path, body, is_conditional])
        self.hear(f"{path} {json.dumps(body)}")
        self.trace.append(f"    sends {method} {path} {json.dumps(body)}")


def _body(request: Request) -> Any:  # noqa: ANN401 - a JSON value
    """The body, with the digits of each number as they were sent."""
    return json.loads(request.body, parse_float=str, parse_int=str)


def _without_audit(body: Any) -> Any:  # noqa: ANN401 - a JSON value
    if isinstance(body, list):
        return [_without_audit(item) for item in body]
    if isinstance(body, dict):
        return {name: _without_audit(value) for name, value in body.items() if name != AUDIT}
    return body
