"""One of each emulator, made once: signing keys and certificates are the slow part."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from emulators.base.emulator import Emulator
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import ManagedIdentity
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.salesforce import SalesforceEmulator


@dataclass(frozen=True)
class House:
    """All emulators by their names."""

    emulators: dict[str, Emulator]

    def __getitem__(self, name: str) -> Emulator:
        emulator = self.emulators[name]
        emulator.faults.clear()
        emulator.journal.clear()
        return emulator


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    identity, partner_center = ManagedIdentity(), PartnerCenterEmulator()
    yield House({
        "partner_center": partner_center,
        "entra": partner_center.entra,
        "certificates": partner_center.certificates,
        "salesforce": SalesforceEmulator(),
        "identity": identity,
        "vault": KeyVault(identity.tokens),
    })  # fmt: skip
    partner_center.close()
