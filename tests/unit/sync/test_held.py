"""An opportunity that cannot be sent is held, told why once, and goes by itself once mended (issue: Bad input)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.bench import HOUR, MINUTE, Bench


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


def unanswered(bench: Bench, deal: str, says: str) -> None:
    """The opportunity is held: one line, a cross, nothing at Partner Center."""
    assert bench.referrals() == []
    assert bench.row(deal)["Sync_Status__c"] == "Failed"
    lines = bench.audit(deal)
    assert len(lines) == 1
    assert says in lines[0]
    assert re.search(r"Please .+[.?]$", lines[0])
    assert bench.link(deal).state is State.HELD


def sent(bench: Bench, deal: str) -> None:
    """The opportunity went, and shows it."""
    assert bench.row(deal)["Referral_Identifier__c"] == bench.referral_of(deal)["id"]
    assert bench.row(deal)["Sync_Status__c"] == "Synced"
    bench.push(after=HOUR)
    assert bench.due(Side.SALESFORCE) == []


@pytest.mark.parametrize("name", LACKS)
def test_a_lack_is_told_once_and_the_mended_opportunity_goes_by_itself(bench: Bench, name: str) -> None:
    lack = LACKS[name]
    deal = bench.seller_creates(**lack.values)
    bench.push()
    unanswered(bench, deal, lack.says)
    for _ in range(10):
        bench.push(after=HOUR / 4)
    unanswered(bench, deal, lack.says)
    bench.seller_edits(deal, **(lack.mended or {"AccountId": bench.account()}))
    bench.push()
    bench.push()
    sent(bench, deal)


ACCOUNTS: dict[str, tuple[str | None, str]] = {
    "no country": (None, "no Billing Country"),
    "a country's name": ("Germany", "Billing Country GERMANY is not a two-letter code"),
    "an unknown code": ("XX", "Billing Country XX is not a two-letter code"),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_opportunity_goes_when_only_its_account_is_mended(bench: Bench, name: str) -> None:
    country, says = ACCOUNTS[name]
    account = bench.account("Tailspin Toys", country)
    deal = bench.seller_creates(AccountId=account)
    bench.push()
    unanswered(bench, deal, says)
    bench.push()
    bench.salesforce.edit("Account", account, {"BillingCountry": "de"})
    bench.push()
    bench.push()
    sent(bench, deal)
    assert bench.referral_of(deal)["customerProfile"]["address"]["country"] == "DE"


OWNERS: dict[str, tuple[dict[str, object], str]] = {
    "no e-mail": ({"Email": None}, "no email address"),
    "no phone": ({"Phone": None}, "no phone number"),
    "no first name": ({"FirstName": None}, "no first name"),
}


@pytest.mark.parametrize("name", OWNERS)
def test_an_owners_lack_is_found_mended_within_the_hour(bench: Bench, name: str) -> None:
    values, says = OWNERS[name]
    owner = bench.salesforce.records("User")[1]
    bench.salesforce.edit("User", bench.salesforce.seller, values)
    deal = bench.seller_creates()
    bench.quiet()
    unanswered(bench, deal, says)
    bench.salesforce.edit("User", bench.salesforce.seller, {name: owner[name] for name in values})
    bench.push(after=HOUR / 2)
    unanswered(bench, deal, says)
    bench.push(after=HOUR)
    sent(bench, deal)


@pytest.fixture
def with_phone(tmp_path: Path) -> Iterator[Bench]:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('extends = "default"\n\n[fields.team]\ndefault_phone = "+45 5000 0000"\n', encoding="utf-8")
    with Bench(mapping=mapping) as bench:
        yield bench


def test_a_default_phone_stands_in_for_an_owner_without_one(with_phone: Bench) -> None:
    bench = with_phone
    bench.salesforce.edit("User", bench.salesforce.seller, {"Phone": None})
    deal = bench.seller_creates()
    bench.push()
    assert bench.referral_of(deal)["team"][0]["phoneNumber"] == "+45 5000 0000"


def test_a_currency_that_is_none_is_held(bench: Bench) -> None:
    administrator = bench.salesforce.founding.administrator
    bench.salesforce.org.insert(
        "CurrencyType", {"IsoCode": "XXX", "ConversionRate": 1, "IsActive": True}, administrator
    )
    deal = bench.seller_creates(CurrencyIsoCode="XXX")
    bench.push()
    unanswered(bench, deal, "The currency XXX is not an ISO 4217 code")
    bench.seller_edits(deal, CurrencyIsoCode="EUR")
    bench.push()
    sent(bench, deal)


def test_a_stage_that_the_table_does_not_know_is_held(bench: Bench) -> None:
    stage = {
        "MasterLabel": "Verbal",
        "ApiName": "Verbal",
        "IsActive": True,
        "SortOrder": 20,
        "ForecastCategory": "Pipeline",
    }
    bench.salesforce.org.insert("OpportunityStage", stage, bench.salesforce.founding.administrator)
    deal = bench.seller_creates(StageName="Verbal")
    bench.push()
    unanswered(bench, deal, "Stage Verbal has no matching status")
    bench.seller_edits(deal, StageName="Prospecting")
    bench.push()
    sent(bench, deal)


def test_every_cause_has_a_line_of_its_own(bench: Bench) -> None:
    account = bench.account("Tailspin Toys", None)
    deal = bench.seller_creates(AccountId=account, Amount=None, Products__c=None)
    bench.push()
    lines = bench.audit(deal)
    assert [word in text for word, text in zip(("Country", "Amount", "Products"), lines, strict=True)] == [True] * 3
    bench.seller_edits(deal, Amount=5)
    bench.push()
    assert bench.audit(deal) == lines  # what is still lacking is not told again
    bench.seller_edits(deal, Products__c="SOL-1")
    bench.salesforce.edit("Account", account, {"BillingCountry": "US"})
    bench.push()
    assert bench.referral_of(deal)
    assert bench.audit(deal)[1:] == lines


def test_a_new_lack_is_told_when_it_comes(bench: Bench) -> None:
    deal = bench.seller_creates(Amount=None)
    bench.push()
    bench.seller_edits(deal, Products__c=None)
    bench.push()
    assert ["solution" in line for line in bench.audit(deal)] == [True, False]


def test_a_held_opportunity_costs_a_look_an_hour_and_no_write(bench: Bench) -> None:
    deal = bench.seller_creates(Amount=None)
    bench.quiet()
    before = bench.stamps()
    for _ in range(59):
        bench.push(after=MINUTE)
    looks = bench.calls()
    assert 59 < looks["salesforce.query"] <= 61
    assert looks.keys() == {"salesforce.query"}
    assert bench.stamps() == before
    assert bench.link(deal).state is State.HELD


def test_an_unflagged_held_opportunity_is_no_longer_looked_at(bench: Bench) -> None:
    deal = bench.seller_creates(Amount=None)
    bench.quiet()
    bench.seller_edits(deal, Sync_with_Partner_Center__c=False)
    bench.push(after=HOUR)
    bench.push()
    bench.calls()
    bench.push(after=HOUR)
    assert bench.calls() == {"salesforce.query": 1}
    assert bench.due(Side.SALESFORCE) == []


def test_held_and_unflagged_and_flagged_again_it_still_goes_when_mended(bench: Bench) -> None:
    deal = bench.seller_creates(Amount=None)
    bench.quiet()
    bench.seller_edits(deal, Sync_with_Partner_Center__c=False)
    bench.quiet()
    bench.seller_edits(deal, Sync_with_Partner_Center__c=True, Amount=1)
    bench.push()
    bench.push()
    sent(bench, deal)
