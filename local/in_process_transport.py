"""Connects the real clients to emulators in the same process: each request calls the emulator, without a socket."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.models import PreparedRequest
from requests.structures import CaseInsensitiveDict
from requests.utils import default_headers, requote_uri

from emulators.base.server import Request, Response
from emulators.entra.emulator import EntraEmulator
from emulators.salesforce.emulator import SalesforceEmulator
from shared.clients.salesforce.sign_in import SignIn
from shared.clients.salesforce.token_endpoint import Token
from shared.transport.deadline import Deadline
from shared.transport.exchange import Answer, NoAnswer

RequestHandler = Callable[[Request], Response]
TOKEN_SECONDS, RENEWAL_MARGIN_SECONDS = 30 * 24 * 3600, 300
"""Seconds that a token is valid, and seconds before its end at which it is renewed. Tokens live long here, because each
new one costs the emulator a signature."""
_HEADERS = {name: str(text) for name, text in default_headers().items()}


class EmulatorService:
    """A service whose requests an emulator answers (`shared.transport.exchange.Service`).

    If the emulator closes the connection, the reply is lost.
    """

    def __init__(self, handle: RequestHandler, url: str) -> None:
        """Send every request to `handle`. It names the host of `url`."""
        self._handle, self._host = handle, urlsplit(url).netloc

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Answer one request. Raises NoAnswer where the emulator closes the connection or cuts the body."""
        answer = self._handle(Request.of(method, target, {"Host": self._host, **headers}, body or b""))
        if answer.close or answer.cut is not None:
            raise NoAnswer("RemoteProtocolError", was_sent=True)
        return Answer(answer.status, {name.lower(): text for name, text in answer.headers.items()}, answer.body)

    def close(self) -> None:
        """Do nothing: no connection is open."""


class EmulatorAdapter(BaseAdapter):
    """An adapter for the requests library. It lets an emulator answer each request, as `EmulatorService` does."""

    def __init__(self, handle: RequestHandler) -> None:
        """Send every request to `handle`."""
        super().__init__()
        self._handle = handle

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        """Answer one request. Raises the library's error where the emulator closes the connection or cuts the body."""
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        headers = {"Host": urlsplit(str(request.url)).netloc, **request.headers}  # on a wire, http.client adds it
        answer = self._handle(Request.of(str(request.method), request.path_url, headers, body))
        if answer.close:
            raise requests.exceptions.ConnectionError("Connection aborted.")
        if answer.cut is not None:
            raise requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead")
        response = requests.Response()
        response.status_code, response.url, response.request = answer.status, str(request.url), request
        response.headers = CaseInsensitiveDict(answer.headers)
        response._content = answer.body  # noqa: SLF001 - an adapter sets the body, and requests offers no public way
        return response

    def close(self) -> None:
        """Do nothing: no connection is open."""


class EmulatorSession(requests.Session):
    """A session of the requests library whose requests an emulator answers.

    It leaves out what only a network needs: proxies, cookies, redirects. They take half of the time of a request.
    """

    def __init__(self, handle: RequestHandler) -> None:
        """Send every request to `handle`."""
        super().__init__()
        self.trust_env = False
        self.answer_by(handle)

    def answer_by(self, handle: RequestHandler) -> None:
        """Send every request from now on to `handle`."""
        self._adapter = EmulatorAdapter(handle)
        self.mount("https://", self._adapter)

    def request(  # type: ignore[override]  # all options that the client gives, by name
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str | None],
        data: bytes | None = None,
        hooks: Mapping[str, Callable[[requests.Response], object]] | None = None,
        **_: object,
    ) -> requests.Response:
        """Send a request, and hand the response to the hook of the caller."""
        response = self._adapter.send(self._prepared(method, url, headers, data or b""))
        if hooks:
            hooks["response"](response)
        return response

    def _prepared(self, method: str, url: str, headers: Mapping[str, str | None], body: bytes) -> PreparedRequest:
        request = PreparedRequest()
        request.method, request.url, request.body = method.upper(), requote_uri(url), body
        length = {"Content-Length": str(len(body))} if body or method != "GET" else {}
        given = {name: text for name, text in headers.items() if text is not None}
        request.headers = CaseInsensitiveDict({**_HEADERS, **length, **given})
        return request


class EmulatorSignIn(SignIn):
    """A sign-in to Salesforce that makes no request: it takes its sessions from the emulator directly."""

    def __init__(self, salesforce: SalesforceEmulator, url: str) -> None:
        """Create the integration user; `user` is its id."""
        self._salesforce, self._url = salesforce, url
        self.user = salesforce.insert("User", {"Username": "integration@contoso.example", "LastName": "Integration"})
        self._current: Token | None = None

    def token(self, deadline: Deadline, *, refused: Token | None = None) -> Token:
        """The session's token; a new one if Salesforce refused the current one."""
        del deadline
        if self._current is None or self._current is refused:
            session = self._salesforce.oauth.issue_session_id(self.user)
            self._current = Token(session, self._url, self._salesforce.organization, self.user, 0.0)
        return self._current


class EmulatorAccessToken:
    """Returns access tokens for Partner Center, taken from the emulated Entra ID without a request.

    It renews a token before the token expires by the clock of the emulated Entra ID.
    """

    def __init__(self, entra: EntraEmulator) -> None:
        """Let the emulated Entra ID issue tokens that are valid for a month."""
        entra.settings.access_token_seconds = TOKEN_SECONDS
        self._entra = entra
        self._token = ""
        self._expires_at = 0.0

    def __call__(self, force: bool = False) -> str:
        """The access token; with `force` always a new one."""
        now = self._entra.clock.now().timestamp()
        if force or now >= self._expires_at:
            self._token = self._entra.issue_access_token()
            self._expires_at = now + TOKEN_SECONDS - RENEWAL_MARGIN_SECONDS
        return self._token
