"""What docs/install.md is walked with: the machine where commands are typed, and the people who click and consent."""

import json
import os
import re
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
from emulators.entra.app_registrations import App as Registration
from emulators.key_vault.emulator import AUDIENCE
from emulators.key_vault.secret_store import Shelf
from infra.azure.deploy.deploy import deploy
from infra.azure.deploy.promote import promote
from local.systems import CONSUMER_KEY, USERNAME
from shared.cli.main import app as command
from tests.e2e.world import World
from tests.unit.cli.stand_in_az import StandInAz
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure, answer_deployment

ADMIN = ("--user", "ada.admin@partner.example")
ON_HOLD = "On Hold"
PLACEHOLDER = "placeholder: run `cosell connect partner-center`"
OF_THE_PLATFORM = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")
"""A person's machine has no managed identity."""


@dataclass
class Machine:
    """A person's machine: a checkout, the Azure CLI, a browser. `cosell` is the real command."""

    world: World
    stage: FakeAzure
    az: StandInAz
    monkeypatch: pytest.MonkeyPatch
    environment: str = "staging"
    said: dict[str, str] = field(default_factory=dict)

    def deploys(self) -> None:
        """`make deploy ENV=...`: Azure is played, what it leaves on this machine is real."""
        self._azure_makes()
        deploy(self.stage.open_session(self.environment))

    def promotes(self) -> None:
        """`make promote`."""
        self.environment = "production"
        self._azure_makes()
        promote(self.stage.open_session(self.environment))

    def _azure_makes(self) -> None:
        """Resources whose addresses are those of the emulators; the app begins with a preview."""
        answer_deployment(self.stage, self.environment)
        [answer] = self.stage.answers["deployment sub create"]
        outputs = answer["out"]["properties"]["outputs"]
        host = self.world.host.url
        outputs |= {"FUNCTION_APP_URL": {"value": host}, "EVENTS_URL": {"value": f"{host}/api/events"}}
        self.said = {name: value for name, value in self.world.systems.environ.items() if name not in OF_THE_PLATFORM}
        store = str(self.stage.folder / f"{self.environment}.sqlite")
        self.said |= {"ENVIRONMENT": self.environment, "SYNC": "preview", "STORE_FILE": store}
        outputs["APP_SETTINGS"] = {"value": self.said}
        self.app_starts()

    def app_starts(self) -> None:
        """The platform gives the app its settings."""
        for name, value in self.said.items():
            self.monkeypatch.setenv(name, value)
        shared.app.reset()

    def cosell(self, *words: str) -> Result:
        """A command typed into a new shell."""
        before = dict(os.environ)
        http_challenge_cache.clear()
        for name in (*OF_THE_PLATFORM, *self.said):
            os.environ.pop(name, None)
        try:
            return CliRunner().invoke(command, [*words, "--env", self.environment])
        finally:
            os.environ.clear()
            os.environ.update(before)
            self._platform_hears()

    def _platform_hears(self) -> None:
        """An app whose settings were changed by the Azure CLI starts again with them."""
        for call in self.az.calls:
            if call[:4] == ["functionapp", "config", "appsettings", "set"]:
                name, _, value = call[call.index("--settings") + 1].partition("=")
                self.said[name] = value
        self.app_starts()

    def tells(self, *words: str) -> dict[str, Any]:
        """The JSON document of a command, with its exit code."""
        result = self.cosell(*words, "--json")
        assert result.stdout, result.output
        document: dict[str, Any] = json.loads(result.stdout)
        return {"exit": result.exit_code, **document}

    def examined(self) -> dict[str, dict[str, str]]:
        """What `cosell doctor` finds, by check."""
        return {check["name"]: check for check in self.tells("doctor")["checks"]}

    def failures(self) -> dict[str, str]:
        """The remedies of the checks that failed."""
        return {name: check["remedy"] for name, check in self.examined().items() if check["result"] == "failed"}

    @property
    def certificate(self) -> Path:
        """What is uploaded to Salesforce."""
        return Path(".cosell") / f"salesforce-{self.environment}.crt"

    def deals_of_salesforce(self) -> dict[str | None, dict[str, Any]]:
        """Opportunities by the id of their referral."""
        return self.world.opportunities()


@dataclass
class People:
    """Who clicks in Setup, uploads certificates and signs in: the emulators' own controls."""

    world: World
    machine: Machine

    def add_the_on_hold_stage(self) -> None:
        self._on_hold(is_active=True)

    def remove_the_on_hold_stage(self) -> None:
        """An org has none by itself."""
        self._on_hold(is_active=False)

    def _on_hold(self, *, is_active: bool) -> None:
        org = self.world.systems.salesforce
        [stage] = [row for row in org.records("OpportunityStage") if row["MasterLabel"] == ON_HOLD]
        org.edit("OpportunityStage", stage["Id"], {"IsActive": is_active}, user=org.founding.administrator)

    def upload_to_salesforce(self) -> None:
        """Enable the app's JWT bearer flow with the certificate; integration user and administrator are approved."""
        pem = self.machine.certificate.read_text(encoding="ascii")
        self.world.systems.salesforce.register_app(CONSUMER_KEY, pem, USERNAME)

    def upload_to_entra(self) -> None:
        """Give the app registration its certificate."""
        entra = self.world.systems.partner.entra
        file = Path(f"cosell-{self.machine.environment}.cer")
        entra.register(entra.client_id, certificate_pem=file.read_text(encoding="ascii"))

    def open(self, address: str, *_: object) -> bool:
        """The browser: signs in, consents, and posts the form that leads back to the command."""
        with httpx.Client(verify=self.world.systems.authority.client(), trust_env=False) as browser:
            page = browser.get(address).text
            action = re.search(r'<form method="post" action="([^"]+)"', page)
            assert action, page
            filled = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
            browser.post(action[1], data={name: unescape(value) for name, value in filled.items()})
        return True

    def sit_before_the_browser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(webbrowser, "_browsers", {"person": [None, self]})
        monkeypatch.setattr(webbrowser, "_tryorder", ["person"])


def empty(world: World) -> None:
    """The first day: no metadata and no stage of ours, no app that may sign in, a vault with a placeholder alone."""
    systems = world.systems
    systems.salesforce.bare = True
    systems.salesforce.restart()
    systems.salesforce.oauth.apps.clear()
    entra = systems.partner.entra
    entra.apps[entra.client_id] = Registration(entra.client_id)
    systems.vault.shelf = Shelf(systems.vault.clock.now, seed=1)
    systems.vault.shelf.put("partner-center-refresh-token", {"value": PLACEHOLDER})


@contextmanager
def restored(world: World) -> Iterator[None]:
    """What a reset does not bring back is as before at the end: one world serves all tests of a process."""
    org = world.systems.salesforce
    apps = dict(org.oauth.apps)
    try:
        yield
    finally:
        org.bare = False
        org.oauth.apps.clear()
        org.oauth.apps.update(apps)


def login_of(world: World) -> dict[str, object]:
    """What `az account get-access-token` says to whoever is logged in."""
    now = time.time()
    claims = {"aud": AUDIENCE, "exp": int(now) + 3600, "nbf": now, "oid": "the operator"}
    return {"accessToken": world.systems.identity.tokens.issue(claims), "expires_on": int(now) + 3600}
