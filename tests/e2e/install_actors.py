"""Acts for test_install_walk.py: the machine on which commands are typed, and the people who click and consent."""

import json
import os
import re
import socket
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.keyvault.secrets._shared import http_challenge_cache
from typer.testing import CliRunner, Result

import shared.app
from emulators.entra.app_registrations import AppRegistration as Registration
from emulators.key_vault.emulator import AUDIENCE
from emulators.key_vault.secret_store import SecretStore
from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.promote import promote
from local.systems import BROWSER_APP, CONSUMER_KEY, USERNAME
from shared.cli.main import app as command
from tests.e2e.world import World
from tests.unit.cli.stand_in_az import StandInAz
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure, answer_deployment

ADMINISTRATOR = "ada.admin@partner.example"
ON_HOLD = "On Hold"
PLACEHOLDER = "placeholder: run `cosell connect partner-center`"
PLATFORM_VARIABLES = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")
"""The platform sets these variables in Azure. A person's machine has no managed identity."""


@dataclass
class Machine:
    """A person's machine with a checkout and a stand-in for the Azure CLI. `run_cosell` runs the real command."""

    world: World
    azure: FakeAzure
    az: StandInAz
    monkeypatch: pytest.MonkeyPatch
    environment: str = "staging"
    app_settings: dict[str, str] = field(default_factory=dict)

    def run_make_deploy(self) -> None:
        """Run `make deploy ENV=...` with a stand-in for Azure. The files that it leaves on this machine are real."""
        self._create_azure_resources()
        deploy(self.azure.open_session(self.environment))

    def run_make_promote(self) -> None:
        """Run `make promote` with a stand-in for Azure."""
        self.environment = "production"
        self._create_azure_resources()
        promote(self.azure.open_session(self.environment))

    def _create_azure_resources(self) -> None:
        """Create resources that have the addresses of the emulators. The app begins in preview mode."""
        self.world.systems.salesforce.set_sandbox(on=self.environment != "production")
        answer_deployment(self.azure, self.environment)
        [answer] = self.azure.answers["deployment sub create"]
        outputs = answer["out"]["properties"]["outputs"]
        host = self.world.host.url
        outputs |= {"FUNCTION_APP_URL": {"value": host}, "EVENTS_URL": {"value": f"{host}/api/events"}}
        self.app_settings = {
            name: value for name, value in self.world.systems.environ.items() if name not in PLATFORM_VARIABLES
        }
        store = str(self.azure.folder / f"{self.environment}.sqlite")
        self.app_settings |= {"ENVIRONMENT": self.environment, "SYNC": "preview", "STORE_FILE": store}
        outputs["APP_SETTINGS"] = {"value": self.app_settings}
        self.start_app()

    def start_app(self) -> None:
        """Start the app with its settings, as the platform does."""
        for name, value in self.app_settings.items():
            self.monkeypatch.setenv(name, value)
        shared.app.reset()

    def run_cosell(self, *words: str) -> Result:
        """Run a `cosell` command in a new shell."""
        before = dict(os.environ)
        http_challenge_cache.clear()
        for name in (*PLATFORM_VARIABLES, *self.app_settings):
            os.environ.pop(name, None)
        try:
            return CliRunner().invoke(command, [*words, "--env", self.environment])
        finally:
            os.environ.clear()
            os.environ.update(before)
            self._apply_setting_changes()

    def _apply_setting_changes(self) -> None:
        """Start the app again with the settings that the Azure CLI has changed, as the platform does."""
        for call in self.az.calls:
            if call[:4] == ["functionapp", "config", "appsettings", "set"]:
                name, _, value = call[call.index("--settings") + 1].partition("=")
                self.app_settings[name] = value
        self.start_app()

    def run_cosell_json(self, *words: str) -> dict[str, Any]:
        """Run a `cosell` command with --json; returns its document, and its exit code as `exit`."""
        result = self.run_cosell(*words, "--json")
        assert result.stdout, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        return {"exit": result.exit_code, **document}

    def doctor_checks(self) -> dict[str, dict[str, str]]:
        """The results of `cosell doctor` by the name of the check."""
        return {check["name"]: check for check in self.run_cosell_json("doctor")["checks"]}

    def failed_remedies(self) -> dict[str, str]:
        """The remedies of the failed checks by the name of the check."""
        return {name: check["remedy"] for name, check in self.doctor_checks().items() if check["result"] == "failed"}

    @property
    def certificate_path(self) -> Path:
        """The certificate that is uploaded to Salesforce."""
        return Path(".cosell") / f"salesforce-{self.environment}.crt"

    def opportunities_by_referral(self) -> dict[str | None, dict[str, Any]]:
        """Opportunities by the id of their referral."""
        return self.world.opportunities_by_referral()


