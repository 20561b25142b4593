"""A country is understood however the org writes it (docs/mapping.md#countries-and-states)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from emulators.salesforce.data.address_picklists import AddressPicklists, standard_picklists
from shared.sync.ports import Result
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import CUSTOMER, microsoft_sends_deal, opportunity_of

SPELLINGS = ("DE", "de", "Germany", "GERMANY", "Deutschland", "Federal Republic of Germany", "DEU", "ドイツ")


def deal_from(harness: Harness, country: str | None, state: str | None = None, **fields: object) -> str:
    """A deal of a customer in this country arrives. Returns the opportunity's id."""
    address = {**CUSTOMER["address"], "country": country, "state": state}  # type: ignore[dict-item]  # it is a mapping
    referral = microsoft_sends_deal(harness, customerProfile={"address": address}, **fields)
    harness.pull_event(referral, after=1.0)
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


# --- an org that writes names


def org_with_names(harness: Harness) -> None:
    """The accounts of this org hold names of countries, among them USA."""
    for number, country in enumerate(("Germany", "USA", "France")):
        harness.salesforce.insert("Account", {"Name": f"Customer {number}", "BillingCountry": country})
    harness.ask_org_again()


@pytest.mark.parametrize(("code", "name"), [("US", "USA"), ("DE", "Germany"), ("KR", "South Korea")])
def test_a_new_account_of_an_org_with_names_gets_the_name_that_the_org_uses(
    harness: Harness, code: str, name: str
) -> None:
    org_with_names(harness)
    deals = [deal_from(harness, code, "WA", name=name) for name in ("Robots", "More robots")]
    accounts = [account_of(harness, deal) for deal in deals]
    assert [(account["BillingCountry"], account["BillingState"]) for account in accounts] == [(name, "WA")] * 2
    assert accounts[0]["Id"] == accounts[1]["Id"]
    harness.run_rounds()
    assert "Account Name" not in str(harness.opportunity(deals[0])["Audit__c"])


def test_a_new_account_of_an_org_with_codes_gets_the_code(harness: Harness) -> None:
    for number, country in enumerate(("DE", "US", "Germany")):
        harness.salesforce.insert("Account", {"Name": f"Customer {number}", "BillingCountry": country})
    harness.ask_org_again()
    assert account_of(harness, deal_from(harness, "DE"))["BillingCountry"] == "DE"


# --- an org with picklists


def org_with_picklists(harness: Harness, lists: AddressPicklists | None = None) -> None:
    """The org turns its state and country picklists on, and the hour in which it is not asked passes."""
    harness.account_id()  # the account of all other deals, with a text
    picklists = lists or standard_picklists({"DE": "Deutschland!"})
    picklists.switch_on(harness.salesforce.org)
    harness.salesforce.org.put_switch(picklists)
    harness.ask_org_again()


ADDRESS = {"Name": "Tailspin Toys", "BillingStreet": "1 Main Street", "BillingCity": "Seattle"}


def test_codes_are_sent_from_an_org_with_picklists(harness: Harness) -> None:
    org_with_picklists(harness)
    codes = {"BillingCountryCode": "US", "BillingStateCode": "WA"}
    deal = harness.seller_creates(AccountId=harness.salesforce.insert("Account", ADDRESS | codes))
    harness.push()
    address = harness.referral_of(deal)["customerProfile"]["address"]
    assert (address["country"], address["state"]) == ("US", "WA")


def test_an_account_that_is_older_than_the_picklists_is_read_by_its_text(harness: Harness) -> None:
    text = {"BillingCountry": "USA", "BillingState": "Wash."}
    account = harness.salesforce.insert("Account", ADDRESS | text)
    org_with_picklists(harness)
    deal = harness.seller_creates(AccountId=account)
    harness.push()
    address = harness.referral_of(deal)["customerProfile"]["address"]
    assert (address["country"], address["state"]) == ("US", "Wash.")


@pytest.mark.parametrize(
    ("country", "state", "code"),
    [("DE", None, None), ("US", "WA", "WA"), ("US", "US-WA", "WA"), ("AU", "victoria", "VIC")],
)
def test_a_new_account_of_an_org_with_picklists_gets_codes(
    harness: Harness, country: str, state: str | None, code: str | None
) -> None:
    org_with_picklists(harness)
    deals = [deal_from(harness, country, state, name=name) for name in ("Robots", "More robots")]
    accounts = [account_of(harness, deal) for deal in deals]
    assert (accounts[0]["BillingCountryCode"], accounts[0]["BillingStateCode"]) == (country, code)
    assert accounts[0]["Id"] == accounts[1]["Id"]
    assert "for AU" not in str(harness.opportunity(deals[0])["Audit__c"])


@pytest.mark.parametrize(("country", "state"), [("US", "Bavaria"), ("DE", "Bayern"), ("DE", "WA")])
def test_a_state_that_does_not_fit_its_country_is_left_out_and_told(harness: Harness, country: str, state: str) -> None:
    org_with_picklists(harness)
    deal = deal_from(harness, country, state)
    account = account_of(harness, deal)
    assert (account["BillingCountryCode"], account["BillingStateCode"]) == (country, None)
    assert harness.count_in_audit(deal, f"This org has no state {state} for {country}.") == 1


def test_a_new_account_without_its_state_shows_no_tick_until_the_state_is_there(harness: Harness) -> None:
    org_with_picklists(harness)
    deal = deal_from(harness, "US", "Bavaria")
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    harness.run_rounds()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"


