"""What of our fields an org has already: one of another shape would be changed by a deployment, so it is found before.

Field types of describe and of metadata: reference/salesforce.md 2.15, 5.2. The field that matters most is the referral
identifier: many orgs made one by hand which is not unique, and two opportunities then share a referral.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_xml import text_of
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.source_format import Package

_DESCRIBE_TYPES = {
    "Text": "string", "LongTextArea": "textarea", "TextArea": "textarea", "Url": "url", "Checkbox": "boolean",
    "Picklist": "picklist", "Number": "double", "Currency": "currency", "Percent": "percent", "Date": "date",
    "DateTime": "datetime", "Email": "email", "Phone": "phone",
}  # fmt: skip


class Obstacle(Struct, frozen=True):
    """A field of the org that our own would change; `mends` says that deploying makes it right and loses nothing."""

    field: str
    found: str
    remedy: str
    mends: bool = False
    duplicates: Mapping[str, tuple[str, ...]] | None = None

    def __str__(self) -> str:
        """One sentence and a remedy."""
        return f"{self.field} {self.found}: {self.remedy}"


def find_obstacles(salesforce: SalesforceClient, package: Package) -> list[Obstacle]:
    """What stands in the way of the package's fields. Raises what the client raises."""
    described: dict[str, dict[str, Json]] = {}
    found: list[Obstacle] = []
    for full_name, wanted in package.components_of_type("CustomField"):
        sobject, _, name = full_name.partition(".")
        if sobject not in described:
            fields = salesforce.describe(sobject).get("fields") or ()
            described[sobject] = {str(field.get("name")).casefold(): field for field in fields}
        there = described[sobject].get(name.casefold())
        if there is not None:
            found += _obstacles_of_field(salesforce, sobject, there, wanted)
    return found


def _obstacles_of_field(salesforce: SalesforceClient, sobject: str, there: Json, wanted: Element) -> Iterator[Obstacle]:
    name = f"{sobject}.{there['name']}"
    differs = "rename it or delete it in Setup, then run this again"
    if there.get("type") != _DESCRIBE_TYPES.get(text_of(wanted, "type")) or _differs_in_formula(there, wanted):
        yield Obstacle(name, f"is there as {_existing_shape(there)}, not as {_packaged_shape(wanted)}", differs)
    elif (longer := there.get("length")) and longer > int(text_of(wanted, "length") or longer):
        shorter = text_of(wanted, "length")
        yield Obstacle(name, f"is there with {longer} characters and would be cut to {shorter}", differs)
    elif _becomes_unique(there, wanted):
        yield _uniqueness_obstacle(salesforce, sobject, str(there["name"]))


def _differs_in_formula(there: Json, wanted: Element) -> bool:
    return bool(there.get("calculated")) is not bool(text_of(wanted, "formula"))


def _existing_shape(there: Json) -> str:
    return f"a formula ({there.get('type')})" if there.get("calculated") else str(there.get("type"))


def _packaged_shape(wanted: Element) -> str:
    return "a formula" if text_of(wanted, "formula") else text_of(wanted, "type")


def _becomes_unique(there: Json, wanted: Element) -> bool:
    pairs = (("unique", "unique"), ("externalId", "externalId"))
    return any(text_of(wanted, ours) == "true" and not there.get(theirs) for ours, theirs in pairs)


def _uniqueness_obstacle(salesforce: SalesforceClient, sobject: str, name: str) -> Obstacle:
    shared = duplicate_values(salesforce, sobject, name)
    found = "is there but is not both External ID and Unique"
    if shared:
        found = f"is there, is not unique, and {len(shared)} values stand on several records"
        remedy = "clear it on all records but one of each value, then run this again"
        return Obstacle(f"{sobject}.{name}", found, remedy, duplicates=shared)
    remedy = "tick External ID and Unique (case-insensitive) in Setup, or let this deployment do it with --make-unique"
    return Obstacle(f"{sobject}.{name}", found, remedy, mends=True)


def duplicate_values(salesforce: SalesforceClient, sobject: str, name: str) -> dict[str, tuple[str, ...]]:
    """The values that several records hold, whatever the case of their letters, with the ids of those records."""
    holders: defaultdict[str, list[str]] = defaultdict(list)
    page = salesforce.query(f"SELECT Id, {name} FROM {sobject} WHERE {name} != null ORDER BY Id").pages[0]  # noqa: S608 - names of our own package
    while True:
        for row in page.rows:
            holders[str(row[name]).casefold()].append(str(row["Id"]))
        if page.next is None:
            return {value: tuple(ids) for value, ids in holders.items() if len(ids) > 1}
        page = salesforce.more(page.next).pages[0]
