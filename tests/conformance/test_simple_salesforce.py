"""simple-salesforce works against the emulator: docs/reference/salesforce.md#the-client-library.

Our client builds on this library. The connection is TLS, and the token comes from the emulator.
"""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceGeneralError, SalesforceMalformedRequest
from simple_salesforce.format import format_external_id

from emulators.base.certificate_authority import Authority
from emulators.base.server import Server
from emulators.salesforce import SalesforceEmulator

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31", "Amount": 10.5}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def emulator(authority: Authority) -> Iterator[SalesforceEmulator]:
    emulator = SalesforceEmulator()
    with Server(emulator.handle, tls=authority.server_context()) as server:
        emulator.public_url = server.url
        yield emulator


@pytest.fixture
def client(emulator: SalesforceEmulator, authority: Authority) -> Iterator[Any]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(authority.bundle)
        token = emulator.oauth.issue_session_id(emulator.seller)
        yield Salesforce(session_id=token, instance_url=str(emulator.public_url), session=session, version="66.0")


def test_records_are_created_read_updated_upserted_and_deleted(client: Any, emulator: SalesforceEmulator) -> None:  # noqa: ANN401 - the library creates an attribute for each object
    made = client.Opportunity.create(DEAL)
    assert client.Opportunity.update(made["id"], {"StageName": "Closed Won"}) == 204
    assert client.Opportunity.get(made["id"])["IsWon"] is True
    assert client.Opportunity.upsert(format_external_id("Referral_Identifier__c", "a/b c"), DEAL) == 201
    assert client.Opportunity.upsert("Referral_Identifier__c/R1", DEAL) == 201
    assert client.Opportunity.get_by_custom_id("Referral_Identifier__c", "R1")["Name"] == "Deal"
    assert client.Opportunity.delete(made["id"]) == 204
    assert [r["Referral_Identifier__c"] for r in emulator.records("Opportunity")] == ["a/b c", "R1"]


def test_pages_are_followed_and_deleted_records_included(client: Any, emulator: SalesforceEmulator) -> None:  # noqa: ANN401 - as above
    ids = [emulator.insert("Opportunity", DEAL) for _ in range(450)]
    emulator.delete("Opportunity", ids[0])
    header = {"Sforce-Query-Options": "batchSize=200"}
    soql = "SELECT Id, Amount FROM Opportunity"
    assert [record["Id"] for record in client.query_all_iter(soql, headers=header)] == ids[1:]
    assert client.query(soql, include_deleted=True)["totalSize"] == 450
    assert [entry.tags for entry in emulator.journal] == [("query",), ("query.more",), ("query.more",), ("query.all",)]


def test_a_composite_request_may_contain_a_conditional_update(client: Any, emulator: SalesforceEmulator) -> None:  # noqa: ANN401 - as above
    deal = emulator.insert("Opportunity", DEAL)
    past = (datetime.now(UTC) - timedelta(days=1)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    sub = {
        "method": "PATCH", "url": f"/services/data/v66.0/sobjects/Opportunity/{deal}", "referenceId": "w",
        "httpHeaders": {"If-Unmodified-Since": past}, "body": {"Name": "New"},
    }  # fmt: skip
    answer = client.restful("composite", method="POST", json={"compositeRequest": [sub], "collateSubrequests": False})
    assert answer["compositeResponse"][0]["httpStatusCode"] == 412


def test_describe_limits_and_usage(client: Any, emulator: SalesforceEmulator) -> None:  # noqa: ANN401 - as above
    names = {field["name"] for field in client.Opportunity.describe()["fields"]}
    assert {"Referral_Identifier__c", "Sync_Mark__c"} <= names
    assert client.limits()["DailyApiRequests"]["Remaining"] == 100_000 - 2
    assert client.api_usage["api-usage"].used == emulator.rest.used
    span = (datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1))
    made = emulator.insert("Opportunity", DEAL)
    emulator.clock.advance(2)
    assert client.Opportunity.updated(*span)["ids"] == [made]


def test_refusals_raise_the_errors_of_the_library(client: Any, emulator: SalesforceEmulator) -> None:  # noqa: ANN401 - as above
    with pytest.raises(SalesforceMalformedRequest) as refused:
        client.Opportunity.create({"Name": "x"})
    assert "REQUIRED_FIELD_MISSING" in str(refused.value.content)
    deal = emulator.insert("Opportunity", DEAL)
    with pytest.raises(SalesforceGeneralError) as conflict:
        client.Opportunity.update(deal, {}, headers={"If-Unmodified-Since": "Fri, 20 Nov 2020 10:00:00 GMT"})
    assert conflict.value.status == 412
    emulator.oauth.sessions.clear()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Account")


def test_the_emulator_starts_alone_with_one_command() -> None:
    command = [sys.executable, "-m", "emulators", "salesforce", "--port", "0"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            assert process.stdout is not None
            address, _, bundle = (process.stdout.readline().split()[-1] for _ in range(3))
            with requests.Session() as session:
                session.trust_env = False
                versions = session.get(f"{address}/services/data", verify=bundle, timeout=60).json()
                assert versions[-1]["version"] == "68.0"
        finally:
            process.terminate()
