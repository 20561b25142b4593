"""The Metadata API by SOAP, with elements with and without a prefix.

The contract: docs/reference/salesforce.md#soap-operations. What clients send:
docs/reference/salesforce.md#metadata-and-bulk-parts-of-the-library and
docs/reference/salesforce.md#requests-of-the-salesforce-cli.
"""

import base64
import io
import zipfile
from typing import Any

import pytest
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from emulators.base.server import Request
from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce_metadata.deploy_client import (
    XMLNS,
    Deployer,
    encode_base64,
    single_field_package,
    whole_package,
)

OPTIONS = "<checkOnly>false</checkOnly><rollbackOnError>true</rollbackOnError><singlePackage>true</singlePackage>"


def soap_result(deployer: Deployer, operation: str) -> Any:  # noqa: ANN401 - lxml ships no types
    answer = deployer.send_soap(operation)
    assert answer.status == 200, answer.body
    return etree.fromstring(answer.body).find(".//{*}result")


def start_deployment(deployer: Deployer, data: bytes, prefix: str = "") -> Any:  # noqa: ANN401 - lxml ships no types
    namespace = XMLNS if not prefix else XMLNS.replace("xmlns", f"xmlns:{prefix.rstrip(':')}")
    options = (
        OPTIONS.replace("</", f"</{prefix}").replace("<", f"<{prefix}").replace(f"<{prefix}/{prefix}", f"</{prefix}")
    )
    zip_file = f"<{prefix}ZipFile>{encode_base64(data)}</{prefix}ZipFile>"
    inside = f"{zip_file}<{prefix}DeployOptions>{options}</{prefix}DeployOptions>"
    return soap_result(deployer, f"<{prefix}deploy {namespace}>{inside}</{prefix}deploy>")


def poll_deployment(deployer: Deployer, identifier: str) -> Any:  # noqa: ANN401 - lxml ships no types
    inside = f"<asyncProcessId>{identifier}</asyncProcessId><includeDetails>true</includeDetails>"
    return soap_result(deployer, f"<checkDeployStatus {XMLNS}>{inside}</checkDeployStatus>")


@pytest.mark.parametrize("prefix", ["", "met:"])
def test_a_deployment_by_soap_has_the_same_effect_as_by_rest(
    org: SalesforceEmulator, deployer: Deployer, prefix: str
) -> None:
    queued = start_deployment(deployer, whole_package().to_zip("66.0"), prefix)
    assert (queued.findtext("{*}state"), queued.findtext("{*}done")) == ("Queued", "false")
    identifier = queued.findtext("{*}id")
    assert poll_deployment(deployer, identifier).findtext("{*}status") == "InProgress"
    done = poll_deployment(deployer, identifier)
    assert (done.findtext("{*}status"), done.findtext("{*}numberComponentsDeployed")) == (
        "Succeeded",
        str(whole_package().member_count),
    )
    assert len(done.findall(".//{*}componentSuccesses")) == whole_package().member_count + 1
    assert deployer.read_state(identifier)["success"] is True
    assert org.org.model.get("Opportunity").find_field("Audit__c")


def test_a_refusal_is_reported_for_each_component(deployer: Deployer) -> None:
    package = single_field_package("Odd__c", "<label>Odd &amp; even</label><type>Text</type>")
    identifier = start_deployment(deployer, package.to_zip("66.0")).findtext("{*}id")
    poll_deployment(deployer, identifier)
    failure = poll_deployment(deployer, identifier).find(".//{*}componentFailures")
    assert failure.findtext("{*}problem") == "Must specify 'length' for a CustomField of type Text"
    assert failure.findtext("{*}fileName") == "objects/Opportunity.object"


def test_the_request_of_the_cli_for_source_tracking_is_answered_with_404(deployer: Deployer) -> None:
    """`sf project deploy start` sends it first, and accepts 404 for an org without source tracking."""
    request = Request.of(
        "GET",
        "/services/data/v68.0/tooling/sobjects/SourceMember/describe",
        {"Authorization": f"Bearer {deployer.token}"},
    )
    assert deployer.org.handle(request).status == 404


