"""The referrals host: routes, headers and the emulator as the local run sees it.

What is emulated, the control API and what is missing: docs/emulators-partner-center.md.
"""

import random
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emulators.base.emulator import Emulator
from emulators.base.server import Request, Response
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center import control_api, events, timestamps
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.event_dispatcher import Dispatcher, Job
from emulators.partner_center.events import Event, Registration, check_address
from emulators.partner_center.list_call import Listing
from emulators.partner_center.other_parties import OtherParties
from emulators.partner_center.referral_shape import PUBLIC_HOST, Json
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.referrals_service import Organization, ReferralsService
from emulators.partner_center.request_checks import Caller, check_caller, check_media
from emulators.partner_center.service_errors import ServiceError, invalid_request, not_found
from emulators.partner_center.switches import Switches
from emulators.partner_center.webhook_errors import WebhookError, check_webhook_caller
from emulators.partner_center.webhooks import Webhooks

BASE = "/v1.0/engagements/referrals"
WEBHOOKS = "/webhooks/"
ORGANIZATION = "11111111-2222-4333-8444-555555555555"
ANOTHER = Organization("99999999-8888-4777-8666-555555555555", "Fabrikam Consulting", "7654321")
LOCATION = "1234567"
_CONTEXT = f"https://{PUBLIC_HOST}/v1.0/engagements/referrals/$metadata#Referrals/$entity"


