"""Deploys the connector with the Azure CLI: `make deploy`, `make promote`, `make rollback`.

docs/staging-and-production.md describes the three commands.
"""
