"""Put the emulator of Partner Center together: HTTP API, scenario and control API.

What is emulated, the control API and what is missing: docs/reference/emulator-of-partner-center.md.
"""

from emulators.base.server import Request, Response
from emulators.partner_center import control_api
from emulators.partner_center.http_api import BASE, LOCATION, ORGANIZATION
from emulators.partner_center.scenario import ANOTHER, PartnerCenterScenario

__all__ = ["ANOTHER", "BASE", "LOCATION", "ORGANIZATION", "PartnerCenterEmulator"]


class PartnerCenterEmulator(PartnerCenterScenario):
    """The referrals of our organisation, of Microsoft and of another partner, and the events about them."""

    def respond_to_control(self, request: Request) -> Response | None:
        """Answer the control routes that only this emulator has."""
        return control_api.respond_to_control(self, request)
