"""What the clients' sign-in needs of a vault; `shared.clients.key_vault.vault.Vault` is one."""

from typing import Protocol


class Vault(Protocol):
    """Secrets by name. Raises NotFound where there is none, and other errors of `errors`. Safe for threads."""

    def get(self, name: str) -> str:
        """The secret, possibly from a cache."""

    def get_fresh(self, name: str) -> str:
        """The secret as the vault has it now: for one more try after the far side refused the kept one."""

    def set(self, name: str, value: str) -> None:
        """Store a new version."""
