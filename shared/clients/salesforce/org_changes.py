"""Find what a deployment would change of the org's own texts: labels, help texts, values, formulas and messages.

An administrator may have renamed a field, added a value, or switched a rule off, and a deployment replaces all of it.
The org's metadata is retrieved for that, and not described: a description is in the language of the user, and has no
validation rules (docs/salesforce-package.md#what-a-deployment-changes).
"""

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.metadata_deploy import MetadataClient
from shared.clients.salesforce.metadata_xml import children_named, qualified_name, text_of
from shared.clients.salesforce.source_format import Package

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "CustomField": {"label": "label", "inlineHelpText": "help text", "formula": "formula"},
    "ValidationRule": {"active": "active", "errorConditionFormula": "formula", "errorMessage": "message"},
}
"""The compared elements of each type of component, with their names for people."""
_VALUES = "/".join(map(qualified_name, ("valueSet", "valueSetDefinition")))


class OrgChange(Struct, frozen=True):
    """A text of the org that a deployment would replace. An empty `packaged` value would be deactivated."""

    component: str
    part: str
    found: str
    packaged: str

    def __str__(self) -> str:
        """Return one line for a person to read."""
        if self.part == "value":
            return f"{self.component}: the value {self.found!r} would be deactivated"
        return f"{self.component}: {self.part} {self.found!r} would become {self.packaged!r}"


def find_changes(client: MetadataClient, package: Package) -> list[OrgChange]:
    """Return what would change in the components that the org has already. Raises what the client raises."""
    members = {kind: names for kind in _TEXTS if (names := package.members.get(kind))}
    org = Package(client.retrieve(members), members)
    return [
        change
        for kind in members
        for name, found, packaged in _pairs(kind, org, package)
        for change in _changes(kind, name, found, packaged)
    ]


def _pairs(kind: str, org: Package, package: Package) -> Iterator[tuple[str, Element, Element]]:
    existing = {name.casefold(): element for name, element in org.components_of_type(kind)}
    for name, packaged in package.components_of_type(kind):
        if (found := existing.get(name.casefold())) is not None:
            yield name, found, packaged


def _changes(kind: str, name: str, found: Element, packaged: Element) -> Iterator[OrgChange]:
    for element, part in _TEXTS[kind].items():
        before, after = _text(found, element), _text(packaged, element)
        if before != after:
            yield OrgChange(name, part, before, after)
    values = _labels_of_values(packaged)
    for value, label in _labels_of_values(found).items():
        if value not in values:
            yield OrgChange(name, "value", value, "")
        elif label != values[value]:
            yield OrgChange(name, f"label of the value {value!r}", label, values[value])


def _text(component: Element, name: str) -> str:
    """Return a text with single blanks, because the org may break the lines of a formula elsewhere."""
    return " ".join(text_of(component, name).split())


def _labels_of_values(field: Element) -> dict[str, str]:
    """Return the label of each active value of a picklist."""
    definition = field.find(_VALUES)
    values = children_named(definition, "value") if definition is not None else ()
    return {text_of(one, "fullName"): text_of(one, "label") for one in values if text_of(one, "isActive") != "false"}
