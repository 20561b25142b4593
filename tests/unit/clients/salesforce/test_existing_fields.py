import pytest

from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.existing_fields import duplicate_values, find_obstacles
from shared.clients.salesforce.metadata_xml import NAMESPACE
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg, product_package
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
IDENTIFIER = "<length>100</length><type>Text</type>"


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(bare=True), fake, salesforce)


def make_field_by_hand(org: SalesforceEmulator, name: str, definition: str) -> None:
    """Make a field in the way a person makes it in Setup."""
    org.make_field(
        "Opportunity",
        f'<CustomField xmlns="{NAMESPACE}"><fullName>{name}</fullName><label>Old</label>{definition}</CustomField>',
    )


def insert_opportunity(org: SalesforceEmulator, referral: str | None) -> str:
    return org.insert("Opportunity", {**DEAL, "Referral_Identifier__c": referral})


def test_a_bare_org_has_no_obstacle(org: EmulatedOrg) -> None:
    assert find_obstacles(org.salesforce, product_package()) == []


def test_an_org_with_our_own_fields_has_no_obstacle(org: EmulatedOrg) -> None:
    org.client.deploy(product_package())
    assert find_obstacles(org.salesforce, product_package()) == []


@pytest.mark.parametrize("marks", ["", "<externalId>true</externalId>", "<unique>true</unique>"])
def test_an_identifier_that_is_not_both_is_an_obstacle_that_deploying_corrects(org: EmulatedOrg, marks: str) -> None:
    make_field_by_hand(org.emulator, "Referral_Identifier__c", IDENTIFIER + marks)
    insert_opportunity(org.emulator, "A")
    insert_opportunity(org.emulator, "B")
    insert_opportunity(org.emulator, None)
    insert_opportunity(org.emulator, None)
    (obstacle,) = find_obstacles(org.salesforce, product_package())
    assert obstacle.field == "Opportunity.Referral_Identifier__c"
    assert obstacle.mends
    assert "--make-unique" in obstacle.remedy
    assert obstacle.duplicates is None


def test_duplicates_are_listed_by_id_without_regard_to_case(org: EmulatedOrg) -> None:
    make_field_by_hand(org.emulator, "Referral_Identifier__c", IDENTIFIER)
    org.emulator.rest.pages.short_pages = 2
    first, second, third = (insert_opportunity(org.emulator, value) for value in ("abc-1", "ABC-1", "other"))
    insert_opportunity(org.emulator, None)
    (obstacle,) = find_obstacles(org.salesforce, product_package())
    assert obstacle.duplicates == {"abc-1": (first, second)}
    assert not obstacle.mends
    assert "clear it on all records but one" in str(obstacle)
    assert third not in str(obstacle)


def test_cleared_values_are_not_duplicates(org: EmulatedOrg) -> None:
    make_field_by_hand(org.emulator, "Referral_Identifier__c", IDENTIFIER)
    insert_opportunity(org.emulator, "A")
    second = insert_opportunity(org.emulator, "A")
    assert len(duplicate_values(org.salesforce, "Opportunity", "Referral_Identifier__c")) == 1
    org.emulator.edit("Opportunity", second, {"Referral_Identifier__c": None})
    assert duplicate_values(org.salesforce, "Opportunity", "Referral_Identifier__c") == {}


@pytest.mark.parametrize(
    ("name", "definition", "finding"),
    [
        ("Products__c", "<length>500</length><type>LongTextArea</type>", "exists as textarea, not as Text"),
        ("Sync_Status__c", "<length>20</length><type>Text</type>", "exists as string, not as Picklist"),
        (
            "Audit__c",
            "<length>131072</length><type>LongTextArea</type>",
            "131072 characters and would be cut to 100000",
        ),
        ("Sync_Mark__c", "<length>20</length><type>Text</type>", "exists as string, not as a formula"),
        ("Products__c", "<type>Text</type><formula>Name</formula>", "exists as a formula (string), not as Text"),
    ],
)
def test_a_field_of_another_shape_is_an_obstacle_that_a_person_must_remove(
    org: EmulatedOrg, name: str, definition: str, finding: str
) -> None:
    make_field_by_hand(org.emulator, name, definition)
    (obstacle,) = find_obstacles(org.salesforce, product_package())
    assert finding in str(obstacle)
    assert not obstacle.mends
    assert "rename it or delete it" in obstacle.remedy


def test_a_shorter_field_is_lengthened_by_the_deployment(org: EmulatedOrg) -> None:
    make_field_by_hand(org.emulator, "Products__c", "<length>80</length><type>Text</type>")
    assert find_obstacles(org.salesforce, product_package()) == []
    assert org.client.deploy(product_package()).success


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        ("<referenceTo>Opportunity</referenceTo><type>Lookup</type>", "a lookup to Opportunity"),
        ("<referenceTo>Account</referenceTo><relationshipName>Rows</relationshipName><type>MasterDetail</type>",
         "a master-detail to Account"),
    ],
)  # fmt: skip
def test_a_reference_of_another_kind_or_to_another_object_is_an_obstacle(
    org: EmulatedOrg, definition: str, found: str
) -> None:
    org.client.deploy(product_package())
    xml = f'<CustomField xmlns="{NAMESPACE}"><fullName>Opportunity__c</fullName><label>Old</label>{definition}'
    org.emulator.make_field("Cosell_Deal_Solution__c", f"{xml}</CustomField>")
    (obstacle,) = find_obstacles(org.salesforce, product_package())
    assert f"exists as {found}, not as a MasterDetail to Opportunity" in str(obstacle)
