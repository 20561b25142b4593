"""A referral that lacks something becomes an opportunity all the same, on defaults that the audit names.

Source: docs/protocol.md#defaults-of-an-arrival.
"""

from pathlib import Path

import pytest

from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import (
    assert_quiet,
    microsoft_sends_deal,
    opportunity_of,
    recover_after_lease,
)

DEFAULT_DAY = "2027-02-20"
"""90 days after the start of the tests."""


def deal_arrives(harness: Harness, **changes: object) -> tuple[str, str]:
    """A deal whose referral has these values, such as `details_closingDateTime`. Returns referral and opportunity."""
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {f"/{path.replace('_', '/')}": value for path, value in changes.items()})
    harness.pull_event(referral)
    return referral, str(opportunity_of(harness, referral)["Id"])


def is_accepted(harness: Harness, referral: str) -> None:
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds(1)


def closing_of(harness: Harness, referral: str) -> object:
    return harness.partner_center.referral(referral)["details"]["closingDateTime"]


def account_of(harness: Harness, opportunity: str) -> dict[str, object]:
    return harness.salesforce.record("Account", harness.opportunity(opportunity)["AccountId"])


# --- closing date -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closing", "sentence", "code"),
    [
        (None, "The referral has no closing date.", "no_closing"),
        ("soon", "The referral's closing date cannot be read.", "unreadable_closing"),
        ("0001-01-01T00:00:00Z", "The referral's closing date cannot be read.", "unreadable_closing"),
    ],
)
def test_a_deal_without_a_closing_date_arrives_on_a_default_that_is_never_sent(
    harness: Harness, closing: object, sentence: str, code: str
) -> None:
    referral, deal = deal_arrives(harness, details_closingDateTime=closing)
    assert harness.opportunity(deal)["CloseDate"] == DEFAULT_DAY
    assert harness.count_in_audit(deal, f"{sentence} Close Date {DEFAULT_DAY} is a default, which is not sent.") == 1
    (event,) = harness.first.log.fields_of("referral_incomplete")
    assert (event["referral_id"], event["opportunity_id"], event["code"]) == (referral, deal, code)
    is_accepted(harness, referral)
    harness.seller_edits(deal, Amount=7, Description="Called them.")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 7
    assert closing_of(harness, referral) == closing
    assert harness.opportunity(deal)["CloseDate"] == DEFAULT_DAY
    assert (harness.opportunity(deal)["Sync_Status__c"], harness.opportunity(deal)["Sync_Mark__c"]) == (
        "Synced with differences",
        "⚠",
    )
    assert harness.count_in_audit(deal, "Close Date") == 1
    assert_quiet(harness)


def test_a_sellers_closing_date_is_sent_in_place_of_the_default(harness: Harness) -> None:
    referral, deal = deal_arrives(harness, details_closingDateTime=None)
    is_accepted(harness, referral)
    harness.seller_edits(deal, CloseDate="2027-05-31")
    harness.run_rounds()
    assert closing_of(harness, referral) == "2027-05-31T00:00:00Z"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


@pytest.mark.parametrize("closing", [None, "soon"])
def test_a_colleagues_closing_date_replaces_the_default_without_a_conflict(harness: Harness, closing: object) -> None:
    referral, deal = deal_arrives(harness, details_closingDateTime=closing)
    is_accepted(harness, referral)
    harness.partner_center.raw_patch(referral, {"/details/closingDateTime": "2027-06-30T00:00:00Z"})
    harness.run_rounds()
    assert harness.opportunity(deal)["CloseDate"] == "2027-06-30"
    assert closing_of(harness, referral) == "2027-06-30T00:00:00Z"
    assert harness.count_in_audit(deal, "changed on both sides") == 0
    assert harness.count_in_audit(deal, f"Close Date {DEFAULT_DAY} → 2027-06-30") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_default_that_a_colleague_enters_too_is_agreed(harness: Harness) -> None:
    referral, deal = deal_arrives(harness, details_closingDateTime=None)
    is_accepted(harness, referral)
    harness.colleague_edits(referral, details_closingDateTime=f"{DEFAULT_DAY}T00:00:00Z")
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


