"""A new referral carries what the newest documented sample of a create carries, and is not sent without an address.

Source: docs/reference/partner-center.md#creating-a-referral.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.harness import HOUR, Harness

CATALOG = """extends = "default"

[fields.solutions]
publisher = "Contoso"

[fields.solutions.catalog.sol-12345-abc]
name = "Contoso Ledger"

[fields.solutions.catalog.7b1c4c0e-53d0-4c0b-9f53-6b0d5a1f2a10]
name = "Azure Migrate"
publisher = "Microsoft"
solution_type = "1P"
"""


@pytest.fixture
def harness_with_catalog(tmp_path: Path) -> Iterator[Harness]:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(CATALOG, "utf-8")
    with Harness(mapping=mapping) as harness:
        yield harness


def customer_with(harness: Harness, name: str = "Tailspin Toys", **values: object) -> str:
    """The id of a new account with an address in Germany; `values` override."""
    address = {"BillingStreet": "1 Main Street", "BillingCity": "Berlin", "BillingCountry": "DE"}
    return harness.salesforce.insert("Account", {"Name": name, **address, **values})


@pytest.mark.parametrize(
    ("employees", "size"),
    [
        (1, "1to9employees"),
        (9, "1to9employees"),
        (10, "10to50employees"),
        (250, "51to250employees"),
        (251, "251to1000employees"),
        (5_000, "1001to5000employees"),
        (10_000, "5001to10000employees"),
        (20_000, "10001to20000employees"),
        (20_001, "Morethan20000employees"),
        (0, None),
        (None, None),
    ],
)
def test_the_size_of_the_customer_is_sent(harness: Harness, employees: int | None, size: str | None) -> None:
    deal = harness.seller_creates(AccountId=customer_with(harness, NumberOfEmployees=employees))
    harness.push()
    assert harness.referral_of(deal)["customerProfile"]["size"] == size
    harness.run_rounds(2)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_solution_is_sent_with_name_publisher_and_type(harness_with_catalog: Harness) -> None:
    guid = "7b1c4c0e-53d0-4c0b-9f53-6b0d5a1f2a10"
    deal = harness_with_catalog.seller_creates(Products__c=f"SOL-12345-ABC, SOL-1, MachineLearning, {guid}")
    harness_with_catalog.push()
    tags = harness_with_catalog.referral_of(deal)["details"]["requirements"]["solutions"]
    assert [(tag["id"], tag["type"], tag["name"], tag["publisherName"], tag["solutionType"]) for tag in tags] == [
        ("SOL-12345-ABC", "Name", "Contoso Ledger", "Contoso", "3P"),
        ("SOL-1", "Name", "SOL-1", "Contoso", "3P"),
        ("MachineLearning", "Category", "MachineLearning", None, None),
        (guid, "Name", "Azure Migrate", "Microsoft", "1P"),
    ]


def test_the_consent_to_contact_specific_partners_is_sent(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.push()
    assert harness.referral_of(deal)["consent"]["consentToMicrosoftToContactSpecificPartners"] is True


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ({"BillingStreet": None}, "The account has no Billing Street. Please enter it on the account."),
        ({"BillingCity": None}, "The account has no Billing City. Please enter it on the account."),
        (
            {"BillingStreet": None, "BillingCity": None},
            "The account has no Billing Street and Billing City. Please enter it on the account.",
        ),
    ],
)
def test_an_opportunity_waits_for_the_address_of_its_account(
    harness: Harness, missing: dict[str, Any], sentence: str
) -> None:
    account = customer_with(harness, **missing)
    deal = harness.seller_creates(AccountId=account)
    harness.push()
    harness.push(after=HOUR)
    assert harness.our_referrals() == []
    assert harness.new_calls()["partner_center.create"] == 0
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert harness.count_in_audit(deal, f"Not synced: {sentence}") == 1
    harness.salesforce.edit("Account", account, {"BillingStreet": "1 Main Street", "BillingCity": "Berlin"})
    harness.push()
    harness.push()
    assert harness.referral_of(deal)["customerProfile"]["address"]["city"] == "Berlin"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_the_mapping_file_can_do_without_the_address(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('extends = "default"\n[fields.account]\ndemanded = []\n', "utf-8")
    with Harness(mapping=mapping) as harness:
        harness.partner_center.switches.demand_complete = False
        deal = harness.seller_creates(AccountId=customer_with(harness, BillingStreet=None, BillingCity=None))
        harness.push()
        assert harness.referral_of(deal)["customerProfile"]["address"]["addressLine1"] is None


def test_a_deal_is_sent_without_a_size_that_the_integration_user_may_not_see(harness: Harness) -> None:
    """The permission set of the package of 0.3.0 does not grant the field."""
    account = customer_with(harness, NumberOfEmployees=30)
    del harness.salesforce.org.model.get("Account").fields["numberofemployees"]
    try:
        deal = harness.seller_creates(AccountId=account)
        harness.push_until_quiet()
        assert harness.referral_of(deal)["customerProfile"]["size"] is None
        assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
        harness.seller_edits(deal, Amount=7)
        harness.run_rounds(1)
        assert harness.referral_of(deal)["details"]["dealValue"] == 7
    finally:
        harness.salesforce.reset_state()
