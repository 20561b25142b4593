"""The metadata that this project ships is valid by the schema and by the rules that the schema does not hold.

The rules: docs/reference/salesforce.md#metadata-source-projects, docs/reference/salesforce.md#custom-fields-in-metadata
and docs/reference/salesforce.md#validation-without-an-org.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.metadata.xml_schema import parse_xml, schema_errors
from shared import __version__
from shared.clients.salesforce.org_shape import VERSION_COLUMN
from shared.mapping.people import CONTACT_FIELDS
from tests.unit.emulators.salesforce_metadata.deploy_client import PROJECT, Deployer, whole_package
from tests.unit.emulators.salesforce_metadata.package_files import (
    FILES,
    LANGUAGES,
    MAIN,
    TRANSLATIONS,
    field_permissions,
    fields_by_name,
    object_rights,
    parse_file,
)

INBOX, SOLUTION, ROW = "Cosell_Inbox__c", "Cosell_Solution__c", "Cosell_Deal_Solution__c"
OBJECTS = (INBOX, ROW, SOLUTION)
READ_ONLY = {
    "Referral_Identifier__c", "Referral_Link__c", "Audit__c", "Sync_Status__c", "Sync_Mark__c",
    "Partner_Center_Amount__c", "Partner_Center_Currency__c", "Answer_By__c", "Microsoft_Status__c",
    "Microsoft_CRM_Identifier__c", "Microsoft_Seller__c", "Microsoft_Notes__c", "Microsoft_Answer_By__c",
}  # fmt: skip
SELLERS = {
    "Sync_with_Partner_Center__c", "How_can_Microsoft_help__c", "Products__c", "Closing_Reason__c",
    "Closing_Reason_Details__c", "Visible_to_Microsoft__c", "Notes_to_Microsoft__c", "Customer_Consents__c",
    "Partner_Center_Sales_Stage__c", "Marketing_Campaign_Id__c", "Referral_Program__c", "Marketplace_Intent__c",
    "Solution_Area__c", "Solution_Play__c", "Partner_Role__c", "Partner_Location__c",
}  # fmt: skip
STANDARD = {
    "Amount": "Opportunity.Amount", "Description": "Opportunity.Description", "Account": "Opportunity.AccountId",
}  # fmt: skip
# Every user sees these fields, or no permission may name them: required fields, names and the currency code.
LISTS = {"OpportunityContactRoles", "OpportunityTeamMembers"}
NOT_GRANTED = {"Name", "StageName", "CloseDate", "CurrencyIsoCode", "Account.Name", *LISTS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_valid_by_the_schema_and_begins_with_its_root(path: Path) -> None:
    assert schema_errors(parse_file(path)) == []
    text = path.read_text(encoding="utf-8")
    assert re.match(r"<\?xml version=\"1.0\" encoding=\"UTF-8\"\?>\n<[A-Z]", text)
    assert "\t" not in text


def test_the_schema_refuses_an_unknown_element() -> None:
    text = (MAIN / "objects/Opportunity/fields/Audit__c.field-meta.xml").read_bytes()
    assert schema_errors(parse_xml(text.replace(b"<label>", b"<labell>").replace(b"</label>", b"</labell>")))


def test_the_emulated_org_accepts_the_whole_package(deployer: Deployer) -> None:
    assert deployer.deploy(whole_package())["status"] == "Succeeded"


@pytest.mark.parametrize("sobject", ["Opportunity", *OBJECTS])
def test_every_field_has_a_help_text_and_a_description(sobject: str) -> None:
    for name, root in fields_by_name(sobject).items():
        assert root.findtext("{*}inlineHelpText"), name
        assert root.findtext("{*}description"), name
        assert len(root.findtext("{*}inlineHelpText")) <= 510


def test_sellers_may_only_read_the_fields_that_the_sync_writes() -> None:
    granted = field_permissions("Cosell_Seller")
    read_only = {f"Opportunity.{name}" for name in READ_ONLY} | {f"{ROW}.Key__c"}
    read_only |= {f"{sobject}.{name}" for sobject in (INBOX, SOLUTION) for name in fields_by_name(sobject)}
    assert {name for name, editable in granted.items() if editable} == {f"Opportunity.{name}" for name in SELLERS}
    assert {name for name, editable in granted.items() if not editable} == read_only
    root = parse_file(MAIN / "permissionsets" / "Cosell_Seller.permissionset-meta.xml")
    assert root.find("{*}license") is None
    # The rows of a deal need Read on its opportunity, and that needs Read on the account.
    readable = {name: {"allowRead"} for name in ("Account", INBOX, SOLUTION, "Opportunity")}
    assert object_rights(root) == readable | {ROW: {"allowCreate", "allowRead", "allowEdit", "allowDelete"}}


@pytest.mark.parametrize("name", ["Cosell_Seller", "Cosell_Integration"])
def test_everybody_sees_the_tabs_of_inbox_and_catalogue(name: str) -> None:
    root = parse_file(MAIN / "permissionsets" / f"{name}.permissionset-meta.xml")
    assert [(e.findtext("{*}tab"), e.findtext("{*}visibility")) for e in root.findall("{*}tabSettings")] == [
        (INBOX, "Visible"),
        (SOLUTION, "Visible"),
    ]


def test_the_integration_user_has_exactly_the_rights_that_it_needs() -> None:
    root = parse_file(MAIN / "permissionsets" / "Cosell_Integration.permissionset-meta.xml")
    # A licence would hide the standard objects (docs/reference/salesforce.md#licences-and-profile).
    assert root.find("{*}license") is None
    needed = {"allowCreate", "allowRead", "allowEdit", "viewAllRecords"}
    owned, details = needed | {"allowDelete", "modifyAllRecords"}, (needed | {"allowDelete"}) - {"viewAllRecords"}
    expected = dict.fromkeys(("Account", "Contact", "Opportunity"), needed) | dict.fromkeys((INBOX, SOLUTION), owned)
    assert object_rights(root) == expected | {ROW: details}
    assert [each.findtext("{*}name") for each in root.findall("{*}userPermissions")] == [
        "ApiEnabled",
        "SendCustomNotifications",
    ]


def test_modify_all_is_a_set_of_its_own_that_adds_nothing_but_opportunities() -> None:
    root = parse_file(MAIN / "permissionsets" / "Cosell_Integration_Modify_All.permissionset-meta.xml")
    everything = {"allowCreate", "allowRead", "allowEdit", "allowDelete", "viewAllRecords", "modifyAllRecords"}
    assert object_rights(root) == {"Account": {"allowRead"}, "Opportunity": everything}
    assert root.find("{*}license") is None
    assert field_permissions("Cosell_Integration_Modify_All") == {}


def test_the_rule_shares_the_deals_by_flag_or_identifier_with_a_group_of_the_package() -> None:
    [rule] = parse_file(PROJECT / "sharing/main/default/sharingRules/Opportunity.sharingRules-meta.xml")
    assert (rule.findtext("{*}accessLevel"), rule.findtext("{*}booleanFilter")) == ("Edit", "1 OR 2")
    assert [each.text for each in rule.iterfind("{*}criteriaItems/{*}field")] == [
        "Sync_with_Partner_Center__c",
        "Referral_Identifier__c",
    ]
    assert (MAIN / "groups" / f"{rule.findtext('{*}sharedTo/{*}group')}.group-meta.xml").is_file()


def test_the_package_carries_the_version_of_the_app() -> None:
    field = fields_by_name()[VERSION_COLUMN]
    assert field.findtext("{*}formula") == f'"{__version__}"'
    assert str(field.findtext("{*}inlineHelpText")).startswith(f"{__version__} ")


def _mapped_paths(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _mapped_paths(inner)


def test_the_integration_user_sees_every_field_that_the_default_mapping_names() -> None:
    mapping = tomllib.loads((PROJECT.parents[1] / "shared" / "mapping" / "default.toml").read_text(encoding="utf-8"))
    mapped = set(mapping["ours"].values())
    mapped |= {name for field in mapping["fields"].values() for name in _mapped_paths(field["salesforce"])}
    mapped.remove("OpportunityTeamMembers")  # a related list: its rights are those of the opportunity
    granted = field_permissions("Cosell_Integration")
    for name in mapped - NOT_GRANTED:
        if not name.startswith("Owner."):
            assert _permission_of_path(name) in granted, name
    for name in set(CONTACT_FIELDS.values()) - {"FirstName", "LastName"}:
        assert granted[f"Contact.{name}"]
    for name in fields_by_name():
        assert granted[f"Opportunity.{name}"] is (name not in {"Sync_Mark__c", VERSION_COLUMN})
    assert all(granted[f"{sobject}.{name}"] for sobject in (INBOX, SOLUTION) for name in fields_by_name(sobject))
    assert granted[f"{ROW}.Key__c"]


def _permission_of_path(name: str) -> str:
    """The field of the permission that covers a mapped path: an address is granted as a whole."""
    if name.startswith("Account.Billing"):
        return "Account.BillingAddress"
    if name.startswith("Account."):
        return name
    return STANDARD.get(name, f"Opportunity.{name}")


def test_the_list_views_show_waiting_and_failed_deals() -> None:
    status_by_view = {"Cosell_Waiting": "Waiting", "Cosell_Failed": "Failed"}
    for path in MAIN.glob("objects/Opportunity/listViews/*"):
        root = parse_file(path)
        filters = {
            each.findtext("{*}field"): (each.findtext("{*}operation"), each.findtext("{*}value"))
            for each in root.findall("{*}filters")
        }
        status = status_by_view.pop(root.findtext("{*}fullName"))
        assert filters == {"Sync_with_Partner_Center__c": ("equals", "1"), "Sync_Status__c": ("equals", status)}
        assert len(root.findtext("{*}label")) < 40
    assert not status_by_view


def test_the_package_replaces_no_layout_and_no_page_of_the_customer() -> None:
    """The reasons: docs/reference/salesforce.md#layouts-and-record-pages-in-metadata."""
    assert {path.name.removesuffix(".layout-meta.xml") for path in MAIN.glob("layouts/*")} == {
        "Opportunity-Co-sell Layout", f"{INBOX}-Co-sell Inbox Record Layout", f"{SOLUTION}-Co-sell Solution Layout",
        f"{ROW}-Deal Solution Layout",
    }  # fmt: skip
    bare = SalesforceEmulator(bare=True)
    assert "Opportunity-Co-sell Layout" not in bare.deployments.documents.names("Layout")
    for path in FILES:
        assert b"actionOverrides" not in path.read_bytes()
        assert b"profileActionOverrides" not in path.read_bytes()
    kinds = {path.name.rpartition(".")[0].rpartition(".")[2].removesuffix("-meta") for path in FILES}
    assert not kinds & {"standardValueSet", "profile", "app"}
    assert {path.name.partition(".")[0] for path in MAIN.glob("objects/*/*.object-meta.xml")} == set(OBJECTS)


