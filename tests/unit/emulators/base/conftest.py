"""One instance of each emulator for all tests of this folder, because making keys and certificates is slow."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from emulators.base.emulator import Emulator
from emulators.key_vault import KeyVault
from emulators.managed_identity.emulator import ManagedIdentity
from emulators.partner_center.emulator import PartnerCenterEmulator
from emulators.salesforce import SalesforceEmulator


@dataclass(frozen=True)
class AllEmulators:
    """All emulators by name."""

    by_name: dict[str, Emulator]

    def __getitem__(self, name: str) -> Emulator:
        """Return the emulator without faults and with an empty journal."""
        emulator = self.by_name[name]
        emulator.faults.clear()
        emulator.journal.clear()
        return emulator


@pytest.fixture(scope="package")
def all_emulators() -> Iterator[AllEmulators]:
    identity, partner_center = ManagedIdentity(), PartnerCenterEmulator()
    yield AllEmulators({
        "partner_center": partner_center,
        "entra": partner_center.entra,
        "certificates": partner_center.certificates,
        "salesforce": SalesforceEmulator(),
        "identity": identity,
        "vault": KeyVault(identity.tokens),
    })  # fmt: skip
    partner_center.close()
