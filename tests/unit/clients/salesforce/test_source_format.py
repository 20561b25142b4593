import io
import zipfile
from pathlib import Path

import pytest

from shared.clients.salesforce.metadata_xml import parse_xml
from shared.clients.salesforce.source_format import Package, package_folders, read_source
from shared.foundation.errors import ConfigurationError
from tests.unit.clients.salesforce.emulated_org import SOURCE_PROJECT, product_package

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
OBJECTS = ("Cosell_Deal_Solution__c", "Cosell_Inbox__c", "Cosell_Solution__c", "Lead", "Opportunity")
XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def write_source_file(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + text, encoding="utf-8")


def test_fields_list_views_and_rules_are_in_the_file_of_their_object() -> None:
    package = product_package()
    root = parse_xml(package.files["objects/Opportunity.object"])
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names == ["fields"] * 30 + ["listViews"] * 2 + ["validationRules"]
    assert set(package.members) == {
        "CustomObject", "CustomField", "CustomTab", "ListView", "ValidationRule", "PermissionSet", "Layout",
        "FlexiPage", "Group", "CustomNotificationType",
    }  # fmt: skip
    assert "Opportunity.Audit__c" in package.members["CustomField"]


def test_a_custom_object_is_one_file_with_its_fields_and_list_view() -> None:
    package = product_package()
    root = parse_xml(package.files["objects/Cosell_Inbox__c.object"])
    names = {child.tag.rpartition("}")[2] for child in root}
    assert {"label", "nameField", "sharingModel", "fields", "listViews"} <= names
    assert set(package.members["CustomObject"]) == set(OBJECTS) - {"Lead", "Opportunity"}
    assert set(package.members["CustomTab"]) == {"Cosell_Inbox__c", "Cosell_Solution__c"}
    assert "tabs/Cosell_Inbox__c.tab" in package.files


def test_the_manifest_names_every_member_once_and_in_order() -> None:
    manifest = product_package().manifest_xml("66.0").decode()
    assert manifest.startswith(HEAD)
    assert manifest.count("<members>") == product_package().member_count
    assert manifest.index("Opportunity.Audit__c") < manifest.index("Opportunity.Sync_Mark__c")
    assert manifest.endswith("    <version>66.0</version>\n</Package>\n")


def test_equal_sources_give_equal_bytes() -> None:
    assert product_package().to_zip("66.0") == product_package().to_zip("66.0")


def test_the_zip_holds_the_manifest_at_its_root() -> None:
    with zipfile.ZipFile(io.BytesIO(product_package().to_zip("67.0"))) as archive:
        assert b"<version>67.0</version>" in archive.read("package.xml")
        assert "layouts/Opportunity-Co-sell Layout.layout" in archive.namelist()


def test_each_language_has_one_file_of_translations() -> None:
    package = read_source(SOURCE_PROJECT / "translations")
    assert set(package.files) == {
        f"objectTranslations/{sobject}-{code}.objectTranslation"
        for sobject in OBJECTS
        for code in ("de", "fr", "ja", "zh_TW")
    }
    root = parse_xml(package.files["objectTranslations/Opportunity-de.objectTranslation"])
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names == ["fields"] * 30 + ["validationRules"]


def test_a_package_can_be_limited_to_some_languages() -> None:
    whole = read_source(*package_folders(SOURCE_PROJECT), SOURCE_PROJECT / "translations")
    german = whole.with_languages(["de"])
    assert german.members["CustomObjectTranslation"] == tuple(f"{sobject}-de" for sobject in OBJECTS)
    assert set(whole.files) - set(german.files) == {
        f"objectTranslations/{sobject}-{code}.objectTranslation"
        for sobject in OBJECTS
        for code in ("fr", "ja", "zh_TW")
    }
    with pytest.raises(ConfigurationError, match="no translations into xx"):
        whole.with_languages(["de", "xx"])


def test_the_main_package_holds_no_translations() -> None:
    """Translations need the Translation Workbench, and `sf project deploy start` deploys all package directories."""
    assert "CustomObjectTranslation" not in product_package().members


def test_fields_are_found_by_their_full_names() -> None:
    fields = dict(product_package().components_of_type("CustomField"))
    assert set(fields) == set(product_package().members["CustomField"])
    assert fields["Opportunity.Audit__c"].tag.endswith("}fields")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("classes/Odd.cls-meta.xml", f"<ApexClass {XMLNS}/>", "kind 'cls'"),
        ("layouts/Odd.layout-meta.xml", "<Layout", "Odd.layout-meta.xml: not XML"),
    ],
)
def test_a_file_that_cannot_be_deployed_is_named_in_the_error(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    write_source_file(tmp_path, name, text)
    with pytest.raises(ConfigurationError, match=message):
        read_source(tmp_path)


def test_a_folder_outside_a_checkout_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="run the command in a checkout"):
        read_source(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match=r"sfdx-project\.json does not exist"):
        package_folders(tmp_path)


def test_a_project_without_package_directories_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sfdx-project.json").write_text('{"packageDirectories": 7}')
    with pytest.raises(ConfigurationError):
        package_folders(tmp_path)


def test_an_empty_package_holds_only_a_manifest() -> None:
    assert zipfile.ZipFile(io.BytesIO(Package({}, {}).to_zip("66.0"))).namelist() == ["package.xml"]