def test_the_inbox_has_one_record_a_key_which_everybody_may_read_and_the_sync_owns() -> None:
    key = fields_by_name(INBOX)["Key__c"]
    assert (key.findtext("{*}externalId"), key.findtext("{*}unique"), key.findtext("{*}caseSensitive")) == (
        "true", "true", "false",
    )  # fmt: skip
    root = parse_file(MAIN / f"objects/{INBOX}/{INBOX}.object-meta.xml")
    assert root.findtext("{*}sharingModel") == "Read"
    view = parse_file(MAIN / f"objects/{INBOX}/listViews/Cosell_Not_Made.listView-meta.xml")
    assert view.findtext("{*}filterScope") == "Everything"
    assert view.find("{*}filters") is None


@pytest.mark.parametrize("sobject", OBJECTS)
def test_the_layout_of_an_object_shows_every_field_and_is_the_one_that_the_object_gets(sobject: str) -> None:
    root = parse_file(MAIN / f"objects/{sobject}/{sobject}.object-meta.xml")
    name = f"{sobject}-{root.findtext('{*}label')} Layout"
    layout = parse_file(MAIN / "layouts" / f"{name}.layout-meta.xml")
    placed = {e.findtext("{*}field") for e in layout.iterfind(".//{*}layoutItems")}
    assert placed == {*fields_by_name(sobject), "Name", "CreatedById", "LastModifiedById"}


