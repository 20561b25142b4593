"""Read the files of this project's Salesforce package."""

from pathlib import Path
from typing import Any

from emulators.salesforce.metadata.xml_schema import parse_xml
from tests.unit.emulators.salesforce_metadata.deploy_client import PROJECT

FILES = sorted(PROJECT.glob("**/*-meta.xml"))
MAIN = PROJECT / "force-app" / "main" / "default"
TRANSLATIONS = PROJECT / "translations" / "main" / "default" / "objectTranslations"
LANGUAGES = ("de", "fr", "ja", "zh_TW")


def parse_file(path: Path) -> Any:  # noqa: ANN401 - lxml ships no types
    return parse_xml(path.read_bytes())


def fields_by_name(sobject: str = "Opportunity") -> dict[str, Any]:
    roots = (parse_file(path) for path in MAIN.glob(f"objects/{sobject}/fields/*"))
    return {root.findtext("{*}fullName"): root for root in roots}


def field_permissions(name: str) -> dict[str, bool]:
    root = parse_file(MAIN / "permissionsets" / f"{name}.permissionset-meta.xml")
    granted = root.findall("{*}fieldPermissions")
    assert all(each.findtext("{*}readable") == "true" for each in granted)
    return {each.findtext("{*}field"): each.findtext("{*}editable") == "true" for each in granted}


def object_rights(root: Any) -> dict[str, set[str]]:  # noqa: ANN401 - lxml ships no types
    return {
        each.findtext("{*}object"): {str(e.tag).rpartition("}")[2] for e in each if e.text == "true"}
        for each in root.findall("{*}objectPermissions")
    }
