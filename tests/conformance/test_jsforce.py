"""jsforce works against the Salesforce emulator: docs/reference/salesforce.md#requests-of-jsforce.

It is an independent client, so it checks the emulator without our assumptions. The connection is plain http.
"""

import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.base.server import Server
from emulators.salesforce import SalesforceEmulator
from tests.conformance.jsforce_client import run_jsforce

pytestmark = pytest.mark.node

USERNAME = "integration@partner.example"


def public_key_pem(key: rsa.RSAPrivateKey) -> bytes:
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, public)


@pytest.fixture(scope="module")
def emulator() -> Iterator[SalesforceEmulator]:
    emulator = SalesforceEmulator()
    with Server(emulator.handle) as server:
        emulator.public_url = server.url
        yield emulator


@pytest.fixture(scope="module")
def results(emulator: SalesforceEmulator) -> dict[str, Any]:
    """The results of jsforce's most common calls, made once for all tests."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    user = emulator.register_connected_app("cosell", public_key_pem(key), USERNAME)
    for number in range(450):
        emulator.insert("Contact", {"LastName": f"Person {number}"})
    claims = {"iss": "cosell", "sub": USERNAME, "aud": emulator.public_url, "exp": int(time.time()) + 180}
    environment = {
        "EMULATOR": str(emulator.public_url),
        "ASSERTION": jwt.encode(claims, key, "RS256"),
        "TOKEN": emulator.oauth.issue_session_id(user),
    }
    return run_jsforce("call_emulator.cjs", environment)


def test_it_signs_in_and_reads_its_identity(results: dict[str, Any], emulator: SalesforceEmulator) -> None:
    assert results["authorized"]["organizationId"] == emulator.organization
    assert results["instanceUrl"] == emulator.public_url
    assert results["identity"]["username"] == USERNAME
    assert results["identity"]["user_id"] == results["authorized"]["id"]
    assert results["refusedSignIn"]["name"] == "unsupported_grant_type"


def test_it_creates_updates_and_reads_one_record(results: dict[str, Any]) -> None:
    assert results["created"]["success"]
    assert results["updated"] == {"id": results["created"]["id"], "success": True, "errors": []}
    read = results["retrieved"]
    assert (read["Name"], read["Amount"], read["IsWon"], read["Probability"]) == ("One", 1200.5, True, 100)


def test_it_upserts_by_the_referral_identifier(results: dict[str, Any], emulator: SalesforceEmulator) -> None:
    assert results["upsertCreated"]["created"] is True
    assert results["upsertUpdated"] == {**results["upsertCreated"], "created": False}
    assert emulator.record("Opportunity", results["upsertCreated"]["id"])["Referral_Identifier__c"] == "REF 1"


def test_it_reports_errors_by_their_codes(results: dict[str, Any]) -> None:
    assert results["refusedCreate"]["name"] == "REQUIRED_FIELD_MISSING"
    assert results["unknownObject"]["name"] == "NOT_FOUND"
    assert results["malformed"]["name"] == "MALFORMED_QUERY"
    assert "unexpected token: 'FORM'" in results["malformed"]["message"]
    assert results["staleToken"]["name"] == "INVALID_SESSION_ID"


def test_it_queries_and_follows_the_pages(results: dict[str, Any]) -> None:
    assert results["query"]["totalSize"] == 1
    assert results["query"]["records"][0]["Owner"]["Name"] == "Integration"
    assert results["firstPage"] == 200
    assert results["autoFetched"] == 450


def test_it_works_with_collections(results: dict[str, Any]) -> None:
    assert [result["success"] for result in results["collectionCreated"]] == [True, True]
    assert [result["id"] for result in results["collectionUpdated"]] == [r["id"] for r in results["collectionCreated"]]
    assert [record["Phone"] for record in results["collectionRetrieved"]] == ["1", "2"]
    assert [result["created"] for result in results["collectionUpserted"]] == [False, True]
    assert all(result["success"] for result in results["collectionDeleted"])


def test_it_reads_the_schema_and_the_allowance(results: dict[str, Any]) -> None:
    field = results["describedField"]
    assert (field["externalId"], field["unique"], field["length"]) == (True, True, 100)
    assert {"Account", "Opportunity", "OpportunityStage"} <= set(results["describedObjects"])
    assert results["limits"]["DailyApiRequests"]["Max"] == 100_000
    assert results["apiUsage"]["limit"] == 100_000
