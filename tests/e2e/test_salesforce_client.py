"""The Salesforce client works against the emulator, with the real library, real sockets, TLS and a real sign-in."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.base.certificate_authority import Authority
from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Server
from emulators.salesforce.emulator import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient, open_salesforce
from shared.clients.salesforce.soql_literals import text_literal
from shared.foundation.errors import Ambiguous, Conflict, NotFound, Rejected, SignInFailed
from shared.sync.ports import Node, Write
from shared.transport.session import open_session
from tests.no_waits import no_waits

FIELDS = ["Id", "Name", "Amount", "NextStep", "LastModifiedDate", "Sync_Status__c"]
OPEN_DEAL = {"StageName": "Prospecting", "CloseDate": "2027-03-31"}


class SingleKeyVault:
    """A vault that returns one key for every name."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        self.pem = pem.decode()

    def get(self, _: str) -> str:
        return self.pem

    def get_fresh(self, _: str) -> str:
        return self.pem

    def set(self, name: str, value: str) -> None:
        raise AssertionError(f"sign-in to Salesforce writes no secret: {name} ({len(value)})")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def org(key: rsa.RSAPrivateKey) -> SalesforceEmulator:
    emulator = SalesforceEmulator(seed=1)
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    emulator.register_connected_app(
        "CONSUMER", key.public_key().public_bytes(encoding, form), "integration@example.com"
    )
    return emulator


@pytest.fixture
def salesforce(org: SalesforceEmulator, authority: Authority, key: rsa.RSAPrivateKey) -> Iterator[SalesforceClient]:
    with (
        no_waits(),
        Server(org.handle, tls=authority.server_context()) as server,
        open_session(authority.bundle, seconds=10.0) as session,
    ):
        yield open_salesforce(
            login_url=server.url,
            client_id="CONSUMER",
            username="integration@example.com",
            key_name="salesforce-key",
            vault=SingleKeyVault(key),
            session=session,
            deadline=10.0,
            now=org.clock.now,
        )


def insert_deals(org: SalesforceEmulator, number: int) -> list[str]:
    return [org.insert("Opportunity", {**OPEN_DEAL, "Name": f"Deal {n}", "Amount": n + 0.25}) for n in range(number)]


def data_calls(org: SalesforceEmulator) -> list[str]:
    return [entry.path.rpartition("/")[2] for entry in org.journal if "oauth" not in entry.tags]


def test_the_sign_in_returns_the_organisation_id_without_a_data_call(
    org: SalesforceEmulator, salesforce: SalesforceClient
) -> None:
    assert salesforce.organization_id() == org.organization
    assert data_calls(org) == []


def test_an_unknown_app_cannot_sign_in(org: SalesforceEmulator, salesforce: SalesforceClient) -> None:
    org.oauth.apps.clear()
    with pytest.raises(SignInFailed):
        salesforce.organization_id()


def test_five_queries_are_one_call(org: SalesforceEmulator, salesforce: SalesforceClient) -> None:
    insert_deals(org, 3)
    org.clock.advance(2)
    stamped = f"WHERE SystemModstamp >= {text_literal(datetime(2026, 1, 1, tzinfo=UTC))} ORDER BY SystemModstamp, Id"
    answer = salesforce.query(
        "SELECT Id, SystemModstamp FROM Opportunity " + stamped,  # noqa: S608 - literals are escaped by the function under test
        "SELECT Id, Amount FROM Opportunity WHERE Name = " + text_literal("Deal 1"),  # noqa: S608 - as above
        "SELECT Id FROM Account",
        "SELECT Id FROM Contact",
        "SELECT Id FROM OpportunityContactRole",
    )
    assert [len(page.records) for page in answer.pages] == [3, 1, 0, 0, 0]
    assert answer.pages[1].records[0]["Amount"] == Decimal("1.25")
    assert abs((answer.at - org.clock.now()).total_seconds()) < 3
    assert data_calls(org) == ["composite"]
    assert salesforce.api_usage() is not None


def test_a_query_for_an_unknown_field_names_the_field(salesforce: SalesforceClient) -> None:
    with pytest.raises(Rejected) as caught:
        salesforce.query("SELECT Id, Nope__c FROM Opportunity")
    assert (caught.value.cause.code, caught.value.cause.field) == ("INVALID_FIELD", "Nope__c")


def test_two_thousand_opportunities_are_read_in_one_call(org: SalesforceEmulator, salesforce: SalesforceClient) -> None:
    ids = insert_deals(org, 2000)
    fields = ["Name", "Owner.Email", "Account.Name", "(SELECT ContactId FROM OpportunityContactRoles)"]
    [page] = salesforce.opportunities(ids, fields).pages
    assert {record["Id"] for record in page.records} == set(ids)
    assert page.records[0]["Owner"]["Email"]
    assert data_calls(org) == ["composite"]


def test_the_next_page_of_a_query_can_be_read(org: SalesforceEmulator, salesforce: SalesforceClient) -> None:
    insert_deals(org, 2001)
    first = salesforce.query("SELECT Id FROM Opportunity ORDER BY Id").pages[0]
    assert first.next is not None
    second = salesforce.more(first.next).pages[0]
    assert (len(first.records), len(second.records), second.next) == (2000, 1, None)


