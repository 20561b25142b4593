"""Find fields of the org that have the name of one of our fields but another shape, before a deployment changes them.

The most important one is the referral identifier. In many orgs somebody made it by hand and not unique, and then two
opportunities can share a referral. Describe and metadata name the types differently
(docs/reference/salesforce.md#custom-fields-in-metadata).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_xml import text_of
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.source_format import Package
from shared.foundation.errors import NotFound

_DESCRIBE_TYPES = {
    "Text": "string", "LongTextArea": "textarea", "TextArea": "textarea", "Url": "url", "Checkbox": "boolean",
    "Picklist": "picklist", "Number": "double", "Currency": "currency", "Percent": "percent", "Date": "date",
    "DateTime": "datetime", "Email": "email", "Phone": "phone", "Lookup": "reference", "MasterDetail": "reference",
}  # fmt: skip


class Obstacle(Struct, frozen=True):
    """A field of the org that a deployment would change.

    `mends` means that the deployment corrects the field and loses no value. `duplicates` are values that several
    records hold, each with the ids of these records.
    """

    field: str
    found: str
    remedy: str
    mends: bool = False
    duplicates: Mapping[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        """Return one sentence with a remedy."""
        return f"{self.field} {self.found}: {self.remedy}"


def find_obstacles(salesforce: SalesforceClient, package: Package) -> list[Obstacle]:
    """Return the fields of the org that differ from the package's fields. Raises what the client raises."""
    described: dict[str, dict[str, Json]] = {}
    obstacles: list[Obstacle] = []
    for full_name, packaged in package.components_of_type("CustomField"):
        sobject, _, name = full_name.partition(".")
        if sobject not in described:
            described[sobject] = _fields_of(salesforce, sobject)
        existing = described[sobject].get(name.casefold())
        if existing is not None:
            obstacles += _obstacles_of_field(salesforce, sobject, existing, packaged)
    return obstacles


def _fields_of(salesforce: SalesforceClient, sobject: str) -> dict[str, Json]:
    """Return the fields of an object by name in lower case; none for an object that the package brings."""
    try:
        fields = salesforce.describe(sobject).get("fields") or ()
    except NotFound:
        fields = ()
    return {str(field.get("name")).casefold(): field for field in fields}


def _obstacles_of_field(
    salesforce: SalesforceClient, sobject: str, existing: Json, packaged: Element
) -> Iterator[Obstacle]:
    name = f"{sobject}.{existing['name']}"
    remedy = "rename it or delete it in Setup, then run this again"
    has_other_type = existing.get("type") != _DESCRIBE_TYPES.get(text_of(packaged, "type"))
    if has_other_type or _differs_in_formula(existing, packaged) or _differs_in_parent(existing, packaged):
        yield Obstacle(name, f"exists as {_existing_shape(existing)}, not as {_packaged_shape(packaged)}", remedy)
    elif (length := existing.get("length")) and length > int(text_of(packaged, "length") or length):
        shorter = text_of(packaged, "length")
        yield Obstacle(name, f"exists with {length} characters and would be cut to {shorter}", remedy)
    elif _becomes_unique(existing, packaged):
        yield _uniqueness_obstacle(salesforce, sobject, str(existing["name"]))


def _differs_in_formula(existing: Json, packaged: Element) -> bool:
    return bool(existing.get("calculated")) is not bool(text_of(packaged, "formula"))


def _differs_in_parent(existing: Json, packaged: Element) -> bool:
    """Whether a reference points to another object, or is a lookup where the package has a master-detail."""
    parent = text_of(packaged, "referenceTo")
    is_master = text_of(packaged, "type") == "MasterDetail"
    return bool(parent) and (
        existing.get("referenceTo") != [parent] or bool(existing["cascadeDelete"]) is not is_master
    )


def _existing_shape(existing: Json) -> str:
    if existing.get("referenceTo"):
        kind = "master-detail" if existing.get("cascadeDelete") else "lookup"
        return f"a {kind} to {', '.join(existing['referenceTo'])}"
    return f"a formula ({existing.get('type')})" if existing.get("calculated") else str(existing.get("type"))


def _packaged_shape(packaged: Element) -> str:
    if parent := text_of(packaged, "referenceTo"):
        return f"a {text_of(packaged, 'type')} to {parent}"
    return "a formula" if text_of(packaged, "formula") else text_of(packaged, "type")


def _becomes_unique(existing: Json, packaged: Element) -> bool:
    return any(text_of(packaged, key) == "true" and not existing.get(key) for key in ("unique", "externalId"))


def _uniqueness_obstacle(salesforce: SalesforceClient, sobject: str, name: str) -> Obstacle:
    duplicates = duplicate_values(salesforce, sobject, name)
    if duplicates:
        finding = f"exists, is not unique, and has duplicate values ({len(duplicates)})"
        remedy = "for each value, clear it on all records but one, then run this again"
        return Obstacle(f"{sobject}.{name}", finding, remedy, duplicates=duplicates)
    finding = "exists but is not both External ID and Unique"
    remedy = "tick External ID and Unique (case-insensitive) in Setup, or run `cosell salesforce deploy --make-unique`"
    return Obstacle(f"{sobject}.{name}", finding, remedy, mends=True)


def duplicate_values(salesforce: SalesforceClient, sobject: str, name: str) -> dict[str, tuple[str, ...]]:
    """Return the values that several records hold, without regard to case, each with the ids of these records."""
    holders: defaultdict[str, list[str]] = defaultdict(list)
    page = salesforce.query(f"SELECT Id, {name} FROM {sobject} WHERE {name} != null ORDER BY Id").pages[0]  # noqa: S608 - the names come from our own package
    while True:
        for record in page.records:
            holders[str(record[name]).casefold()].append(str(record["Id"]))
        if page.next is None:
            return {value: tuple(ids) for value, ids in holders.items() if len(ids) > 1}
        page = salesforce.more(page.next).pages[0]
