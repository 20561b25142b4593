"""What `Vault` needs from Key Vault: one remote read or write of a secret at a time."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class SecretFacts(Struct, frozen=True):
    """What the vault tells of a secret's latest version beside its value; moments are UTC."""

    created: datetime
    expires: datetime | None = None


class Secrets(Protocol):
    """What a vault is made of: one remote read or write at a time. Raises only errors of `shared.foundation.errors`."""

    def read(self, name: str) -> str:
        """The latest value."""

    def write(self, name: str, value: str, expires: datetime | None = None) -> None:
        """Make `value` the latest; `expires` is noted beside it, and nothing refuses it then."""

    def read_facts(self, name: str) -> SecretFacts:
        """What is known of the latest version."""
