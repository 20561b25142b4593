"""Every country of ISO 3166-1 that is written into an account is read from it again, in each kind of org."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.country_names import country_code
from shared.domain.deal import Company
from shared.domain.iso_codes import COUNTRIES
from shared.domain.org_addresses import AddressLists, CountrySpelling, OrgAddresses, spelling_in
from shared.mapping.company_field import CompanyField
from shared.mapping.validation import load_mapping
from tests.unit.domain.country_list import FILE

NAMES = [name for line in FILE.read_text("utf-8").splitlines() for name in line.partition(" ")[2].split("|")]
STATES = {code: {"A1": "First", "B2": "Second"} for code in COUNTRIES}
ORGS = {
    "nothing is known": OrgAddresses(),
    "codes": OrgAddresses(spelling=CountrySpelling()),
    "names": OrgAddresses(spelling=CountrySpelling(has_names=True)),
    "picklists": OrgAddresses(AddressLists(COUNTRIES, STATES)),
}
field = load_mapping()[0].fields["account"]
assert isinstance(field, CompanyField)
FIELD = field


def read_back(org: OrgAddresses, country: str, state: str | None = None) -> tuple[str | None, Company | None, Any]:
    """The country of the account that is found, and the customer that is sent; and what was written."""
    customer = Company("Northwind", country, "1 Main Street", "Seattle", state)
    field = FIELD.for_org(org)
    written = field.account_values(customer)
    return field.country_of(written), field.read_record({"Account": written}), written


@pytest.mark.parametrize("kind", ORGS)
def test_every_country_round_trips(kind: str) -> None:
    for code in sorted(COUNTRIES):
        found, sent, written = read_back(ORGS[kind], code)
        assert (found, sent and sent.country) == (code, code), written
        assert list(FIELD.for_org(ORGS[kind]).unlisted_parts(Company("Northwind", code))) == []


@given(
    st.lists(st.sampled_from([*NAMES, *sorted(COUNTRIES), "Atlantis", ""]), max_size=8),
    st.sampled_from(sorted(COUNTRIES)),
)
def test_every_country_round_trips_whatever_the_accounts_of_an_org_hold(texts: list[str], code: str) -> None:
    found, sent, written = read_back(OrgAddresses(spelling=spelling_in(texts)), code)
    assert (found, sent and sent.country) == (code, code), written


@given(st.text(max_size=12), st.sampled_from(sorted(COUNTRIES)))
def test_a_state_is_written_as_a_code_of_its_country_or_not_at_all(text: str, country: str) -> None:
    _, sent, written = read_back(ORGS["picklists"], country, text or None)
    code = written.get("BillingStateCode")
    assert code in (None, *STATES[country])
    assert "BillingState" not in written
    assert sent is not None
    assert sent.state == code


@given(st.text(max_size=20))
def test_any_text_means_one_country_or_none(text: str) -> None:
    assert country_code(text) in (None, *COUNTRIES)
