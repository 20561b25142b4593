"""A country is understood however the org writes it (docs/mapping.md#countries-and-states)."""

import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import CUSTOMER, microsoft_sends_deal, opportunity_of

SPELLINGS = ("DE", "de", "Germany", "GERMANY", "Deutschland", "Federal Republic of Germany", "DEU", "ドイツ")


def deal_from(harness: Harness, country: str | None, state: str | None = None, **fields: object) -> str:
    """A deal of a customer in this country arrives. Returns the opportunity's id."""
    address = {**CUSTOMER["address"], "country": country, "state": state}  # type: ignore[dict-item]  # it is a mapping
    referral = microsoft_sends_deal(harness, customerProfile={"address": address}, **fields)
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def account_of(harness: Harness, deal: str) -> dict[str, object]:
    """The account of an opportunity."""
    return dict(harness.salesforce.record("Account", harness.opportunity(deal)["AccountId"]))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_country_is_sent_as_its_code_however_the_account_spells_it(harness: Harness, spelling: str) -> None:
    deal = harness.seller_creates(AccountId=harness.account_id("Tailspin Toys", spelling))
    harness.push()
    assert harness.referral_of(deal)["customerProfile"]["address"]["country"] == "DE"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_account_is_found_however_it_spells_its_country(harness: Harness, spelling: str) -> None:
    account = harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": spelling})
    harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "Sweden"})
    for name in ("Robots", "More robots"):
        assert account_of(harness, deal_from(harness, "DE", name=name))["Id"] == account
    assert len(harness.salesforce.records("Account")) == 2
