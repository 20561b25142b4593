"""Which columns tell whose account it is, and which record type a new account needs."""

import pytest

from shared.domain.currencies import OrgCurrencies
from shared.domain.org_shape import Column, OrgShape, RecordType
from shared.mapping.account_columns import account_columns, business_type
from shared.mapping.validation import load_mapping

FILE = load_mapping()[0]
FIELD = next(field for field in FILE.fields.values() if field.type == "company")
BUSINESS, PERSON = RecordType("Business", "012B"), RecordType("Person", "012P", is_person=True)
PARTNER = RecordType("Partner", "012C")
DEFAULT_BUSINESS = RecordType("B", "012D", is_default=True)
LAST_DEFAULT_BUSINESS = RecordType("Z", "012Z", is_default=True)
DEFAULT_PERSON = RecordType("P", "012Q", is_default=True, is_person=True)


def org(*columns: str, types: tuple[RecordType, ...] = (), has_persons: bool = True) -> OrgShape:
    """An org that shows these columns."""
    shown = {column.casefold(): Column(column) for column in columns}
    return OrgShape(
        OrgCurrencies(has_several=True),
        asked=FILE.question.keys,
        columns=shown,
        has_person_accounts=has_persons,
        record_types={"Account": types},
    )


def test_before_the_org_was_asked_only_what_every_org_has_is_read() -> None:
    columns = account_columns(FIELD, None)
    assert {"BillingStreet", "BillingCity", "BillingPostalCode"} <= set(columns.selects)
    assert not {"DunsNumber", "Website", "IsPersonAccount", "PersonEmail"} & set(columns.selects)
    assert "AccountId" not in columns.contact_selects


def test_what_the_org_shows_is_read_and_what_it_hides_is_not() -> None:
    columns = account_columns(FIELD, org("Account.DunsNumber", "Account.IsPersonAccount", "Contact.AccountId"))
    assert {"DunsNumber", "IsPersonAccount"} <= set(columns.selects)
    assert not {"Website", "BillingStreet", "PersonEmail"} & set(columns.selects)
    assert "AccountId" in columns.contact_selects
    found = columns.candidate({"Id": "001", "Name": "A", "CreatedDate": "2026", "DunsNumber": "12-345-6789"})
    assert (found.duns, found.domain, found.street, found.is_person) == ("123456789", None, "", False)


@pytest.mark.parametrize(
    ("types", "chosen"),
    [
        ((DEFAULT_BUSINESS, PERSON), None),
        ((BUSINESS, PARTNER, LAST_DEFAULT_BUSINESS), None),
        ((DEFAULT_PERSON, PARTNER, BUSINESS), "012B"),
        ((PERSON, BUSINESS), "012B"),
        ((DEFAULT_PERSON,), None),
        ((), None),
    ],
)
def test_a_new_account_is_a_company(types: tuple[RecordType, ...], chosen: str | None) -> None:
    assert business_type(org(types=types)).get("RecordTypeId") == chosen
    assert business_type(org(types=types, has_persons=False)) == {}
    assert business_type(None) == {}