def test_layout_and_page_show_every_field() -> None:
    layout = parse_file(MAIN / "layouts" / "Opportunity-Co-sell Layout.layout-meta.xml")
    section = next(e for e in layout.findall("{*}layoutSections") if e.findtext("{*}label") == "Microsoft co-sell")
    placed = {e.findtext("{*}field"): e.findtext("{*}behavior") for e in section.iterfind(".//{*}layoutItems")}
    assert placed == dict.fromkeys(SELLERS, "Edit") | dict.fromkeys(READ_ONLY, "Readonly")
    page = parse_file(MAIN / "flexipages" / "Cosell_Opportunity_Page.flexipage-meta.xml")
    shown = {
        e.findtext("{*}fieldItem").removeprefix("Record."): e.findtext("{*}fieldInstanceProperties/{*}value")
        for e in page.iterfind(".//{*}fieldInstance")
    }
    assert shown == dict.fromkeys(SELLERS, "none") | dict.fromkeys(READ_ONLY, "readonly")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_translates_every_label_help_value_and_message(language: str) -> None:
    folder = TRANSLATIONS / f"Opportunity-{language}"
    translated = {path.name.partition(".")[0]: parse_file(path) for path in folder.glob("*.fieldTranslation-meta.xml")}
    assert set(translated) == set(fields_by_name())
    for name, root in fields_by_name().items():
        translation = translated[name]
        assert translation.findtext("{*}name") == name
        assert translation.findtext("{*}help")
        assert 0 < len(translation.findtext("{*}label")) <= 40
        masters = [each.findtext("{*}masterLabel") for each in translation.findall("{*}picklistValues")]
        assert masters == [each.findtext("{*}label") for each in root.iterfind(".//{*}valueSetDefinition/{*}value")]
        texts = [each.findtext("{*}translation") for each in translation.findall("{*}picklistValues")]
        assert all(texts)
        assert len(set(texts)) == len(texts)
    rules = parse_file(folder / f"Opportunity-{language}.objectTranslation-meta.xml").findall("{*}validationRules")
    assert [each.findtext("{*}name") for each in rules] == ["Cosell_Clone"]
    assert 0 < len(rules[0].findtext("{*}errorMessage")) <= 255
    # The message names the field by the label in the same language.
    label = translated["Sync_with_Partner_Center__c"].findtext("{*}label")
    assert label in rules[0].findtext("{*}errorMessage")


