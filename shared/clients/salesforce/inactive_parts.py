"""Find what a package says is active and the org holds inactive after a deployment, with the step that activates it.

A production org takes an active flow as a draft, and a version that was active before goes on
(docs/reference/salesforce.md#active-flows-in-production). A retrieval would show that version, so flows are looked up
in the list of flows, and everything else is retrieved.
"""

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from msgspec import Struct

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_deploy import MetadataClient
from shared.clients.salesforce.metadata_xml import text_of
from shared.clients.salesforce.soql_literals import text_literal
from shared.clients.salesforce.source_format import Package

_FLOW = "Flow"
_STATES = (("status", "Active"), ("active", "true"), ("isActive", "true"))
"""The elements by which a component says that it is active."""
_STEPS: Mapping[str, str] = {
    _FLOW: "Setup, Flows, {name}: open the newest version and activate it",
    "ValidationRule": "Setup, Object Manager, {parent}, Validation Rules, {name}: edit it and tick Active",
}
_OTHER_STEP = "Setup: find {name} ({kind}) and activate it"


class InactivePart(Struct, frozen=True):
    """A component that the org holds inactive, and what a person does in Setup to activate it."""

    type: str
    name: str
    step: str

    def __str__(self) -> str:
        """Return one line for a person to read."""
        return f"{self.type} {self.name} is not active. {self.step}."


def find_inactive(salesforce: SalesforceClient, package: Package) -> list[InactivePart]:
    """Return the components that should be active by the package and are not. Raises what the clients raise."""
    expected: dict[str, list[str]] = {}
    for kind, name, element in package.components():
        if _is_active(element):
            expected.setdefault(kind, []).append(name)
    flows = expected.pop(_FLOW, [])
    found = [("Flow", name) for name in _inactive_flows(salesforce, flows)]
    return [_with_step(*each) for each in (*found, *_inactive_parts(salesforce, expected))]


def _inactive_flows(salesforce: SalesforceClient, names: list[str]) -> Iterator[str]:
    if not names:
        return
    listed = ",".join(map(text_literal, names))
    soql = f"SELECT ApiName, IsActive FROM FlowDefinitionView WHERE ApiName IN ({listed})"  # noqa: S608 - SOQL literals
    for flow in salesforce.query(soql).pages[0].records:
        if not flow["IsActive"]:
            yield str(flow["ApiName"])


def _inactive_parts(salesforce: SalesforceClient, expected: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    if not expected:
        return
    client = MetadataClient(salesforce.connection)
    org = Package(client.retrieve(expected), {})
    for kind, name, element in org.components():
        if name in expected.get(kind, ()) and not _is_active(element):
            yield kind, name


def _is_active(element: Element) -> bool:
    return any(text_of(element, name) == value for name, value in _STATES)


def _with_step(kind: str, full_name: str) -> InactivePart:
    parent, _, name = full_name.rpartition(".")
    return InactivePart(kind, full_name, _STEPS.get(kind, _OTHER_STEP).format(kind=kind, parent=parent, name=name))
