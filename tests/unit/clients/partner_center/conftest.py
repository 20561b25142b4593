"""Provide a scripted service with a client for it, the emulators, and a scripted sign-in."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from emulators.base.certificate_authority import Authority
from emulators.partner_center.serve import ServedPartnerCenter, serve_partner_center
from shared.clients.partner_center.referrals import Referrals
from tests.no_waits import no_waits
from tests.over_httpx import OverHttpx
from tests.unit.clients.partner_center.scripted_service import ScriptedService
from tests.unit.clients.partner_center.scripted_sign_in import ScriptedEntra, SignInScene

BASE = "https://partner.example/v1.0/engagements"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with no_waits():
        yield


@pytest.fixture(scope="module")
def served(authority: Authority) -> Iterator[ServedPartnerCenter]:
    """The emulators, started once for a module: making their keys takes half a second."""
    with serve_partner_center(authority) as addresses:
        yield addresses


@pytest.fixture
def service() -> ScriptedService:
    return ScriptedService()


@pytest.fixture
def referrals(service: ScriptedService) -> Iterator[Referrals]:
    ids = iter(range(1, 1000))
    with httpx.Client(transport=httpx.MockTransport(service)) as client:
        yield Referrals(
            BASE,
            service.token,
            service=OverHttpx(client),
            new_id=lambda: f"call-{next(ids)}",
            clock=lambda: service.now,
        )


@pytest.fixture
def answer() -> Callable[..., httpx.Response]:
    """Makes an answer of the service with a JSON value or a raw text."""

    def make_response(
        status: int = 200, json: object = None, text: str | None = None, **headers: str
    ) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if text is not None:
            return httpx.Response(status, text=text, headers=named)
        return (
            httpx.Response(status, headers=named) if json is None else httpx.Response(status, json=json, headers=named)
        )

    return make_response


@pytest.fixture
def scene() -> Iterator[SignInScene]:
    entra = ScriptedEntra()
    with httpx.Client(transport=httpx.MockTransport(entra)) as http:
        yield SignInScene(http, entra)
