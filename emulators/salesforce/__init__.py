"""Emulate a Salesforce org: see `SalesforceEmulator`, and docs/reference/emulator-of-salesforce.md."""

from emulators.salesforce.emulator import SalesforceEmulator

__all__ = ["SalesforceEmulator"]
