"""Person accounts: docs/reference/salesforce.md#person-accounts-and-record-types."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.permission_sets import give_rights
from tests.unit.emulators.salesforce.write_paths import codes_by_path

REFUSED = {("INVALID_FIELD_FOR_INSERT_UPDATE",)}


@pytest.fixture
def person(api: ApiSession) -> str:
    """The record type of people, in an org with person accounts."""
    made: str = control(api.emulator, "person_accounts").json()["person"]
    return made


def test_without_the_switch_no_account_is_a_person(api: ApiSession) -> None:
    assert api.query_refusal("SELECT IsPersonAccount FROM Account")[0] == "INVALID_FIELD"


def test_a_person_has_a_derived_name_and_a_contact(api: ApiSession, person: str) -> None:
    values = {"FirstName": "Anna", "LastName": "Vogel", "PersonEmail": "a@b.example", "RecordTypeId": person}
    account = api("POST", "/sobjects/Account", values).json()["id"]
    record = api.emulator.record("Account", account)
    assert (record["Name"], record["IsPersonAccount"]) == ("Anna Vogel", True)
    contact = api.emulator.record("Contact", record["PersonContactId"])
    assert (contact["Name"], contact["Email"], contact["AccountId"]) == ("Anna Vogel", "a@b.example", account)
    assert contact["IsPersonAccount"] is True
    assert codes_by_path(api, "Account", {"LastName": "Adler"}, edited=account) == {()}
    assert api.emulator.record("Contact", record["PersonContactId"])["Name"] == "Anna Adler"
    soql = "SELECT Name, IsPersonAccount, PersonContact.Email FROM Account WHERE IsPersonAccount = true"
    assert api.query_records(soql)[0]["PersonContact"]["Email"] == "a@b.example"


def test_a_person_takes_no_name_and_needs_a_last_name(api: ApiSession, person: str) -> None:
    assert codes_by_path(api, "Account", {"Name": "Anna", "LastName": "Vogel", "RecordTypeId": person}) == REFUSED
    missing = {("REQUIRED_FIELD_MISSING",)}
    assert codes_by_path(api, "Account", {"FirstName": "Anna", "RecordTypeId": person}) == missing
    account = api.emulator.insert("Account", {"LastName": "Vogel", "RecordTypeId": person})
    assert codes_by_path(api, "Account", {"Name": "Anna"}, edited=account) == REFUSED


@pytest.mark.usefixtures("person")
def test_a_business_takes_its_name_only(api: ApiSession) -> None:
    assert codes_by_path(api, "Account", {"Name": "Acme"}) == {()}
    assert codes_by_path(api, "Account", {"Name": "Acme", "LastName": "Vogel"}) == REFUSED
    assert {each["IsPersonAccount"] for each in api.emulator.records("Account")} == {False}


def test_a_new_account_is_a_person_where_that_is_the_default(api: ApiSession) -> None:
    business = control(api.emulator, "person_accounts", default=True).json()["business"]
    assert codes_by_path(api, "Account", {"Name": "Acme"}) == REFUSED
    assert codes_by_path(api, "Account", {"Name": "Acme", "RecordTypeId": business}) == {()}


def test_an_account_stays_what_it_is(api: ApiSession, person: str) -> None:
    business = api.emulator.insert("Account", {"Name": "Acme"})
    found = codes_by_path(api, "Account", {"RecordTypeId": person}, edited=business)
    assert found == {("INVALID_CROSS_REFERENCE_KEY",)}


def test_accounts_from_before_are_businesses(api: ApiSession) -> None:
    account = api.emulator.insert("Account", {"Name": "Acme"})
    types = control(api.emulator, "person_accounts").json()
    assert api.emulator.record("Account", account)["RecordTypeId"] == types["business"]
    assert codes_by_path(api, "Account", {"Name": "New"}, edited=account) == {()}


def test_a_person_may_be_the_contact_of_a_deal(api: ApiSession, person: str) -> None:
    account = api.emulator.insert("Account", {"LastName": "Vogel", "RecordTypeId": person})
    contact = api.emulator.record("Account", account)["PersonContactId"]
    role = {"OpportunityId": api.create_deal(AccountId=account), "ContactId": contact}
    assert codes_by_path(api, "OpportunityContactRole", role) == {()}


def test_who_sees_the_address_of_contacts_sees_that_of_people(api: ApiSession, person: str) -> None:
    api.emulator.insert("Account", {"LastName": "Vogel", "PersonEmail": "a@b.example", "RecordTypeId": person})
    give_rights(api, {"Account": "rv", "Contact": "rv"}, {"Contact.Email": False})
    assert api.query_records("SELECT PersonEmail FROM Account")[0]["PersonEmail"] == "a@b.example"
    assert api.query_refusal("SELECT PersonMobilePhone FROM Account")[0] == "INVALID_FIELD"


def test_a_describe_that_is_asked_again_shows_the_change(api: ApiSession) -> None:
    api.emulator.clock.set(api.emulator.org.started_at + timedelta(seconds=5))
    api = ApiSession(api.emulator, api.emulator.oauth.issue_session_id(api.emulator.seller))
    headers = {"If-Modified-Since": format_datetime(api.emulator.clock.now(), usegmt=True)}
    assert api("GET", "/sobjects/Account/describe", headers=headers).status == 304
    api.emulator.clock.advance(5)
    control(api.emulator, "person_accounts")
    fields = api("GET", "/sobjects/Account/describe", headers=headers).json()["fields"]
    assert "IsPersonAccount" in {each["name"] for each in fields}


@pytest.fixture
def anna(api: ApiSession, person: str) -> tuple[str, str]:
    """The ids of a person account and of its contact."""
    account = api.emulator.insert("Account", {"LastName": "Vogel", "RecordTypeId": person})
    return account, api.emulator.record("Account", account)["PersonContactId"]


def test_a_person_has_no_other_contacts(api: ApiSession, anna: tuple[str, str]) -> None:
    account, _ = anna
    refused = {("INVALID_PERSON_ACCOUNT_OPERATION",)}
    assert codes_by_path(api, "Contact", {"LastName": "Adler", "AccountId": account}) == refused
    other = api.emulator.insert("Contact", {"LastName": "Adler"})
    assert codes_by_path(api, "Contact", {"AccountId": account}, edited=other) == refused


def test_the_contact_of_a_person_changes_with_its_account_only(api: ApiSession, anna: tuple[str, str]) -> None:
    _, contact = anna
    found = codes_by_path(api, "Contact", {"Title": "CEO"}, edited=contact)
    assert found == {("INVALID_PERSON_ACCOUNT_OPERATION",)}
    answer = api("DELETE", f"/sobjects/Contact/{contact}")
    assert (answer.status, answer.json()[0]["message"]) == (400, "cannot reference person contact")


def test_a_deleted_person_takes_its_contact_along(api: ApiSession, anna: tuple[str, str]) -> None:
    account, contact = anna
    assert api("DELETE", f"/sobjects/Account/{account}").status == 204
    assert api.emulator.record("Contact", contact)["IsDeleted"] is True


def test_the_role_of_a_person_shows_their_account(api: ApiSession, anna: tuple[str, str]) -> None:
    account, contact = anna
    role = {"OpportunityId": api.create_deal(AccountId=account), "ContactId": contact}
    api.emulator.insert("OpportunityContactRole", role)
    soql = "SELECT Contact.IsPersonAccount, Contact.Account.PersonContactId FROM OpportunityContactRole"
    (found,) = api.query_records(soql)
    assert found["Contact"]["IsPersonAccount"] is True
    assert found["Contact"]["Account"]["PersonContactId"] == contact
