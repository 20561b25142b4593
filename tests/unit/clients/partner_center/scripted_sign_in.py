"""A sign-in with a scripted Entra ID, and with a vault to which other programs write."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx

from shared.clients.partner_center.sign_in import AppRegistration, PartnerCenterSignIn, SecretNames
from shared.foundation.errors import CosellError, NotFound

TENANT = "11111111-2222-3333-4444-555555555555"
NAMES = SecretNames(refresh_token="rt", certificate="cert", client_secret="secret")
type Step = dict[str, Any] | httpx.Response | Exception


class FakeVault:
    """A vault with a cache. The test writes to `stored` as another program would."""

    def __init__(self) -> None:
        self.stored = {"rt": "refresh-0", "secret": "secret-0"}
        self.remembered: dict[str, str] = {}
        self.fresh: list[str] = []
        self.broken: CosellError | None = None

    def get(self, name: str) -> str:
        return self.remembered[name] if name in self.remembered else self._read(name)

    def get_fresh(self, name: str) -> str:
        self.fresh.append(name)
        return self._read(name)

    def set(self, name: str, value: str) -> None:
        if self.broken:
            raise self.broken
        self.stored[name] = self.remembered[name] = value

    def _read(self, name: str) -> str:
        if name not in self.stored:
            raise NotFound(name)
        self.remembered[name] = self.stored[name]
        return self.stored[name]


class ScriptedEntra:
    """Discovery, and a token endpoint that answers by a script, and after that with new tokens."""

    def __init__(self) -> None:
        self.script: list[Step] = []
        self.forms: list[dict[str, str]] = []
        self.life: object = 3600
        self.token_host = "login.example"
        self.hold: Callable[[], object] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            authority = f"https://{self.token_host}/{TENANT}"
            return httpx.Response(
                200,
                json={
                    "issuer": f"https://login.example/{TENANT}/v2.0",
                    "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{authority}/oauth2/v2.0/token",
                    "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
                },
            )
        self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        self.hold()
        number = len(self.forms)
        step: Step = {} if not self.script else self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            return step
        granted = {"token_type": "Bearer", "expires_in": self.life, "access_token": f"access-{number}"}
        return httpx.Response(200, json=granted | {"refresh_token": f"refresh-{number}"} | step)


def refusal_response(
    number: int, error: str = "invalid_grant", text: str = "Something is wrong. Trace ID: x"
) -> httpx.Response:
    description = f"AADSTS{number}: {text}"
    return httpx.Response(400, json={"error": error, "error_description": description, "error_codes": [number]})


class SignInScene:
    """A sign-in with its vault, its Entra ID, its clock and its log."""

    def __init__(self, http: httpx.Client, entra: ScriptedEntra) -> None:
        self.now = 0.0
        self.http = http
        self.vault = FakeVault()
        self.entra = entra
        self.events: list[tuple[str, dict[str, object]]] = []
        self.sign_in = PartnerCenterSignIn(
            self.vault,
            AppRegistration(TENANT, "app-id", authority="https://login.example/"),
            http=http,
            log=lambda event, **fields: self.events.append((event, fields)),
            secrets=NAMES,
            clock=lambda: self.now,
        )

    @property
    def redeemed_tokens(self) -> list[str]:
        return [form["refresh_token"] for form in self.entra.forms]
