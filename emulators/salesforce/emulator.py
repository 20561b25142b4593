"""Serve one org over HTTP: sign-in, the data API and the Metadata API.

In Python: `SalesforceEmulator()`, `.handle(request)`, and the actions of `emulated_org.py`. Over HTTP: the service, and
the control API of `control_api.py`. A resource that the emulator lacks is answered with the service's own error
(docs/reference/salesforce.md#what-the-emulator-lacks).
"""

import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from emulators.base.server import Request, Response
from emulators.salesforce.control_api import ControlApi
from emulators.salesforce.data.errors import ApiError, malformed_body, not_found
from emulators.salesforce.emulated_org import EmulatedOrg
from emulators.salesforce.metadata.soap import Soap
from emulators.salesforce.oauth import identity_body
from emulators.salesforce.oauth_error import OAuthError
from emulators.salesforce.rest.call import Call, Reply
from emulators.salesforce.rest.metadata_deployments import answer_deploy_request
from emulators.salesforce.rest.routes import FIRST_VERSION, LAST_VERSION, list_versions

MAX_HEAD = 16_384  # bytes of the address and the headers together
_SESSION_ERROR = ("INVALID_SESSION_ID", "Session expired or invalid")


class SalesforceEmulator(EmulatedOrg):
    """An org behind its service."""

    def reset_state(self) -> None:
        """Begin the org's first day again. Registered apps stay."""
        super().reset_state()
        self._control_api = ControlApi(self)
        self._soap = Soap(self.deployments, self.add_tag, lambda token: self.oauth.user_of_header(f"Bearer {token}"))

    def respond_to_control(self, request: Request) -> Response | None:
        """Answer a request of the control API; None if it does not know the path."""
        return self._control_api.answer_request(request)

    def respond(self, request: Request) -> Response:
        """Answer one request of the service."""
        home = self.public_url or f"https://{request.headers.get('host', 'localhost')}"
        match tuple(part for part in request.path.split("/") if part):
            case ("services", "oauth2", "token" | "authorize" | "revoke" | "userinfo") | ("id", _, _) as parts:
                return self._answer_sign_in(request, parts[-1], home)
            case ("services", "data"):
                self.add_tag("versions")
                return Response.of(list_versions())
            case ("services", "Soap", "m", _) if request.method == "POST":
                self.rest.used += 1
                return self._soap.answer_envelope(request.body)
            case ("services", "data", version, *parts):
                return self._answer_data_request(request, version, tuple(parts), home)
        return self._to_response(_error_reply(not_found()))

    def defect_response(self, request: Request) -> Response:
        """The answer to a request that a defect of the emulator stopped, in the form of the service."""
        del request
        return self._to_response(_error_reply(ApiError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")))

    def _answer_sign_in(self, request: Request, name: str, home: str) -> Response:
        self.add_tag("oauth")
        match name:
            case "token":
                return self._answer_form(request, lambda form: self.oauth.issue_token(form, home))
            case "revoke":
                return self._answer_form(request, self.oauth.revoke_token)
            case "authorize":
                return self.oauth.codes.answer_page(request)
        return self._answer_identity_request(request, home)

    @staticmethod
    def _answer_form(request: Request, answer: Callable[[dict[str, str]], object]) -> Response:
        if request.method != "POST":
            return Response.of({"error": "invalid_request", "error_description": "must use HTTP POST"}, 400)
        try:
            return Response.of(answer(request.form()))
        except OAuthError as error:
            return Response.of(error.body, error.status)
        except UnicodeDecodeError:
            return Response.of({"error": "invalid_request", "error_description": "the body is not a form"}, 400)

    def _answer_identity_request(self, request: Request, home: str) -> Response:
        user = self.oauth.user_of_header(request.headers.get("authorization", ""))
        if user is None:
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/html;charset=UTF-8"})
        record = self.org.existing_record("User", user)
        return Response.of(identity_body(record, self.organization, home))

    def _answer_data_request(self, request: Request, version: str, parts: tuple[str, ...], home: str) -> Response:
        try:
            _check_version(version)
            _check_size(request)
            user = self.oauth.user_of_header(request.headers.get("authorization", ""))
            if user is None:
                raise ApiError(401, *_SESSION_ERROR)  # noqa: TRY301 - one place turns errors into answers
            is_deployment = parts[:1] == ("metadata",)
            body = None if is_deployment else _decode_body(request)
            call = Call(request.method, parts, request.query, request.headers, body, version[1:], user)
            with self.org.savepoint():
                reply = self._answer_deployment(call, request) if is_deployment else self.rest.answer_call(call, home)
        except ApiError as error:
            reply = _error_reply(error)
        finally:
            self.org.clear_undo_log()
        return self._to_response(reply)

    def _answer_deployment(self, call: Call, request: Request) -> Reply:
        self.add_tag("deploy" if request.method == "POST" else "deploy.status")
        self.rest.used += 1
        return answer_deploy_request(self.deployments, call, request.body)

    def _to_response(self, reply: Reply) -> Response:
        number = secrets.token_hex(16)  # docs/reference/salesforce.md#headers-of-a-call
        ids = {"X-SFDC-Request-Id": number, "X-Request-Id": number}
        headers = {"Sforce-Limit-Info": self.rest.usage_header, **ids, **reply.headers}
        if reply.body is None:
            return Response(reply.status, b"", headers)
        headers["Content-Type"] = "application/json;charset=UTF-8"
        return Response(reply.status, json.dumps(reply.body, ensure_ascii=False).encode(), headers)


def _error_reply(error: ApiError) -> Reply:
    return Reply(error.status, error.to_body())


def _check_version(version: str) -> None:
    """Raise ApiError unless the version, such as `v66.0`, is supported.

    Retired versions: docs/reference/salesforce.md#api-versions-and-discovery.
    """
    number = version.removeprefix("v").removesuffix(".0")
    if not version.startswith("v") or not version.endswith(".0") or not number.isdigit():
        raise not_found()
    if int(number) < FIRST_VERSION:
        raise ApiError(410, "UNSUPPORTED_API_VERSION", "The requested API version has been retired.")
    if int(number) > LAST_VERSION:
        raise not_found()


def _check_size(request: Request) -> None:
    """Raise ApiError if address and headers are too long (docs/reference/salesforce.md#size-limits-of-a-request)."""
    address = len(request.path) + len(urlencode(request.query))
    if address > MAX_HEAD:
        raise ApiError(414, "URI_TOO_LONG", "The URI is too long")
    if address + sum(len(name) + len(text) + 4 for name, text in request.headers.items()) > MAX_HEAD:
        raise ApiError(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "The request's head is too large")


def _decode_body(request: Request) -> Any:  # noqa: ANN401 - JSON
    """The body as JSON; None if it is empty. Raises ApiError."""
    if not request.body:
        return None
    if "json" not in request.headers.get("content-type", ""):
        message = "The content type of the request is not supported by this resource"
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    try:
        return request.json()
    except ValueError as error:
        raise malformed_body("Unexpected character or end of input at [line:1, column:1]") from error
