"""The steps of a sign-in: the person with a browser, and the command with its options."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from emulators.entra.app_registrations import AppRegistration as Registration
from local.systems import Systems
from shared.cli.connect_partner_center import ConnectOptions, run_connect_partner_center
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output

REFRESH_TOKEN = "partner-center-refresh-token"
CERTIFICATE = "partner-center-certificate"
LOCAL = Environment("local")
PLACEHOLDER = "placeholder: run `cosell connect partner-center`"


class Person:
    """Opens the address that the command prints. A page with a form is submitted, as a browser does."""

    def __init__(self, systems: Systems) -> None:
        self.systems = systems
        self.opened: list[str] = []
        self.pages: list[str] = []

    def __call__(self, address: str) -> bool:
        self.opened.append(address)
        context = self.systems.authority.client_context()
        with httpx.Client(verify=context, trust_env=False, timeout=60) as browser:
            page = browser.get(address).text
            if action := re.search(r'<form method="post" action="([^"]+)"', page):
                fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
                page = browser.post(action[1], data={name: unescape(value) for name, value in fields.items()}).text
        self.pages.append(page)
        return True

    @property
    def requested_parameters(self) -> dict[str, str]:
        """The query parameters of the address that was opened first."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.opened[0]).query).items()}


def connect(person: Person | None = None, **options: object) -> Exit:
    """Run the command with these options, and let `person` use the browser."""
    all_options: dict[str, object] = {"seconds": 5.0, "pause": lambda _: None, **options}
    if person is not None:
        all_options["open_browser"] = person
    return run_connect_partner_center(LOCAL, Output(), ConnectOptions(**all_options))  # type: ignore[arg-type]  # the options vary by case


def stored_secret(systems: Systems, name: str = REFRESH_TOKEN) -> str:
    return systems.vault.secret_store.find(name).latest.value


def make_registration_public(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> None:
    entra = systems.partner.entra
    entra.apps[entra.client_id] = Registration(entra.client_id, public=True)
    monkeypatch.setenv("PARTNER_CENTER_PUBLIC_CLIENT", "true")


def journal_tags(systems: Systems) -> list[str]:
    """The tags of all requests that Entra ID received."""
    return [tag for entry in systems.partner.entra.journal for tag in entry.tags]
