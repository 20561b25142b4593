"""What the app sends and receives through its HTTP clients: the secrets in it, and the ids of the calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import requests

from shared.transport.exchange import Answer, Exchange
from shared.transport.session import DeadlineAdapter

SECRET_FIELDS = frozenset(
    {"access_token", "refresh_token", "id_token", "assertion", "client_assertion", "client_secret"}
)


@dataclass(slots=True)
class Traffic:
    """Everything since `watch`. `secrets` are the tokens and assertions; `sent` and `answered` are ids of calls."""

    secrets: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note each call from now on."""
        send_by_httpx, send_by_requests = httpx.Client.send, DeadlineAdapter.send

        def note_httpx(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:  # noqa: ANN401
            self.note_request(dict(request.headers), request.content)
            response = send_by_httpx(client, request, **options)
            self.note_answer(dict(response.headers), b"")
            return response

        def note_requests(
            adapter: DeadlineAdapter,
            request: requests.PreparedRequest,
            **options: Any,  # noqa: ANN401 - passed through
        ) -> requests.Response:
            body = request.body
            self.note_request(dict(request.headers), body.encode() if isinstance(body, str) else body or b"")
            response = send_by_requests(adapter, request, **options)
            self.note_answer(dict(response.headers), response.content)
            return response

        send_by_exchange = Exchange.send

        def note_exchange(
            exchange: Exchange, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
        ) -> Answer:
            self.note_request(dict(headers), body or b"")
            answer = send_by_exchange(exchange, method, target, headers, body)
            self.note_answer(dict(answer.headers), answer.body)
            return answer

        monkeypatch.setattr(httpx.Client, "send", note_httpx)
        monkeypatch.setattr(Exchange, "send", note_exchange)
        monkeypatch.setattr(DeadlineAdapter, "send", note_requests)

    def note_request(self, headers: dict[str, str], body: bytes) -> None:
        named = {name.lower(): value for name, value in headers.items()}
        if token := named.get("authorization", "").partition(" ")[2]:
            self.secrets.add(token)
        if sent := named.get("ms-correlationid"):
            self.sent.add(sent)
        if b"grant_type=" in body:
            self.secrets |= {value for name, value in parse_qsl(body.decode()) if name in SECRET_FIELDS}

    def note_answer(self, headers: dict[str, str], body: bytes) -> None:
        named = {name.lower(): value for name, value in headers.items()}
        self.answered |= {named[name] for name in ("request-id", "x-sfdc-request-id") if name in named}
        if b"_token" in body:
            values = json.loads(body)
            self.secrets |= {str(value) for name, value in values.items() if name in SECRET_FIELDS}
