"""A scripted far side, and the client before it."""

from collections.abc import Callable, Iterator

import httpx
import pytest
import stamina

from emulators.base.certificate_authority import Authority
from emulators.partner_center.serve import Addresses, serve
from shared.clients.partner_center.referrals import Referrals
from tests.unit.clients.partner_center.far_side import FarSide
from tests.unit.clients.partner_center.signing_in import Entra, Scene

BASE = "https://partner.example/v1.0/engagements"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(scope="module")
def served(authority: Authority) -> Iterator[Addresses]:
    """Made once: their keys take half a second."""
    with serve(authority) as there:
        yield there


@pytest.fixture
def far_side() -> FarSide:
    return FarSide()


@pytest.fixture
def referrals(far_side: FarSide) -> Iterator[Referrals]:
    ids = iter(range(1, 1000))
    with httpx.Client(transport=httpx.MockTransport(far_side)) as client:
        yield Referrals(
            BASE, far_side.token, client=client, new_id=lambda: f"call-{next(ids)}", clock=lambda: far_side.now
        )


@pytest.fixture
def answer() -> Callable[..., httpx.Response]:
    """An answer of the service: a JSON value or raw text."""

    def made(status: int = 200, json: object = None, text: str | None = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if text is not None:
            return httpx.Response(status, text=text, headers=named)
        return (
            httpx.Response(status, headers=named) if json is None else httpx.Response(status, json=json, headers=named)
        )

    return made


@pytest.fixture
def scene() -> Iterator[Scene]:
    entra = Entra()
    with httpx.Client(transport=httpx.MockTransport(entra)) as http:
        yield Scene(http, entra)
