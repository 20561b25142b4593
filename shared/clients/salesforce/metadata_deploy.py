"""The Metadata API: deploy a package and follow it, list and fetch layouts (reference/salesforce.md 5.8, 6.3).

A deployment goes by REST. Listing and retrieving exist as SOAP only, and go under the same session. The user who signs
in needs the right to change metadata, which the integration user of the sync has not and should not have.
"""

import base64
import binascii
import io
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients import exact_json
from shared.clients.salesforce.metadata_soap import SoapCall, new_operation
from shared.clients.salesforce.metadata_xml import add_child, children_named, text_of
from shared.clients.salesforce.request import ApiConnection, Call, Reply, UnreadableAnswer
from shared.clients.salesforce.source_format import Package
from shared.foundation.errors import MAX_REMOTE_TEXT, Cause, NotFound, Rejected, Retryable, Unavailable

MAX_FOLLOW_SECONDS = 1800.0
"""How long a deployment is followed: an org's queue may be long, our package takes seconds."""
POLL_PAUSES = (0.5, 1.0, 1.0, 2.0, 3.0, 5.0)
"""Seconds between two questions after a state; the last one for ever."""
MISSING_RIGHTS_REMEDY = (
    "Sign in as a Salesforce administrator for whom the app is pre-authorised (--user NAME), or give this user the "
    "permissions Customize Application and Modify Metadata Through Metadata API Functions."
)
_MAX_COUNT = 999_999_999


class Problem(Struct, frozen=True):
    """What the org says of one component; a warning does not stop a deployment."""

    type: str
    name: str
    file: str
    text: str
    line: int | None = None
    is_warning: bool = False

    def __str__(self) -> str:
        """One line for a person."""
        where = f" ({self.file}{f', line {self.line}' if self.line else ''})" if self.file else ""
        return f"{self.type or 'Package'} {self.name}: {self.text}{where}"


class Deployment(Struct, frozen=True):
    """How far a deployment is, or how it ended."""

    id: str
    status: str
    done: bool
    success: bool
    deployed: int
    total: int
    problems: tuple[Problem, ...] = ()


class MetadataClient:
    """The Metadata API under one user. Raises only errors of `shared.foundation.errors`."""

    def __init__(
        self,
        wire: ApiConnection,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        max_seconds: float = MAX_FOLLOW_SECONDS,
    ) -> None:
        """`wire` is `SalesforceClient.wire`; `patience` the seconds that a deployment or retrieval is followed."""
        self._wire, self._sleep, self._monotonic, self._patience = wire, sleep, monotonic, max_seconds

    def deploy(
        self, package: Package, *, check_only: bool = False, report: Callable[[Deployment], None] = lambda _: None
    ) -> Deployment:
        """Deploy all or nothing and follow it to its end; `told` hears every state. `check_only` changes nothing.

        A package that the org refuses is no error here: the deployment says so. Raises Rejected without the right to
        deploy, Unavailable where the deployment goes on beyond our patience, Ambiguous where its start is unknown (to
        deploy the same package again does no harm).
        """
        call = Call(
            "a deployment", "metadata/deployRequest", "POST", content=_deployment_form(package, self._wire, check_only)
        )
        begun = self._explain_missing_rights(lambda: self._wire.write(call, _deployment_in))
        report(begun)
        path = f"metadata/deployRequest/{begun.id}?includeDetails=true"
        follow = Call("the state of a deployment", path)
        return self._follow_deployment(begun.id, lambda: self._wire.read(follow, _deployment_in), report)

    def layout_names(self, sobject: str) -> tuple[str, ...]:
        """The layouts of an object by their full names as the service writes them: `Opportunity-Opportunity Layout`."""
        body = new_operation("listMetadata")
        add_child(add_child(body, "queries"), "type", "Layout")
        add_child(body, "asOfVersion", self._wire.version)
        call = SoapCall("the list of layouts", body)
        names = self._explain_missing_rights(lambda: self._wire.read(call, _full_names_in))
        return tuple(sorted(name for name in names if name.startswith(f"{sobject}-")))

    def retrieve_layout(self, full_name: str) -> bytes:
        """The whole of a layout, as XML. Raises NotFound."""
        started = SoapCall("the retrieval of a layout", _retrieve_operation(full_name, self._wire.version))
        begun = self._explain_missing_rights(lambda: self._wire.read(started, _retrieval_id_in))
        body = new_operation("checkRetrieveStatus")
        add_child(body, "asyncProcessId", begun)
        add_child(body, "includeZip", "true")
        follow = SoapCall("the state of a retrieval", body)
        for _ in self._wait_between_polls(f"the retrieval {begun}"):
            result = self._wire.read(follow, _retrieval_result_in)
            if text_of(result, "done") == "true":
                return _layout_in_zip(result, full_name)
        raise AssertionError("the pauses end with an error")

    def _follow_deployment(
        self, identifier: str, ask: Callable[[], Deployment], told: Callable[[Deployment], None]
    ) -> Deployment:
        """Ask until it is done; an org that does not answer for a while deploys all the same."""
        for _ in self._wait_between_polls(f"the deployment {identifier}"):
            try:
                state = ask()
            except Retryable:
                continue
            told(state)
            if state.done:
                return state
        raise AssertionError("the pauses end with an error")

    def _wait_between_polls(self, what: str) -> Iterator[None]:
        """One turn at once, then one after each pause. Raises Unavailable when patience is at its end."""
        end = self._monotonic() + self._patience
        for seconds in chain(POLL_PAUSES, repeat(POLL_PAUSES[-1])):
            yield
            self._sleep(seconds)
            if self._monotonic() > end:
                raise Unavailable(f"Salesforce has not finished {what}: look at Deployment Status in Setup")

    def _explain_missing_rights[T](self, work: Callable[[], T]) -> T:
        """Say what right is missing, which is another one than for records."""
        try:
            return work()
        except Rejected as error:
            if not error.cause.code.startswith("INSUFFICIENT_ACCESS"):
                raise
            cause = error.cause
        raise Rejected(Cause(cause.code, None, "this user may not read or change metadata", MISSING_RIGHTS_REMEDY))


