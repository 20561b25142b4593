"""The way MSAL reaches Entra ID: our own client under MSAL's three-method interface.

MSAL takes any object with `get`, `post` and `close`. Ours holds the total deadline, follows no redirect, talks to the
authority's origin alone, and lets only answers through that MSAL can read: MSAL would write an unreadable one, which
may be half a token, into the log.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from shared.clients.partner_center.error_mapping import Reply, patience
from shared.clients.partner_center.request import exchange
from shared.foundation.errors import ConfigurationError, SignInFailed, Throttled, Unavailable
from shared.foundation.redacted import Redacted
from shared.transport.client import limits
from shared.transport.deadline import within

Params = Mapping[str, str] | None
Form = Mapping[str, str | bytes] | None

SIGN_IN_DEADLINE = 30.0
"""Seconds for one request to Entra ID."""


class Answer(Redacted, frozen=True):
    """An answer in the shape MSAL reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Nothing: what MSAL would raise here has been raised already."""


class TokenEndpoint:
    """MSAL's `http_client`."""

    def __init__(self, client: httpx.Client, authority: str) -> None:
        """Reach `authority` (https://login.microsoftonline.com/{tenant}) through `client`.

        Raises ConfigurationError for an address that is not https.
        """
        self._client = client
        self._origin = _origin(_checked(authority))

    def post(self, url: str, *, params: Params = None, headers: Params = None, data: Form = None) -> Answer:
        """Post a form. Raises Throttled, Unavailable, SignInFailed."""
        return self._exchange("POST", url, params, headers, data)

    def get(self, url: str, *, params: Params = None, headers: Params = None) -> Answer:
        """Get a document. Raises as `post`."""
        return self._exchange("GET", url, params, headers, None)

    def close(self) -> None:
        """Nothing: the client outlives MSAL's objects."""

    def _exchange(self, method: str, url: str, params: Params, headers: Params, form: Form) -> Answer:
        target = httpx.URL(url)
        if _origin(target) != self._origin:
            # The discovery document names the token endpoint; secrets go to the configured host only.
            raise SignInFailed(
                "Entra ID names a token endpoint on another host",
                code="authority",
                remedy="Set the authority to the host that answers for this tenant.",
            )
        with within(SIGN_IN_DEADLINE) as deadline:
            try:
                built = self._client.build_request(
                    method, target, params=params or None, headers=headers, data=_text(form), timeout=limits(deadline)
                )
                return _readable(exchange(self._client, built, deadline))
            except httpx.HTTPError as error:
                raise Unavailable(f"{method} Entra ID: {type(error).__name__}") from None


def _checked(authority: str) -> httpx.URL:
    try:
        url = httpx.URL(authority)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme != "https" or not url.host or url.userinfo or not url.path.strip("/"):
        raise ConfigurationError(
            "Entra ID's authority is an https address, with a tenant; an example: https://login.microsoftonline.com"
        )
    return url


def _text(form: Form) -> dict[str, str] | None:
    """The form as text: MSAL gives a client assertion as bytes, which httpx would send as Python prints them."""
    if form is None:
        return None
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in form.items()}


def _readable(reply: Reply) -> Answer:
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled("Entra ID asks for patience", after=patience(reply))
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in range(300, 400):
        raise Unavailable(f"Entra ID answered {reply.status}", after=patience(reply))
    try:
        readable = isinstance(json.loads(reply.body), dict)
    except (ValueError, RecursionError):
        readable = False
    if not readable:
        raise Unavailable(f"Entra ID answered {reply.status}, but not with JSON")
    return Answer(reply.status, reply.body.decode(), dict(reply.headers))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
