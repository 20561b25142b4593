"""Give MSAL our own HTTP client, through the three methods that MSAL calls.

MSAL accepts any object with `get`, `post` and `close`. Ours keeps the total deadline, follows no redirect, sends only
to the origin of the authority, and passes on only answers that MSAL can read. MSAL would write an unreadable answer,
which may contain part of a token, into the log.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from shared.clients.partner_center.error_mapping import Reply, retry_after_seconds
from shared.foundation.errors import ConfigurationError, SignInFailed, Throttled, Unavailable
from shared.foundation.redacted import Redacted
from shared.transport.client import httpx_timeout, read_body
from shared.transport.deadline import call_deadline

Params = Mapping[str, str] | None
Form = Mapping[str, str | bytes] | None

REQUEST_SECONDS = 30.0
"""Seconds for one request to Entra ID."""


class MsalResponse(Redacted, frozen=True):
    """An answer with the attributes that MSAL reads."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Do nothing: an answer that would raise here has raised before."""


class MsalHttpClient:
    """The `http_client` that is passed to MSAL."""

    def __init__(self, client: httpx.Client, authority: str) -> None:
        """Send to `authority` (https://login.microsoftonline.com/{tenant}) through `client`.

        Raises ConfigurationError if the address is not https, or names no tenant.
        """
        self._client = client
        self._origin = _origin_of(_check_authority(authority))

    def post(self, url: str, *, params: Params = None, headers: Params = None, data: Form = None) -> MsalResponse:
        """Post a form. Raises Throttled, Unavailable, SignInFailed."""
        return self._send("POST", url, params, headers, data)

    def get(self, url: str, *, params: Params = None, headers: Params = None) -> MsalResponse:
        """Get a document. Raises the same errors as `post`."""
        return self._send("GET", url, params, headers, None)

    def close(self) -> None:
        """Do nothing: the client is used after MSAL's objects are gone."""

    def _send(self, method: str, url: str, params: Params, headers: Params, form: Form) -> MsalResponse:
        target = httpx.URL(url)
        if _origin_of(target) != self._origin:
            # The discovery document names the token endpoint, but secrets go to the configured host only.
            raise SignInFailed(
                "Entra ID names a token endpoint on another host",
                code="authority",
                remedy="Set the authority to the host that serves this tenant.",
            )
        with call_deadline(REQUEST_SECONDS) as deadline:
            try:
                built = self._client.build_request(
                    method,
                    target,
                    params=params or None,
                    headers=headers,
                    data=_form_as_text(form),
                    timeout=httpx_timeout(deadline),
                )
                response = self._client.send(built, stream=True, auth=None, follow_redirects=False)
                reply = Reply(response.status_code, response.headers, read_body(response, deadline))
            except httpx.HTTPError as error:
                raise Unavailable(f"{method} Entra ID: {type(error).__name__}") from None
        return _msal_response(reply)


def _check_authority(authority: str) -> httpx.URL:
    try:
        url = httpx.URL(authority)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme != "https" or not url.host or url.userinfo or not url.path.strip("/"):
        raise ConfigurationError(
            "The authority of Entra ID must be an https address, and a tenant must be set. Example: https://login.microsoftonline.com"
        )
    return url


def _form_as_text(form: Form) -> dict[str, str] | None:
    """The form as text. MSAL gives a client assertion as bytes, and httpx would send the Python notation of bytes."""
    if form is None:
        return None
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in form.items()}


def _msal_response(reply: Reply) -> MsalResponse:
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled("Entra ID throttles the sign-in", after=retry_after_seconds(reply))
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in range(300, 400):
        raise Unavailable(f"Entra ID answered {reply.status}", after=retry_after_seconds(reply))
    try:
        readable = isinstance(json.loads(reply.body), dict)
    except (ValueError, RecursionError):
        readable = False
    if not readable:
        raise Unavailable(f"Entra ID answered {reply.status}, but not with a JSON object")
    return MsalResponse(reply.status, reply.body.decode(), dict(reply.headers))


def _origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