def test_an_account_that_exists_keeps_its_own_state_and_its_tick(harness: Harness) -> None:
    org_with_picklists(harness)
    first = deal_from(harness, "US", "WA", name="Robots")
    deal = deal_from(harness, "US", "Bavaria", name="More robots")
    assert account_of(harness, deal)["Id"] == account_of(harness, first)["Id"]
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_country_that_the_list_lacks_is_left_out_and_told(harness: Harness) -> None:
    whole = standard_picklists({})
    org_with_picklists(harness, replace(whole, countries={"US": "United States"}, states={}))
    deal, other = deal_from(harness, "DK"), deal_from(harness, "DK", name="More robots")
    account = account_of(harness, deal)
    assert account_of(harness, other)["Id"] == account["Id"]
    assert (account["BillingCountry"], account["BillingCountryCode"]) == (None, None)
    assert harness.count_in_audit(deal, "This org's list of countries lacks DK.") == 1


def test_a_country_without_a_code_of_iso_3166_holds_the_deal_with_a_remedy_that_the_org_allows(
    harness: Harness,
) -> None:
    whole = standard_picklists({})
    org_with_picklists(harness, replace(whole, countries={**whole.countries, "XK": "Kosovo"}))
    account = harness.salesforce.insert("Account", ADDRESS | {"BillingCountryCode": "XK"})
    deal = harness.seller_creates(AccountId=account)
    harness.push()
    assert harness.count_in_audit(deal, "Kosovo is no country of ISO 3166-1.") == 1
    assert harness.count_in_audit(deal, "Please choose another country on the account.") == 1


# --- an org that changes under a running app


def turn_on_picklists(harness: Harness) -> None:
    """The org turns its picklists on, and nobody tells the app."""
    picklists = standard_picklists({})
    picklists.switch_on(harness.salesforce.org)
    harness.salesforce.org.put_switch(picklists)


def turn_off_picklists(harness: Harness) -> None:
    """The org turns its picklists off, and nobody tells the app."""
    org = harness.salesforce.org
    org.switches = [switch for switch in org.switches if not isinstance(switch, AddressPicklists)]
    for name in ("billingcountrycode", "billingstatecode"):
        del org.model.get("Account").fields[name]


def asked_before(harness: Harness, minutes: float) -> None:
    """The app knows what the org answered so many minutes ago."""
    assert harness.translation.org is not None
    harness.store.keep_org_shape(harness.translation.org, harness.now() - timedelta(minutes=minutes))


def test_an_address_that_the_org_refuses_is_left_out_and_told(harness: Harness) -> None:
    turn_on_picklists(harness)
    asked_before(harness, minutes=0)
    deal = deal_from(harness, "DE", "Bayern")
    account = account_of(harness, deal)
    assert (account["BillingCountry"], account["BillingState"], account["BillingCity"]) == (None, None, "Aarhus")
    assert harness.count_in_audit(deal, "Salesforce refused BillingCountry of the new account") == 1


@pytest.mark.parametrize("turn", [turn_on_picklists, turn_off_picklists])
def test_a_deal_waits_until_an_org_that_has_changed_is_asked_again(
    harness: Harness, turn: Callable[[Harness], None]
) -> None:
    if turn is turn_off_picklists:
        turn_on_picklists(harness)
        harness.ask_org_again()
    turn(harness)
    asked_before(harness, minutes=6)
    address = {**CUSTOMER["address"], "country": "DE"}  # type: ignore[dict-item]  # it is a mapping
    referral = microsoft_sends_deal(harness, customerProfile={"address": address})
    outcome = harness.pull_event(referral)
    assert outcome is not None
    assert (outcome.result, outcome.cause) == (Result.RETRY, "org_changed")
    assert harness.first.ctx.salesforce.met_unknown_column
    assert harness.salesforce.records("Account") == []
    harness.ask_org_again()
    asked_before(harness, minutes=0)
    harness.pull_event(referral)
    account = account_of(harness, str(opportunity_of(harness, referral)["Id"]))
    assert account["BillingCountry"] == ("Germany" if turn is turn_on_picklists else "DE")


def test_a_deal_waits_also_if_the_org_changed_minutes_after_it_was_asked(harness: Harness) -> None:
    turn_on_picklists(harness)
    asked_before(harness, minutes=1)
    address = {**CUSTOMER["address"], "country": "DE"}  # type: ignore[dict-item]  # it is a mapping
    referral = microsoft_sends_deal(harness, customerProfile={"address": address})
    outcome = harness.pull_event(referral, after=1.0)
    assert outcome is not None
    assert (outcome.cause, outcome.at) == ("org_changed", harness.now() + timedelta(minutes=4) - timedelta(seconds=1))
    harness.ask_org_again()
    harness.pull_event(referral)
    assert account_of(harness, str(opportunity_of(harness, referral)["Id"]))["BillingCountryCode"] == "DE"


def test_a_deal_waits_if_another_instance_has_a_newer_answer_of_the_org(harness: Harness) -> None:
    turn_on_picklists(harness)
    stale = harness.first
    harness.ask_org_again()
    asked_before(harness, minutes=0)
    referral = microsoft_sends_deal(harness)
    harness.first = stale
    outcome = harness.pull_event(referral)
    assert outcome is not None
    assert outcome.cause == "org_changed"


def test_deals_are_read_on_after_the_org_has_turned_its_picklists_off(harness: Harness) -> None:
    turn_on_picklists(harness)
    harness.ask_org_again()
    turn_off_picklists(harness)
    deal = harness.seller_creates(AccountId=harness.account_id("Tailspin Toys", "Germany"))
    harness.push()
    assert harness.referral_of(deal)["customerProfile"]["address"]["country"] == "DE"
