"""State and country picklists: docs/reference/salesforce.md#state-and-country-picklists."""

import base64
from typing import Any

import pytest

from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.write_paths import codes_by_path, errors_by_path

REFUSED = {("FIELD_INTEGRITY_EXCEPTION",)}
ACCOUNT = {"Name": "A"}
COLUMNS = ("BillingCountry", "BillingCountryCode", "BillingState", "BillingStateCode")


def _address(api: ApiSession, account: str) -> tuple[Any, ...]:
    record = api.emulator.record("Account", account)
    return tuple(record[name] for name in COLUMNS)


def _make_account(api: ApiSession, **values: object) -> str:
    answer = api("POST", "/sobjects/Account", {**ACCOUNT, **values})
    assert answer.status == 201, answer.body
    made: str = answer.json()["id"]
    return made


def test_without_the_switch_any_text_is_taken_and_there_are_no_codes(api: ApiSession) -> None:
    assert codes_by_path(api, "Account", {**ACCOUNT, "BillingState": "x", "BillingCountry": "y"}) == {()}
    assert api.query_refusal("SELECT BillingCountryCode FROM Account")[0] == "INVALID_FIELD"


@pytest.mark.parametrize(
    "values",
    [
        {"BillingCountry": "United States", "BillingState": "Washington"},
        {"BillingCountry": "united states", "BillingStateCode": "wa"},
        {"BillingCountryCode": "us", "BillingStateCode": "WA"},
        {"BillingCountryCode": "US", "BillingCountry": "United States", "BillingState": "Washington"},
    ],
)
def test_names_and_codes_fill_each_other(api: ApiSession, values: dict[str, object]) -> None:
    control(api.emulator, "address_picklists")
    assert _address(api, _make_account(api, **values)) == ("United States", "US", "Washington", "WA")


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"BillingCountry": "Deutschland"}, "BillingCountry", "list of valid countries.: Billing Country"),
        ({"BillingCountry": "DE"}, "BillingCountry", "list of valid countries.: Billing Country"),
        ({"BillingCountryCode": "XX"}, "BillingCountryCode", "valid countries.: Billing Country Code"),
        ({"BillingCountry": "Germany", "BillingCountryCode": "FR"}, "BillingCountry", "valid countries"),
        ({"BillingState": "Washington"}, "BillingState", "must be specified before specifying a state value"),
        ({"BillingCountry": "Canada", "BillingState": "Washington"}, "BillingState", "valid states.: Billing State"),
        ({"BillingCountry": "Canada", "BillingStateCode": "WA"}, "BillingStateCode", "valid states"),
        ({"BillingCountry": "Germany", "BillingState": "Bayern"}, "BillingState", "valid states"),
        ({"ShippingCountry": "Nowhere"}, "ShippingCountry", "valid countries"),
    ],
)
def test_every_write_of_what_the_lists_lack_is_refused(
    api: ApiSession, values: dict[str, object], field: str, text: str
) -> None:
    control(api.emulator, "address_picklists")
    edited = _make_account(api)
    for record in ("", edited):
        found = errors_by_path(api, "Account", {**ACCOUNT, **values}, edited=record)
        assert codes_by_path(api, "Account", {**ACCOUNT, **values}, edited=record) == REFUSED
        for errors in found.values():
            assert (errors[0]["fields"], text in errors[0]["message"]) == ([field], True)


def test_a_contact_has_them_too(api: ApiSession) -> None:
    control(api.emulator, "address_picklists")
    assert codes_by_path(api, "Contact", {"LastName": "L", "MailingCountry": "Elsewhere"}) == REFUSED
    assert codes_by_path(api, "Contact", {"LastName": "L", "MailingCountryCode": "FR"}) == {()}


def test_a_changed_country_must_know_the_state_that_is_there(api: ApiSession) -> None:
    control(api.emulator, "address_picklists")
    account = _make_account(api, BillingCountryCode="US", BillingStateCode="WA")
    (error,) = errors_by_path(api, "Account", {"BillingCountry": "France"}, edited=account)["single"]
    assert "doesn't recognize the state value for field: Billing State/Province" in error["message"]
    assert codes_by_path(api, "Account", {"BillingCountry": None}, edited=account) == REFUSED
    assert codes_by_path(api, "Account", {"BillingCountry": "France", "BillingState": None}, edited=account) == {()}
    assert _address(api, account) == ("France", "FR", None, None)
    assert codes_by_path(api, "Account", {"BillingCountryCode": None}, edited=account) == {()}
    assert _address(api, account) == (None, None, None, None)


def test_an_integration_value_may_differ_from_the_name(api: ApiSession) -> None:
    control(api.emulator, "address_picklists", names={"US": "USA"})
    assert codes_by_path(api, "Account", {**ACCOUNT, "BillingCountry": "United States"}) == REFUSED
    assert _address(api, _make_account(api, BillingCountryCode="US"))[0] == "USA"


def test_stored_addresses_keep_their_text_and_get_the_codes_that_fit(api: ApiSession) -> None:
    known = api.emulator.insert("Account", {**ACCOUNT, "BillingCountry": "Canada", "BillingState": "Ontario"})
    odd = api.emulator.insert("Account", {**ACCOUNT, "BillingCountry": "Elsewhere"})
    control(api.emulator, "address_picklists")
    assert _address(api, known) == ("Canada", "CA", "Ontario", "ON")
    assert _address(api, odd) == ("Elsewhere", None, None, None)
    assert codes_by_path(api, "Account", {"Name": "B"}, edited=odd) == {()}
    assert codes_by_path(api, "Account", {"BillingCountryCode": "FR"}, edited=odd) == {()}


def test_describe_tells_the_codes_and_which_states_belong_to_a_country(api: ApiSession) -> None:
    control(api.emulator, "address_picklists")
    fields = {each["name"]: each for each in api("GET", "/sobjects/Account/describe").json()["fields"]}
    countries, states = fields["BillingCountryCode"], fields["BillingStateCode"]
    assert (countries["type"], countries["restrictedPicklist"], countries["dependentPicklist"]) == (
        "picklist", True, False,
    )  # fmt: skip
    assert (states["controllerName"], states["dependentPicklist"]) == ("BillingCountryCode", True)
    assert fields["BillingCountry"]["type"] == "string"
    places = [each["value"] for each in countries["picklistValues"]]
    washington = next(each for each in states["picklistValues"] if each["label"] == "Washington")
    bits = base64.b64decode(washington["validFor"])
    valid = [places[at] for at in range(len(bits) * 8) if bits[at // 8] & 0x80 >> at % 8]
    assert (washington["value"], valid) == ("WA", ["US"])
