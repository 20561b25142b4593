"""Let tests, the local run and the control API act: register for events, play the other parties, read every referral.

Each method takes the lock, and delivers urgent events after it, as a request does.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulators.partner_center import events, timestamps
from emulators.partner_center.events import Event, Registration, check_address
from emulators.partner_center.http_api import PartnerCenterApi
from emulators.partner_center.other_parties import OtherParties
from emulators.partner_center.referral_shape import Json
from emulators.partner_center.referrals_service import Organization

ANOTHER = Organization("99999999-8888-4777-8666-555555555555", "Fabrikam Consulting", "7654321")


class PartnerCenterScenario(PartnerCenterApi):
    """The API, and methods that do what people and other organisations do in Partner Center."""

    def _start_empty(self) -> None:
        super()._start_empty()
        self.others = OtherParties(self.service, ANOTHER, self.chance)

    # --- events

    def register_events(self, url: str, events: Iterable[str] = events.NAMES, *, x_ms_signature: bool = True) -> None:
        """Send events of these names to `url` from now on. Raises ValueError if it is not an http address."""
        at = timestamps.to_ticks(self.clock.now())
        self.dispatcher.registration = Registration(check_address(url), frozenset(events), x_ms_signature, at)

    def signed_event(
        self, referral_id: str, event_name: str = "referral-updated", *, x_ms_signature: bool = True
    ) -> tuple[dict[str, str], bytes]:
        """Return headers and body of an event as the dispatcher would send it now. Nothing is sent."""
        event = Event(event_name, referral_id, timestamps.to_ticks(self.clock.now()))
        return events.sign_event(event, self.certificates, x_ms_signature=x_ms_signature)

    # --- actions of Microsoft, of another partner, and of colleagues in the portal

    def microsoft_sends(self, **fields: object) -> str:
        """Make an inbound co-sell deal from Microsoft, New/Pending, and return its id.

        `fields` replace the made-up values of its properties.
        """
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_sends(fields).id

    def partner_sends(self, **fields: object) -> str:
        """Do as `microsoft_sends`, but for another partner."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.partner_sends(fields).id

    def partner_creates(self, **fields: object) -> str:
        """Make a deal of another partner, which we may not see, and return its id."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.partner_creates(fields).id

    def portal_creates(self, body: Mapping[str, Any] | None = None) -> str:
        """Let a colleague make a deal in the portal, and return its id. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.portal_creates(body or {}).id

    def portal_edits(self, referral_id: str, operations: object) -> Json:
        """Let a colleague edit a deal in the portal by a JSON Patch, and return the referral. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.portal_edits(referral_id, operations).record

    def microsoft_accepts(self, engagement_id: str) -> Json:
        """Let Microsoft accept, and return its record. Raises ServiceError (404) if Microsoft was not invited."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_accepts(engagement_id).record

    def microsoft_declines(self, engagement_id: str, reason: str = "Customer not managed") -> Json:
        """Let Microsoft decline, and return its record. Raises as `microsoft_accepts`."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_declines(engagement_id, reason).record

    def microsoft_closes(self, engagement_id: str, substatus: str = "Won") -> Json:
        """Let Microsoft close its own record, and return it. Raises as `microsoft_accepts`."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_closes(engagement_id, substatus).record

    def microsoft_edits(self, engagement_id: str, operations: object) -> Json:
        """Let Microsoft change its own record by a JSON Patch, and return it. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_edits(engagement_id, operations).record

    def raw_patch(
        self, referral_id: str, values: Mapping[str, Any], removed_paths: Sequence[str] = (), *, touch: bool = True
    ) -> Json:
        """Set and remove values by JSON pointer without any rule, and return the referral.

        With `touch` it counts as a change: new eTag and date, and an event.
        """
        with self._delivering_urgent_events(), self.lock:
            return self.service.write_raw(referral_id, values, list(removed_paths), touch=touch).record

    def populate(self, count: int) -> None:
        """Add `count` deals of our own."""
        with self._delivering_urgent_events(), self.lock:
            self.others.populate(count)

    # --- reading

    def example_body(self) -> Json:
        """Return the body of a create; the seed varies it."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.example_body()

    def referral(self, referral_id: str) -> Json:
        """Return any referral, whoever owns it. Raises ServiceError (404)."""
        with self._delivering_urgent_events(), self.lock:
            self.service.expire_unanswered()
            return self.service.find_referral(referral_id).record

    def referrals(self, owner: str | None = None) -> list[Json]:
        """Return all referrals, oldest first, or those of the organisation with the id `owner`."""
        with self._delivering_urgent_events(), self.lock:
            self.service.expire_unanswered()
            return [referral.record for referral in self.service.store if owner in (None, referral.owner_id)]
