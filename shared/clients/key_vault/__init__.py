"""Key Vault: secrets by name, read with the app's managed identity and kept in memory for a while."""
