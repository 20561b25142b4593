"""Let tests, the local run and the control API act: register for events, play the other parties, read every referral.

Each method takes the lock, and delivers urgent events after it, as a request does.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emulators.partner_center import events, timestamps
from emulators.partner_center.events import Event, Registration, check_address
from emulators.partner_center.http_api import PartnerCenterApi
from emulators.partner_center.microsoft_side import MicrosoftSide
from emulators.partner_center.other_parties import OtherParties
from emulators.partner_center.referral_shape import Json
from emulators.partner_center.referrals_service import Organization
from emulators.partner_center.service_errors import invalid_request

ANOTHER = Organization("99999999-8888-4777-8666-555555555555", "Fabrikam Consulting", "7654321")


class PartnerCenterScenario(PartnerCenterApi):
    """The API, and methods that do what people and other organisations do in Partner Center."""

    def _start_empty(self) -> None:
        super()._start_empty()
        self.others = OtherParties(self.service, ANOTHER, self.chance)
        self.microsoft = MicrosoftSide(self.service, self.chance)

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

    def send_event(self, event_name: str, referral_id: str) -> None:
        """Send an event to the registered address although nothing changed. The referral need not exist.

        Raises ValueError for a name that the emulator does not send.
        """
        if event_name not in events.NAMES:
            raise ValueError(f"unknown event: {event_name!r}")
        with self._delivering_urgent_events(), self.lock:
            self._announce(event_name, referral_id, timestamps.to_ticks(self.clock.now()))

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

    def customer_asks(self, *, qualification: str = "Direct", **fields: object) -> str:
        """Make a lead of ours, New/Received, and return its id; `qualification` says which kind.

        Direct is a marketplace lead. SalesQualified and MarketingQualified are qualified leads of Microsoft.
        """
        with self._delivering_urgent_events(), self.lock:
            return self.others.customer_asks(fields, qualification).id

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

    def portal_asks_for_help(self, referral_id: str, code: str = "GeneralOrOther", notes: str | None = None) -> Json:
        """Let a colleague ask Microsoft for help in the portal, and return Microsoft's record. Raises ServiceError.

        A private deal becomes visible first.
        """
        with self._delivering_urgent_events(), self.lock:
            return self.others.portal_asks_for_help(referral_id, code, notes).record

    def partner_joins(self, engagement_id: str, **fields: object) -> Json:
        """Add another partner's record to an engagement of ours, New/Pending, and return it. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.partner_joins(engagement_id, fields).record

    def partner_edits(self, engagement_id: str, operations: object) -> Json:
        """Let another partner change its record by a JSON Patch, and return it. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.partner_edits(engagement_id, operations).record

    def microsoft_receives(self, engagement_id: str) -> Json:
        """Let Microsoft open the deal without an answer: New/Received. Return its record.

        Raises ServiceError: 404 if Microsoft was not invited, 400 if its record is closed.
        """
        with self._delivering_urgent_events(), self.lock:
            return self.microsoft.receive(engagement_id).record

    def microsoft_accepts(
        self,
        engagement_id: str,
        *,
        msx_id: str | None = None,
        seller: Mapping[str, Any] | None = None,
        notes: str | None = None,
    ) -> Json:
        """Let Microsoft accept, and return its record, which now names a seller and the MSX id.

        Without `msx_id` and `seller` they are made up. `notes` replace the notes. Raises as `microsoft_receives`.
        """
        with self._delivering_urgent_events(), self.lock:
            return self.microsoft.accept(engagement_id, msx_id=msx_id, seller=seller, notes=notes).record

    def microsoft_adds_news(
        self, engagement_id: str, *, seller: Mapping[str, Any] | None = None, notes: str | None = None
    ) -> Json:
        """Let Microsoft name a further seller or change its notes, and return its record. Raises as above."""
        with self._delivering_urgent_events(), self.lock:
            return self.microsoft.add_news(engagement_id, seller=seller, notes=notes).record

    def microsoft_declines(self, engagement_id: str, reason: str | None = "Customer not managed") -> Json:
        """Let Microsoft decline, and return its record. Raises as `microsoft_receives`."""
        with self._delivering_urgent_events(), self.lock:
            return self.microsoft.close(engagement_id, "Declined", reason).record

    def microsoft_closes(self, engagement_id: str, substatus: str = "Won", reason: str | None = None) -> Json:
        """Let Microsoft close its own record, and return it. Raises as `microsoft_receives`."""
        with self._delivering_urgent_events(), self.lock:
            return self.microsoft.close(engagement_id, substatus, reason).record

    def microsoft_edits(self, engagement_id: str, operations: object) -> Json:
        """Let Microsoft change its own record by a JSON Patch, and return it. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.microsoft.edit(engagement_id, operations).record

    def let_expire(self, referral_id: str) -> Json:
        """Let the 14 days of one New referral be over, ours or Microsoft's, and return it. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            referral = self.service.find_referral(referral_id)
            if referral.record["status"] != "New":
                raise invalid_request("Only a new referral expires.", target="status", inner="invalidTransition")
            return self.service.expire(referral).record

    def pass_time(self, seconds: float) -> None:
        """Advance the clock, and let everything expire whose 14 days are over then."""
        with self._delivering_urgent_events(), self.lock:
            self.clock.advance(seconds)
            self.service.expire_unanswered()

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

    def engagement(self, engagement_id: str) -> list[Json]:
        """Return the referrals of all parties of an engagement, oldest first."""
        with self._delivering_urgent_events(), self.lock:
            self.service.expire_unanswered()
            return [referral.record for referral in self.service.store.referrals_in(engagement_id)]

    def engagements(self) -> dict[str, list[Json]]:
        """Return the referrals of every engagement, oldest first."""
        found: dict[str, list[Json]] = {}
        for record in self.referrals():
            found.setdefault(str(record["engagementId"]), []).append(record)
        return found

    def microsoft_record(self, engagement_id: str) -> Json:
        """Return Microsoft's referral of an engagement. Raises ServiceError (404)."""
        with self._delivering_urgent_events(), self.lock:
            self.service.expire_unanswered()
            return self.microsoft.record_of(engagement_id).record

    def referrals(self, owner: str | None = None) -> list[Json]:
        """Return all referrals, oldest first, or those of the organisation with the id `owner`."""
        with self._delivering_urgent_events(), self.lock:
            self.service.expire_unanswered()
            return [referral.record for referral in self.service.store if owner in (None, referral.owner_id)]
