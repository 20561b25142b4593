"""Give the checks access to one installation. Each value is read once, at its first use, and shared by all checks."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from shared.app import App
from shared.foundation.errors import NotFound
from shared.settings.variables import Settings

if TYPE_CHECKING:
    from shared.clients.partner_center.connection_probe import Probe
    from shared.clients.partner_center.referrals import Referrals
    from shared.clients.salesforce.client import SalesforceClient
    from shared.clients.salesforce.records import Json
    from shared.domain.org_shape import OrgShape
    from shared.mapping.translation import Translation


class Installation:
    """The settings, the app, and the answers of both sides so far. Close it at the end."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), app_url: str | None = None) -> None:
        """Read nothing yet. `now` is this machine's clock, `app_url` the address that the deployment wrote."""
        self.now = now
        self._app_url = app_url
        self._descriptions: dict[str, Json] = {}

    def close(self) -> None:
        """Close the connections, if any were opened."""
        if "app" in self.__dict__:
            self.app.close()

    @cached_property
    def settings(self) -> Settings:
        """The settings. Raises ConfigurationError."""
        return Settings.load()

    @cached_property
    def app(self) -> App:
        """The app with these settings. Raises ConfigurationError for the mapping file."""
        return App(self.settings)

    @property
    def events_address(self) -> str | None:
        """The address at which events should arrive; None if it is not known."""
        from_deployment = f"{self._app_url.rstrip('/')}/api/events" if self._app_url else None
        return self.settings.webhook.address or from_deployment

    @property
    def referrals(self) -> "Referrals":
        """The client of the referrals API."""
        return self.app.partner_center

    @property
    def salesforce(self) -> "SalesforceClient":
        """The client of Salesforce."""
        return cast("SalesforceClient", self.app.salesforce)

    @cached_property
    def partner_center_probe(self) -> tuple["Probe", timedelta | None]:
        """A list of the newest referrals, and how far Partner Center's clock is ahead of this machine's."""
        start = self.now()
        probe = self.referrals.probe_connection()
        middle = start + (self.now() - start) / 2
        return probe, probe.at - middle if probe.at else None

    @property
    def newest_referrals(self) -> Sequence["Json"]:
        """The newest referrals with all their properties."""
        return self.partner_center_probe[0].referrals

    def describe_object(self, sobject: str) -> "Json":
        """Return Salesforce's description of an object. It is requested once."""
        if sobject not in self._descriptions:
            self._descriptions[sobject] = self.salesforce.describe(sobject)
        return self._descriptions[sobject]

    @cached_property
    def org_shape(self) -> "OrgShape":
        """What the org has of our package, and its currencies."""
        from shared.clients.salesforce.org_shape import shape_in  # noqa: PLC0415 - late: most checks do not need it

        return shape_in(self.salesforce, self._describe_visible, self.app.translation.file.question)

    @cached_property
    def translation(self) -> "Translation":
        """The mapping file for this org."""
        return self.app.translation.for_org(self.org_shape)

    def _describe_visible(self, *sobjects: str) -> dict[str, "Json"]:
        """Return the descriptions of those objects that the integration user may see."""
        described = {}
        for sobject in sobjects:
            with suppress(NotFound):
                described[sobject] = self.describe_object(sobject)
        return described

    def visible_fields(self, sobject: str) -> dict[str, dict[str, Any]]:
        """Return the fields of an object that the integration user can see, by lower-case name."""
        return {str(field["name"]).lower(): field for field in self.describe_object(sobject).get("fields") or ()}
