"""Read and write secrets in Key Vault with the app's managed identity, and keep them in memory for some minutes."""
