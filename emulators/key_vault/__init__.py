"""An emulator of Key Vault's data plane for secrets (reference/azure.md section 3)."""

from emulators.key_vault.emulator import KeyVault

__all__ = ["KeyVault"]
