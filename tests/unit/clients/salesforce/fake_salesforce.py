"""Replace Salesforce by two functions: one answers token requests, the other all other requests."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from emulators.base.server import Request, Response

LOGIN = "https://acme.my.salesforce.com"
DATE = "Sun, 22 Nov 2026 10:00:10 GMT"
NOW = datetime(2026, 11, 22, 10, 0, 30, tzinfo=UTC)


class ManualClock:
    """A monotonic clock that advances only by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class MemoryVault:
    """A vault with one key: `pem` is the cached value, and `stored_pem` the one that a fresh read returns."""

    def __init__(self, pem: str) -> None:
        self.pem = self.stored_pem = pem
        self.fresh_reads = 0

    def get(self, name: str) -> str:
        assert name == "salesforce-key"
        return self.pem

    def get_fresh(self, name: str) -> str:
        self.fresh_reads += 1
        self.pem = self.stored_pem
        return self.get(name)

    def set(self, name: str, value: str) -> None:
        raise AssertionError(f"a sign-in to Salesforce must not write a secret: {name} ({len(value)})")


class FakeSalesforce(BaseAdapter):
    """A transport of `requests` that answers with `grant` (tokens) and `respond` (everything else)."""

    def __init__(self) -> None:
        super().__init__()
        self.data_requests: list[Request] = []
        self.addresses: list[str] = []
        self.sign_in_requests: list[Request] = []
        self.respond: Callable[[Request], Response] = lambda _: Response.of({"name": "x"})
        self.grant: Callable[[Request], Response] = lambda _: self.token_answer()
        self._numbers = itertools.count(1)

    def token_answer(self, **changes: object) -> Response:
        body: dict[str, object] = {
            "access_token": f"00DSECRET!{next(self._numbers)}",
            "instance_url": LOGIN,
            "id": "https://login.salesforce.com/id/00D000000000001/005000000000001",
        }
        return Response.of({name: value for name, value in {**body, **changes}.items() if value is not None})

    def answer_in_turn(self, *answers: Response | Exception) -> None:
        """Give these answers in turn, and repeat the last one."""
        remaining = list(answers)

        def respond(_: Request) -> Response:
            answer = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        self.respond = respond

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        received = Request.of(str(request.method), request.path_url, request.headers, body)
        is_sign_in = received.path == "/services/oauth2/token"
        (self.sign_in_requests if is_sign_in else self.data_requests).append(received)
        self.addresses += [] if is_sign_in else [str(request.url)]
        answer = (self.grant if is_sign_in else self.respond)(received)
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, str(request.url), request
        response.headers = CaseInsensitiveDict({"Date": DATE, **answer.headers})
        response._content = answer.body
        return response

    def close(self) -> None:
        pass


def new_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
