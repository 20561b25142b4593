"""Put the fields that the org requires onto our own layout: the org refuses a layout that lacks one.

A layout in use has them already. Source: docs/reference/salesforce.md#layouts-and-record-pages-in-metadata.
"""

from collections.abc import Collection

import msgspec

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.layout_section import fields_on
from shared.clients.salesforce.metadata_xml import add_child, children_named, format_xml, parse_xml
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.source_format import Package

OBJECT = "Opportunity"
OUR_LAYOUT = "layouts/Opportunity-Co-sell Layout.layout"


def with_required_fields(salesforce: SalesforceClient, package: Package) -> Package:
    """Return the package whose layout also holds the custom fields without which the org saves no opportunity.

    Raises the client's errors.
    """
    if OUR_LAYOUT not in package.files:
        return package
    required = [str(field["name"]) for field in salesforce.describe(OBJECT).get("fields") or () if _is_required(field)]
    layout = add_required(package.files[OUR_LAYOUT], required)
    return msgspec.structs.replace(package, files={**package.files, OUR_LAYOUT: layout})


def _is_required(field: Json) -> bool:
    is_filled_by_people = field.get("createable") and field.get("type") != "boolean"
    return bool(field.get("custom") and is_filled_by_people and field.get("nillable") is False)


def add_required(layout: bytes, required: Collection[str]) -> bytes:
    """Return the layout with these fields in its first column, unless they stand on it."""
    root = parse_xml(layout)
    missing = [name for name in required if name not in fields_on(root)]
    if not missing:
        return layout
    section = next(children_named(root, "layoutSections"))
    column = next(children_named(section, "layoutColumns"))
    for name in missing:
        item = add_child(column, "layoutItems")
        add_child(item, "behavior", "Required")
        add_child(item, "field", name)
    return format_xml(root)
