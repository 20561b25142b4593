"""Deploy a package with the Metadata API and wait for its result; list and retrieve page layouts.

A deployment uses REST (docs/reference/salesforce.md#rest-deployment). Listing and retrieving exist only as SOAP
(docs/reference/salesforce.md#soap-operations), and use the same session. The user who signs in needs the right to
change metadata. The integration user of the sync does not have this right and should not have it.
"""

import base64
import binascii
import io
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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
"""The longest wait for the end of a deployment: our package takes seconds, but the org's queue may be long."""
POLL_PAUSES = (0.5, 1.0, 1.0, 2.0, 3.0, 5.0)
"""Seconds between two polls of a deployment's state; the last value repeats."""
MISSING_RIGHTS_REMEDY = (
    "Sign in as a Salesforce administrator: this user lacks the permissions Customize Application and Modify Metadata "
    "Through Metadata API Functions."
)
_MAX_COUNT = 999_999_999


class Problem(Struct, frozen=True):
    """One message of the org about a component. A warning does not stop a deployment."""

    type: str
    name: str
    file: str
    text: str
    line: int | None = None
    is_warning: bool = False

    def __str__(self) -> str:
        """Return one line for a person to read."""
        where = f" ({self.file}{f', line {self.line}' if self.line else ''})" if self.file else ""
        return f"{self.type or 'Package'} {self.name}: {self.text}{where}"


