"""The standard duplicate rules, as shipped: docs/reference/salesforce.md#duplicate-rules."""

from collections.abc import Mapping
from typing import Any

import pytest

from emulators.salesforce.data.errors import ApiError
from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.write_paths import ROOT, codes_by_path

ALLOW = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false"}
REFUSED = {("DUPLICATES_DETECTED",)}
ACME = {"Name": "Acme, Inc.", "BillingStreet": "1 Main Street", "BillingCity": "Redmond"}
PLACE = {"BillingCity": "Redmond", "BillingState": "WA"}
ANNA = {"FirstName": "Anna", "LastName": "Vogel", "Email": "anna@acme.example"}


def _refusal(api: ApiSession, sobject: str, values: Mapping[str, object]) -> dict[str, Any]:
    answer = api("POST", f"/sobjects/{sobject}", values)
    assert answer.status == 400, answer.body
    (error,) = answer.json()
    assert (error["errorCode"], error["message"]) == ("DUPLICATES_DETECTED", "Use one of these records?")
    result: dict[str, Any] = error["duplicateResult"]
    return result


def _found(result: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return [
        (each["entityType"], each["rule"], [match["record"]["Id"] for match in each["matchRecords"]])
        for each in result["matchResults"]
    ]


def test_without_the_switch_twins_are_saved(api: ApiSession) -> None:
    api.emulator.insert("Account", ACME)
    assert codes_by_path(api, "Account", ACME) == {()}


def test_every_creation_of_a_twin_is_refused_and_names_the_matches(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    first = api.emulator.insert("Account", ACME)
    second = api.emulator.insert("Account", {**ACME, "Name": "ACME"})
    assert codes_by_path(api, "Account", {**ACME, "Name": "acme"}) == REFUSED
    result = _refusal(api, "Account", ACME)
    assert (result["allowSave"], result["duplicateRule"]) == (True, "Standard_Account_Duplicate_Rule")
    assert _found(result) == [("Account", "Standard_Account_Match_Rule_v1_0", [first, second])]
    record = result["matchResults"][0]["matchRecords"][0]["record"]
    assert record["attributes"] == {"type": "Account", "url": f"{ROOT}/sobjects/Account/{first}"}


def test_the_header_allows_the_save_but_a_subrequest_does_not_inherit_it(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    api.emulator.insert("Account", ACME)
    assert api("POST", "/sobjects/Account", ACME, ALLOW).status == 201
    record = {"attributes": {"type": "Account"}, **ACME}
    (result,) = api("POST", "/composite/sobjects", {"records": [record]}, ALLOW).json()
    assert result["success"] is True
    subrequest = {"method": "POST", "url": f"{ROOT}/sobjects/Account", "referenceId": "a", "body": ACME}
    codes = []
    for headers in ({}, ALLOW):
        body = {"compositeRequest": [{**subrequest, "httpHeaders": headers}]}
        (response,) = api("POST", "/composite", body, ALLOW).json()["compositeResponse"]
        codes.append(response["httpStatusCode"])
    assert codes == [400, 201]


def test_a_rule_that_blocks_is_passed_by_nobody(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules", blocks=["Account"])
    api.emulator.insert("Account", ACME)
    assert _refusal(api, "Account", ACME)["allowSave"] is False
    assert api("POST", "/sobjects/Account", ACME, ALLOW).status == 400
    with pytest.raises(ApiError):
        api.emulator.insert("Account", ACME)


def test_the_header_of_a_step_saves_it_in_a_graph(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    api.emulator.insert("Account", ACME)
    step = {"method": "POST", "url": f"{ROOT}/sobjects/Account", "referenceId": "a", "body": ACME}
    for headers, is_saved in (({}, False), (ALLOW, True)):
        graph = {"graphId": "1", "compositeRequest": [{**step, "httpHeaders": headers}]}
        (answer,) = api("POST", "/composite/graph", {"graphs": [graph]}, ALLOW).json()["graphs"]
        assert answer["isSuccessful"] is is_saved


def test_results_of_collections_do_not_name_the_matches(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    api.emulator.insert("Account", ACME)
    record = {"attributes": {"type": "Account"}, **ACME}
    (result,) = api("POST", "/composite/sobjects", {"records": [record]}).json()
    assert result["errors"] == [
        {"statusCode": "DUPLICATES_DETECTED", "message": "Use one of these records?", "fields": []}
    ]


def test_an_edit_that_makes_a_twin_is_saved(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    api.emulator.insert("Account", ACME)
    other = api.emulator.insert("Account", {"Name": "Other"})
    assert codes_by_path(api, "Account", ACME, edited=other) == {()}


@pytest.mark.parametrize(
    ("stored", "created", "are_twins"),
    [
        ({"Name": "Acme"}, {"Name": "Acme"}, False),
        ({"Name": "Acme", "Phone": "+1 425 555 0100"}, {"Name": "Acme", "Phone": "(425) 555-0100"}, True),
        ({"Name": "Acme", "BillingPostalCode": "98052"}, {"Name": "Acme", "BillingPostalCode": "98052"}, True),
        ({"Name": "Acme", "BillingPostalCode": "M30 2WZ"}, {"Name": "Acme", "BillingPostalCode": "M30 2WZ"}, False),
        (ACME, {**ACME, "BillingStreet": "2 Side Street"}, False),
        (ACME, {**ACME, "Name": "Umbrella"}, False),
        (ACME, {**ACME, "BillingStreet": "1 Main St."}, True),
        ({**PLACE, "Name": "Acme"}, {**PLACE, "Name": "Acme"}, True),
        ({**PLACE, "Name": "Acme"}, {**PLACE, "Name": "Acme", "BillingState": "OR"}, False),
        ({"Name": "Acme", "Phone": "425-555-0100"}, {"Name": "Acme", "Phone": "425-555-0199"}, True),
        ({"Name": "Acme", "Phone": "+45 12 34 56 78"}, {"Name": "Acme", "Phone": "+45 12 34 56 79"}, False),
        ({"Name": "Acme", "BillingPostalCode": "98052"}, {"Name": "Acme", "BillingPostalCode": "98052-1234"}, True),
    ],
)
def test_accounts_match_by_name_and_place_or_phone(
    api: ApiSession, stored: dict[str, object], created: dict[str, object], are_twins: bool
) -> None:
    control(api.emulator, "duplicate_rules")
    api.emulator.insert("Account", stored)
    assert (api("POST", "/sobjects/Account", created).status == 400) is are_twins


@pytest.mark.parametrize(
    ("stored", "created", "are_twins"),
    [
        ("Contoso Ltd", "Contoso Limited", True),
        ("Contoso Ltd", "CONTOSO", True),
        ("The Contoso Company", "Contoso, Inc.", True),
        ("Contoso GmbH & Co. KG", "Contoso", True),
        ("Café Müller S.A.", "Cafe Muller", True),
        ("Smith and Sons", "Smith & Sons", True),
        ("Fabrikam Robotics", "Fabrikam Robotic A/S", True),
        ("Fabrikam Robotics", "Fabrikam Software", False),
        ("Contoso", "Contoso Germany", False),
        ("Acme", "Acne", False),
        ("Limited", "Contoso", False),
        ("Limited", "limited", True),
    ],
)
def test_company_names_match_without_legal_forms_punctuation_case_and_articles(
    api: ApiSession, stored: str, created: str, are_twins: bool
) -> None:
    control(api.emulator, "duplicate_rules")
    api.emulator.insert("Account", {**ACME, "Name": stored})
    if are_twins:
        assert codes_by_path(api, "Account", {**ACME, "Name": created}) == REFUSED
    else:
        assert api("POST", "/sobjects/Account", {**ACME, "Name": created}).status == 201


def test_a_lead_of_the_same_company_is_found_by_the_contact_rule(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    lead = {"FirstName": "Anna", "LastName": "Vogel", "Title": "CEO", "Company": "Contoso Ltd"}
    api.emulator.insert("Lead", lead)
    contact = {"FirstName": "A.", "LastName": "vogel", "Title": "CEO"}
    assert api("POST", "/sobjects/Contact", contact).status == 201
    account = api.emulator.insert("Account", {"Name": "Contoso Limited"})
    assert codes_by_path(api, "Contact", {**contact, "AccountId": account}) == REFUSED


def test_email_addresses_match_exactly(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    api.emulator.insert("Contact", ANNA)
    assert codes_by_path(api, "Contact", {**ANNA, "Email": "ANNA@acme.example"}) == REFUSED
    assert api("POST", "/sobjects/Contact", {**ANNA, "Email": "an.na@acme.example"}).status == 201


def test_a_contact_matches_contacts_and_leads(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    lead = api.emulator.insert("Lead", {**ANNA, "Company": "Acme"})
    assert _found(_refusal(api, "Contact", ANNA)) == [("Lead", "Standard_Lead_Match_Rule_v1_0", [lead])]
    api.emulator.insert("Contact", ANNA)
    assert [name for name, _, _ in _found(_refusal(api, "Contact", ANNA))] == ["Contact", "Lead"]
    assert [name for name, _, _ in _found(_refusal(api, "Lead", {**ANNA, "Company": "A"}))] == ["Lead", "Contact"]
    assert codes_by_path(api, "Contact", {"LastName": "Vogel", "Email": "anna@acme.example"}) == REFUSED
    assert api("POST", "/sobjects/Contact", {**ANNA, "FirstName": "Berta"}).status == 201


def test_a_rule_finds_only_what_the_caller_may_read(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    control(api.emulator, "sharing", sobject="Account", model="Private")
    api.emulator.insert("Account", ACME)
    assert api("POST", "/sobjects/Account", ACME).status == 201
    assert codes_by_path(api, "Account", ACME) == REFUSED


def test_a_deal_has_no_rule(api: ApiSession) -> None:
    control(api.emulator, "duplicate_rules")
    deal = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
    assert codes_by_path(api, "Opportunity", deal) == {()}


def test_the_active_rules_are_told_to_every_user(api: ApiSession) -> None:
    def rules(sobject: str) -> list[tuple[str, str]]:
        answer = api("GET", f"/ui-api/duplicates/{sobject}")
        assert answer.status == 200, answer.body
        return [(each["name"], each["actionOnInsert"]) for each in answer.json()["duplicateRules"]]

    assert rules("Account") == []
    control(api.emulator, "duplicate_rules", blocks=["Contact"])
    assert rules("account") == [("Standard Account Duplicate Rule", "Allow")]
    assert rules("Contact") == [("Standard Contact Duplicate Rule", "Block")]
    assert rules("Opportunity") == []
    assert api("GET", "/ui-api/duplicates/Nothing").status == 404
