"""Deploy to an emulated org as a client does, and build packages for it."""

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.source_format import Package, package_folders, read_source

PROJECT = Path(__file__).parents[4] / "infra" / "salesforce"
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
BOUNDARY = "a1b2c3"


def whole_package() -> Package:
    """The package of this project, without translations."""
    return read_source(*package_folders(PROJECT))


def single_component_package(name: str, text: str, type_name: str, member: str) -> Package:
    """A package with one file and one member."""
    return Package({name: text.encode()}, {type_name: (member,)})


def single_field_package(name: str, rest: str, sobject: str = "Opportunity") -> Package:
    """A package with one custom field; `rest` holds its elements except `fullName`."""
    text = f"<CustomObject {XMLNS}><fields><fullName>{name}</fullName>{rest}</fields></CustomObject>"
    return single_component_package(f"objects/{sobject}.object", text, "CustomField", f"{sobject}.{name}")


def zip_files(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


class Deployer:
    """The session of one user at the Metadata API; the administrator by default."""

    def __init__(self, org: SalesforceEmulator, user: str | None = None) -> None:
        self.org = org
        self.token = org.oauth.issue_session_id(user or org.founding.administrator)

    def send_request(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json"
    ) -> Response:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        return self.org.handle(Request.of(method, f"/services/data/v66.0/metadata/{path}", headers, body))

    def post_zip(self, data: bytes, **options: bool | str) -> Response:
        deploy_options = {"checkOnly": False, "rollbackOnError": True, "singlePackage": True, **options}
        text = json.dumps({"deployOptions": deploy_options}).encode()
        body = _form_part("entity_content", "application/json", text) + _form_part("file", "application/zip", data)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.send_request("POST", "deployRequest", body + f"--{BOUNDARY}--\r\n".encode(), kind)

    def read_state(self, identifier: str) -> dict[str, Any]:
        answer = self.send_request("GET", f"deployRequest/{identifier}?includeDetails=true")
        assert answer.status == 200, answer.body
        result: dict[str, Any] = answer.json()["deployResult"]
        return result

    def deploy(self, package: Package | bytes, **options: bool | str) -> dict[str, Any]:
        """Deploy, poll until it is done, and return the result."""
        answer = self.post_zip(package if isinstance(package, bytes) else package.to_zip("66.0"), **options)
        assert answer.status == 201, answer.body
        while not (result := self.read_state(answer.json()["id"]))["done"]:
            pass
        return result

    def deploy_refusals(self, package: Package | bytes, **options: bool | str) -> list[str]:
        """The problems of a deployment that must fail."""
        result = self.deploy(package, **options)
        assert result["status"] == "Failed", result
        return problem_texts(result) or [result["errorMessage"]]

    def send_soap(self, operation: str, *, token: str | None = None) -> Response:
        body = (
            '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header>'
            f"<SessionHeader {XMLNS}><sessionId>{self.token if token is None else token}</sessionId></SessionHeader>"
            f"</env:Header><env:Body>{operation}</env:Body></env:Envelope>"
        )
        return self.org.handle(Request.of("POST", "/services/Soap/m/66.0", {"SOAPAction": '""'}, body.encode()))


def _form_part(name: str, kind: str, content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="x"\r\nContent-Type: {kind}'
    return head.encode() + b"\r\n\r\n" + content + b"\r\n"


def problem_texts(result: Mapping[str, Any], kind: str = "Error") -> list[str]:
    failures: Iterable[Mapping[str, Any]] = result["details"]["componentFailures"]
    return [failure["problem"] for failure in failures if failure["problemType"] == kind]


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
