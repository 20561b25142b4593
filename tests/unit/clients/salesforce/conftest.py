from collections.abc import Iterator

import pytest

from shared.clients.salesforce.client import SalesforceClient, open_salesforce
from shared.transport.session import open_session
from tests.no_waits import no_waits
from tests.unit.clients.salesforce.fake_salesforce import LOGIN, NOW, FakeSalesforce, ManualClock, MemoryVault, new_pem


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with no_waits():
        yield


@pytest.fixture(scope="session")
def pem() -> str:
    return new_pem()


@pytest.fixture
def vault(pem: str) -> MemoryVault:
    return MemoryVault(pem)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


@pytest.fixture
def salesforce(fake: FakeSalesforce, vault: MemoryVault, clock: ManualClock) -> Iterator[SalesforceClient]:
    session = open_session(None)
    session.mount("https://", fake)
    with session:
        yield open_salesforce(
            login_url=LOGIN,
            client_id="CONSUMER",
            username="integration@example.com",
            key_name="salesforce-key",
            vault=vault,
            session=session,
            now=lambda: NOW,
            monotonic=clock,
        )