class PartnerCenterEmulator(Emulator):
    """Referrals of our organisation, Microsoft and another partner; tells a registered address of changes."""

    switches: Switches
    certificates: CertificateHost
    dispatcher: Dispatcher

    def __init__(
        self,
        *,
        seed: int = 0,
        organization_id: str = ORGANIZATION,
        entra: EntraEmulator | None = None,
        certificates: CertificateHost | None = None,
        ca_bundle: Path | None = None,
        spacing: float | Sequence[float] = 1.0,
    ) -> None:
        """Tokens are those of `entra`; events are signed with `certificates` and sent trusting `ca_bundle`."""
        super().__init__(seed=seed)
        self.entra = entra or EntraEmulator(seed=seed)
        self.certificates = certificates or CertificateHost(seed=seed)
        self.switches = Switches()
        self.organization = Organization(organization_id, "Contoso Partner A/S", LOCATION)
        self.dispatcher = Dispatcher(
            self.certificates,
            clock=self.clock,
            chance=random.Random(f"{seed}/events"),
            ca_bundle=ca_bundle,
            spacing=spacing,
        )
        self._own = threading.local()  # per thread: deliveries that must overtake the answer, None outside a call
        self._start_empty()

    def reset_state(self) -> None:
        """No referrals, no registration, default switches."""
        self.switches.reset()
        self.dispatcher.forget_all()
        self._start_empty()

    def _start_empty(self) -> None:
        self._numbers = random.Random(f"{self.seed}/requests")
        self.service = ReferralsService(
            self.organization, clock=self.clock, chance=self.chance, switches=self.switches, herald=self._announce
        )
        self.webhooks = Webhooks(
            self.dispatcher, clock=self.clock, switches=self.switches, partner_id=self.organization.id,
            seed=self.seed, herald=self._announce,
        )  # fmt: skip
        self._listing = Listing(self.service.store, self.switches, self._numbers)
        self.others = OtherParties(self.service, ANOTHER, self.chance)

    def close(self) -> None:
        """Stop delivering events."""
        self.dispatcher.close()

    # --- the way of a request

    def handle(self, request: Request) -> Response:
        """As the base; events that must overtake the answer go out when the lock is free, before the answer does."""
        with self._delivering_urgent_events():
            return super().handle(request)

    @contextmanager
    def _delivering_urgent_events(self) -> Iterator[None]:
        """Around the outermost call of a thread; must be entered before the lock is taken."""
        if getattr(self._own, "urgent", None) is not None:
            yield
            return
        urgent: list[Job] = []
        self._own.urgent = urgent
        try:
            yield
        finally:
            self._own.urgent = None
        self.dispatcher.deliver_now(urgent)

    def _announce(self, name: str, referral_id: str, at: int) -> None:
        self._own.urgent += self.dispatcher.announce(Event(name, referral_id, at))

    def respond(self, request: Request) -> Response:
        """Answer in the service's own shapes, whatever comes in."""
        self.service.expire_unanswered()
        try:
            response = self._route(request)
        except ServiceError as error:
            response = error.to_response()
        number = str(uuid.UUID(int=self._numbers.getrandbits(128), version=4))
        named = self.webhooks.response_headers(request) if request.path.startswith(WEBHOOKS) else {"Request-ID": number}
        headers = {**named, **response.headers}
        if "client-request-id" in request.headers:
            headers["client-request-id"] = request.headers["client-request-id"]
        return Response(response.status, response.body, headers)

    def _route(self, request: Request) -> Response:
        if request.path.startswith(WEBHOOKS):
            check_webhook_caller(request, self.entra)
            tag, response = self.webhooks.respond(request)
            self.add_tag(tag)
            return response
        if request.path != BASE and not request.path.startswith(f"{BASE}/"):
            raise not_found()
        caller = check_caller(request, self.entra)
        check_media(request)
        response = self._respond_to_operation(request, caller, request.path.removeprefix(BASE).strip("/"))
        if request.headers.get("validatemfa", "").lower() == "true":
            return Response(
                response.status, response.body, {**response.headers, "isMfaCompliant": str(caller.mfa).lower()}
            )
        return response

    def _respond_to_operation(self, request: Request, caller: Caller, referral_id: str) -> Response:
        match request.method, bool(referral_id):
            case "GET", False:
                self.add_tag("list")
                return self._list_referrals(request, caller)
            case "POST", False:
                self.add_tag("create")
                return self._referral_response(
                    self.service.create_own(_read_json_body(request)), self.switches.create_status
                )
            case "GET", True:
                self.add_tag("get")
                return self._referral_response(self._find_visible(referral_id, caller))
            case "PATCH", True:
                self.add_tag("patch")
                return self._patch_referral(request, self._find_visible(referral_id, caller))
        raise ServiceError(405, "invalidRequest", f"{request.method} is not allowed here.", target="method")

    def _list_referrals(self, request: Request, caller: Caller) -> Response:
        may_see = self.service.concerns_us if caller.admin else lambda row: self._may_see(row, caller)
        host = request.headers.get("host", "localhost")
        return Response.of(self._listing.list_page(request.query, timestamps.to_ticks(self.clock.now()), may_see, host))

    def _patch_referral(self, request: Request, row: StoredReferral) -> Response:
        wanted = request.headers.get("if-match")
        if wanted not in (None, "*", row.record["eTag"]):
            raise ServiceError(
                412, "preconditionFailed", "The referral was changed since it was read.", inner="resourceModified"
            )
        changed = self.service.patch_own(row.id, _read_json_body(request))
        if "return=representation" in request.headers.get("prefer", "").replace(" ", "").lower():
            return self._referral_response(changed)
        return Response(204, b"", {"ETag": changed.record["eTag"]})

    def _may_see(self, row: StoredReferral, caller: Caller) -> bool:
        return self.service.concerns_us(row) and caller.has_access_to(row)

    def _find_visible(self, referral_id: str, caller: Caller) -> StoredReferral:
        row = self.service.find_referral(referral_id)
        if not self._may_see(row, caller):
            raise not_found()
        return row

    def defect_response(self, request: Request) -> Response:
        """As the host that was asked words a defect of its own."""
        kind = WebhookError if request.path.startswith(WEBHOOKS) else ServiceError
        return kind(500, "generalException", "An unexpected error occurred.").to_response()

    def _referral_response(self, row: StoredReferral, status: int = 200) -> Response:
        return Response.of({"@odata.context": _CONTEXT, **row.record}, status, ETag=str(row.record.get("eTag")))

    def respond_to_control(self, request: Request) -> Response | None:
        """The control routes of this emulator."""
        return control_api.respond_to_control(self, request)

    # --- for tests and the local run: events

    def register_events(self, url: str, events: Iterable[str] = events.NAMES, *, x_ms_signature: bool = True) -> None:
        """From now on events of these names are sent to `url`. Raises ValueError if it is no address."""
        at = timestamps.to_ticks(self.clock.now())
        self.dispatcher.registration = Registration(check_address(url), frozenset(events), x_ms_signature, at)

    def signed_event(
        self, referral_id: str, event_name: str = "referral-updated", *, x_ms_signature: bool = True
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body of an event as the dispatcher would send it now; nothing is sent."""
        event = Event(event_name, referral_id, timestamps.to_ticks(self.clock.now()))
        return events.sign_event(event, self.certificates, x_ms_signature=x_ms_signature)

    # --- the other parties' moves

    def microsoft_sends(self, **fields: object) -> str:
        """An inbound co-sell deal from Microsoft, New/Pending; `fields` override the made-up body. Returns its id."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_sends(fields).id

    def partner_sends(self, **fields: object) -> str:
        """As `microsoft_sends`, from another partner."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.partner_sends(fields).id

    def partner_creates(self, **fields: object) -> str:
        """A deal of another partner that we may not see. Returns its id."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.partner_creates(fields).id

    def portal_creates(self, body: Mapping[str, Any] | None = None) -> str:
        """A deal that a colleague makes in the portal. Returns its id. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.portal_creates(body or {}).id

    def portal_edits(self, referral_id: str, operations: object) -> Json:
        """A colleague's edit in the portal, as JSON Patch. Returns the referral. Raises ServiceError."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.portal_edits(referral_id, operations).record

    def microsoft_accepts(self, engagement_id: str) -> Json:
        """Microsoft accepts; returns its own record. Raises ServiceError (404) if it was never invited."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_accepts(engagement_id).record

    def microsoft_declines(self, engagement_id: str, reason: str = "Customer not managed") -> Json:
        """Microsoft declines; returns its own record."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_declines(engagement_id, reason).record

    def microsoft_closes(self, engagement_id: str, substatus: str = "Won") -> Json:
        """Microsoft ends its own record, which is returned."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_closes(engagement_id, substatus).record

    def microsoft_edits(self, engagement_id: str, operations: object) -> Json:
        """Microsoft changes its own record, which is returned."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.microsoft_edits(engagement_id, operations).record

    def raw_patch(
        self, referral_id: str, wanted: Mapping[str, Any], unwanted: Sequence[str] = (), *, touch: bool = True
    ) -> Json:
        """Set and remove anything by JSON pointer, without any rule; `touch`: it counts as a change."""
        with self._delivering_urgent_events(), self.lock:
            return self.service.write_raw(referral_id, wanted, list(unwanted), touch=touch).record

    def populate(self, count: int) -> None:
        """That many more deals of ours."""
        with self._delivering_urgent_events(), self.lock:
            self.others.populate(count)

    def example_body(self) -> Json:
        """A body for a create, varied by the seed."""
        with self._delivering_urgent_events(), self.lock:
            return self.others.example_body()

    def referral(self, referral_id: str) -> Json:
        """Any referral as it stands. Raises ServiceError (404)."""
        with self._delivering_urgent_events(), self.lock:
            self.service.expire_unanswered()
            return self.service.find_referral(referral_id).record

    def referrals(self, owner: str | None = None) -> list[Json]:
        """All referrals, oldest first; of one organisation if `owner` is its id."""
        with self._delivering_urgent_events(), self.lock:
            self.service.expire_unanswered()
            return [row.record for row in self.service.store if owner in (None, row.owner_id)]


def _read_json_body(request: Request) -> object:
    try:
        return request.json()
    except ValueError:
        raise invalid_request("The body is not valid JSON.", target="body") from None
