"""A value of a shared deal that nobody can read is left alone, told once, and travels again once it is mended."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet


@dataclass(frozen=True, slots=True)
class Spoiled:
    """An edit that cannot be read, another of the same kind, what the audit says of both, and how it is mended."""

    values: Mapping[str, object]
    others: Mapping[str, object]
    says: str
    mended: Mapping[str, object]


KINDS = {
    "stage": Spoiled(
        {"StageName": "Verbal"}, {"StageName": "Whispered"}, "Stage {} has no matching status in Partner Center.",
        {"StageName": "Proposal/Price Quote"},
    ),
    "currency": Spoiled(
        {"CurrencyIsoCode": "XXX"}, {"CurrencyIsoCode": "XTS"}, "The currency {} is not an ISO 4217 code.",
        {"CurrencyIsoCode": "EUR"},
    ),
}  # fmt: skip


def called(values: Mapping[str, object]) -> str:
    """The value that cannot be read."""
    (value,) = values.values()
    return str(value)


@pytest.fixture
def org(harness: Harness) -> Harness:
    """An org with stages and currencies that the mapping does not know."""
    administrator = harness.salesforce.founding.administrator
    for code in ("XXX", "XTS"):
        currency = {"IsoCode": code, "ConversionRate": 1, "IsActive": True}
        harness.salesforce.org.insert("CurrencyType", currency, administrator)
    for name in ("Verbal", "Whispered"):
        stage = {"MasterLabel": name, "ApiName": name, "IsActive": True, "ForecastCategory": "Pipeline"}
        harness.salesforce.org.insert("OpportunityStage", {**stage, "SortOrder": 20}, administrator)
    return harness


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Spoiled:
    return KINDS[request.param]


def test_it_is_left_alone_and_told_once_and_the_rest_travels(org: Harness, kind: Spoiled) -> None:
    deal = org.shared()
    before = org.referral_of(deal)
    org.seller_edits(deal, **kind.values)
    org.run_rounds()
    org.seller_edits(deal, Description="Still told")
    org.run_rounds()
    after = org.referral_of(deal)
    assert after["details"]["notes"] == "Still told"
    assert (after["status"], after["details"]["currency"]) == (before["status"], before["details"]["currency"])
    assert org.opportunity(deal).items() >= kind.values.items()
    assert org.count_in_audit(deal, kind.says.format(called(kind.values))) == 1
    assert org.opportunity(deal)["Sync_Status__c"] == "Failed"
    assert_quiet(org)


def test_another_cause_is_told_again(org: Harness, kind: Spoiled) -> None:
    deal = org.shared()
    for values in (kind.values, kind.others):
        org.seller_edits(deal, **values)
        org.run_rounds()
    assert [org.count_in_audit(deal, kind.says.format(called(one))) for one in (kind.values, kind.others)] == [1, 1]
    assert_quiet(org)


def test_once_mended_it_travels_and_the_cross_goes(org: Harness, kind: Spoiled) -> None:
    deal = org.shared()
    org.seller_edits(deal, **kind.values)
    org.run_rounds()
    org.seller_edits(deal, **kind.mended)
    org.run_rounds()
    assert org.differences(deal) == []
    assert org.opportunity(deal).items() >= kind.mended.items()
    assert org.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(org)


def test_what_a_colleague_edits_meanwhile_arrives_once_it_is_mended(org: Harness) -> None:
    deal = org.shared()
    referral = org.referral_of(deal)["id"]
    org.seller_edits(deal, CurrencyIsoCode="XXX")
    org.push()
    org.colleague_edits(referral, details_dealValue=12000, details_notes="From the portal")
    org.event(referral)
    org.run_rounds()
    assert (org.opportunity(deal)["Amount"], org.opportunity(deal)["Description"]) == (
        10000,
        "From the portal",
    )
    org.seller_edits(deal, CurrencyIsoCode="USD")
    org.run_rounds()
    assert org.opportunity(deal)["Amount"] == 12000
    assert org.differences(deal) == []
    assert_quiet(org)


def test_the_telling_costs_no_more_than_the_write_back(org: Harness, kind: Spoiled) -> None:
    deal = org.shared()
    org.seller_edits(deal, **kind.values)
    org.push()
    assert org.calls() == {"salesforce.query": 2, "salesforce.write_back": 1}
    org.push()
    assert org.calls() == {"salesforce.query": 2}
    org.push()
    assert org.calls() == {"salesforce.query": 1}


def test_on_a_deal_that_microsoft_sent_it_is_told_as_well(org: Harness) -> None:
    _, deal = arrived_deal(org)
    org.seller_edits(deal, StageName="Verbal")
    org.run_rounds()
    assert org.count_in_audit(deal, "Stage Verbal has no matching status in Partner Center.") == 1
    org.seller_edits(deal, StageName="Qualification")
    org.run_rounds()
    assert org.differences(deal) == []
    assert_quiet(org)
