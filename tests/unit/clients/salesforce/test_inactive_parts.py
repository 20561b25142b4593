"""What a deployed package brought and the org holds inactive."""

import pytest

from emulators.salesforce import SalesforceEmulator
from emulators.salesforce.metadata.package import Component
from emulators.salesforce.metadata.xml_schema import parse_xml
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.inactive_parts import InactivePart, find_inactive
from shared.clients.salesforce.metadata_xml import NAMESPACE
from shared.clients.salesforce.source_format import Package
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg, product_package
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce
from tests.unit.emulators.salesforce.control_calls import control

FLOW = (
    f'<Flow xmlns="{NAMESPACE}"><label>Tell</label><processType>AutoLaunchedFlow</processType>'
    "<status>Active</status></Flow>"
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator ends a deployment after some polls, not after some time."""
    monkeypatch.setattr("shared.clients.salesforce.metadata_deploy.POLL_PAUSES", (0.0,))


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(bare=True), fake, salesforce)


def flow_package() -> Package:
    return Package({"flows/Tell_Owner.flow": FLOW.encode()}, {"Flow": ("Tell_Owner",)})


def test_a_flow_that_production_takes_as_a_draft_is_named_with_the_step(org: EmulatedOrg) -> None:
    control(org.emulator, "org_kind", kind="production")
    assert org.client.deploy(flow_package()).success
    step = "Setup, Flows, Tell_Owner: open the newest version and activate it"
    assert find_inactive(org.salesforce, flow_package()) == [InactivePart("Flow", "Tell_Owner", step)]


def test_a_draft_beside_an_active_version_is_named_too(org: EmulatedOrg) -> None:
    assert org.client.deploy(flow_package()).success
    assert find_inactive(org.salesforce, flow_package()) == []
    control(org.emulator, "org_kind", kind="production")
    assert org.client.deploy(flow_package()).success
    assert [part.name for part in find_inactive(org.salesforce, flow_package())] == ["Tell_Owner"]


def test_a_validation_rule_that_the_org_holds_inactive_is_named(org: EmulatedOrg) -> None:
    assert org.client.deploy(product_package()).success
    assert find_inactive(org.salesforce, product_package()) == []
    key = ("ValidationRule", "Opportunity.Cosell_Clone")
    rule = org.emulator.deployments.documents.kept[key].replace(b"<active>true<", b"<active>false<")
    org.emulator.deployments.documents.put(Component(*key, "", parse_xml(rule)))
    [part] = find_inactive(org.salesforce, product_package())
    assert str(part) == (
        "ValidationRule Opportunity.Cosell_Clone is not active. Setup, Object Manager, Opportunity, Validation Rules, "
        "Cosell_Clone: edit it and tick Active."
    )
