"""An emulator of Key Vault's REST API for secrets (docs/reference/azure.md#key-vault)."""

from emulators.key_vault.emulator import KeyVault

__all__ = ["KeyVault"]
