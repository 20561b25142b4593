"""An incomplete opportunity is held, each cause is reported once, and it is sent as soon as it is complete.

Source: docs/protocol.md#states-of-a-link.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Values that keep an opportunity from being sent, the sentence of its audit, and the values that correct it."""

    values: Mapping[str, object]
    sentence: str
    correction: Mapping[str, object] = field(default_factory=dict)


OBSTACLES = {
    "no account": Obstacle({"AccountId": None}, "Account Name is empty"),
    "no amount": Obstacle({"Amount": None}, "Amount or its currency is empty", {"Amount": 5}),
    "no solution": Obstacle({"Products__c": " ; "}, "Products is empty", {"Products__c": "SOL-1"}),
    "no ids": Obstacle(
        {"Products__c": "my product, other,"},
        "no solution ids: my, product, other. Please enter ids such as SOL-15974-MQF",
        {"Products__c": "SOL-15974-MQF, SOL-20011-ABC"},
    ),
    "help asked": Obstacle(
        {"How_can_Microsoft_help__c": "General or Other"},
        "Microsoft is asked for help only with a contact of the customer",
        {"How_can_Microsoft_help__c": None},
    ),
    "on hold": Obstacle(
        {"StageName": "On Hold"}, "is only for deals that Microsoft sent", {"StageName": "Qualification"}
    ),
}


def assert_held_with(harness: Harness, deal: str, sentence: str) -> None:
    """The opportunity is held: it has one audit line and the mark `Failed`, and Partner Center has no referral."""
    assert harness.our_referrals() == []
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"
    lines = harness.audit_texts(deal)
    assert len(lines) == 1
    assert sentence in lines[0]
    assert re.search(r"Please .+[.?]$", lines[0])
    assert harness.stored_link(deal).state is State.HELD


def assert_sent(harness: Harness, deal: str) -> None:
    """The opportunity has a referral, shows its id and the mark `Synced`, and is no longer retried."""
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    harness.push(after=HOUR)
    assert harness.retry_entries(Side.SALESFORCE) == []


@pytest.mark.parametrize("name", OBSTACLES)
def test_an_obstacle_is_reported_once_and_the_corrected_opportunity_is_sent(harness: Harness, name: str) -> None:
    obstacle = OBSTACLES[name]
    deal = harness.seller_creates(**obstacle.values)
    harness.push()
    assert_held_with(harness, deal, obstacle.sentence)
    for _ in range(10):
        harness.push(after=HOUR / 4)
    assert_held_with(harness, deal, obstacle.sentence)
    harness.seller_edits(deal, **(obstacle.correction or {"AccountId": harness.account_id()}))
    harness.push()
    harness.push()
    assert_sent(harness, deal)


ACCOUNT_OBSTACLES: dict[str, tuple[str | None, str]] = {
    "no country": (None, "no Billing Country"),
    "a name of several countries": ("Korea", "Billing Country Korea is not known"),
    "an unknown code": ("XX", "Billing Country XX is not known"),
}


@pytest.mark.parametrize("name", ACCOUNT_OBSTACLES)
def test_correcting_only_the_account_sends_the_opportunity(harness: Harness, name: str) -> None:
    country, sentence = ACCOUNT_OBSTACLES[name]
    account = harness.account_id("Tailspin Toys", country)
    deal = harness.seller_creates(AccountId=account)
    harness.push()
    assert_held_with(harness, deal, sentence)
    harness.push()
    harness.salesforce.edit("Account", account, {"BillingCountry": "de"})
    harness.push()
    harness.push()
    assert_sent(harness, deal)
    assert harness.referral_of(deal)["customerProfile"]["address"]["country"] == "DE"


OWNER_OBSTACLES: dict[str, tuple[dict[str, object], str]] = {
    "no e-mail": ({"Email": None}, "no email address"),
    "no phone": ({"Phone": None}, "no phone number"),
    "no first name": ({"FirstName": None}, "no first name"),
}


