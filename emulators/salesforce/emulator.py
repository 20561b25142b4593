"""The Salesforce emulator: one org behind its REST API, with people at work in it.

In Python: `SalesforceEmulator()`, `.handle(request)`, and the methods below. Over HTTP: the service itself, and the
control API of `control.py`. What is not there answers with the service's own error (docs/emulators-salesforce.md).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from emulators.base.emulator import Emulator
from emulators.base.server import Request, Response
from emulators.salesforce.control_api import Control
from emulators.salesforce.data.errors import ApiError, malformed, not_found
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.record_ids import canonical
from emulators.salesforce.data.schema import Record
from emulators.salesforce.metadata.deployments import Deployments, standing_documents
from emulators.salesforce.metadata.package import from_source
from emulators.salesforce.metadata.soap import Soap
from emulators.salesforce.metadata.source_fields import PROJECT, field_of, load, package_folders
from emulators.salesforce.metadata.xml_schema import read
from emulators.salesforce.oauth import App, OAuth, OAuthError, identity, public_key
from emulators.salesforce.org_setup import Founding, found_org
from emulators.salesforce.rest.call import Call, Reply, Service
from emulators.salesforce.rest.routes import FIRST_VERSION, LAST_VERSION, Rest, versions

MAX_HEAD = 16_384
_SESSION_ERROR = ("INVALID_SESSION_ID", "Session expired or invalid")


class SalesforceEmulator(Emulator):
    """An org. `public_url` is its own address as clients know it; without it the `Host` header tells (https)."""

    def __init__(
        self,
        seed: int = 0,
        metadata: Path = PROJECT,
        *,
        multi_currency: bool = True,
        bare: bool = False,
        max_requests: int = 100_000,
        public_url: str | None = None,
    ) -> None:
        """`metadata` is a source project, installed unless the org is `bare`; `max_requests` the daily allowance."""
        super().__init__(seed=seed)
        self.public_url = public_url
        self._metadata = metadata
        self._multi_currency, self.bare = multi_currency, bare
        self._max_requests = max_requests
        self.oauth = OAuth(self.clock.now, self._user, lambda: self.organization)
        self._control_api = Control(self)
        self.restart()

    def restart(self) -> None:
        """An org with its people and settings, and no deals; registered apps stay."""
        model = load(self._metadata, multi_currency=self._multi_currency, bare=self.bare)
        self.org = Org(model, self.clock.now, self.seed)
        self.founding: Founding = found_org(self.org, multi_currency=self._multi_currency)
        self.deployments = Deployments(self.org, standing_documents())
        self.deployments.users.add(self.founding.administrator)
        self._soap = Soap(self.deployments, self.tag, lambda token: self.oauth.user_of(f"Bearer {token}"))
        self.oauth.administrators = {self.org.alive("User", self.founding.administrator)["Username"]}
        if not self.bare:
            self.deployments.install(list(from_source(package_folders(self._metadata))))
        self.rest = Rest(Service(self.org, self.tag), self._max_requests)
        self.oauth.restart(self.seed)
        self.lag = timedelta()
        for app in self.oauth.apps.values():
            self._ensure_user(app.username)

    # --- the org from inside: people and administrators

    @property
    def organization(self) -> str:
        """The org's 18-character id."""
        return self.founding.organization

    @property
    def seller(self) -> str:
        """The id of the user who makes the edits of `insert`, `edit` and `delete` unless told otherwise."""
        return self.founding.seller

    def register_app(self, consumer_key: str, certificate_or_public_key_pem: str | bytes, username: str) -> str:
        """Let a client sign in as `username`, who is created if new; returns the user's id. Raises ValueError."""
        with self.lock:
            self.oauth.apps[consumer_key] = App(public_key(certificate_or_public_key_pem), username)
            return self._ensure_user(username)

    def insert(self, sobject: str, values: Mapping[str, Any], *, user: str | None = None) -> str:
        """A person creates a record; an administrator, one of Setup. Raises ApiError."""
        with self._inside():
            return self.org.insert(self.org.model.get(sobject).name, values, user or self.seller)

    def edit(self, sobject: str, record_id: str, values: Mapping[str, Any], *, user: str | None = None) -> None:
        """A person changes a record, under the same checks as the API. Raises ApiError."""
        with self._inside():
            self.org.update(self.org.model.get(sobject).name, self._id(record_id), values, user or self.seller)

    def delete(self, sobject: str, record_id: str) -> None:
        """A person deletes a record. Raises ApiError."""
        with self._inside():
            self.org.delete(self.org.model.get(sobject).name, self._id(record_id), self.seller)

    def clone(self, sobject: str, record_id: str, values: Mapping[str, Any] | None = None) -> str:
        """A person clones a record with `values` changed in the form: what he may not edit is left out."""
        with self._inside():
            definition = self.org.model.get(sobject)
            row = self.org.alive(definition.name, self._id(record_id))
            left_out = self.deployments.documents.read_only_fields(definition.name)
            copied = {f.name: row[f.name] for f in definition.fields.values() if f.writable and f.name not in left_out}
            self.org.cloning = True
            try:
                return self.org.insert(definition.name, copied | dict(values or {}), self.seller)
            finally:
                self.org.cloning = False

    def make_field(self, sobject: str, xml: str) -> None:
        """An administrator makes or changes a field by hand in Setup. Raises MetadataError."""
        with self.lock:
            self.org.put_field(self.org.model.get(sobject).name, field_of(read(xml.encode())))

    def undelete(self, sobject: str, record_id: str) -> None:
        """A person takes a record out of the recycle bin. Raises ApiError."""
        with self._inside():
            self.org.undelete(self.org.model.get(sobject).name, self._id(record_id), self.seller)

    def record(self, sobject: str, record_id: str) -> Record:
        """A copy of a record, deleted or not, formula fields included. Raises ApiError (404)."""
        with self.lock:
            definition = self.org.model.get(sobject)
            row = self.org.row(definition.name, self._id(record_id))
            if row is None:
                raise not_found()
            return self._control_api.shown(definition, row)

    def records(self, sobject: str) -> list[Record]:
        """Copies of all records that are not deleted, oldest first."""
        with self.lock:
            definition = self.org.model.get(sobject)
            rows = list(self.org.rows(definition.name))
            return [self._control_api.shown(definition, row) for row in rows if not row["IsDeleted"]]

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """A person's transaction: atomic, and with a lag committed later than it is stamped."""
        with self.lock:
            self.org.late = self.lag or None
            try:
                yield
            finally:
                self.org.late = None
                self.org.forget_undo()

    @staticmethod
    def _id(text: str) -> str:
        return canonical(text) or text

    def _user(self, username: str) -> Record | None:
        return next((u for u in self.org.rows("User") if u["Username"].casefold() == username.casefold()), None)

    def _ensure_user(self, username: str) -> str:
        known = self._user(username)
        if known:
            return str(known["Id"])
        values = {"Username": username, "LastName": "Integration", "Email": "integration@example.com"}
        return self.org.insert("User", values, self.founding.administrator)

    # --- the service

    def control(self, request: Request) -> Response | None:
        """The control API of this emulator."""
        return self._control_api.answer(request)

    def respond(self, request: Request) -> Response:
        """Answer one request of the service."""
        home = self.public_url or f"https://{request.headers.get('host', 'localhost')}"
        match tuple(part for part in request.path.split("/") if part):
            case ("services", "oauth2", "token"):
                return self._token(request, home)
            case ("services", "oauth2", "userinfo") | ("id", _, _):
                return self._identity(request, home)
            case ("services", "data"):
                self.tag("versions")
                return Response.of(versions())
            case ("services", "Soap", "m", _) if request.method == "POST":
                self.rest.used += 1
                return self._soap.answer(request.body)
            case ("services", "data", version, *parts):
                return self._data(request, version, tuple(parts), home)
        return self._response(_failed(not_found()))

    def broken(self, request: Request) -> Response:
        """As the service words a defect of its own."""
        del request
        return self._response(_failed(ApiError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")))

    def _token(self, request: Request, home: str) -> Response:
        self.tag("oauth")
        if request.method != "POST":
            return Response.of({"error": "invalid_request", "error_description": "must use HTTP POST"}, 400)
        try:
            return Response.of(self.oauth.grant(request.form(), home))
        except OAuthError as error:
            return Response.of(error.body, error.status)
        except UnicodeDecodeError:
            return Response.of({"error": "invalid_request", "error_description": "the body is no form"}, 400)

    def _identity(self, request: Request, home: str) -> Response:
        self.tag("oauth")
        user = self.oauth.user_of(request.headers.get("authorization", ""))
        if user is None:
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        row = self.org.alive("User", user)
        return Response.of(identity(row, self.organization, home))

    def _data(self, request: Request, version: str, parts: tuple[str, ...], home: str) -> Response:
        try:
            _check_version(version)
            _check_size(request)
            user = self.oauth.user_of(request.headers.get("authorization", ""))
            if user is None:
                raise ApiError(401, *_SESSION_ERROR)  # noqa: TRY301 - one place turns errors into answers
            is_deploying = parts[:1] == ("metadata",)
            body = None if is_deploying else _decoded(request)
            call = Call(request.method, parts, request.query, request.headers, body, version[1:], user)
            with self.org.savepoint():
                reply = self._deploying(call, request) if is_deploying else self.rest.answer(call, home)
        except ApiError as error:
            reply = _failed(error)
        finally:
            self.org.forget_undo()
        return self._response(reply)

    def _deploying(self, call: Call, request: Request) -> Reply:
        self.tag("deploy" if request.method == "POST" else "deploy.status")
        self.rest.used += 1
        return self.deployments.rest(call, request.body)

    def _response(self, reply: Reply) -> Response:
        headers = {"Sforce-Limit-Info": self.rest.usage, **reply.headers}
        if reply.body is None:
            return Response(reply.status, b"", headers)
        headers["Content-Type"] = "application/json;charset=UTF-8"
        return Response(reply.status, json.dumps(reply.body, ensure_ascii=False).encode(), headers)


def _failed(error: ApiError) -> Reply:
    return Reply(error.status, error.body())


def _check_version(version: str) -> None:
    number = version.removeprefix("v").removesuffix(".0")
    if not version.startswith("v") or not version.endswith(".0") or not number.isdigit():
        raise not_found()
    if int(number) < FIRST_VERSION:
        raise ApiError(410, "UNSUPPORTED_API_VERSION", "The requested API version has been retired.")
    if int(number) > LAST_VERSION:
        raise not_found()


def _check_size(request: Request) -> None:
    """Address and headers together hold 16,384 bytes (reference/salesforce.md 2.4)."""
    address = len(request.path) + len(urlencode(request.query))
    if address > MAX_HEAD:
        raise ApiError(414, "URI_TOO_LONG", "The URI is too long")
    if address + sum(len(name) + len(text) + 4 for name, text in request.headers.items()) > MAX_HEAD:
        raise ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "The request's head is too large")


def _decoded(request: Request) -> Any:  # noqa: ANN401 - JSON
    if not request.body:
        return None
    if "json" not in request.headers.get("content-type", ""):
        message = "The content type of the request is not supported by this resource"
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    try:
        return request.json()
    except ValueError as error:
        raise malformed("Unexpected character or end of input at [line:1, column:1]") from error