def test_a_conditional_update_does_not_overwrite_a_newer_edit(
    org: SalesforceEmulator, salesforce: SalesforceClient
) -> None:
    ours, theirs = insert_deals(org, 2)
    stamps = {record["Id"]: record for record in salesforce.opportunities([ours, theirs], FIELDS).pages[0].records}
    org.clock.advance(5)
    org.edit("Opportunity", theirs, {"NextStep": "their step"})
    writes = [
        Write(one, {"NextStep": "our step"}, datetime.fromisoformat(stamps[one]["LastModifiedDate"]))
        for one in (ours, theirs)
    ]
    first, second = salesforce.update_unmodified(writes, FIELDS)
    assert first.record is not None
    assert second.record is not None
    assert (first.changed, first.record["NextStep"]) == (False, "our step")
    assert (second.changed, second.record["NextStep"]) == (True, "their step")
    assert data_calls(org) == ["composite", "composite"]


def test_a_collection_update_reports_the_result_of_each_record_and_reads_it_back(
    org: SalesforceEmulator, salesforce: SalesforceClient
) -> None:
    good, long = insert_deals(org, 2)
    amount = Decimal("1234567890123.45")
    first, second = salesforce.update(
        [Write(good, {"Sync_Status__c": "Synced", "Amount": amount}), Write(long, {"Name": "x" * 200})], FIELDS
    )
    assert first.record is not None
    assert (first.record["Sync_Status__c"], first.record["Amount"]) == ("Synced", amount)
    assert second.refused is not None
    assert second.refused.code == "STRING_TOO_LONG"
    assert data_calls(org) == ["composite"]


def deal_graph(name: str = "From Microsoft", account: str = "Fabrikam") -> list[Node]:
    external = ("Referral_Identifier__c", "0f1e2d3c-aaaa-bbbb-cccc-000000000001")
    return [
        Node("account", "Account", {"Name": account}),
        Node("contact", "Contact", {"LastName": "Doe", "AccountId": "@{account.id}"}),
        Node("deal", "Opportunity", {**OPEN_DEAL, "Name": name, "AccountId": "@{account.id}"}, external),
        Node("role", "OpportunityContactRole", {"OpportunityId": "@{deal.id}", "ContactId": "@{contact.id}"}),
    ]


def test_a_graph_creates_a_deal_with_its_contacts_and_a_repeat_finds_it(
    org: SalesforceEmulator, salesforce: SalesforceClient
) -> None:
    made = salesforce.create(deal_graph(), "deal", FIELDS)
    assert made.record is not None
    assert made.record["Name"] == "From Microsoft"
    assert len(org.records("OpportunityContactRole")) == 1
    again = salesforce.create(
        [Node("deal", "Opportunity", {"Name": "Renamed"}, deal_graph()[2].external)], "deal", FIELDS
    )
    assert again.id == made.id
    assert len(org.records("Opportunity")) == 1
    assert data_calls(org) == ["graph", "graph"]


def test_a_graph_that_fails_leaves_nothing_behind(org: SalesforceEmulator, salesforce: SalesforceClient) -> None:
    with pytest.raises(Rejected) as caught:
        salesforce.create(deal_graph(name="x" * 200), "deal", FIELDS)
    assert caught.value.cause.code == "STRING_TOO_LONG"
    assert org.records("Account") == []


def test_a_taken_referral_id_is_a_conflict_that_names_its_holder(
    org: SalesforceEmulator, salesforce: SalesforceClient
) -> None:
    holder = org.insert("Opportunity", {**OPEN_DEAL, "Name": "First"})
    salesforce.update([Write(holder, {"Referral_Identifier__c": "r-1"})], FIELDS)
    with pytest.raises(Conflict, match=holder):
        salesforce.create(
            [Node("deal", "Opportunity", {**OPEN_DEAL, "Name": "Second", "Referral_Identifier__c": "r-1"})],
            "deal",
            FIELDS,
        )


def test_the_lost_reply_of_a_create_is_ambiguous_although_the_deal_exists(
    org: SalesforceEmulator, salesforce: SalesforceClient
) -> None:
    org.faults.append(Fault(FaultKind.DROP_AFTER, path="graph"))
    with pytest.raises(Ambiguous):
        salesforce.create(deal_graph(), "deal", FIELDS)
    assert len(org.records("Opportunity")) == 1
    assert data_calls(org) == ["graph"]


def test_a_read_whose_reply_is_lost_is_repeated(org: SalesforceEmulator, salesforce: SalesforceClient) -> None:
    org.faults.append(Fault(FaultKind.TRUNCATE, path="composite"))
    assert salesforce.query("SELECT Id FROM Opportunity").pages[0].records == ()
    assert data_calls(org) == ["composite", "composite"]


def test_an_expired_token_is_renewed_within_the_call(org: SalesforceEmulator, salesforce: SalesforceClient) -> None:
    [deal] = insert_deals(org, 1)
    salesforce.describe("Opportunity")
    org.clock.advance(3 * 3600)
    [done] = salesforce.update([Write(deal, {"NextStep": "later"})], FIELDS)
    assert done.record is not None
    assert done.record["NextStep"] == "later"
    assert [entry.status for entry in org.journal if "oauth" not in entry.tags] == [200, 401, 200]


def test_describe_lists_the_fields_of_an_object_and_fails_for_an_unknown_object(salesforce: SalesforceClient) -> None:
    names = {field["name"] for field in salesforce.describe("Opportunity")["fields"]}
    assert {"Referral_Identifier__c", "Sync_Mark__c", "Audit__c"} <= names
    with pytest.raises(NotFound):
        salesforce.describe("Nope__c")
