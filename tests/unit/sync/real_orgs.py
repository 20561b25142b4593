"""The kinds of real orgs, as switches of the emulated org, with a seller who works as each of them demands."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

from emulators.salesforce.emulator import SalesforceEmulator
from shared.clients.salesforce.deal_sharing import FOLDER, GROUP
from shared.clients.salesforce.source_format import read_source
from shared.mapping.schema import DEFAULT
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.emulators.salesforce_metadata.deploy_client import PROJECT, Deployer
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import CUSTOMER

USERNAME = "integration@contoso.example"
PERMISSIONS = "Cosell_Integration"
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
REGION = (
    f"<CustomField {XMLNS}><fullName>Region__c</fullName><label>Region</label><length>9</length><type>Text</type>"
    "</CustomField>"
)
type TurnOn = Callable[[SalesforceEmulator], object]


def assign_permissions(org: SalesforceEmulator) -> None:
    """Limit the integration user to the rights of our permission set."""
    control(org, "permission_sets", username=USERNAME, names=[PERMISSIONS])


def _change_permission(org: SalesforceEmulator, old: str, new: str) -> None:
    """Assign our permission set after an administrator has changed one entry of it."""
    key, entry = ("PermissionSet", PERMISSIONS), "<editable>true</editable>\n        "
    documents = org.deployments.documents.kept
    text = documents[key].decode()
    assert entry + old in text
    documents[key] = text.replace(entry + old, new).encode()
    assign_permissions(org)


def _close(org: SalesforceEmulator, model: str) -> None:
    """Close deals and accounts to other users; contacts follow their accounts, as in a new org."""
    assign_permissions(org)
    for sobject in ("Opportunity", "Account"):
        control(org, "sharing", sobject=sobject, model=model)
    control(org, "sharing", sobject="Contact", model="ControlledByParent")


def share_by_criteria(org: SalesforceEmulator) -> None:
    """Everything is private, and the package's rule lets the integration user edit the deals that are ours."""
    _close(org, "Private")
    assert Deployer(org).deploy(read_source(PROJECT / FOLDER))["success"]
    [group] = [each["Id"] for each in org.records("Group") if each["DeveloperName"] == GROUP]
    [user] = [each["Id"] for each in org.records("User") if each["Username"] == USERNAME]
    org.org.insert("GroupMember", {"GroupId": group, "UserOrGroupId": user}, org.founding.administrator)


def _add_twins(org: SalesforceEmulator) -> None:
    """The rules as shipped, an account with name and street of Microsoft's customer, and a lead with its contact."""
    customer: Any = CUSTOMER
    street, person = customer["address"], customer["team"][0]
    address = {"BillingStreet": street["addressLine1"], "BillingCity": street["city"], "BillingCountry": "Denmark"}
    org.insert("Account", {"Name": f"{customer['name']} Ltd", "Phone": "+45 70 10 20 30", **address})
    lead = {"FirstName": person["firstName"], "LastName": person["lastName"], "Email": person["email"]}
    org.insert("Lead", {**lead, "Company": CUSTOMER["name"]})
    control(org, "duplicate_rules")


def _require_region(org: SalesforceEmulator) -> None:
    control(org, "field", sobject="Opportunity", xml=REGION)
    control(org, "required", sobject="Opportunity", field="Region__c")


def _restrict_picklists(org: SalesforceEmulator) -> None:
    control(org, "restrict", sobject="Opportunity", field="StageName")
    control(org, "restrict", sobject="OpportunityContactRole", field="Role", values=["Buyer"])