def retrieve_layouts(deployer: Deployer, *names: str, single: str = "true") -> tuple[Any, dict[str, bytes]]:
    members = "".join(f"<members>{name}</members>" for name in names)
    package = f"<types>{members}<name>Layout</name></types><version>66.0</version>"
    request = f"<apiVersion>66.0</apiVersion><singlePackage>{single}</singlePackage><unpackaged>{package}</unpackaged>"
    started = soap_result(deployer, f"<retrieve {XMLNS}><retrieveRequest>{request}</retrieveRequest></retrieve>")
    inside = f"<asyncProcessId>{started.findtext('{*}id')}</asyncProcessId><includeZip>true</includeZip>"
    poll = f"<checkRetrieveStatus {XMLNS}>{inside}</checkRetrieveStatus>"
    assert soap_result(deployer, poll).findtext("{*}done") == "false"
    done = soap_result(deployer, poll)
    assert done.findtext("{*}done") == "true"
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(done.findtext("{*}zipFile")))) as archive:
        return done, {name: archive.read(name) for name in archive.namelist()}


def test_a_layout_is_retrieved(deployer: Deployer) -> None:
    _, files = retrieve_layouts(deployer, "Opportunity-Opportunity Layout")
    assert set(files) == {"package.xml", "layouts/Opportunity-Opportunity Layout.layout"}
    assert b"RelatedActivityList" in files["layouts/Opportunity-Opportunity Layout.layout"]


def test_without_a_single_package_the_files_stand_in_a_folder(deployer: Deployer) -> None:
    _, files = retrieve_layouts(deployer, "Opportunity-Opportunity Layout", single="false")
    assert "unpackaged/layouts/Opportunity-Opportunity Layout.layout" in files


def test_a_missing_layout_is_reported_in_a_message(deployer: Deployer) -> None:
    done, files = retrieve_layouts(deployer, "Opportunity-Nope")
    assert set(files) == {"package.xml"}
    text = "Entity of type 'Layout' named 'Opportunity-Nope' cannot be found"
    assert done.findtext("{*}messages/{*}problem") == text


def test_layouts_are_listed_with_their_escaped_names(deployer: Deployer) -> None:
    operation = f"<listMetadata {XMLNS}><queries><type>Layout</type></queries></listMetadata>"
    body = etree.fromstring(deployer.send_soap(operation).body)
    assert [each.text for each in body.findall(".//{*}fullName")] == [
        "Opportunity-Opportunity %28Sales%29 Layout",
        "Opportunity-Opportunity Layout",
    ]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (f"<renameMetadata {XMLNS}/>", "Client"),
        ("", "Client"),
        (f"<checkDeployStatus {XMLNS}><asyncProcessId>0Af</asyncProcessId></checkDeployStatus>", "sf:INVALID_CROSS"),
        (f"<checkRetrieveStatus {XMLNS}><asyncProcessId>x</asyncProcessId></checkRetrieveStatus>", "sf:INVALID_CROSS"),
        (f"<deploy {XMLNS}><ZipFile>x</ZipFile></deploy>", "sf:INVALID_FIELD"),
    ],
)
def test_other_operations_are_faults(deployer: Deployer, operation: str, code: str) -> None:
    answer = deployer.send_soap(operation)
    assert answer.status == 500
    assert code in etree.fromstring(answer.body).findtext(".//faultcode")


def test_an_invalid_session_and_a_user_without_the_right_are_faults(org: SalesforceEmulator) -> None:
    operation = f"<listMetadata {XMLNS}/>"
    answer = Deployer(org).send_soap(operation, token="00D!x")
    assert b"sf:INVALID_SESSION_ID" in answer.body
    answer = Deployer(org, org.seller).send_soap(operation)
    assert b"sf:INSUFFICIENT_ACCESS" in answer.body
    broken = org.handle(Request.of("POST", "/services/Soap/m/66.0", {}, b"<x"))
    assert (broken.status, b"cannot be read" in broken.body) == (500, True)
