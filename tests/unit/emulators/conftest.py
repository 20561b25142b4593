"""Fixtures of several emulators. All share one signing key, because making RSA keys takes most of the time."""

import pytest

from emulators.entra.emulator import EntraEmulator
from emulators.entra.tokens import SigningKey


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey()


@pytest.fixture
def entra(signing_key: SigningKey) -> EntraEmulator:
    entra = EntraEmulator(seed=7)
    entra.key = signing_key
    return entra
