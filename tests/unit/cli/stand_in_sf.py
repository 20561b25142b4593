"""Replace the Salesforce CLI on PATH: it has a login for each alias, with the session of a user of the emulated org."""

from pathlib import Path

import pytest

from emulators.salesforce import SalesforceEmulator
from tests.unit.cli.stand_in_az import StandInAz, put_on_path

ADMIN = ("--target-org", "admin")
"""The options of a command by which the administrator signs in."""
REDACTED = "[REDACTED] Use 'sf org auth show-access-token' to view"


def put_sf_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StandInAz:
    """Create the replacement, without a login."""
    return put_on_path(folder, monkeypatch, "sf")


def log_in(sf: StandInAz, alias: str, org: SalesforceEmulator, address: str, user: str) -> str:
    """Log a user in to the org at this address, as version 2.146 shows it; returns the session."""
    token = org.oauth.issue_session_id(user)
    shown = {
        "id": org.organization, "instanceUrl": address, "accessToken": REDACTED, "alias": alias,
        "username": org.record("User", user)["Username"], "connectedStatus": "Connected", "clientId": "PlatformCLI",
    }  # fmt: skip
    sf.answer(f"org display --target-org {alias}", {"status": 0, "result": shown, "warnings": []})
    revealed = {"status": 0, "result": {"accessToken": token}, "warnings": ["This token grants full access."]}
    sf.answer(f"org auth show-access-token --target-org {alias}", revealed)
    return token
