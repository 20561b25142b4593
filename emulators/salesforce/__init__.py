"""Emulate a Salesforce org: see `SalesforceEmulator`, and docs/emulators-salesforce.md."""

from emulators.salesforce.emulator import SalesforceEmulator

__all__ = ["SalesforceEmulator"]
