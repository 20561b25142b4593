"""Provide an admission with a throw-away root, a clock that the test sets, and a host that records its requests."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.foundation.errors import Unavailable
from shared.webhook.admission import MAX_BODY, EventAdmission
from shared.webhook.certificate_origins import Target
from shared.webhook.signature import open_verifier
from tests.unit.webhook.throwaway_chain import (
    CERTIFICATE_URL,
    INTERMEDIATE_URL,
    NOW,
    Chain,
    Identity,
    good_chain,
)

BODY = json.dumps(
    {
        "EventName": "referral-updated",
        "ResourceUri": "https://api.partnercenter.microsoft.com/engagements/v1/referrals/5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c",
        "ResourceName": "referral",
        "AuditUri": None,
        "ResourceChangeUtcDate": "2026-03-04T11:02:18.8245671+00:00",
    }
).encode()


@dataclass
class ManualClock:
    moment: datetime = NOW

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class FakeCertificateHost:
    """Serves `files` by URL, and raises Unavailable for every other URL."""

    files: dict[str, bytes]
    asked: list[str] = field(default_factory=list)

    def __call__(self, target: Target, seconds: float) -> bytes:
        assert 0 < seconds <= 5
        self.asked.append(str(target))
        try:
            return self.files[str(target)]
        except KeyError:
            raise Unavailable("404") from None


def signed_headers(signer: Identity, body: bytes, url: str = CERTIFICATE_URL) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "application/json"),
        ("x-ms-signature", "Signature " + base64.b64encode(signer.sign(body)).decode()),
        ("X-MS-Certificate-Url", url),
        ("X-MS-Signature-Algorithm", "rsa-sha256"),
    ]


@pytest.fixture
def chain() -> Chain:
    return good_chain()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def host(chain: Chain) -> FakeCertificateHost:
    return FakeCertificateHost({CERTIFICATE_URL: chain.leaf.der, INTERMEDIATE_URL: chain.intermediate.der})


@pytest.fixture
def make_admission(chain: Chain, clock: ManualClock, host: FakeCertificateHost) -> Callable[..., EventAdmission]:
    def make(**settings: Any) -> EventAdmission:  # noqa: ANN401 - the settings of open_verifier, and max_body
        limit = settings.pop("max_body", MAX_BODY)
        defaults = {"extra_roots_pem": chain.root.pem, "clock": clock, "fetch": host}
        return EventAdmission(open_verifier(**{**defaults, **settings}), limit)

    return make


@pytest.fixture
def admission(make_admission: Callable[..., EventAdmission]) -> EventAdmission:
    return make_admission()
