"""The real clients' transports without sockets: each request goes straight to an emulator of the same process."""

from collections.abc import Callable

import httpx
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from emulators.base.server import Request, Response
from emulators.entra.emulator import EntraEmulator
from emulators.salesforce.emulator import SalesforceEmulator
from shared.clients.salesforce.sign_in import SignIn, Token
from shared.transport.deadline import Deadline

Handle = Callable[[Request], Response]
MONTH, SHORTLY = 30 * 24 * 3600, 300
"""Seconds: how long a token lasts here, for each costs the emulator a signature, and how long before that it is
renewed."""


def httpx_client(handle: Handle) -> httpx.Client:
    """A client whose requests an emulator answers; a closed connection is a lost reply."""

    def carry(request: httpx.Request) -> httpx.Response:
        answer = handle(Request.of(request.method, request.url.raw_path.decode(), request.headers, request.content))
        if answer.close:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        if answer.cut is not None:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete body", request=request)
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body, request=request)

    return httpx.Client(transport=httpx.MockTransport(carry), trust_env=False)


class EmulatorAdapter(BaseAdapter):
    """The same for requests."""

    def __init__(self, handle: Handle) -> None:
        """`handle` answers."""
        super().__init__()
        self._handle = handle

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """One request."""
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        answer = self._handle(Request.of(str(request.method), request.path_url, request.headers, body))
        if answer.close:
            raise requests.exceptions.ConnectionError("Connection aborted.")
        if answer.cut is not None:
            raise requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead")
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, str(request.url), request
        response.headers = CaseInsensitiveDict(answer.headers)
        response._content = answer.body  # noqa: SLF001 - an adapter fills the answer, and requests has no other door
        return response

    def close(self) -> None:
        """Nothing is open."""


class OpenDoor(SignIn):
    """A sign-in to Salesforce that costs nothing: sessions come from the emulator itself."""

    def __init__(self, salesforce: SalesforceEmulator, url: str) -> None:
        """Makes the integration user, whose id is `user`."""
        self._salesforce, self._url = salesforce, url
        self.user = salesforce.insert("User", {"Username": "integration@contoso.example", "LastName": "Integration"})
        self._present: Token | None = None

    def token(self, deadline: Deadline, *, refused: Token | None = None) -> Token:
        """A session; a new one where the last was refused."""
        del deadline
        if self._present is None or self._present is refused:
            session = self._salesforce.oauth.open_session(self.user)
            self._present = Token(session, self._url, self._salesforce.organization, 0.0)
        return self._present


class Badge:
    """Partner Center's access token, from the emulated Entra ID itself, renewed before it ends by Entra's clock."""

    def __init__(self, entra: EntraEmulator) -> None:
        """From now on Entra's tokens last a month."""
        entra.settings.access_token_seconds = MONTH
        self._entra = entra
        self._token = ""
        self._until = 0.0

    def __call__(self, force: bool = False) -> str:
        """The token; a new one where `force` asks for it."""
        now = self._entra.clock.now().timestamp()
        if force or now >= self._until:
            self._token = self._entra.access_token()
            self._until = now + MONTH - SHORTLY
        return self._token
