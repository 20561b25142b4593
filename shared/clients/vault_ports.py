"""Defines the vault that the sign-ins of the clients need. `shared.clients.key_vault.vault.Vault` implements it."""

from typing import Protocol


class Vault(Protocol):
    """Secrets by name. Safe for threads.

    Raises NotFound if there is no such secret, and other errors of `shared.foundation.errors`.
    """

    def get(self, name: str) -> str:
        """The secret, possibly from a cache."""

    def get_fresh(self, name: str) -> str:
        """The secret as the vault has it now, for one more try after a service refused the cached one."""

    def set(self, name: str, value: str) -> None:
        """Store a new version."""
