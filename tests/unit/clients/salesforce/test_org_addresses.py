"""The org is asked how its accounts write countries and states."""

import pytest

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.data.address_picklists import standard_picklists
from shared import __version__
from shared.clients.salesforce import org_addresses, org_shape
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.org_addresses import addresses_in
from shared.clients.salesforce.org_shape import ASK_AGAIN, ask_shape, known_shape
from shared.clients.salesforce.records import Answer
from shared.domain.currencies import OrgCurrencies
from shared.domain.org_addresses import CountrySpelling, OrgAddresses
from shared.domain.org_shape import OrgQuestion
from shared.foundation.errors import Cause, CosellError, Rejected, Unavailable
from shared.mapping.validation import load_mapping
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce
from tests.unit.clients.salesforce.test_org_shape import NOON, Memory

QUESTION = load_mapping()[0].question


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(), fake, salesforce)


def turn_on_picklists(org: EmulatedOrg) -> None:
    picklists = standard_picklists({})
    picklists.switch_on(org.emulator.org)
    org.emulator.org.put_switch(picklists)


def write_accounts(org: EmulatedOrg, *countries: str | None) -> None:
    for number, country in enumerate(countries):
        org.emulator.insert("Account", {"Name": f"Customer {number}", "BillingCountry": country})


def spelling_of(org: EmulatedOrg) -> CountrySpelling | None:
    return ask_shape(org.salesforce, QUESTION).addresses.spelling


def test_the_lists_of_an_org_with_picklists_name_the_states_of_each_country(org: EmulatedOrg) -> None:
    turn_on_picklists(org)
    lists = ask_shape(org.salesforce, QUESTION).addresses.lists
    assert lists is not None
    assert {"US", "DE", "JP"} <= lists.countries
    assert lists.states["US"]["WA"] == "Washington"
    assert lists.states["IE"]["D"] == "Dublin"
    assert "WA" in lists.states["AU"]
    assert lists.states["AU"]["WA"] == "Western Australia"
    assert set(lists.states) == {"AU", "BR", "CA", "CN", "IE", "IN", "IT", "MX", "US"}
    assert len(org.emulator.journal) == 1


def test_a_mapping_file_that_names_the_code_columns_gets_the_same_lists(org: EmulatedOrg) -> None:
    turn_on_picklists(org)
    question = OrgQuestion(QUESTION.ours, QUESTION.paths, "BillingCountryCode", "BILLINGSTATECODE")
    assert ask_shape(org.salesforce, question).addresses == ask_shape(org.salesforce, QUESTION).addresses


@pytest.mark.parametrize(
    ("countries", "has_names", "germany", "united_states"),
    [
        ((), False, "DE", "US"),
        (("DE", "US", "us"), False, "DE", "US"),
        (("Germany", "DE"), False, "DE", "US"),
        (("Atlantis", "Korea", None, "DE"), False, "DE", "US"),
        (("Deutschland", "France", "USA"), True, "Deutschland", "USA"),
        (("Deutschland", "Germany", "Germany", "FR"), True, "Germany", "United States"),
    ],
)
def test_the_spelling_of_an_org_is_that_of_most_of_its_accounts(
    org: EmulatedOrg, countries: tuple[str | None, ...], has_names: bool, germany: str, united_states: str
) -> None:
    write_accounts(org, *countries)
    spelling = spelling_of(org)
    assert spelling is not None
    assert (spelling.has_names, spelling.text("DE"), spelling.text("US")) == (has_names, germany, united_states)


def test_accounts_that_the_connector_created_say_nothing_about_the_org(org: EmulatedOrg) -> None:
    write_accounts(org, "Germany")
    user = org.salesforce.user_id()
    for number in range(3):
        org.emulator.insert("Account", {"Name": f"Ours {number}", "BillingCountry": "DE"}, user=user)
    assert spelling_of(org) == CountrySpelling(has_names=True, names={"DE": "Germany"})


@pytest.mark.parametrize("error", [Rejected(Cause("INVALID_FIELD", None, "", "")), Unavailable("slow")])
def test_a_sample_that_fails_stops_nothing_and_leaves_the_spelling_unknown(error: CosellError) -> None:
    def fail(_soql: str) -> Answer:
        raise error

    column = {"billingcountry": {"name": "BillingCountry", "type": "string"}}
    assert addresses_in(column, QUESTION, fail, lambda: "005") == OrgAddresses()


def test_a_sample_that_fails_keeps_the_former_spelling(org: EmulatedOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    write_accounts(org, "Germany")
    memory = Memory()
    known_shape(org.salesforce, memory, QUESTION, lambda: NOON, __version__)
    monkeypatch.setattr(org.salesforce, "query", lambda *_, **__: pytest.fail("late"))
    monkeypatch.setattr(org_addresses, "_sampled", lambda *_: None)
    monkeypatch.setattr(org_shape, "_currencies", lambda *_, **__: OrgCurrencies(has_several=False))
    shape, _ = known_shape(org.salesforce, memory, QUESTION, lambda: NOON + ASK_AGAIN, __version__)
    assert shape.addresses.spelling == CountrySpelling(has_names=True, names={"DE": "Germany"})


def test_a_picklist_of_names_is_the_spelling_of_its_column() -> None:
    values = [{"value": "Germany", "active": True}, {"value": "France", "active": False}]
    column = {"land__c": {"name": "Land__c", "type": "picklist", "picklistValues": values}}
    question = OrgQuestion({}, country="Land__c")
    found = addresses_in(column, question, lambda _: pytest.fail("nothing is asked"), lambda: "005")
    assert found.spelling == CountrySpelling(has_names=True, names={"DE": "Germany"})


@pytest.mark.parametrize("bits", [None, "", "no base64", "////"])
def test_states_of_unreadable_countries_are_left_out(bits: str | None) -> None:
    country = {"name": "BillingCountryCode", "picklistValues": [{"value": "US", "active": True}]}
    state = {"name": "BillingStateCode", "picklistValues": [{"value": "WA", "active": True, "validFor": bits}]}
    columns = {"billingcountrycode": country, "billingstatecode": state}
    lists = addresses_in(columns, QUESTION, lambda _: pytest.fail("nothing is asked"), lambda: "005").lists
    assert lists is not None
    assert lists.states == ({"US": {"WA": "WA"}} if bits == "////" else {})
