"""The doctor says how the org writes countries, and names a default that the org's list lacks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from emulators.salesforce.data.address_picklists import AddressPicklists, standard_picklists
from local.systems import Systems
from shared.doctor.finding import ok
from tests.unit.doctor.conftest import Doctor
from tests.unit.doctor.test_doctor_salesforce import use_mapping_file


@pytest.fixture
def org(systems: Systems) -> Iterator[Systems]:
    yield systems
    systems.salesforce.reset_state()


def turn_on(systems: Systems, picklists: AddressPicklists) -> None:
    picklists.switch_on(systems.salesforce.org)
    systems.salesforce.org.put_switch(picklists)


def test_the_spelling_of_countries_is_named(doctor: Doctor, org: Systems) -> None:
    found = doctor.run("countries")["countries"]
    assert found == ok("accounts hold codes of countries, and new ones get them too")
    for number in range(len(org.salesforce.records("Account")) + 1):
        org.salesforce.insert("Account", {"Name": f"Customer {number}", "BillingCountry": "Germany"})
    found = doctor.run("countries")["countries"]
    assert found == ok("accounts hold names of countries, and new ones get them too")


def test_country_picklists_are_named_with_what_they_lack(doctor: Doctor, org: Systems) -> None:
    whole = standard_picklists({})
    fewer = {code: name for code, name in whole.countries.items() if code not in {"KP", "SY"}}
    turn_on(org, replace(whole, countries=fewer))
    found = doctor.run("countries")["countries"]
    sentence = "; accounts in KP, SY arrive without a country, which the list lacks"
    assert found == ok(f"countries are picklists: new accounts get codes{sentence}")


def test_a_default_that_the_list_lacks_is_named(
    doctor: Doctor, org: Systems, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = standard_picklists({})
    turn_on(org, replace(whole, countries={"US": "United States"}, states={}))
    use_mapping_file(monkeypatch, tmp_path, '[fields.account]\ndefault_country = "NO"\n')
    verdict = doctor.failed_verdict("countries")
    assert verdict.found == "default_country is NO, which the org's list of countries lacks"