class Deployment(Struct, frozen=True):
    """The state of a deployment, or its result."""

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
        connection: ApiConnection,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        max_seconds: float = MAX_FOLLOW_SECONDS,
    ) -> None:
        """Take `SalesforceClient.connection`; `max_seconds` limits the wait for a deployment or a retrieval."""
        self._connection, self._sleep, self._monotonic, self._max_seconds = connection, sleep, monotonic, max_seconds

    def deploy(
        self, package: Package, *, check_only: bool = False, report: Callable[[Deployment], None] = lambda _: None
    ) -> Deployment:
        """Deploy all or nothing, and wait for the end; `report` receives every state. `check_only` changes nothing.

        If the org refuses the package, no error is raised: the result says so. Raises Rejected if the user has no right
        to deploy, Unavailable if the deployment takes longer than `max_seconds`, and Ambiguous if it is unknown whether
        it started. It does no harm to deploy the same package again.
        """
        call = Call(
            "a deployment",
            "metadata/deployRequest",
            "POST",
            content=_deployment_form(package, self._connection, check_only),
        )
        started = self._explain_missing_rights(lambda: self._connection.write(call, _deployment_in))
        report(started)
        poll = Call("the state of a deployment", f"metadata/deployRequest/{started.id}?includeDetails=true")
        return self._follow_deployment(started.id, lambda: self._connection.read(poll, _deployment_in), report)

    def layout_names(self, sobject: str) -> tuple[str, ...]:
        """Return the full names of an object's layouts as the service writes them: `Opportunity-Opportunity Layout`."""
        body = new_operation("listMetadata")
        add_child(add_child(body, "queries"), "type", "Layout")
        add_child(body, "asOfVersion", self._connection.version)
        call = SoapCall("the list of layouts", body)
        names = self._explain_missing_rights(lambda: self._connection.read(call, _full_names_in))
        return tuple(sorted(name for name in names if name.startswith(f"{sobject}-")))

    def retrieve_layout(self, full_name: str) -> bytes:
        """Return a whole layout as XML. Raises NotFound."""
        files, name = self.retrieve({"Layout": (full_name,)}), f"layouts/{full_name}.layout"
        if name not in files:
            raise NotFound(f"the org has no layout {layout_title(full_name)}")
        return files[name]

    def retrieve(self, members: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
        """Return the files of these components, by their path in a zip; `members` are names by metadata type.

        Parts of one object, such as fields, stand in the file of the object. What the org lacks is left out.
        """
        start = SoapCall("a retrieval", _retrieve_operation(members, self._connection.version))
        identifier = self._explain_missing_rights(lambda: self._connection.read(start, _retrieval_id_in))
        body = new_operation("checkRetrieveStatus")
        add_child(body, "asyncProcessId", identifier)
        add_child(body, "includeZip", "true")
        poll = SoapCall("the state of a retrieval", body)
        for _ in self._wait_between_polls(f"the retrieval {identifier}"):
            result = self._connection.read(poll, _retrieval_result_in)
            if text_of(result, "done") == "true":
                return _files_in_zip(result)
        raise AssertionError("the pauses end with an error")

    def _follow_deployment(
        self, identifier: str, poll: Callable[[], Deployment], report: Callable[[Deployment], None]
    ) -> Deployment:
        """Poll until the deployment is done. An org that does not answer for a while still goes on deploying."""
        for _ in self._wait_between_polls(f"the deployment {identifier}"):
            try:
                state = poll()
            except Retryable:
                continue
            report(state)
            if state.done:
                return state
        raise AssertionError("the pauses end with an error")

    def _wait_between_polls(self, description: str) -> Iterator[None]:
        """Yield at once, and then after each pause. Raises Unavailable after `max_seconds`."""
        end = self._monotonic() + self._max_seconds
        for seconds in chain(POLL_PAUSES, repeat(POLL_PAUSES[-1])):
            yield
            self._sleep(seconds)
            if self._monotonic() > end:
                raise Unavailable(f"Salesforce has not finished {description}: look at Deployment Status in Setup")

    def _explain_missing_rights[T](self, work: Callable[[], T]) -> T:
        """Do the work; if the user lacks the right to change metadata, raise Rejected with a remedy that names it."""
        try:
            return work()
        except Rejected as error:
            if not error.cause.code.startswith("INSUFFICIENT_ACCESS"):
                raise
            cause = error.cause
        raise Rejected(Cause(cause.code, None, "this user may not read or change metadata", MISSING_RIGHTS_REMEDY))


def layout_title(full_name: str) -> str:
    """Return a layout's name as people see it. The service writes `(` as `%28`, and other signs likewise."""
    return unquote(full_name)


def _deployment_form(package: Package, connection: ApiConnection, check_only: bool) -> tuple[bytes, str]:
    """Return the two parts of a REST deployment, and the media type that names their boundary.

    The kind of the org decides which tests run (docs/reference/salesforce.md#test-level).
    """
    options = {"checkOnly": check_only, "rollbackOnError": True, "singlePackage": True}
    boundary = uuid.uuid4().hex
    parts = (
        ('name="entity_content"', "application/json", exact_json.json_bytes({"deployOptions": options})),
        ('name="file"; filename="package.zip"', "application/zip", package.to_zip(connection.version)),
    )
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\nContent-Type: {kind}\r\n\r\n".encode()
        + data
        + b"\r\n"
        for name, kind, data in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _deployment_in(reply: Reply) -> Deployment:
    answer = reply.value if isinstance(reply.value, Mapping) else {}
    result, identifier = answer.get("deployResult"), answer.get("id")
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


def _problems_in(failures: object, message: object) -> Iterator[Problem]:
    """Yield the message about the whole deployment, if there is one, and then one problem for each failure."""
    if message:
        yield Problem("", "", "", str(message)[:MAX_REMOTE_TEXT])
    for failure in failures if isinstance(failures, list) else ():
        if isinstance(failure, Mapping):
            yield _problem_from(failure)


def _problem_from(failure: Mapping[str, Any]) -> Problem:
    return Problem(
        str(failure.get("componentType") or ""),
        str(failure.get("fullName") or ""),
        str(failure.get("fileName") or ""),
        str(failure.get("problem") or "no reason was given")[:MAX_REMOTE_TEXT],
        _count_from(failure.get("lineNumber")) or None,
        is_warning=failure.get("problemType") == "Warning",
    )


def _count_from(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_COUNT else 0


def _retrieve_operation(members: Mapping[str, Sequence[str]], version: str) -> Element:
    body = new_operation("retrieve")
    request = add_child(body, "retrieveRequest")
    add_child(request, "apiVersion", version)
    add_child(request, "singlePackage", "true")
    package = add_child(request, "unpackaged")
    for kind, names in members.items():
        types = add_child(package, "types")
        for name in names:
            add_child(types, "members", name)
        add_child(types, "name", kind)
    add_child(package, "version", version)
    return body


def _soap_element(reply: Reply) -> Element:
    if not isinstance(reply.value, Element):
        raise UnreadableAnswer("it is not a SOAP envelope")
    return reply.value


def _full_names_in(reply: Reply) -> list[str]:
    return [text_of(result, "fullName") for result in children_named(_soap_element(reply), "result")]


def _retrieval_id_in(reply: Reply) -> str:
    identifier = text_of(_soap_element(reply), "result/id")
    if not identifier.isalnum():
        raise UnreadableAnswer("a retrieval has an id")
    return identifier


def _retrieval_result_in(reply: Reply) -> Element:
    result = next(children_named(_soap_element(reply), "result"), None)
    if result is None:
        raise UnreadableAnswer("the state of a retrieval has a result")
    return result


def _files_in_zip(result: Element) -> dict[str, bytes]:
    """Return the files of the retrieved zip by name. Raises Unavailable."""
    try:
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(text_of(result, "zipFile"), validate=True))) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, binascii.Error):
        failure = text_of(result, "errorStatusCode") or text_of(result, "status") or "no zip"
        raise Unavailable(f"Salesforce could not return its metadata: {failure}") from None
