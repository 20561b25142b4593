"""One signing key and one certificate chain for all tests of this folder: making RSA keys is the slow part."""

from collections.abc import Iterator

import pytest

from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import SigningKey
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.emulator import PartnerCenterEmulator
from tests.unit.emulators.partner_center.referral_desk import Desk


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey()


@pytest.fixture(scope="session")
def certificates() -> CertificateHost:
    return CertificateHost()


@pytest.fixture
def entra(signing_key: SigningKey) -> EntraEmulator:
    entra = EntraEmulator(seed=7)
    entra.key = signing_key
    return entra


@pytest.fixture
def pc(entra: EntraEmulator, certificates: CertificateHost) -> Iterator[PartnerCenterEmulator]:
    emulator = PartnerCenterEmulator(seed=7, entra=entra, certificates=certificates, spacing=0.001)
    yield emulator
    emulator.close()


@pytest.fixture
def desk(pc: PartnerCenterEmulator) -> Desk:
    return Desk(pc, pc.entra.issue_access_token())
