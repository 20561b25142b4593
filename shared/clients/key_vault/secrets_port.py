"""Defines the remote reads and writes of one secret, which `Vault` needs from Key Vault."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct


class SecretFacts(Struct, frozen=True):
    """The times when the latest version of a secret was written and when it expires (UTC)."""

    created: datetime
    expires: datetime | None = None


class Secrets(Protocol):
    """Remote reads and writes, without a cache. Raises only errors of `shared.foundation.errors`."""

    def read(self, name: str) -> str:
        """The latest value."""

    def write(self, name: str, value: str, expires: datetime | None = None) -> None:
        """Make `value` the latest version. `expires` is stored with it, but an expired secret can still be read."""

    def read_facts(self, name: str) -> SecretFacts:
        """The dates of the latest version."""
