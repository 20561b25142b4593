"""Answer the SOAP operations of the Metadata API: deploy, retrieve, their states, and the list of components.

Clients send operations with and without a prefix and an empty SOAPAction. So only the body tells which operation is
meant (docs/reference/salesforce.md#soap-operations).
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
from emulators.salesforce.metadata.deploy_results import POLLS_UNTIL_DONE
from emulators.salesforce.metadata.deployments import ACCESS_REFUSED, Deployments
from emulators.salesforce.metadata.package import FOLDERS, OBJECT_PARTS
from emulators.salesforce.metadata.xml_schema import NAMESPACE, PREFIX, NotXml, parse_xml, serialize_xml

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
RETRIEVE_PREFIX = "09S"
_FOLDER_OF_TYPE = {type_name: (folder, suffix) for folder, (type_name, suffix) in FOLDERS.items()}
_ELEMENT_OF_PART = {type_name: element for element, type_name in OBJECT_PARTS.items()}
_CONTENT = {"Content-Type": "text/xml;charset=UTF-8"}


@dataclass(slots=True)
class Retrieval:
    """The members to retrieve, the folder of the zip for them, and how often a client asked for the state."""

    members: list[tuple[str, str]]
    folder: str
    polls: int = 0


class Soap:
    """Answers SOAP requests. `user_of` returns the user of a session, None if the session is not valid."""

    def __init__(
        self, deployments: Deployments, tag: Callable[[str], None], user_of: Callable[[str], str | None]
    ) -> None:
        """REST and SOAP share `deployments`; `tag` names the operation in the journal."""
        self._deployments, self._tag, self._user_of = deployments, tag, user_of
        self._retrievals: dict[str, Retrieval] = {}
        self._operations: dict[str, Callable[[Any, str], list[dict[str, Any]]]] = {
            "deploy": self._start_deployment,
            "checkDeployStatus": self._poll_deployment,
            "retrieve": self._start_retrieval,
            "checkRetrieveStatus": self._poll_retrieval,
            "listMetadata": self._list_components,
            "describeMetadata": self._describe_types,
        }

    def answer_envelope(self, body: bytes) -> Response:
        """Answer one request; a refusal is a SOAP fault."""
        try:
            envelope = parse_xml(body)
            operation = next(iter(envelope.find(f"{{{ENVELOPE}}}Body")))
        except (NotXml, TypeError, StopIteration):
            return _fault("soapenv:Client", "The envelope cannot be read")
        user = self._user_of(envelope.findtext(".//{*}sessionId") or "")
        name = str(operation.tag).rpartition("}")[2]
        if user is None:
            return _fault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader")
        if name not in self._operations:
            return _fault("soapenv:Client", f"No operation available for request {{{NAMESPACE}}}{name}")
        if user not in self._deployments.users:
            return _fault("sf:INSUFFICIENT_ACCESS", ACCESS_REFUSED)
        try:
            results = self._operations[name](operation, user)
        except ApiError as error:
            return _fault(f"sf:{error.code}", f"{error.code}: {error.message}")
        return _envelope(f'<{name}Response xmlns="{NAMESPACE}">{_elements({"result": results})}</{name}Response>')

    # --- deploying

    def _start_deployment(self, operation: Any, user: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("deploy")
        try:
            data = base64.b64decode(operation.findtext("{*}ZipFile") or "", validate=False)
        except binascii.Error as error:
            raise ApiError(500, "INVALID_FIELD", "ZipFile is not base64") from error
        element = operation.find("{*}DeployOptions")
        children = () if element is None else element
        options = {str(each.tag).rpartition("}")[2]: _option(each.text or "") for each in children}
        job = self._deployments.deploy(data, options, user)
        return [{"done": False, "id": job.id, "state": "Queued"}]

    def _poll_deployment(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("deploy.status")
        with_details = operation.findtext("{*}includeDetails") == "true"
        identifier = operation.findtext("{*}asyncProcessId") or ""
        return [self._deployments.poll(identifier, with_details=with_details)]

    # --- retrieving

    def _start_retrieval(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("retrieve")
        members = [
            (types.findtext("{*}name"), member.text)
            for types in operation.iterfind(".//{*}types")
            for member in types.iterfind("{*}members")
        ]
        identifier = self._deployments.org.ids.next_id(RETRIEVE_PREFIX)
        is_single_package = operation.findtext(".//{*}singlePackage") == "true"
        self._retrievals[identifier] = Retrieval(members, "" if is_single_package else "unpackaged/")
        return [{"done": False, "id": identifier, "state": "Queued"}]

    def _poll_retrieval(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("retrieve.status")
        identifier = operation.findtext("{*}asyncProcessId") or ""
        if identifier not in self._retrievals:
            raise ApiError(500, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        retrieval = self._retrievals[identifier]
        retrieval.polls += 1
        if retrieval.polls < POLLS_UNTIL_DONE:
            return [{"done": False, "id": identifier, "status": "InProgress", "success": False, "zipFile": None}]
        return [self._retrieve_result(identifier, retrieval.members, retrieval.folder)]

    def _retrieve_result(self, identifier: str, members: list[tuple[str, str]], folder: str) -> dict[str, Any]:
        documents = self._deployments.documents.kept
        existing = [key for key in members if key in documents and key[0] in {*_FOLDER_OF_TYPE, *_ELEMENT_OF_PART}]
        missing = [
            {"fileName": "unpackaged/package.xml", "problem": f"Entity of type '{kind}' named '{name}' cannot be found"}
            for kind, name in members
            if (kind, name) not in existing
        ]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{folder}package.xml", _manifest(existing))
            for name, data in _files_of({key: documents[key] for key in existing}).items():
                archive.writestr(folder + name, data)
        return {
            "done": True, "fileProperties": [self._file_properties(*key, folder) for key in existing], "id": identifier,
            "messages": missing, "status": "Succeeded", "success": True,
            "zipFile": base64.b64encode(buffer.getvalue()).decode(),
        }  # fmt: skip

    def _list_components(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("metadata.list")
        kinds = [query.findtext("{*}type") for query in operation.iterfind("{*}queries")]
        return [self._file_properties(kind, name) for kind in kinds for name in self._component_names(kind)]

    def _component_names(self, kind: str) -> list[str]:
        """The full names of the components of a type. Objects and custom fields are those of the schema."""
        model = self._deployments.org.model
        if kind == "CustomObject":
            return sorted(each.name for each in model)
        if kind == "CustomField":
            fields = (
                f"{each.name}.{field.name}" for each in model for field in each.fields.values() if field.is_custom
            )
            return sorted(fields)
        return self._deployments.documents.names(kind) if kind in {*_FOLDER_OF_TYPE, *_ELEMENT_OF_PART} else []

    def _describe_types(self, operation: Any, _: str) -> list[dict[str, Any]]:  # noqa: ANN401 - lxml ships no types
        self._tag("metadata.describe")
        del operation
        types = [_type_description(folder, *kind) for folder, kind in FOLDERS.items()]
        types.append({**_type_description("objects", "CustomObject", ".object"), "childXmlNames": [*_ELEMENT_OF_PART]})
        ends = {"organizationNamespace": "", "partialSaveAllowed": not self._deployments.production}
        return [{"metadataObjects": types, **ends, "testRequired": self._deployments.production}]

    def _file_properties(self, kind: str, name: str, folder: str = "") -> dict[str, Any]:
        org = self._deployments.org
        user = org.existing_record("User", min(self._deployments.users))
        by_user = {"ById": user["Id"], "ByName": user["Name"], "Date": org.started_at.isoformat()}
        stamps = {event + each: value for event in ("created", "lastModified") for each, value in by_user.items()}
        return {**stamps, "fileName": folder + _file_name(kind, name), "fullName": name, "id": "", "type": kind}


def _type_description(folder: str, type_name: str, suffix: str) -> dict[str, Any]:
    return {
        "directoryName": folder, "inFolder": False, "metaFile": False, "suffix": suffix.removeprefix("."),
        "xmlName": type_name,
    }  # fmt: skip


def _option(text: str) -> bool | str:
    """A deploy option: the name of a test level stays a text."""
    return text == "true" if text in {"true", "false", ""} else text


def _files_of(documents: Mapping[tuple[str, str], bytes]) -> dict[str, bytes]:
    """The files of a zip by name. Parts of one object share a file, sorted by type and then by name."""
    files = {_file_name(*key): data for key, data in documents.items() if key[0] in _FOLDER_OF_TYPE}
    parts = sorted(
        (_ELEMENT_OF_PART[kind], name, data) for (kind, name), data in documents.items() if kind in _ELEMENT_OF_PART
    )
    roots: dict[str, Any] = {}
    for element, name, data in parts:
        file = _file_name("CustomField", name)
        part = parse_xml(data)
        part.tag = PREFIX + element
        roots.setdefault(file, parse_xml(f'<CustomObject xmlns="{NAMESPACE}"/>'.encode())).append(part)
    return files | {file: serialize_xml(root) for file, root in roots.items()}


def _file_name(kind: str, name: str) -> str:
    if kind in {"CustomObject", *_ELEMENT_OF_PART}:
        return f"objects/{name.partition('.')[0]}.object"
    folder, suffix = _FOLDER_OF_TYPE[kind]
    return f"{folder}/{name}{suffix}"


def _manifest(members: list[tuple[str, str]]) -> str:
    types = "".join(f"<types><members>{escape(name)}</members><name>{kind}</name></types>" for kind, name in members)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Package xmlns="{NAMESPACE}">{types}<version>66.0</version></Package>'
    )


def _elements(values: Mapping[str, Any]) -> str:
    """The values as XML: a list repeats its element, a mapping nests, None is nil."""
    parts = []
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            if each is None:
                parts.append(f'<{name} xsi:nil="true"/>')
            elif isinstance(each, Mapping):
                parts.append(f"<{name}>{_elements(each)}</{name}>")
            else:
                text = str(each).lower() if isinstance(each, bool) else str(each)
                parts.append(f"<{name}>{escape(text)}</{name}>")
    return "".join(parts)


def _envelope(body: str, status: int = 200) -> Response:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:sf="http://soap.sforce.com/2006/04/metadata">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(status, text.encode(), _CONTENT)


def _fault(code: str, text: str) -> Response:
    fault = f"<faultcode>{escape(code)}</faultcode><faultstring>{escape(text)}</faultstring>"
    return _envelope(f"<soapenv:Fault>{fault}</soapenv:Fault>", 500)
