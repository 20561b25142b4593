"""An emulator of a Salesforce org: `SalesforceEmulator`."""

from infra.local.salesforce.emulator import SalesforceEmulator

__all__ = ["SalesforceEmulator"]
