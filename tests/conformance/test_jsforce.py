"""jsforce, a stranger's client, drives the Salesforce emulator over plain http (reference/salesforce.md 6.2)."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.base.server import Server
from emulators.salesforce import SalesforceEmulator

pytestmark = pytest.mark.node

JUDGE = Path(__file__).parent / "jsforce"
USERNAME = "integration@partner.example"


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, public)


@pytest.fixture(scope="module")
def emulator() -> Iterator[SalesforceEmulator]:
    emulator = SalesforceEmulator()
    with Server(emulator.handle) as server:
        emulator.public_url = server.url
        yield emulator


@pytest.fixture(scope="module")
def seen(emulator: SalesforceEmulator) -> dict[str, Any]:
    """What jsforce reports of one walk through its everyday calls."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("JSFORCE JUDGE SKIPPED: Node.js is not on the PATH")
    if not (JUDGE / "node_modules" / "jsforce").is_dir():
        pytest.skip(f"JSFORCE JUDGE SKIPPED: run `npm ci --ignore-scripts` in tests/conformance/{JUDGE.name}")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    user = emulator.register_app("cosell", _pem(key), USERNAME)
    for number in range(450):
        emulator.insert("Contact", {"LastName": f"Person {number}"})
    claims = {"iss": "cosell", "sub": USERNAME, "aud": emulator.public_url, "exp": int(time.time()) + 180}
    environment = {
        "PATH": os.environ["PATH"],
        "EMULATOR": str(emulator.public_url),
        "ASSERTION": jwt.encode(claims, key, "RS256"),
        "TOKEN": emulator.oauth.open_session(user),
    }
    ran = subprocess.run(  # noqa: S603 - our own script, in a fixed place
        [node, "judge.cjs"], cwd=JUDGE, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def test_it_signs_in_and_learns_who_it_is(seen: dict[str, Any], emulator: SalesforceEmulator) -> None:
    assert seen["authorized"]["organizationId"] == emulator.organization
    assert seen["instanceUrl"] == emulator.public_url
    assert seen["identity"]["username"] == USERNAME
    assert seen["identity"]["user_id"] == seen["authorized"]["id"]
    assert seen["refusedSignIn"]["name"] == "unsupported_grant_type"


def test_it_creates_updates_and_reads_one_record(seen: dict[str, Any]) -> None:
    assert seen["created"]["success"]
    assert seen["updated"] == {"id": seen["created"]["id"], "success": True, "errors": []}
    read = seen["retrieved"]
    assert (read["Name"], read["Amount"], read["IsWon"], read["Probability"]) == ("One", 1200.5, True, 100)


def test_it_upserts_by_the_referral_identifier(seen: dict[str, Any], emulator: SalesforceEmulator) -> None:
    assert seen["upsertCreated"]["created"] is True
    assert seen["upsertUpdated"] == {**seen["upsertCreated"], "created": False}
    assert emulator.record("Opportunity", seen["upsertCreated"]["id"])["Referral_Identifier__c"] == "REF 1"


def test_it_understands_refusals(seen: dict[str, Any]) -> None:
    assert seen["refusedCreate"]["name"] == "REQUIRED_FIELD_MISSING"
    assert seen["unknownObject"]["name"] == "NOT_FOUND"
    assert seen["malformed"]["name"] == "MALFORMED_QUERY"
    assert "unexpected token: 'FORM'" in seen["malformed"]["message"]
    assert seen["staleToken"]["name"] == "INVALID_SESSION_ID"


def test_it_queries_and_follows_the_pages(seen: dict[str, Any]) -> None:
    assert seen["query"]["totalSize"] == 1
    assert seen["query"]["records"][0]["Owner"]["Name"] == "Integration"
    assert seen["firstPage"] == 200
    assert seen["autoFetched"] == 450


def test_it_works_with_collections(seen: dict[str, Any]) -> None:
    assert [result["success"] for result in seen["collectionCreated"]] == [True, True]
    assert [result["id"] for result in seen["collectionUpdated"]] == [r["id"] for r in seen["collectionCreated"]]
    assert [record["Phone"] for record in seen["collectionRetrieved"]] == ["1", "2"]
    assert [result["created"] for result in seen["collectionUpserted"]] == [False, True]
    assert all(result["success"] for result in seen["collectionDeleted"])


def test_it_reads_the_schema_and_the_allowance(seen: dict[str, Any]) -> None:
    field = seen["describedField"]
    assert (field["externalId"], field["unique"], field["length"]) == (True, True, 100)
    assert {"Account", "Opportunity", "OpportunityStage"} <= set(seen["describedObjects"])
    assert seen["limits"]["DailyApiRequests"]["Max"] == 100_000
    assert seen["apiUsage"]["limit"] == 100_000
