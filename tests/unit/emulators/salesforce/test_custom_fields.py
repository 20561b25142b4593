"""The custom fields of this project's metadata, and how the org loads them."""

import re
from pathlib import Path

import pytest
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.metadata.component_xml import MetadataError
from emulators.salesforce.metadata.source_project import PROJECT, load_model
from emulators.salesforce.metadata.xml_schema import NAMESPACE, metadata_schema

FIELDS = sorted(PROJECT.glob("force-app/**/Opportunity/fields/*.field-meta.xml"))
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
# The fields that sellers know from the official connector (docs/reference/partner-center.md#official-connector-fields).
EXPECTED_FIELDS = {
    "Audit__c": {"label": "Audit", "type": "LongTextArea", "length": "100000", "visibleLines": "4"},
    "How_can_Microsoft_help__c": {"label": "How can Microsoft help?", "type": "Picklist"},
    "Products__c": {"label": "Products", "type": "Text", "length": "255"},
    "Referral_Identifier__c": {
        "label": "Referral Identifier", "type": "Text", "length": "100", "externalId": "true", "unique": "true",
        "caseSensitive": "false",
    },
    "Referral_Link__c": {"label": "Referral Link", "type": "Url"},
    "Sync_with_Partner_Center__c": {"label": "Sync with Partner Center", "type": "Checkbox", "defaultValue": "false"},
    "Sync_Status__c": {"label": "Sync Status", "type": "Picklist"},
    "Partner_Center_Amount__c": {"type": "Number", "precision": "18", "scale": "2"},
    "Partner_Center_Currency__c": {"type": "Text", "length": "3"},
    "Cosell_Package_Version__c": {"label": "Co-sell Package Version", "type": "Text"},
    "Closing_Reason__c": {"label": "Closing Reason", "type": "Picklist"},
    "Closing_Reason_Details__c": {"type": "Text", "length": "255"},
    "Visible_to_Microsoft__c": {"label": "Visible to Microsoft sellers", "type": "Checkbox", "defaultValue": "false"},
    "Notes_to_Microsoft__c": {"label": "Notes to Microsoft", "type": "LongTextArea", "length": "32000"},
    "Customer_Consents__c": {"label": "Customer Consents", "type": "Checkbox", "defaultValue": "false"},
    "Answer_By__c": {"label": "Answer By", "type": "DateTime"},
    "Microsoft_Status__c": {"label": "Microsoft Status", "type": "Picklist"},
    "Microsoft_CRM_Identifier__c": {"type": "Text", "length": "100", "externalId": "false", "unique": "false"},
    "Microsoft_Seller__c": {"type": "Text", "length": "255"},
    "Microsoft_Notes__c": {"type": "LongTextArea", "length": "32000"},
    "Microsoft_Answer_By__c": {"type": "DateTime"},
    "Partner_Center_Sales_Stage__c": {"label": "Sales Stage in Partner Center", "type": "Picklist"},
    "Marketing_Campaign_Id__c": {"label": "Marketing Campaign ID", "type": "Text", "length": "255"},
    "Referral_Program__c": {"label": "Referral Program", "type": "Text", "length": "255"},
    "Marketplace_Intent__c": {"label": "Marketplace Intent", "type": "Picklist"},
    "Solution_Area__c": {"label": "Solution Area", "type": "Picklist"},
    "Solution_Play__c": {"label": "Solution Play", "type": "Picklist"},
    "Partner_Role__c": {"label": "Partner Role", "type": "Picklist"},
    "Partner_Location__c": {"label": "Partner Location", "type": "Text", "length": "40"},
    "Sync_Mark__c": {"label": "Sync Mark", "type": "Text", "formulaTreatBlanksAs": "BlankAsBlank"},
}  # fmt: skip


def _element_texts(path: Path) -> dict[str, str]:
    return {etree.QName(child).localname: child.text or "" for child in etree.parse(str(path)).getroot()}


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: path.name)
def test_every_field_is_valid_metadata(path: Path) -> None:
    metadata_schema().assertValid(etree.parse(str(path)))


def test_the_schema_refuses_an_unknown_element() -> None:
    text = FIELDS[0].read_text().replace("<label>", "<labell>").replace("</label>", "</labell>")
    assert not metadata_schema().validate(etree.fromstring(text.encode()))


