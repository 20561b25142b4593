"""Emulators of Salesforce, Partner Center, Entra ID, Key Vault and the managed-identity endpoint. See README.md."""
