"""What a deployment would change of an org's own texts, and the upgrade of an org with an earlier package."""

from pathlib import Path

import pytest

from emulators.salesforce import SalesforceEmulator
from shared import __version__
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.existing_fields import find_obstacles
from shared.clients.salesforce.org_changes import find_changes
from shared.clients.salesforce.org_shape import ask_shape
from shared.mapping.validation import load_mapping
from tests.earlier_builds import FIRST_BUILD, LACKS, unpacked_build
from tests.unit.clients.salesforce.emulated_org import EmulatedOrg, product_package
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce


@pytest.fixture
def own(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    """An org with the package of this build."""
    return EmulatedOrg(SalesforceEmulator(), fake, salesforce)


@pytest.fixture(params=LACKS)
def earlier(
    request: pytest.FixtureRequest, fake: FakeSalesforce, salesforce: SalesforceClient, tmp_path: Path
) -> EmulatedOrg:
    """An org with the package of an earlier build."""
    project = unpacked_build(request.param, tmp_path, "infra/salesforce") / "infra" / "salesforce"
    return EmulatedOrg(SalesforceEmulator(metadata=project), fake, salesforce)


def test_an_org_with_the_same_package_would_not_change(own: EmulatedOrg) -> None:
    assert find_changes(own.client, product_package()) == []


def test_an_org_without_the_package_would_not_change(fake: FakeSalesforce, salesforce: SalesforceClient) -> None:
    bare = EmulatedOrg(SalesforceEmulator(bare=True), fake, salesforce)
    assert find_changes(bare.client, product_package()) == []


def test_the_formula_of_a_field_is_compared_without_its_line_breaks(own: EmulatedOrg) -> None:
    documents, key = own.emulator.deployments.documents.kept, ("CustomField", "Opportunity.Sync_Mark__c")
    documents[key] = documents[key].replace(b"IF( ISPICKVAL", b"IF(\n  ISPICKVAL", 1)
    assert find_changes(own.client, product_package()) == []
    documents[key] = documents[key].replace(b"IF( ISPICKVAL", b"CASE( ISPICKVAL")
    [change] = find_changes(own.client, product_package())
    assert (change.component, change.part) == ("Opportunity.Sync_Mark__c", "formula")


def test_a_value_that_the_org_has_deactivated_does_not_count(own: EmulatedOrg) -> None:
    documents, key = own.emulator.deployments.documents.kept, ("CustomField", "Opportunity.Sync_Status__c")
    parts = b"<fullName>Old</fullName><default>false</default><isActive>false</isActive><label>Old</label>"
    documents[key] = documents[key].replace(b"<value>", b"<value>" + parts + b"</value><value>", 1)
    assert find_changes(own.client, product_package()) == []


@pytest.mark.parametrize("earlier", [FIRST_BUILD], indirect=True)
def test_texts_and_formulas_of_an_earlier_package_are_changes(earlier: EmulatedOrg) -> None:
    changed = {(change.component, change.part) for change in find_changes(earlier.client, product_package())}
    assert {("Opportunity.Sync_Status__c", "help text"), ("Opportunity.Sync_Mark__c", "formula")} <= changed


def test_an_org_with_an_earlier_package_is_upgraded_and_then_lacks_nothing(earlier: EmulatedOrg) -> None:
    package, question = product_package(), load_mapping()[0].question
    assert find_obstacles(earlier.salesforce, package) == []
    changed = {(change.component, change.part) for change in find_changes(earlier.client, package)}
    assert "value" not in {part for _, part in changed}
    assert earlier.client.deploy(package).success
    shape = ask_shape(earlier.salesforce, question)
    assert (shape.missing, shape.package) == ((), __version__)
    assert find_changes(earlier.client, package) == []
