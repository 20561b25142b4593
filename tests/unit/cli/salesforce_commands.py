"""Run `cosell salesforce` from the command line, in the environment `local`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from emulators.salesforce import SalesforceEmulator
from local.systems import Systems
from shared.cli.environment import Environment, write_environment
from shared.cli.main import app
from shared.clients.salesforce import metadata_deploy
from tests.unit.cli.stand_in_az import StandInAz
from tests.unit.cli.stand_in_sf import log_in

LAYOUT = "Opportunity-Opportunity Layout"


def start_bare_org(
    systems: Systems, sf: StandInAz, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> SalesforceEmulator:
    """An org without our metadata, in which the administrator is logged in, and the environment `local`."""
    monkeypatch.setattr(metadata_deploy, "POLL_PAUSES", (0.0,))
    monkeypatch.chdir(folder)
    write_environment(Environment("local", systems.environ))
    systems.salesforce.bare = True
    systems.reset()
    org = systems.salesforce
    log_in(sf, "admin", org, systems.salesforce_url, org.founding.administrator)
    return org


def layout_xml(org: SalesforceEmulator, name: str = LAYOUT) -> str:
    """The layout as the org has it now."""
    return org.deployments.documents.kept["Layout", name].decode()


def run_cosell(*words: str) -> Result:
    """Run a command below `cosell salesforce`."""
    return CliRunner().invoke(app, ["salesforce", words[0], "--env", "local", *words[1:]])


def document_of(result: Result) -> dict[str, Any]:
    """The JSON document that a command printed."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document
