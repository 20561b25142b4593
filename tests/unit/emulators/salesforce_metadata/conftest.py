import pytest

from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce_metadata.deploy_client import Deployer


@pytest.fixture
def org() -> SalesforceEmulator:
    """An org before its first deployment."""
    return SalesforceEmulator(bare=True, public_url="https://acme.example")


@pytest.fixture
def deployer(org: SalesforceEmulator) -> Deployer:
    return Deployer(org)
