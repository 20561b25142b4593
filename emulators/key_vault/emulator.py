"""Emulate Key Vault's REST API for secrets: the sign-in challenge, the routes, paging, and the error shapes.

Sources: docs/reference/azure.md#key-vault-requests, docs/reference/azure.md#key-vault-errors. What is missing:
docs/reference/azure.md#what-they-lack.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from emulators.base.emulator import Emulator
from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request, Response
from emulators.key_vault.secret_store import RETENTION, Secret, SecretStore, VaultError, Version, bad_parameter
from emulators.managed_identity.emulator import TokenRejected, Tokens

AUDIENCE = "https://vault.azure.net"
AUTHORITY = "https://login.microsoftonline.com"
TENANT = "5c0e1100-0000-4000-8000-0000000007e9"
MAX_PAGE = 25
THROTTLED = (
    '{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received."}}'
)

_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")

type Handler = Callable[[Request, Sequence[str]], Response]


@dataclass(slots=True)
class Access:
    """The operations that the caller's roles allow. By default all, as the role Key Vault Secrets Officer does."""

    read: bool = True
    write: bool = True


class KeyVault(Emulator):
    """A vault of secrets. It accepts only the tokens of one managed-identity endpoint."""

    def __init__(self, tokens: Tokens, *, secrets: Mapping[str, str] | None = None, seed: int = 0) -> None:
        """`tokens` comes from the identity endpoint; `secrets` exist at the start and after each reset."""
        super().__init__(seed=seed)
        self._tokens = tokens
        self._initial = dict(secrets or {})
        self._routes: tuple[tuple[str, re.Pattern[str], str, Handler], ...] = tuple(
            (method, re.compile(path), tag, handler) for method, path, tag, handler in self._route_table()
        )
        self.reset_state()

    def _route_table(self) -> Iterable[tuple[str, str, str, Handler]]:
        """Method, path, tag in the journal, and handler. The first match counts."""
        live = r"/secrets/([^/]+)"
        deleted = r"/deletedsecrets/([^/]+)"
        return (
            ("GET", r"/secrets/?", "list", self._list_secrets),
            ("GET", live + r"/versions/?", "versions", self._list_versions),
            ("GET", live + r"(?:/([^/]*))?", "get", self._get_secret),
            ("PUT", live + r"/?", "set", self._set_secret),
            ("PATCH", live + r"(?:/([^/]*))?", "amend", self._update_secret),
            ("DELETE", live + r"/?", "delete", self._delete_secret),
            ("GET", r"/deletedsecrets/?", "list_deleted", self._list_deleted_secrets),
            ("GET", deleted + r"/?", "get_deleted", self._get_deleted_secret),
            ("POST", deleted + r"/recover/?", "recover", self._recover_secret),
            ("DELETE", deleted + r"/?", "purge", self._purge_secret),
        )

    def reset_state(self) -> None:
        """Restore the secrets of the start, and full access."""
        self.access = Access()
        self.secret_store = SecretStore(self.clock.now, self.seed)
        for name, value in self._initial.items():
            self.secret_store.put(name, {"value": value})

    # --- control

    def respond_to_control(self, request: Request) -> Response | None:
        """Answer the routes `/_control/secrets`, `/_control/access` and `/_control/throttle`."""
        body = request.json() if request.method == "POST" else {}
        match request.method, request.path:
            case "POST", "/_control/secrets":
                secret = {"attributes": {"enabled": body.get("enabled", True)}, **body}
                try:
                    self.secret_store.put(body["name"], secret)
                except VaultError as error:
                    return _error_response(error)
            case "POST", "/_control/access":
                self.access = Access(bool(body.get("read", True)), bool(body.get("write", True)))
            case "POST", "/_control/throttle":
                self.throttle(times=int(body.get("times", 1)), retry_after=int(body.get("retry_after", 1)))
            case _:
                return None
        return Response.of({"ok": True})

    def throttle(self, *, times: int = 1, retry_after: int = 1) -> None:
        """Answer the next `times` requests with the service's 429; `retry_after` is in seconds."""
        headers = {"Retry-After": str(retry_after)}
        self.faults.append(Fault(FaultKind.ANSWER, times=times, status=429, headers=headers, body=THROTTLED))

    # --- service

    def respond(self, request: Request) -> Response:
        """Answer as the service would, errors included."""
        challenge = self._check_token(request)
        if challenge is not None:
            return challenge
        try:
            if not request.query.get("api-version"):
                raise bad_parameter("The api-version query parameter is required.")
            return self._route(request)
        except VaultError as error:
            return _error_response(error)

    def defect_response(self, request: Request) -> Response:
        """Return a 500 in the service's error shape."""
        del request
        return _error_response(
            VaultError(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", "An unexpected error occurred.")
        )

    def _check_token(self, request: Request) -> Response | None:
        """Return the challenge for a missing or rejected token, None for an accepted one."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return _challenge_response("AKV10000: Request is missing a Bearer or PoP token.")
        try:
            self._tokens.verify(token, audience=AUDIENCE, now=self.clock.now().timestamp())
        except TokenRejected as error:
            return _challenge_response(str(error), "invalid_token")
        return None

    def _route(self, request: Request) -> Response:
        for method, path, tag, handler in self._routes:
            match = path.fullmatch(request.path)
            if match and method == request.method:
                self._check_access(read=method == "GET")
                self.add_tag(tag)
                return handler(request, match.groups(default=""))
        text = f"This emulator does not know {request.method} {request.path}."
        raise VaultError(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", text)

    def _check_access(self, *, read: bool) -> None:
        if not (self.access.read if read else self.access.write):
            text = "Caller is not authorized to perform action on resource."
            raise VaultError(HTTPStatus.FORBIDDEN, "Forbidden", text, "ForbiddenByRbac")

    def _get_secret(self, request: Request, path: Sequence[str]) -> Response:
        secret = self.secret_store.find(path[0])
        version = secret.find_version(path[1])
        if not version.attributes["enabled"]:
            text = "Operation get is not allowed on a disabled secret."
            raise VaultError(HTTPStatus.FORBIDDEN, "Forbidden", text, "SecretDisabled")
        return Response.of({"value": version.value} | _secret_bundle(request, secret.name, version))

    def _set_secret(self, request: Request, path: Sequence[str]) -> Response:
        version = self.secret_store.put(path[0], _read_json_body(request))
        return Response.of({"value": version.value} | _secret_bundle(request, path[0], version))

    def _update_secret(self, request: Request, path: Sequence[str]) -> Response:
        return Response.of(
            _secret_bundle(request, path[0], self.secret_store.update(path[0], path[1], _read_json_body(request)))
        )

    def _delete_secret(self, request: Request, path: Sequence[str]) -> Response:
        return Response.of(_deleted_bundle(request, self.secret_store.delete(path[0])))

    def _list_secrets(self, request: Request, _: Sequence[str]) -> Response:
        return _list_page(
            request, [_secret_item(request, secret.name, secret.latest) for secret in self.secret_store.live_secrets()]
        )

    def _list_versions(self, request: Request, path: Sequence[str]) -> Response:
        secret = self.secret_store.find(path[0])
        return _list_page(request, [_secret_bundle(request, secret.name, version) for version in secret.versions])

    def _list_deleted_secrets(self, request: Request, _: Sequence[str]) -> Response:
        return _list_page(request, [_deleted_bundle(request, secret) for secret in self.secret_store.deleted_secrets()])

    def _get_deleted_secret(self, request: Request, path: Sequence[str]) -> Response:
        return Response.of(_deleted_bundle(request, self.secret_store.find_deleted(path[0])))

    def _recover_secret(self, request: Request, path: Sequence[str]) -> Response:
        secret = self.secret_store.recover(path[0])
        return Response.of(_secret_bundle(request, secret.name, secret.latest))

    def _purge_secret(self, _: Request, path: Sequence[str]) -> Response:
        self.secret_store.purge(path[0])
        return Response(HTTPStatus.NO_CONTENT)


def _challenge_response(message: str, error: str | None = None) -> Response:
    challenge = f'Bearer authorization="{AUTHORITY}/{TENANT}", resource="{AUDIENCE}"'
    challenge += f', error="{error}"' if error else ""
    body = {"error": {"code": "Unauthorized", "message": message}}
    return Response.of(body, HTTPStatus.UNAUTHORIZED, WWW_Authenticate=challenge)


def _error_response(error: VaultError) -> Response:
    inner = {"innererror": {"code": error.inner}} if error.inner else {}
    return Response.of({"error": {"code": error.code, "message": error.message, **inner}}, error.status)


def _read_json_body(request: Request) -> object:
    try:
        body: object = request.json()
    except ValueError as error:
        raise bad_parameter("The request body is not JSON.") from error
    return body


def _base_url(request: Request) -> str:
    return f"https://{request.headers.get('host', 'localhost')}"


def _secret_bundle(request: Request, name: str, version: Version) -> dict[str, Any]:
    return {**_secret_item(request, name, version), "id": f"{_base_url(request)}/secrets/{name}/{version.id}"}


def _secret_item(request: Request, name: str, version: Version) -> dict[str, Any]:
    stamps = {"created": int(version.created.timestamp()), "updated": int(version.updated.timestamp())}
    recovery = {"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": RETENTION.days}
    content = {"contentType": version.content_type} if version.content_type else {}
    attributes = {**version.attributes, **stamps, **recovery}
    return {
        "id": f"{_base_url(request)}/secrets/{name}",
        "attributes": attributes,
        "tags": dict(version.tags),
        **content,
    }


def _deleted_bundle(request: Request, secret: Secret) -> dict[str, Any]:
    at = int(secret.deleted.timestamp()) if secret.deleted else 0
    return {
        "recoveryId": f"{_base_url(request)}/deletedsecrets/{secret.name}",
        "deletedDate": at,
        "scheduledPurgeDate": at + int(RETENTION.total_seconds()),
        **_secret_bundle(request, secret.name, secret.latest),
    }


def _list_page(request: Request, items: Sequence[Mapping[str, Any]]) -> Response:
    size, start = request.query.get("maxresults", str(MAX_PAGE)), request.query.get("$skiptoken", "0")
    if not _WHOLE_NUMBER.fullmatch(size) or not 1 <= int(size) <= MAX_PAGE or not _WHOLE_NUMBER.fullmatch(start):
        raise bad_parameter(f"maxresults must be between 1 and {MAX_PAGE}.")
    end = int(start) + int(size)
    query = f"?api-version={request.query['api-version']}&maxresults={size}&$skiptoken={end}"
    following = f"{_base_url(request)}{request.path}{query}" if end < len(items) else None
    return Response.of({"value": list(items[int(start) : end]), "nextLink": following})
