"""The shipped metadata itself: valid by schema, and right where no schema looks (reference/salesforce.md 5)."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.metadata.xml_schema import mistakes, read
from shared.mapping.people_fields import CONTACT_FIELDS
from tests.unit.emulators.salesforce_metadata.deploy_bench import PROJECT, Deployer, whole

FILES = sorted(PROJECT.glob("**/*-meta.xml"))
MAIN = PROJECT / "force-app" / "main" / "default"
LANGUAGES = ("de", "fr", "ja", "zh_TW")
READ_ONLY = {"Referral_Identifier__c", "Referral_Link__c", "Audit__c", "Sync_Status__c", "Sync_Mark__c"}
SELLERS = {"Sync_with_Partner_Center__c", "How_can_Microsoft_help__c", "Products__c"}
STANDARD = {
    "Amount": "Opportunity.Amount", "Description": "Opportunity.Description", "Account": "Opportunity.AccountId",
}  # fmt: skip
# What every user may see, or may not be granted: required fields, names, the currency code, and users' own fields.
NOT_GRANTED = {"Name", "StageName", "CloseDate", "CurrencyIsoCode", "Account.Name", "OpportunityContactRoles"}


def xml(path: Path) -> Any:  # noqa: ANN401 - lxml ships no types
    return read(path.read_bytes())


def fields() -> dict[str, Any]:
    found = (xml(path) for path in MAIN.glob("objects/Opportunity/fields/*"))
    return {root.findtext("{*}fullName"): root for root in found}


def permissions(name: str) -> dict[str, bool]:
    root = xml(MAIN / "permissionsets" / f"{name}.permissionset-meta.xml")
    granted = root.findall("{*}fieldPermissions")
    assert all(each.findtext("{*}readable") == "true" for each in granted)
    return {each.findtext("{*}field"): each.findtext("{*}editable") == "true" for each in granted}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_valid_by_the_schema_and_begins_with_its_root(path: Path) -> None:
    assert mistakes(xml(path)) == []
    text = path.read_text(encoding="utf-8")
    assert re.match(r"<\?xml version=\"1.0\" encoding=\"UTF-8\"\?>\n<[A-Z]", text)
    assert "\t" not in text


def test_the_schema_would_notice() -> None:
    text = (MAIN / "objects/Opportunity/fields/Audit__c.field-meta.xml").read_bytes()
    assert mistakes(read(text.replace(b"<label>", b"<labell>").replace(b"</label>", b"</labell>")))


def test_the_emulated_org_takes_the_whole_package(deployer: Deployer) -> None:
    assert deployer.deploy(whole())["status"] == "Succeeded"


def test_every_field_explains_itself() -> None:
    for name, root in fields().items():
        assert root.findtext("{*}inlineHelpText"), name
        assert root.findtext("{*}description"), name
        assert len(root.findtext("{*}inlineHelpText")) <= 510


def test_what_the_sync_writes_sellers_only_read() -> None:
    granted = permissions("Cosell_Seller")
    assert {name for name, editable in granted.items() if editable} == {f"Opportunity.{name}" for name in SELLERS}
    assert {name for name, editable in granted.items() if not editable} == {f"Opportunity.{name}" for name in READ_ONLY}
    root = xml(MAIN / "permissionsets" / "Cosell_Seller.permissionset-meta.xml")
    assert root.find("{*}license") is None
    assert root.find("{*}objectPermissions") is None


def test_the_integration_user_may_do_what_it_must_and_no_more() -> None:
    root = xml(MAIN / "permissionsets" / "Cosell_Integration.permissionset-meta.xml")
    assert root.findtext("{*}license") == "Salesforce API Integration"
    rights = {
        each.findtext("{*}object"): {str(e.tag).rpartition("}")[2] for e in each if e.text == "true"}
        for each in root.findall("{*}objectPermissions")
    }
    wanted = {"allowCreate", "allowRead", "allowEdit", "viewAllRecords"}
    assert rights == dict.fromkeys(("Account", "Contact", "Opportunity"), wanted)
    assert [each.findtext("{*}name") for each in root.findall("{*}userPermissions")] == ["ApiEnabled"]


def _mapped(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _mapped(inner)


def test_the_integration_user_sees_every_field_that_the_default_mapping_names() -> None:
    mapping = tomllib.loads((PROJECT.parents[1] / "shared" / "mapping" / "default.toml").read_text(encoding="utf-8"))
    named = set(mapping["ours"].values())
    named |= {name for field in mapping["fields"].values() for name in _mapped(field["salesforce"])}
    granted = permissions("Cosell_Integration")
    for name in named - NOT_GRANTED:
        if not name.startswith("Owner."):
            assert _granted(name) in granted, name
    for name in set(CONTACT_FIELDS.values()) - {"FirstName", "LastName"}:
        assert granted[f"Contact.{name}"]
    for name in fields():
        assert granted[f"Opportunity.{name}"] is (name != "Sync_Mark__c")


def _granted(name: str) -> str:
    """The permission that covers a mapped path: an address is granted as a whole."""
    if name.startswith("Account.Billing"):
        return "Account.BillingAddress"
    return STANDARD.get(name, f"Opportunity.{name}")


def test_the_lists_show_what_waits_and_what_failed() -> None:
    wanted = {"Cosell_Waiting": "Waiting", "Cosell_Failed": "Failed"}
    for path in MAIN.glob("objects/Opportunity/listViews/*"):
        root = xml(path)
        filters = {
            each.findtext("{*}field"): (each.findtext("{*}operation"), each.findtext("{*}value"))
            for each in root.findall("{*}filters")
        }
        status = wanted.pop(root.findtext("{*}fullName"))
        assert filters == {"Sync_with_Partner_Center__c": ("equals", "1"), "Sync_Status__c": ("equals", status)}
        assert len(root.findtext("{*}label")) < 40
    assert not wanted


def test_no_layout_and_no_page_of_the_customer_is_replaced() -> None:
    """A layout is replaced whole, and an override of an action activates a page (reference/salesforce.md 5.6)."""
    assert [path.name for path in MAIN.glob("layouts/*")] == ["Opportunity-Co-sell Layout.layout-meta.xml"]
    bare = SalesforceEmulator(bare=True)
    assert "Opportunity-Co-sell Layout" not in bare.deployments.documents.names("Layout")
    for path in FILES:
        assert b"actionOverrides" not in path.read_bytes()
        assert b"profileActionOverrides" not in path.read_bytes()
    kinds = {path.name.rpartition(".")[0].rpartition(".")[2].removesuffix("-meta") for path in FILES}
    assert not kinds & {"object", "standardValueSet", "profile", "app"}


def test_section_and_page_hold_every_field() -> None:
    layout = xml(MAIN / "layouts" / "Opportunity-Co-sell Layout.layout-meta.xml")
    section = next(e for e in layout.findall("{*}layoutSections") if e.findtext("{*}label") == "Microsoft co-sell")
    placed = {e.findtext("{*}field"): e.findtext("{*}behavior") for e in section.iterfind(".//{*}layoutItems")}
    assert placed == dict.fromkeys(SELLERS, "Edit") | dict.fromkeys(READ_ONLY, "Readonly")
    page = xml(MAIN / "flexipages" / "Cosell_Opportunity_Page.flexipage-meta.xml")
    shown = {
        e.findtext("{*}fieldItem").removeprefix("Record."): e.findtext("{*}fieldInstanceProperties/{*}value")
        for e in page.iterfind(".//{*}fieldInstance")
    }
    assert shown == dict.fromkeys(SELLERS, "none") | dict.fromkeys(READ_ONLY, "readonly")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_translates_every_label_help_value_and_message(language: str) -> None:
    folder = PROJECT / "translations" / "main" / "default" / "objectTranslations" / f"Opportunity-{language}"
    translated = {path.name.partition(".")[0]: xml(path) for path in folder.glob("*.fieldTranslation-meta.xml")}
    assert set(translated) == set(fields())
    for name, root in fields().items():
        ours = translated[name]
        assert ours.findtext("{*}name") == name
        assert ours.findtext("{*}help")
        assert 0 < len(ours.findtext("{*}label")) <= 40
        masters = [each.findtext("{*}masterLabel") for each in ours.findall("{*}picklistValues")]
        assert masters == [each.findtext("{*}label") for each in root.iterfind(".//{*}valueSetDefinition/{*}value")]
        texts = [each.findtext("{*}translation") for each in ours.findall("{*}picklistValues")]
        assert all(texts)
        assert len(set(texts)) == len(texts)
    rules = xml(folder / f"Opportunity-{language}.objectTranslation-meta.xml").findall("{*}validationRules")
    assert [each.findtext("{*}name") for each in rules] == ["Cosell_Clone"]
    assert 0 < len(rules[0].findtext("{*}errorMessage")) <= 255
    # The message names the field by the label that its reader sees.
    label = translated["Sync_with_Partner_Center__c"].findtext("{*}label")
    assert label in rules[0].findtext("{*}errorMessage")


def test_there_are_these_languages_and_no_other() -> None:
    folders = (PROJECT / "translations" / "main" / "default" / "objectTranslations").iterdir()
    assert {folder.name for folder in folders} == {f"Opportunity-{language}" for language in LANGUAGES}


def test_translations_are_deployed_only_when_asked_for() -> None:
    said = json.loads((PROJECT / "sfdx-project.json").read_text(encoding="utf-8"))
    assert [package["path"] for package in said["packageDirectories"]] == ["force-app"]
