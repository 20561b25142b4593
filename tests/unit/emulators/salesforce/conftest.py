from datetime import UTC, datetime

import pytest

from emulators.salesforce import SalesforceEmulator
from tests.unit.emulators.salesforce.api_session import ApiSession

NOW = datetime(2026, 11, 20, 10, 0, 0, 400_000, tzinfo=UTC)


@pytest.fixture
def emulator() -> SalesforceEmulator:
    """An org whose clock is frozen at NOW."""
    emulator = SalesforceEmulator(public_url="https://acme.example")
    emulator.clock.freeze()
    emulator.clock.set(NOW)
    return emulator


@pytest.fixture
def api(emulator: SalesforceEmulator) -> ApiSession:
    user = emulator.org.insert(
        "User", {"Username": "robot@partner.example", "LastName": "Robot"}, emulator.founding.administrator
    )
    return ApiSession(emulator, emulator.oauth.issue_session_id(user))