@pytest.mark.parametrize("name", OWNER_OBSTACLES)
def test_a_corrected_owner_is_noticed_within_the_hour(harness: Harness, name: str) -> None:
    values, sentence = OWNER_OBSTACLES[name]
    owner = harness.salesforce.records("User")[1]
    harness.salesforce.edit("User", harness.salesforce.seller, values)
    deal = harness.seller_creates()
    harness.push_until_quiet()
    assert_held_with(harness, deal, sentence)
    harness.salesforce.edit("User", harness.salesforce.seller, {name: owner[name] for name in values})
    harness.push(after=HOUR / 2)
    assert_held_with(harness, deal, sentence)
    harness.push(after=HOUR)
    assert_sent(harness, deal)


@pytest.fixture
def harness_with_default_phone(tmp_path: Path) -> Iterator[Harness]:
    """A harness whose mapping has a phone number for owners without one."""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('extends = "default"\n\n[fields.team]\ndefault_phone = "+45 5000 0000"\n', encoding="utf-8")
    with Harness(mapping=mapping) as harness:
        yield harness


def test_an_owner_without_a_phone_gets_the_default_phone(harness_with_default_phone: Harness) -> None:
    harness = harness_with_default_phone
    harness.salesforce.edit("User", harness.salesforce.seller, {"Phone": None})
    deal = harness.seller_creates()
    harness.push()
    assert harness.referral_of(deal)["team"][0]["phoneNumber"] == "+45 5000 0000"


def test_an_opportunity_with_an_unknown_currency_is_held(harness: Harness) -> None:
    administrator = harness.salesforce.founding.administrator
    harness.salesforce.org.insert(
        "CurrencyType", {"IsoCode": "XXX", "ConversionRate": 1, "IsActive": True}, administrator
    )
    deal = harness.seller_creates(CurrencyIsoCode="XXX")
    harness.push()
    assert_held_with(harness, deal, "The currency XXX is not an ISO 4217 code")
    harness.seller_edits(deal, CurrencyIsoCode="EUR")
    harness.push()
    assert_sent(harness, deal)


def test_an_opportunity_on_an_unmapped_stage_is_held(harness: Harness) -> None:
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
    assert_held_with(harness, deal, "Stage Verbal has no matching status")
    harness.seller_edits(deal, StageName="Prospecting")
    harness.push()
    assert_sent(harness, deal)


def test_every_cause_has_its_own_audit_line(harness: Harness) -> None:
    account = harness.account_id("Tailspin Toys", None)
    deal = harness.seller_creates(AccountId=account, Amount=None, Products__c=None)
    harness.push()
    lines = harness.audit_texts(deal)
    assert [word in text for word, text in zip(("Country", "Amount", "Products"), lines, strict=True)] == [True] * 3
    harness.seller_edits(deal, Amount=5)
    harness.push()
    assert harness.audit_texts(deal) == lines  # the remaining obstacles are not reported again
    harness.seller_edits(deal, Products__c="SOL-1")
    harness.salesforce.edit("Account", account, {"BillingCountry": "US"})
    harness.push()
    assert harness.referral_of(deal)
    assert harness.audit_texts(deal)[1:] == lines


def test_a_further_obstacle_is_reported_when_it_appears(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.push()
    harness.seller_edits(deal, Products__c=None)
    harness.push()
    assert ["solution" in line for line in harness.audit_texts(deal)] == [True, False]


def test_a_held_opportunity_costs_one_read_an_hour_and_no_write(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.push_until_quiet()
    before = harness.all_versions()
    for _ in range(59):
        harness.push(after=MINUTE)
    calls = harness.new_calls()
    assert 59 < calls["salesforce.query"] <= 61
    assert calls.keys() == {"salesforce.query"}
    assert harness.all_versions() == before
    assert harness.stored_link(deal).state is State.HELD


def test_a_held_opportunity_that_is_unticked_is_no_longer_looked_at(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.push_until_quiet()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push(after=HOUR)
    harness.push()
    harness.forget_calls()
    harness.push(after=HOUR)
    assert harness.new_calls() == {"salesforce.query": 1}
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_held_opportunity_that_was_unticked_is_sent_when_it_is_ticked_and_complete(harness: Harness) -> None:
    deal = harness.seller_creates(Amount=None)
    harness.push_until_quiet()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push_until_quiet()
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True, Amount=1)
    harness.push()
    harness.push()
    assert_sent(harness, deal)
