"""Events of the emulated dispatcher at the real admission, with certificate and issuer fetched over real TLS."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.base.certificate_authority import Authority
from emulators.base.server import Server
from emulators.partner_center.certificate_host import INTERMEDIATE_PATH, CertificateHost
from emulators.partner_center.event_faults import EventFaultKind
from emulators.partner_center.events import Event, sign_event
from shared.webhook.admission import EventAdmission
from shared.webhook.events import Event as ParsedEvent
from shared.webhook.events import parse_event
from shared.webhook.refusals import Reason, Refusal, Verified
from shared.webhook.signature import open_verifier

REFERRAL = "5d0f3f5e-7c1f-4b0e-9d55-0c9a1f2e3d4c"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def host(authority: Authority) -> Iterator[CertificateHost]:
    host = CertificateHost()
    with Server(host.handle, tls=authority.server_context()) as server, Server(host.handle) as issuers:
        host.set_public_urls(server.url, issuers.url)
        yield host


@pytest.fixture
def emulated(host: CertificateHost, authority: Authority) -> tuple[CertificateHost, EventAdmission]:
    verifier = open_verifier(
        origins=(host.url,),
        issuer_origins=(host.issuers_url,),
        extra_roots_pem=host.root_pem,
        ca_bundle=authority.bundle,
    )
    return host, EventAdmission(verifier)


def send_event(
    emulated: tuple[CertificateHost, EventAdmission],
    *,
    x_ms_signature: bool = True,
    fault: EventFaultKind | None = None,
) -> Verified | Refusal:
    host, admission = emulated
    event = Event("referral-created", REFERRAL, 638_766_000_000_000_000)
    headers, body = sign_event(event, host, x_ms_signature=x_ms_signature, fault=fault)
    answer = admission.check(headers.items(), body)
    parsed = parse_event(body)
    assert isinstance(parsed, ParsedEvent)
    assert parsed.referral_id == REFERRAL
    return answer


def requested_paths(host: CertificateHost) -> list[str]:
    return [entry.path for entry in host.journal]


def test_both_signature_headers_are_admitted_with_two_downloads(
    emulated: tuple[CertificateHost, EventAdmission],
) -> None:
    for x_ms_signature in (True, False, True):
        assert isinstance(send_event(emulated, x_ms_signature=x_ms_signature), Verified)
    assert requested_paths(emulated[0]) == [f"/cert/{emulated[0].name}.cer", INTERMEDIATE_PATH]


def test_the_issuers_address_must_be_allowed_because_the_file_holds_the_leaf_alone(
    host: CertificateHost, authority: Authority
) -> None:
    verifier = open_verifier(origins=(host.url,), extra_roots_pem=host.root_pem, ca_bundle=authority.bundle)

    assert send_event((host, EventAdmission(verifier))) == Refusal(401, Reason.CERTIFICATE_CHAIN)
    assert requested_paths(host) == [f"/cert/{host.name}.cer"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (EventFaultKind.WRONG_SIGNATURE, Reason.SIGNATURE_WRONG),
        (EventFaultKind.TAMPERED_BODY, Reason.SIGNATURE_WRONG),
        (EventFaultKind.WRONG_CERTIFICATE, Reason.CERTIFICATE_CHAIN),
    ],
)
def test_a_broken_event_is_refused(
    fault: EventFaultKind, reason: Reason, emulated: tuple[CertificateHost, EventAdmission]
) -> None:
    assert send_event(emulated, fault=fault) == Refusal(401, reason)
    assert isinstance(send_event(emulated), Verified)
