"""Deployment by the Azure CLI: `make deploy`, `promote`, `rollback`. docs/staging-and-production.md tells of it."""
