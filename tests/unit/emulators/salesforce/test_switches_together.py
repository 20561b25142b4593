"""The switches of real orgs are off at first and after a reset, and any two of them work together."""

from collections.abc import Callable
from itertools import combinations

import pytest

from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce.permission_sets import give_rights
from tests.unit.emulators.salesforce.write_paths import errors_by_path

DEAL = {"Name": "Deal", "StageName": "Qualification", "CloseDate": "2026-12-31"}
ACCOUNT = {"Name": "Acme", "BillingCity": "Berlin", "BillingCountry": "Germany", "Phone": "1"}
CONTACT = {"LastName": "Vogel", "Email": "a@b.example"}
REGION = (
    '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>Region__c</fullName><label>R</label>'
    "<length>9</length><type>Text</type></CustomField>"
)
SALES = ("Account", "Contact", "Opportunity")
type TurnOn = Callable[[ApiSession], object]


def _require_region(api: ApiSession) -> None:
    control(api.emulator, "field", sobject="Opportunity", xml=REGION)
    control(api.emulator, "required", sobject="Opportunity", field="Region__c")


def _close_all(api: ApiSession) -> None:
    for sobject in SALES:
        control(api.emulator, "sharing", sobject=sobject, model="Private")


SWITCHES: dict[str, TurnOn] = {
    "rule": lambda api: control(
        api.emulator, "save_rule", sobject="Account", formula="ISBLANK(Phone)", message="No phone."
    ),
    "required": _require_region,
    "restricted": lambda api: control(api.emulator, "restrict", sobject="Opportunity", field="LeadSource"),
    "record types": lambda api: control(
        api.emulator, "record_type", sobject="Opportunity", developer_name="P",
        values={"StageName": ["Qualification"]}, default=True,
    ),
    "address picklists": lambda api: control(api.emulator, "address_picklists"),
    "duplicate rules": lambda api: control(api.emulator, "duplicate_rules"),
    "permission sets": lambda api: give_rights(
        api, dict.fromkeys(SALES, "cre"),
        dict.fromkeys(("Account.BillingAddress", "Account.Phone", "Contact.AccountId", "Contact.Email"), True),
    ),
    "sharing": _close_all,
    "production": lambda api: control(api.emulator, "org_kind", kind="production"),
    "person accounts": lambda api: control(api.emulator, "person_accounts"),
}  # fmt: skip


def _schema(emulator: SalesforceEmulator) -> dict[str, list[str]]:
    return {each.name: sorted(each.fields) for each in emulator.org.model}


def test_a_reset_switches_everything_off(api: ApiSession) -> None:
    for turn_on in SWITCHES.values():
        turn_on(api)
    api.emulator.reset_state()
    assert _schema(api.emulator) == _schema(SalesforceEmulator())
    token = api.emulator.oauth.issue_session_id(api.emulator.seller)
    deal = api.emulator.insert("Opportunity", DEAL, user=api.emulator.founding.administrator)
    found = errors_by_path(ApiSession(api.emulator, token), "Opportunity", {"Amount": 5}, edited=deal)
    assert not any(found.values())


@pytest.mark.parametrize("names", list(combinations(SWITCHES, 2)), ids=" and ".join)
def test_any_two_switches_work_together(api: ApiSession, names: tuple[str, str]) -> None:
    for name in names:
        SWITCHES[name](api)
    account = api("POST", "/sobjects/Account", ACCOUNT)
    contact = api("POST", "/sobjects/Contact", {**CONTACT, "AccountId": account.json()["id"]})
    assert (account.status, contact.status) == (201, 201), (account.body, contact.body)
    deal = {**DEAL, **({"Region__c": "x"} if "required" in names else {})}
    made = api("POST", "/sobjects/Opportunity", deal)
    assert made.status == 201, made.body
    for sobject in SALES:
        assert api("GET", f"/sobjects/{sobject}/describe").status == 200
        soql = f"SELECT Id, Name FROM {sobject}"  # noqa: S608 - SOQL over a fixed list of objects
        assert len(api.query_values(soql)) == 1
    found = errors_by_path(api, "Opportunity", {"Name": "New"}, edited=made.json()["id"])
    assert not any(found.values()), found
