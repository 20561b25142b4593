"""Carry the calls of Partner Center's clients over an httpx client, whose transport a test scripts."""

from collections.abc import Mapping

import httpx

from shared.transport.exchange import Answer, NoAnswer

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class OverHttpx:
    """A service that answers as the client's transport does; `origin` is its scheme and host."""

    def __init__(self, client: httpx.Client, origin: str = "https://partner.example") -> None:
        self._client, self._origin = client, origin

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        request = httpx.Request(method, f"{self._origin}{target}", headers=dict(headers), content=body)
        try:
            response = self._client.send(request)
        except httpx.HTTPError as error:
            raise NoAnswer(type(error).__name__, was_sent=not isinstance(error, NEVER_SENT)) from error
        return Answer(response.status_code, dict(response.headers.items()), response.content)

    def close(self) -> None:
        self._client.close()