@dataclass
class People:
    """The people who click in Setup, upload certificates and sign in, through the control APIs of the emulators."""

    world: World
    machine: Machine

    def add_the_on_hold_stage(self) -> None:
        self._set_on_hold_stage(is_active=True)

    def remove_the_on_hold_stage(self) -> None:
        """A new org has no such stage."""
        self._set_on_hold_stage(is_active=False)

    def _set_on_hold_stage(self, *, is_active: bool) -> None:
        org = self.world.systems.salesforce
        [stage] = [record for record in org.records("OpportunityStage") if record["MasterLabel"] == ON_HOLD]
        org.edit("OpportunityStage", stage["Id"], {"IsActive": is_active}, user=org.founding.administrator)

    def upload_to_salesforce(self) -> None:
        """Enable the JWT bearer flow of the app with the certificate, and approve its users."""
        pem = self.machine.certificate_path.read_text(encoding="ascii")
        self.world.systems.salesforce.register_connected_app(CONSUMER_KEY, pem, USERNAME)

    def create_the_browser_app(self) -> tuple[str, ...]:
        """Create the app with which the administrator signs in; returns the options of a command that uses it."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        callback = f"http://localhost:{port}/callback"
        self.world.systems.salesforce.register_browser_app(BROWSER_APP, (callback,), [ADMINISTRATOR])
        return "--client-id", BROWSER_APP, "--port", str(port)

    def upload_to_entra(self) -> None:
        """Give the app registration its certificate."""
        entra = self.world.systems.partner.entra
        file = Path(f"cosell-{self.machine.environment}.cer")
        entra.register_app(entra.client_id, certificate_pem=file.read_text(encoding="ascii"))

    def open(self, address: str, *_: object) -> bool:
        """Act as the browser: sign in, consent, and go where the page leads back to the command."""
        context = self.world.systems.authority.client_context()
        with httpx.Client(verify=context, trust_env=False, timeout=60, follow_redirects=True) as browser:
            page = browser.get(address).text
            if address.startswith(self.world.systems.salesforce_url):
                browser.post(address, data={"username": ADMINISTRATOR, "pw": "any"})
                return True
            action = re.search(r'<form method="post" action="([^"]+)"', page)
            assert action, page
            filled = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
            browser.post(action[1], data={name: unescape(value) for name, value in filled.items()})
        return True

    def answer_the_browser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(webbrowser, "_browsers", {"person": [None, self]})
        monkeypatch.setattr(webbrowser, "_tryorder", ["person"])


def empty_all_systems(world: World) -> None:
    """Make the systems as on the first day: no metadata of the product, no app, and only a placeholder in the vault."""
    systems = world.systems
    systems.salesforce.bare = True
    systems.salesforce.reset_state()
    systems.salesforce.oauth.apps.clear()
    entra = systems.partner.entra
    entra.apps[entra.client_id] = Registration(entra.client_id)
    systems.vault.secret_store = SecretStore(systems.vault.clock.now, seed=1)
    systems.vault.secret_store.put("partner-center-refresh-token", {"value": PLACEHOLDER})


@contextmanager
def restore_afterwards(world: World) -> Iterator[None]:
    """Restore what a reset does not restore, because all tests of a process share one world."""
    org = world.systems.salesforce
    apps = dict(org.oauth.apps)
    try:
        yield
    finally:
        org.bare, org.multi_currency = False, True
        org.oauth.apps.clear()
        org.oauth.apps.update(apps)


def azure_login(world: World) -> dict[str, object]:
    """The answer of `az account get-access-token` for a person who is logged in."""
    now = time.time()
    claims = {"aud": AUDIENCE, "exp": int(now) + 3600, "nbf": now, "oid": "the operator"}
    return {"accessToken": world.systems.identity.tokens.issue(claims), "expires_on": int(now) + 3600}