def labels_and_helps(language: str | None) -> dict[str, tuple[str, str]]:
    """Label and help text of each field of Opportunity in a language of the package; None for English."""
    if language is None:
        fields = fields_by_name().items()
        return {name: (root.findtext("{*}label"), root.findtext("{*}inlineHelpText")) for name, root in fields}
    folder = TRANSLATIONS / f"Opportunity-{language}"
    files = (parse_file(path) for path in folder.glob("*.fieldTranslation-meta.xml"))
    return {root.findtext("{*}name"): (root.findtext("{*}label"), root.findtext("{*}help")) for root in files}


@pytest.mark.parametrize(
    ("language", "three", "no_way_back"),
    [
        (None, ("three things", "data is passed on", "are contacted", "specific partners, who contact"), "be undone"),
        ("de", ("drei Dinge", "Daten weitergegeben", "kontaktiert wird", "bestimmte Partner"), "rückgängig"),
        ("fr", ("trois choses", "données soient transmises", "soit contacté", "partenaires précis"), "être annulé"),
        ("ja", ("3 つ", "データが渡される", "連絡を受ける", "特定のパートナー"), "元に戻す"),
        ("zh_TW", ("三件事", "資料會被轉交", "會被聯絡", "特定合作夥伴"), "無法復原"),
    ],
)
def test_the_ticks_say_what_they_declare_and_that_a_seen_deal_stays_seen(
    language: str | None, three: tuple[str, ...], no_way_back: str
) -> None:
    texts = labels_and_helps(language)
    flag, visible = texts["Sync_with_Partner_Center__c"], texts["Visible_to_Microsoft__c"]
    asked, consents = texts["How_can_Microsoft_help__c"], texts["Customer_Consents__c"]
    assert all(words in flag[1] for words in three)
    assert no_way_back in visible[1]
    assert no_way_back in asked[1]
    # Each names the other fields by their labels in the same language.
    assert all(visible[0] in text for text in (flag[1], asked[1]))
    assert asked[0] in visible[1]
    assert flag[0] in consents[1]


def test_the_default_package_does_not_contain_the_translations() -> None:
    settings = json.loads((PROJECT / "sfdx-project.json").read_text(encoding="utf-8"))
    assert [package["path"] for package in settings["packageDirectories"]] == ["force-app"]
