import copy
import re
from pathlib import Path
from typing import Any

import pytest
import simple_salesforce
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.metadata.source_fields import PROJECT, MetadataError, load

XSD, NAMESPACE = "{http://www.w3.org/2001/XMLSchema}", "http://soap.sforce.com/2006/04/metadata"
FIELDS = sorted(PROJECT.glob("force-app/**/*.field-meta.xml"))
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}
# The seed's table, with the API names and English values of reference/official-connector.md 1.4.
SEED = {
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
    "Sync_Mark__c": {"label": "Sync Mark", "type": "Text", "formulaTreatBlanksAs": "BlankAsBlank"},
}  # fmt: skip


@pytest.fixture(scope="module")
def schema() -> Any:  # noqa: ANN401 - lxml ships no types
    """The schema inside the packaged Metadata API description (reference/salesforce.md 5.9)."""
    wsdl = Path(simple_salesforce.__file__).with_name("metadata.wsdl")
    schemas = etree.parse(str(wsdl)).iter(XSD + "schema")
    source = next(each for each in schemas if each.get("targetNamespace") == NAMESPACE)
    names = {"xsd": XSD[1:-1], "tns": NAMESPACE}
    root = etree.Element(XSD + "schema", nsmap=names, targetNamespace=NAMESPACE, elementFormDefault="qualified")
    for child in copy.deepcopy(source):
        root.append(child)
    have = {element.get("name") for element in root.findall(XSD + "element")}
    for name in sorted({kind.get("name") for kind in root.findall(XSD + "complexType")} - have):
        etree.SubElement(root, XSD + "element", name=name, type="tns:" + name)
    return etree.XMLSchema(root)


def _texts(path: Path) -> dict[str, str]:
    return {etree.QName(child).localname: child.text or "" for child in etree.parse(str(path)).getroot()}


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: path.name)
def test_every_field_is_valid_metadata(path: Path, schema: Any) -> None:  # noqa: ANN401 - lxml ships no types
    schema.assertValid(etree.parse(str(path)))


def test_the_schema_would_notice_a_mistake(schema: Any) -> None:  # noqa: ANN401 - lxml ships no types
    text = FIELDS[0].read_text().replace("<label>", "<labell>").replace("</label>", "</labell>")
    assert not schema.validate(etree.fromstring(text.encode()))


def test_the_fields_are_the_seeds_and_the_sync_status() -> None:
    found = {_texts(path)["fullName"]: _texts(path) for path in FIELDS}
    assert set(found) == set(SEED)
    for name, wanted in SEED.items():
        assert wanted.items() <= found[name].items()


@pytest.mark.parametrize("path", FIELDS, ids=lambda path: path.name)
def test_what_the_schema_does_not_check_holds_too(path: Path) -> None:
    """The generator rules of reference/salesforce.md 5.2."""
    texts = _texts(path)
    kind = texts["type"]
    assert (kind == "LongTextArea") == ("visibleLines" in texts)
    assert kind not in {"Url", "TextArea"} or "length" not in texts
    assert (kind == "Checkbox") == ("defaultValue" in texts)
    assert kind != "Checkbox" or "required" not in texts
    assert len(texts["label"]) <= 40
    assert re.match(r"<\?xml [^>]*>\s*<CustomField", path.read_text(encoding="utf-8"))


def test_the_picklists_are_restricted_to_the_english_values() -> None:
    model = load()
    field = model.get("Opportunity").find("how_can_microsoft_help__c")
    assert field is not None
    assert field.restricted
    assert [value for value, _ in field.values] == [
        "Workload Specific Value Proposition", "Customer Technical Architecture", "Proof Of Concept or Demo",
        "Quotes or Licensing", "Post Sales Customer Success", "General or Other",
    ]  # fmt: skip
    status = model.get("Opportunity").find("Sync_Status__c")
    assert status is not None
    assert status.restricted
    assert [value for value, _ in status.values] == ["Synced", "Waiting", "Failed"]


@pytest.mark.parametrize(
    ("status", "mark"),
    [("Synced", "\N{HEAVY CHECK MARK}"), ("Failed", "\N{HEAVY BALLOT X}"), ("Waiting", None), (None, None)],
)
def test_the_mark_shows_the_status_at_a_glance(
    emulator: SalesforceEmulator, status: str | None, mark: str | None
) -> None:
    deal = emulator.insert("Opportunity", {**DEAL, "Sync_Status__c": status})
    assert emulator.record("Opportunity", deal)["Sync_Mark__c"] == mark


def _project(folder: Path, field: str) -> Path:
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
def test_metadata_that_the_org_cannot_play_is_refused_not_guessed(tmp_path: Path, field: str) -> None:
    with pytest.raises(MetadataError):
        load(_project(tmp_path, field))


def test_a_new_field_in_the_metadata_is_a_new_field_of_the_org(tmp_path: Path) -> None:
    field = "<fullName>Odd__c</fullName><label>Odd</label><precision>4</precision><scale>1</scale><type>Number</type>"
    emulator = SalesforceEmulator(metadata=_project(tmp_path, field))
    deal = emulator.insert("Opportunity", {**DEAL, "Odd__c": 12.34})
    assert emulator.record("Opportunity", deal)["Odd__c"] == 12.3
    assert "Audit__c" not in emulator.record("Opportunity", deal)