SWITCHES: Mapping[str, TurnOn] = {
    "permissions": assign_permissions,
    "hidden column": lambda org: _change_permission(
        org, "<field>Opportunity.Description</field>\n        <readable>true</readable>",
        "<editable>false</editable><field>Opportunity.Description</field><readable>false</readable>",
    ),
    "hidden column of a parent": lambda org: _change_permission(
        org, "<field>Account.BillingAddress</field>\n        <readable>true</readable>",
        "<editable>false</editable><field>Account.BillingAddress</field><readable>false</readable>",
    ),
    "read-only column": lambda org: _change_permission(
        org, "<field>Opportunity.Amount</field>", "<editable>false</editable><field>Opportunity.Amount</field>"
    ),
    "private": lambda org: _close(org, "Private"),
    "public read only": lambda org: _close(org, "Read"),
    "shared by criteria": share_by_criteria,
    "production": lambda org: control(org, "org_kind", kind="production"),
    "duplicate rules": _add_twins,
    "country picklists": lambda org: control(org, "address_picklists"),
    "rule for deals": lambda org: control(
        org, "save_rule", sobject="Opportunity", formula="ISBLANK(NextStep)", message="Say the next step."
    ),
    "rule for accounts": lambda org: control(
        org, "save_rule", sobject="Account", formula="ISBLANK(Phone)", message="An account needs a phone number."
    ),
    "required field": _require_region,
    "restricted picklists": _restrict_picklists,
    "record types": lambda org: control(
        org, "record_type", sobject="Opportunity", developer_name="Partner", default=True,
        values={"StageName": ["Qualification", "Closed Won", "Closed Lost"]},
    ),
    "no stage for new deals": lambda org: org.org.update(
        "OpportunityStage", _stage_id(org, "On Hold"), {"IsActive": False}, org.founding.administrator
    ),
    "inactive currency": lambda org: org.set_currency_active("EUR", active=False),
    "single currency": lambda _: None,  # the org is made so
    "person accounts": lambda org: control(org, "person_accounts"),
}  # fmt: skip
EXCLUSIVE = (
    {"private", "public read only", "shared by criteria"},
    {"single currency", "inactive currency"},
)
"""Of each of these an org can have one."""


def _stage_id(org: SalesforceEmulator, name: str) -> str:
    return next(str(each["Id"]) for each in org.records("OpportunityStage") if each["ApiName"] == name)


def can_be_one_org(names: Collection[str]) -> bool:
    """Whether one org can have all these switches on."""
    return all(len(kinds & set(names)) < 2 for kinds in EXCLUSIVE)


PAIRS = [pair for pair in combinations(SWITCHES, 2) if can_be_one_org(pair)]


NOT_LATER = {"single currency"}
"""What an org is from its first day, and cannot become."""


@contextmanager
def org_harness(names: Collection[str], mapping: Path = DEFAULT) -> Iterator[Harness]:
    """A harness whose org has these switches on. The connector has asked it."""
    with Harness(multi_currency="single currency" not in names, mapping=mapping) as harness:
        turn_on(harness, names)
        harness.ask_org_again()
        yield harness


def turn_on(harness: Harness, names: Collection[str]) -> None:
    """Turn switches on. From now on the seller's customers are made as the org demands it."""
    for name in names:
        SWITCHES[name](harness.salesforce)
    harness.salesforce.org.clear_undo_log()
    harness.accounts["Northwind Traders"] = customer_account(harness, names)


def seller_values(names: Collection[str]) -> dict[str, object]:
    """What a seller fills in besides the usual columns, because the org demands it."""
    asked = {"rule for deals": {"NextStep": "Call"}, "required field": {"Region__c": "North"}}
    return {column: value for name in names for column, value in asked.get(name, {}).items()}


def customer_account(harness: Harness, names: Collection[str]) -> str:
    """The account of the seller's deal; a person, where the org has person accounts."""
    org = harness.salesforce
    address = {"BillingStreet": "1 Main Street", "BillingCity": "Seattle", "BillingCountry": "United States"}
    if "person accounts" not in names:
        return org.insert("Account", {"Name": "Northwind Traders", "Phone": "+1 425 555 0100", **address})
    kinds = {each["DeveloperName"]: each["Id"] for each in org.records("RecordType")}
    person = {"FirstName": "Anna", "LastName": "Vogel", "PersonEmail": "anna@vogel.example", "Phone": "+1 425 555 0100"}
    return org.insert("Account", {**person, "RecordTypeId": kinds["PersonAccount"], **address})


def customer_contact(harness: Harness, account: str) -> str:
    """The contact at an account: that of the person, or a new one."""
    record = harness.salesforce.record("Account", account)
    if record.get("IsPersonAccount"):
        return str(record["PersonContactId"])
    values = {"FirstName": "Ada", "LastName": "North", "Email": "ada@northwind.example", "Phone": "+1 425 555 0101"}
    return harness.salesforce.insert("Contact", {"AccountId": account, **values})