@pytest.mark.parametrize("stopped_at", ["salesforce.create", "store.insert_link"])
@pytest.mark.parametrize("meanwhile", [None, "2027-06-30T00:00:00Z"])
def test_a_default_is_still_one_after_a_crash(harness: Harness, stopped_at: str, meanwhile: str | None) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/closingDateTime": None})
    victim = harness.new_instance()
    victim.process.interrupt_at(stopped_at, victim.process.crash)
    assert victim.crashes_during(lambda one: one.pull_event(referral))
    if meanwhile:
        harness.partner_center.raw_patch(referral, {"/details/closingDateTime": meanwhile})
    harness.advance_time(2 * 24 * HOUR)
    recover_after_lease(harness)
    is_accepted(harness, referral)
    harness.run_rounds()
    assert closing_of(harness, referral) == meanwhile
    assert_quiet(harness)


def test_the_mapping_file_sets_the_days_and_the_country(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    keys = '[fields.closing]\ndefault_days = 30\n[fields.account]\ndefault_country = "NO"\n'
    mapping.write_text(f'extends = "default"\n{keys}', "utf-8")
    with Harness(mapping=mapping) as harness:
        _, deal = deal_arrives(harness, details_closingDateTime=None, customerProfile_address_country=None)
        assert harness.opportunity(deal)["CloseDate"] == "2026-12-22"
        assert account_of(harness, deal)["BillingCountry"] == "NO"
        assert harness.count_in_audit(deal, "The referral has no country.") == 1
        assert harness.count_in_audit(deal, "is new with country NO.") == 1
        harness.run_rounds()
        assert harness.count_in_audit(deal, "Account Name") == 0


# --- customer ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "sentences", "codes"),
    [
        ({"city": "Aarhus", "country": None}, ["has no country."], ["no_country"]),
        ({"city": "Aarhus", "country": "Atlantis"}, ["'s country Atlantis is not known."], ["unknown_country"]),
        ({"country": "DK"}, ["has no address."], ["no_address"]),
        (None, ["has no country.", "has no address."], ["no_country", "no_address"]),
    ],
)  # fmt: skip
def test_a_deal_without_a_country_or_an_address_arrives(
    harness: Harness, address: object, sentences: list[str], codes: list[str]
) -> None:
    referral, deal = deal_arrives(harness, customerProfile_address=address)
    assert account_of(harness, deal)["Name"] == "Fabrikam Robotics"
    assert account_of(harness, deal)["BillingCountry"] == ("DK" if codes == ["no_address"] else None)
    for sentence in sentences:
        assert harness.count_in_audit(deal, sentence) == 1
    assert [event["code"] for event in harness.first.log.fields_of("referral_incomplete")] == codes
    assert harness.first.log.fields_of("pair_parked") == []
    is_accepted(harness, referral)
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


@pytest.mark.parametrize(("country", "code"), [("Germany", "DE"), ("the Netherlands", "NL"), ("Côte d'Ivoire", "CI")])
def test_the_english_name_of_a_country_becomes_its_code(harness: Harness, country: str, code: str) -> None:
    account = harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": code})
    _, deal = deal_arrives(harness, customerProfile_address_country=country)
    assert harness.opportunity(deal)["AccountId"] == account
    assert harness.count_in_audit(deal, f"The referral's country {country} was read as {code}.") == 1


def test_the_only_account_with_the_name_is_used_if_the_referral_has_no_country(harness: Harness) -> None:
    account = harness.salesforce.insert("Account", {"Name": "Fabrikam Robotics", "BillingCountry": "SE"})
    _, deal = deal_arrives(harness, customerProfile_address_country=None)
    assert harness.opportunity(deal)["AccountId"] == account
    assert harness.salesforce.record("Account", account)["BillingCountry"] == "SE"