def readable_layout_name(full_name: str) -> str:
    """A layout's name as people see it: the service writes other characters than letters and digits as %28."""
    return unquote(full_name)


def _deployment_form(package: Package, wire: ApiConnection, check_only: bool) -> tuple[bytes, str]:
    """The two parts of a REST deployment, with the media type that names their boundary."""
    options = {"checkOnly": check_only, "rollbackOnError": True, "singlePackage": True, "testLevel": "NoTestRun"}
    boundary = uuid.uuid4().hex
    parts = (
        ('name="entity_content"', "application/json", exact_json.text({"deployOptions": options}).encode()),
        ('name="file"; filename="package.zip"', "application/zip", package.to_zip(wire.version)),
    )
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\nContent-Type: {kind}\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, kind, data in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _deployment_in(reply: Reply) -> Deployment:
    told = reply.value if isinstance(reply.value, Mapping) else {}
    result = told.get("deployResult")
    identifier = told.get("id")
    if not isinstance(result, Mapping) or not isinstance(identifier, str) or not identifier.isalnum():
        raise UnreadableAnswer("a deployment has an id and a result")
    details = result.get("details")
    failures = details.get("componentFailures") if isinstance(details, Mapping) else None
    return Deployment(
        identifier,
        str(result.get("status")),
        done=result.get("done") is True,
        success=result.get("success") is True,
        deployed=_count_from(result.get("numberComponentsDeployed")),
        total=_count_from(result.get("numberComponentsTotal")),
        problems=tuple(_problems_in(failures, result.get("errorMessage"))),
    )


def _problems_in(failures: object, trouble: object) -> Iterator[Problem]:
    if trouble:
        yield Problem("", "", "", str(trouble)[:MAX_REMOTE_TEXT])
    for found in failures if isinstance(failures, list) else ():
        if isinstance(found, Mapping):
            yield _problem_from(found)


def _problem_from(found: Mapping[str, Any]) -> Problem:
    return Problem(
        str(found.get("componentType") or ""),
        str(found.get("fullName") or ""),
        str(found.get("fileName") or ""),
        str(found.get("problem") or "no reason was given")[:MAX_REMOTE_TEXT],
        _count_from(found.get("lineNumber")) or None,
        is_warning=found.get("problemType") == "Warning",
    )


def _count_from(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_COUNT else 0


def _retrieve_operation(full_name: str, version: str) -> Element:
    body = new_operation("retrieve")
    request = add_child(body, "retrieveRequest")
    add_child(request, "apiVersion", version)
    add_child(request, "singlePackage", "true")
    package = add_child(request, "unpackaged")
    types = add_child(package, "types")
    add_child(types, "members", full_name)
    add_child(types, "name", "Layout")
    add_child(package, "version", version)
    return body


def _soap_element(reply: Reply) -> Element:
    if not isinstance(reply.value, Element):
        raise UnreadableAnswer("it is no SOAP envelope")
    return reply.value


def _full_names_in(reply: Reply) -> list[str]:
    return [text_of(result, "fullName") for result in children_named(_soap_element(reply), "result")]


def _retrieval_id_in(reply: Reply) -> str:
    identifier = text_of(_soap_element(reply), "result/id")
    if not identifier.isalnum():
        raise UnreadableAnswer("a retrieval has an id")
    return identifier


def _retrieval_result_in(reply: Reply) -> Element:
    found = next(children_named(_soap_element(reply), "result"), None)
    if found is None:
        raise UnreadableAnswer("the state of a retrieval has a result")
    return found


def _layout_in_zip(result: Element, full_name: str) -> bytes:
    """The layout's file of the retrieved zip. Raises NotFound, Unavailable."""
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(text_of(result, "zipFile"), validate=True))) as archive:
            wanted = f"layouts/{full_name}.layout"
            if wanted in archive.namelist():
                return archive.read(wanted)
    except (zipfile.BadZipFile, binascii.Error):
        failure = text_of(result, "errorStatusCode") or text_of(result, "status") or "no zip"
        raise Unavailable(f"Salesforce could not hand over the layout: {failure}") from None
    raise NotFound(f"the org has no layout {readable_layout_name(full_name)}")
