"""Key Vault over HTTP: the challenge, the routes of secrets, paging, and the service's error shapes.

Documented sources: reference/azure.md section 3; what is left out stands in docs/emulators-key-vault.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from emulators.base.emulator import Emulator, Fault, FaultKind
from emulators.base.server import Request, Response
from emulators.key_vault.secret_store import RETENTION, Secret, Shelf, VaultError, Version, bad
from emulators.managed_identity.emulator import TokenRejected, Tokens

AUDIENCE = "https://vault.azure.net"
AUTHORITY = "https://login.microsoftonline.com"
TENANT = "5c0e1100-0000-4000-8000-0000000007e9"
MAX_PAGE = 25
THROTTLED = (
    '{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received."}}'
)

_PLACE = re.compile(r"[0-9]{1,9}")

type Handler = Callable[[Request, Sequence[str]], Response]


@dataclass(slots=True)
class Access:
    """What the calling identity's roles allow; both by default, as for Key Vault Secrets Officer."""

    read: bool = True
    write: bool = True


class KeyVault(Emulator):
    """A vault of secrets that accepts the tokens of one managed-identity endpoint and no others."""

    def __init__(self, tokens: Tokens, *, secrets: Mapping[str, str] | None = None, seed: int = 0) -> None:
        """`tokens` is the identity endpoint's; `secrets` are there at the start and after each reset."""
        super().__init__(seed=seed)
        self._tokens = tokens
        self._initial = dict(secrets or {})
        self._routes: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
            (method, re.compile(path), handler) for method, path, handler in self._table()
        )
        self.restart()

    def _table(self) -> Iterable[tuple[str, str, Handler]]:
        live = r"/secrets/([^/]+)"
        deleted = r"/deletedsecrets/([^/]+)"
        return (
            ("GET", r"/secrets/?", self._list),
            ("GET", live + r"/versions/?", self._versions),
            ("GET", live + r"(?:/([^/]*))?", self._get),
            ("PUT", live + r"/?", self._set),
            ("PATCH", live + r"(?:/([^/]*))?", self._amend),
            ("DELETE", live + r"/?", self._delete),
            ("GET", r"/deletedsecrets/?", self._list_deleted),
            ("GET", deleted + r"/?", self._get_deleted),
            ("POST", deleted + r"/recover/?", self._recover),
            ("DELETE", deleted + r"/?", self._purge),
        )

    def restart(self) -> None:
        """The secrets of the start, full access."""
        self.access = Access()
        self.shelf = Shelf(self.clock.now, self.seed)
        for name, value in self._initial.items():
            self.shelf.put(name, {"value": value})

    # --- control

    def control(self, request: Request) -> Response | None:
        """`POST /_control/secrets`, `POST /_control/access`, `POST /_control/throttle`."""
        wanted = request.json() if request.method == "POST" else {}
        match request.method, request.path:
            case "POST", "/_control/secrets":
                body = {"attributes": {"enabled": wanted.get("enabled", True)}, **wanted}
                try:
                    self.shelf.put(wanted["name"], body)
                except VaultError as error:
                    return _failed(error)
            case "POST", "/_control/access":
                self.access = Access(bool(wanted.get("read", True)), bool(wanted.get("write", True)))
            case "POST", "/_control/throttle":
                self.throttle(times=int(wanted.get("times", 1)), retry_after=int(wanted.get("retry_after", 1)))
            case _:
                return None
        return Response.of({"ok": True})

    def throttle(self, *, times: int = 1, retry_after: int = 1) -> None:
        """Answer the next requests with the service's 429; `retry_after` is in seconds."""
        headers = {"Retry-After": str(retry_after)}
        self.faults.append(Fault(FaultKind.ANSWER, times=times, status=429, headers=headers, body=THROTTLED))

    # --- service

    def respond(self, request: Request) -> Response:
        """The answer of the service, errors included."""
        challenge = self._challenge(request)
        if challenge is not None:
            return challenge
        try:
            if not request.query.get("api-version"):
                raise bad("The api-version query parameter is required.")
            return self._route(request)
        except VaultError as error:
            return _failed(error)

    def broken(self, request: Request) -> Response:
        """As the service words a defect of its own."""
        del request
        return _failed(VaultError(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", "An unexpected error occurred."))

    def _challenge(self, request: Request) -> Response | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return _challenged("AKV10000: Request is missing a Bearer or PoP token.")
        try:
            self._tokens.check(token, audience=AUDIENCE, now=self.clock.now().timestamp())
        except TokenRejected as error:
            return _challenged(str(error), "invalid_token")
        return None

    def _route(self, request: Request) -> Response:
        for method, path, handler in self._routes:
            match = path.fullmatch(request.path)
            if match and method == request.method:
                self._allow(read=method == "GET")
                self.tag(handler.__name__.removeprefix("_"))
                return handler(request, match.groups(default=""))
        text = f"This emulator does not know {request.method} {request.path}."
        raise VaultError(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", text)

    def _allow(self, *, read: bool) -> None:
        if not (self.access.read if read else self.access.write):
            text = "Caller is not authorized to perform action on resource."
            raise VaultError(HTTPStatus.FORBIDDEN, "Forbidden", text, "ForbiddenByRbac")

    def _get(self, request: Request, path: Sequence[str]) -> Response:
        secret = self.shelf.find(path[0])
        version = secret.version(path[1])
        if not version.attributes["enabled"]:
            text = "Operation get is not allowed on a disabled secret."
            raise VaultError(HTTPStatus.FORBIDDEN, "Forbidden", text, "SecretDisabled")
        return Response.of({"value": version.value} | _bundle(request, secret.name, version))

    def _set(self, request: Request, path: Sequence[str]) -> Response:
        version = self.shelf.put(path[0], _json(request))
        return Response.of({"value": version.value} | _bundle(request, path[0], version))

    def _amend(self, request: Request, path: Sequence[str]) -> Response:
        return Response.of(_bundle(request, path[0], self.shelf.amend(path[0], path[1], _json(request))))

    def _delete(self, request: Request, path: Sequence[str]) -> Response:
        return Response.of(_deleted(request, self.shelf.delete(path[0])))

    def _list(self, request: Request, _: Sequence[str]) -> Response:
        return _page(request, [_item(request, secret.name, secret.latest) for secret in self.shelf.live()])

    def _versions(self, request: Request, path: Sequence[str]) -> Response:
        secret = self.shelf.find(path[0])
        return _page(request, [_bundle(request, secret.name, version) for version in secret.versions])

    def _list_deleted(self, request: Request, _: Sequence[str]) -> Response:
        return _page(request, [_deleted(request, secret) for secret in self.shelf.deleted()])

    def _get_deleted(self, request: Request, path: Sequence[str]) -> Response:
        return Response.of(_deleted(request, self.shelf.find_deleted(path[0])))

    def _recover(self, request: Request, path: Sequence[str]) -> Response:
        secret = self.shelf.recover(path[0])
        return Response.of(_bundle(request, secret.name, secret.latest))

    def _purge(self, _: Request, path: Sequence[str]) -> Response:
        self.shelf.purge(path[0])
        return Response(HTTPStatus.NO_CONTENT)


def _challenged(message: str, error: str | None = None) -> Response:
    challenge = f'Bearer authorization="{AUTHORITY}/{TENANT}", resource="{AUDIENCE}"'
    challenge += f', error="{error}"' if error else ""
    body = {"error": {"code": "Unauthorized", "message": message}}
    return Response.of(body, HTTPStatus.UNAUTHORIZED, WWW_Authenticate=challenge)


def _failed(error: VaultError) -> Response:
    inner = {"innererror": {"code": error.inner}} if error.inner else {}
    return Response.of({"error": {"code": error.code, "message": error.message, **inner}}, error.status)


def _json(request: Request) -> object:
    try:
        body: object = request.json()
    except ValueError as error:
        raise bad("The request body is not JSON.") from error
    return body


def _base(request: Request) -> str:
    return f"https://{request.headers.get('host', 'localhost')}"


def _bundle(request: Request, name: str, version: Version) -> dict[str, Any]:
    return {**_item(request, name, version), "id": f"{_base(request)}/secrets/{name}/{version.id}"}


def _item(request: Request, name: str, version: Version) -> dict[str, Any]:
    stamps = {"created": int(version.created.timestamp()), "updated": int(version.updated.timestamp())}
    recovery = {"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": RETENTION.days}
    content = {"contentType": version.content_type} if version.content_type else {}
    attributes = {**version.attributes, **stamps, **recovery}
    return {"id": f"{_base(request)}/secrets/{name}", "attributes": attributes, "tags": dict(version.tags), **content}


def _deleted(request: Request, secret: Secret) -> dict[str, Any]:
    at = int(secret.deleted.timestamp()) if secret.deleted else 0
    return {
        "recoveryId": f"{_base(request)}/deletedsecrets/{secret.name}",
        "deletedDate": at,
        "scheduledPurgeDate": at + int(RETENTION.total_seconds()),
        **_bundle(request, secret.name, secret.latest),
    }


def _page(request: Request, items: Sequence[Mapping[str, Any]]) -> Response:
    size, start = request.query.get("maxresults", str(MAX_PAGE)), request.query.get("$skiptoken", "0")
    if not _PLACE.fullmatch(size) or not 1 <= int(size) <= MAX_PAGE or not _PLACE.fullmatch(start):
        raise bad(f"maxresults must be between 1 and {MAX_PAGE}.")
    end = int(start) + int(size)
    rest = f"?api-version={request.query['api-version']}&maxresults={size}&$skiptoken={end}"
    following = f"{_base(request)}{request.path}{rest}" if end < len(items) else None
    return Response.of({"value": list(items[int(start) : end]), "nextLink": following})
