"""The Metadata API as SOAP: deploy, retrieve, their states, the list of what is there (reference/salesforce.md 6.3).

Clients send operations with and without a prefix and an empty SOAPAction, so only the body tells what is asked.
"""

import base64
import binascii
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from emulators.base.server import Response
from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.metadata.deployments import NO_RIGHT, Deployments
from emulators.salesforce.metadata.package import WHOLES
from emulators.salesforce.metadata.xml_schema import NAMESPACE, NotXml, read

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
RETRIEVE_PREFIX = "09S"
POLLS = 2
_FOLDERS = {name: (folder, suffix) for folder, (name, suffix) in WHOLES.items()}
_CONTENT = {"Content-Type": "text/xml;charset=UTF-8"}


@dataclass(slots=True)
class Retrieval:
    """What a client wants, the folder of the zip it wants it in, and how often it asked."""

    wanted: list[tuple[str, str]]
    folder: str
    asked: int = 0


class Soap:
    """Answers SOAP requests; `user_of` gives the user of a session, None where there is none."""

    def __init__(
        self, deployments: Deployments, tag: Callable[[str], None], user_of: Callable[[str], str | None]
    ) -> None:
        """Share the deployments with REST."""
        self._deployments, self._tag, self._user_of = deployments, tag, user_of
        self._retrievals: dict[str, Retrieval] = {}
        self._operations: dict[str, Callable[[Any, str], list[dict[str, Any]]]] = {
            "deploy": self._deploy,
            "checkDeployStatus": self._deploy_status,
            "retrieve": self._retrieve,
            "checkRetrieveStatus": self._retrieve_status,
            "listMetadata": self._list,
        }

    def answer(self, body: bytes) -> Response:
        """Answer one envelope."""
        try:
            envelope = read(body)
            first = next(iter(envelope.find(f"{{{ENVELOPE}}}Body")))
        except (NotXml, TypeError, StopIteration):
            return _fault("soapenv:Client", "The envelope cannot be read")
        user = self._user_of(envelope.findtext(".//{*}sessionId") or "")
        name = str(first.tag).rpartition("}")[2]
        if user is None:
            return _fault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader")
        if name not in self._operations:
            return _fault("soapenv:Client", f"No operation available for request {{{NAMESPACE}}}{name}")
        if user not in self._deployments.users:
            return _fault("sf:INSUFFICIENT_ACCESS", NO_RIGHT)
        try:
            results = self._operations[name](first, user)
        except ApiError as error:
            return _fault(f"sf:{error.code}", f"{error.code}: {error.message}")
        return _enveloped(f'<{name}Response xmlns="{NAMESPACE}">{_xml({"result": results})}</{name}Response>')

    # --- deploying

    def _deploy(self, operation: Any, user: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("deploy")
        try:
            data = base64.b64decode(operation.findtext("{*}ZipFile") or "", validate=False)
        except binascii.Error as error:
            raise ApiError(500, "INVALID_FIELD", "ZipFile is no base64") from error
        said = operation.find("{*}DeployOptions")
        options = (
            {str(e.tag).rpartition("}")[2]: (e.text or "").lower() == "true" for e in said} if said is not None else {}
        )
        job = self._deployments.deploy(data, options, user)
        return [{"done": False, "id": job.id, "state": "Queued"}]

    def _deploy_status(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("deploy.status")
        details = operation.findtext("{*}includeDetails") == "true"
        return [self._deployments.asked(operation.findtext("{*}asyncProcessId") or "", details=details)]

    # --- retrieving

    def _retrieve(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("retrieve")
        wanted = [
            (types.findtext("{*}name"), member.text)
            for types in operation.iterfind(".//{*}types")
            for member in types.iterfind("{*}members")
        ]
        identifier = self._deployments.org.ids.next(RETRIEVE_PREFIX)
        single = operation.findtext(".//{*}singlePackage") == "true"
        self._retrievals[identifier] = Retrieval(wanted, "" if single else "unpackaged/")
        return [{"done": False, "id": identifier, "state": "Queued"}]

    def _retrieve_status(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("retrieve.status")
        identifier = operation.findtext("{*}asyncProcessId") or ""
        if identifier not in self._retrievals:
            raise ApiError(500, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        retrieval = self._retrievals[identifier]
        retrieval.asked += 1
        if retrieval.asked < POLLS:
            return [{"done": False, "id": identifier, "status": "InProgress", "success": False, "zipFile": None}]
        return [self._retrieved(identifier, retrieval.wanted, retrieval.folder)]

    def _retrieved(self, identifier: str, wanted: list[tuple[str, str]], folder: str) -> dict[str, Any]:
        kept = self._deployments.documents.kept
        there = [key for key in wanted if key in kept and key[0] in _FOLDERS]
        missing = [
            {"fileName": "unpackaged/package.xml", "problem": f"Entity of type '{kind}' named '{name}' cannot be found"}
            for kind, name in wanted
            if (kind, name) not in there
        ]
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{folder}package.xml", _manifest(there))
            for key in there:
                archive.writestr(folder + _place(*key), kept[key])
        return {
            "done": True, "fileProperties": [self._properties(*key, folder) for key in there], "id": identifier,
            "messages": missing, "status": "Succeeded", "success": True,
            "zipFile": base64.b64encode(made.getvalue()).decode(),
        }  # fmt: skip

    def _list(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("metadata.list")
        kinds = [query.findtext("{*}type") for query in operation.iterfind("{*}queries")]
        documents = self._deployments.documents
        return [self._properties(kind, name) for kind in kinds if kind in _FOLDERS for name in documents.names(kind)]

    def _properties(self, kind: str, name: str, folder: str = "") -> dict[str, Any]:
        org = self._deployments.org
        admin = org.alive("User", next(iter(sorted(self._deployments.users))))
        by = {"ById": admin["Id"], "ByName": admin["Name"], "Date": org.began.isoformat()}
        stamps = {what + each: value for what in ("created", "lastModified") for each, value in by.items()}
        return {**stamps, "fileName": folder + _place(kind, name), "fullName": name, "id": "", "type": kind}


def _place(kind: str, name: str) -> str:
    folder, suffix = _FOLDERS[kind]
    return f"{folder}/{name}{suffix}"


def _manifest(members: list[tuple[str, str]]) -> str:
    types = "".join(f"<types><members>{escape(name)}</members><name>{kind}</name></types>" for kind, name in members)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Package xmlns="{NAMESPACE}">{types}<version>66.0</version></Package>'
    )


def _xml(values: Mapping[str, Any]) -> str:
    """Values as elements: lists are repeated, mappings are nested, None is nil."""
    made = []
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            if each is None:
                made.append(f'<{name} xsi:nil="true"/>')
            elif isinstance(each, Mapping):
                made.append(f"<{name}>{_xml(each)}</{name}>")
            else:
                text = str(each).lower() if isinstance(each, bool) else str(each)
                made.append(f"<{name}>{escape(text)}</{name}>")
    return "".join(made)


def _enveloped(body: str, status: int = 200) -> Response:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:sf="http://soap.sforce.com/2006/04/metadata">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(status, text.encode(), _CONTENT)


def _fault(code: str, text: str) -> Response:
    fault = f"<faultcode>{escape(code)}</faultcode><faultstring>{escape(text)}</faultstring>"
    return _enveloped(f"<soapenv:Fault>{fault}</soapenv:Fault>", 500)
