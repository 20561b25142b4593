"""An emulator of a Salesforce org: `SalesforceEmulator`."""

from emulators.salesforce.emulator import SalesforceEmulator

__all__ = ["SalesforceEmulator"]
