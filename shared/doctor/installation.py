"""The installation under examination: each thing is looked up once, at first use, and shared by the checks."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from shared.app import App
from shared.settings.variables import Settings

if TYPE_CHECKING:
    from shared.clients.partner_center.connection_probe import Probe
    from shared.clients.partner_center.referrals import Referrals
    from shared.clients.salesforce.client import SalesforceClient
    from shared.clients.salesforce.records import Json


class Installation:
    """Settings, app, and what both sides answered so far; close it at the end."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), door: str | None = None) -> None:
        """Read nothing yet; `now` is our own clock, `door` the app's address as far as its deployment told."""
        self.now = now
        self._door = door
        self._described: dict[str, Json] = {}

    def close(self) -> None:
        """Let go of connections."""
        if "app" in self.__dict__:
            self.app.close()

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises ConfigurationError."""
        return Settings.load()

    @cached_property
    def app(self) -> App:
        """The wired app. Raises ConfigurationError for the mapping file."""
        return App(self.settings)

    @property
    def events_address(self) -> str | None:
        """Where events are to arrive; None where nobody said."""
        return self.settings.webhook.address or (f"{self._door.rstrip('/')}/api/events" if self._door else None)

    @property
    def referrals(self) -> "Referrals":
        """The referrals API as the app uses it."""
        return self.app.partner_center

    @property
    def salesforce(self) -> "SalesforceClient":
        """The REST API as the app uses it."""
        return cast("SalesforceClient", self.app.salesforce)

    @cached_property
    def partner_center_probe(self) -> tuple["Probe", timedelta | None]:
        """The newest referrals with what the answer tells, and how far Partner Center's clock is ahead of ours."""
        before = self.now()
        probe = self.referrals.probe()
        middle = before + (self.now() - before) / 2
        return probe, probe.at - middle if probe.at else None

    @property
    def newest_referrals(self) -> Sequence["Json"]:
        """The newest referrals, whole."""
        return self.partner_center_probe[0].referrals

    def describe_object(self, sobject: str) -> "Json":
        """Salesforce's description of an object, asked once."""
        if sobject not in self._described:
            self._described[sobject] = self.salesforce.describe(sobject)
        return self._described[sobject]

    def visible_fields(self, sobject: str) -> dict[str, dict[str, Any]]:
        """The fields of an object that the integration user sees, by lower-case name."""
        return {str(field["name"]).lower(): field for field in self.describe_object(sobject).get("fields") or ()}
