"""One certificate chain for all tests of this folder, because making RSA keys takes most of the time."""

from collections.abc import Iterator

import pytest

from emulators.entra.emulator import EntraEmulator
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import PartnerCenterEmulator
from tests.unit.emulators.partner_center.referral_client import ReferralClient


@pytest.fixture(scope="session")
def certificates() -> CertificateHost:
    return CertificateHost()


@pytest.fixture
def emulator(entra: EntraEmulator, certificates: CertificateHost) -> Iterator[PartnerCenterEmulator]:
    emulator = PartnerCenterEmulator(seed=7, entra=entra, certificates=certificates, spacing=0.001)
    yield emulator
    emulator.close()


@pytest.fixture
def client(emulator: PartnerCenterEmulator) -> ReferralClient:
    return ReferralClient(emulator, emulator.entra.issue_access_token())