def test_the_fields_are_exactly_the_expected_ones() -> None:
    fields = {_element_texts(path)["fullName"]: _element_texts(path) for path in FIELDS}
    assert set(fields) == set(EXPECTED_FIELDS)
    for name, expected in EXPECTED_FIELDS.items():
        assert expected.items() <= fields[name].items()


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: path.name)
def test_every_field_keeps_the_rules_that_the_schema_does_not_check(path: Path) -> None:
    """The rules: docs/reference/salesforce.md#custom-fields-in-metadata."""
    texts = _element_texts(path)
    kind = texts["type"]
    assert (kind == "LongTextArea") == ("visibleLines" in texts)
    assert kind not in {"Url", "TextArea"} or "length" not in texts
    assert (kind == "Checkbox") == ("defaultValue" in texts)
    assert kind != "Checkbox" or "required" not in texts
    assert len(texts["label"]) <= 40
    assert re.match(r"<\?xml [^>]*>\s*<CustomField", path.read_text(encoding="utf-8"))


def test_the_picklists_are_restricted_to_the_english_values() -> None:
    model = load_model()
    field = model.get("Opportunity").find_field("how_can_microsoft_help__c")
    assert field is not None
    assert field.restricted
    assert [value for value, _ in field.values] == [
        "Workload Specific Value Proposition", "Customer Technical Architecture", "Proof Of Concept or Demo",
        "Quotes or Licensing", "Post Sales Customer Success", "General or Other",
    ]  # fmt: skip
    status = model.get("Opportunity").find_field("Sync_Status__c")
    assert status is not None
    assert status.restricted
    assert [value for value, _ in status.values] == ["Synced", "Synced with differences", "Waiting", "Failed"]


@pytest.mark.parametrize(
    ("status", "mark"),
    [
        ("Synced", "\N{HEAVY CHECK MARK}"),
        ("Synced with differences", "\N{WARNING SIGN}"),
        ("Failed", "\N{HEAVY BALLOT X}"),
        ("Waiting", None),
        (None, None),
    ],
)
def test_the_mark_shows_whether_the_sync_succeeded_or_failed(
    emulator: SalesforceEmulator, status: str | None, mark: str | None
) -> None:
    deal = emulator.insert("Opportunity", {**DEAL, "Sync_Status__c": status})
    assert emulator.record("Opportunity", deal)["Sync_Mark__c"] == mark


def _write_project(folder: Path, field: str) -> Path:
    fields = folder / "force-app/main/default/objects/Opportunity/fields"
    fields.mkdir(parents=True)
    (folder / "sfdx-project.json").write_text('{"packageDirectories": [{"path": "force-app"}]}')
    (fields / "Odd__c.field-meta.xml").write_text(f'<CustomField xmlns="{NAMESPACE}">{field}</CustomField>')
    return folder


@pytest.mark.parametrize(
    "field",
    [
        "<fullName>Odd__c</fullName><label>Odd</label><type>Location</type>",
        "<fullName>Other__c</fullName><label>Odd</label><type>Text</type>",
        "<fullName>Odd__c</fullName><label>Odd</label><type>Text</type><formula>HYPERLINK(Name, Name)</formula>",
        "<fullName>Odd__c</fullName><label>Odd</label><type>Text</type><formula>Nowhere__c</formula>",
    ],
)
def test_metadata_that_the_emulator_cannot_reproduce_is_refused(tmp_path: Path, field: str) -> None:
    with pytest.raises(MetadataError):
        load_model(_write_project(tmp_path, field))


def test_a_field_that_the_metadata_adds_exists_in_the_org(tmp_path: Path) -> None:
    field = "<fullName>Odd__c</fullName><label>Odd</label><precision>4</precision><scale>1</scale><type>Number</type>"
    emulator = SalesforceEmulator(metadata=_write_project(tmp_path, field))
    deal = emulator.insert("Opportunity", {**DEAL, "Odd__c": 12.34})
    assert emulator.record("Opportunity", deal)["Odd__c"] == 12.3
    assert "Audit__c" not in emulator.record("Opportunity", deal)
