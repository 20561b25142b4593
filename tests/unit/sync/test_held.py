"""An opportunity that cannot be sent is held, told why once, and goes by itself once mended (issue: Bad input)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness


@dataclass(frozen=True, slots=True)
class Lack:
    """What is wrong with an opportunity, what its audit says, and how it is mended."""

    values: Mapping[str, object]
    says: str
    mended: Mapping[str, object] = field(default_factory=dict)


SOLUTIONS = ";".join(f"S{number}" for number in range(51))
LACKS = {
    "no account": Lack({"AccountId": None}, "Account Name is empty"),
    "no amount": Lack({"Amount": None}, "Amount or its currency is empty", {"Amount": 5}),
    "no solution": Lack({"Products__c": " ; "}, "Products is empty", {"Products__c": "SOL-1"}),
    "51 solutions": Lack({"Products__c": SOLUTIONS}, "more than 50 solutions", {"Products__c": "SOL-1"}),
    "help asked": Lack(
        {"How_can_Microsoft_help__c": "General or Other"}, "cannot be sent yet", {"How_can_Microsoft_help__c": None}
    ),
    "on hold": Lack({"StageName": "On Hold"}, "is only for deals that Microsoft sent", {"StageName": "Qualification"}),
}


def unanswered(harness: Harness, deal: str, says: str) -> None:
    """The opportunity is held: one line, a cross, nothing at Partner Center."""
    assert harness.referrals() == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    lines = harness.audit_texts(deal)
    assert len(lines) == 1
    assert says in lines[0]
    assert re.search(r"Please .+[.?]$", lines[0])
    assert harness.link(deal).state is State.HELD


def sent(harness: Harness, deal: str) -> None:
    """The opportunity went, and shows it."""
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    harness.push(after=HOUR)
    assert harness.retry_entries(Side.SALESFORCE) == []


@pytest.mark.parametrize("name", LACKS)
def test_a_lack_is_told_once_and_the_mended_opportunity_goes_by_itself(harness: Harness, name: str) -> None:
    lack = LACKS[name]
    deal = harness.seller_creates(**lack.values)
    harness.push()
    unanswered(harness, deal, lack.says)
    for _ in range(10):
        harness.push(after=HOUR / 4)
    unanswered(harness, deal, lack.says)
    harness.seller_edits(deal, **(lack.mended or {"AccountId": harness.account_id()}))
    harness.push()
    harness.push()
    sent(harness, deal)


ACCOUNTS: dict[str, tuple[str | None, str]] = {
    "no country": (None, "no Billing Country"),
    "a country's name": ("Germany", "Billing Country GERMANY is not a two-letter code"),
    "an unknown code": ("XX", "Billing Country XX is not a two-letter code"),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_opportunity_goes_when_only_its_account_is_mended(harness: Harness, name: str) -> None:
    country, says = ACCOUNTS[name]
    account = harness.account_id("Tailspin Toys", country)
    deal = harness.seller_creates(AccountId=account)
    harness.push()
    unanswered(harness, deal, says)
    harness.push()
    harness.salesforce.edit("Account", account, {"BillingCountry": "de"})
    harness.push()
    harness.push()
    sent(harness, deal)
    assert harness.referral_of(deal)["customerProfile"]["address"]["country"] == "DE"


OWNERS: dict[str, tuple[dict[str, object], str]] = {
    "no e-mail": ({"Email": None}, "no email address"),
    "no phone": ({"Phone": None}, "no phone number"),
    "no first name": ({"FirstName": None}, "no first name"),
}


@pytest.mark.parametrize("name", OWNERS)
def test_an_owners_lack_is_found_mended_within_the_hour(harness: Harness, name: str) -> None:
    values, says = OWNERS[name]
    owner = harness.salesforce.records("User")[1]
    harness.salesforce.edit("User", harness.salesforce.seller, values)
    deal = harness.seller_creates()
    harness.quiet()
    unanswered(harness, deal, says)
    harness.salesforce.edit("User", harness.salesforce.seller, {name: owner[name] for name in values})
    harness.push(after=HOUR / 2)
    unanswered(harness, deal, says)
    harness.push(after=HOUR)
    sent(harness, deal)


@pytest.fixture
def with_phone(tmp_path: Path) -> Iterator[Harness]:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('extends = "default"\n\n[fields.team]\ndefault_phone = "+45 5000 0000"\n', encoding="utf-8")
    with Harness(mapping=mapping) as harness:
        yield harness


def test_a_default_phone_stands_in_for_an_owner_without_one(with_phone: Harness) -> None:
    harness = with_phone
    harness.salesforce.edit("User", harness.salesforce.seller, {"Phone": None})
    deal = harness.seller_creates()
    harness.push()
    assert harness.referral_of(deal)["team"][0]["phoneNumber"] == "+45 5000 0000"


def test_a_currency_that_is_none_is_held(harness: Harness) -> None:
    administrator = harness.salesforce.founding.administrator
    harness.salesforce.org.insert(
        "CurrencyType", {"IsoCode": "XXX", "ConversionRate": 1, "IsActive": True}, administrator
    )
    deal = harness.seller_creates(CurrencyIsoCode="XXX")
    harness.push()
    unanswered(harness, deal, "The currency XXX is not an ISO 4217 code")
    harness.seller_edits(deal, CurrencyIsoCode="EUR")
    harness.push()
    sent(harness, deal)


def test_a_stage_that_the_table_does_not_know_is_held(harness: Harness) -> None:
    stage = {
        "MasterLabel": "Verbal",
        "ApiName": "Verbal",
        "IsActive": True,
        "SortOrder": 20,
        "ForecastCategory": "Pipeline",
    }
    harness.salesforce.org.insert("OpportunityStage", stage, harness.salesforce.founding.administrator)
    deal = harness.seller_creates(StageName="Verbal")
    harness.push()
    unanswered(harness, deal, "Stage Verbal has no matching status")
    harness.seller_edits(deal, StageName="Prospecting")
    harness.push()
    sent(harness, deal)


def test_every_cause_has_a_line_of_its_own(harness: Harness) -> None:
    account = harness.account_id("Tailspin Toys", None)
    deal = harness.seller_creates(AccountId=account, Amount=None, Products__c=None)
    harness.push()
    lines = harness.audit_texts(deal)
    assert [word in text for word, text in zip(("Country", "Amount", "Products"), lines, strict=True)] == [True] * 3
    harness.seller_edits(deal, Amount=5)
    harness.push()
    assert harness.audit_texts(deal) == lines  # what is still lacking is not told again
    harness.seller_edits(deal, Products__c="SOL-1")
    harness.salesforce.edit("Account", account, {"BillingCountry": "US"})
    harness.push()
    assert harness.referral_of(deal)
    assert harness.audit_texts(deal)[1:] == lines


def test_a_new_lack_is_told_when_it_comes(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.push()
    harness.seller_edits(deal, Products__c=None)
    harness.push()
    assert ["solution" in line for line in harness.audit_texts(deal)] == [True, False]


def test_a_held_opportunity_costs_a_look_an_hour_and_no_write(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.quiet()
    before = harness.all_versions()
    for _ in range(59):
        harness.push(after=MINUTE)
    looks = harness.calls()
    assert 59 < looks["salesforce.query"] <= 61
    assert looks.keys() == {"salesforce.query"}
    assert harness.all_versions() == before
    assert harness.link(deal).state is State.HELD


def test_an_unflagged_held_opportunity_is_no_longer_looked_at(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.quiet()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push(after=HOUR)
    harness.push()
    harness.calls()
    harness.push(after=HOUR)
    assert harness.calls() == {"salesforce.query": 1}
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_held_and_unflagged_and_flagged_again_it_still_goes_when_mended(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.quiet()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.quiet()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True, Amount=1)
    harness.push()
    harness.push()
    sent(harness, deal)
