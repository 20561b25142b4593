"""Answer HTTP requests to the referrals API and to the webhook API, in the shapes of the real service.

`handle` also delivers the events that must arrive before the answer does (the fault `before`).
"""

import random
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emulators.base.emulator import CONTROL, Emulator
from emulators.base.server import Request, Response
from emulators.entra.emulator import EntraEmulator
from emulators.partner_center import timestamps
from emulators.partner_center.certificate_host import CertificateHost
from emulators.partner_center.event_dispatcher import Dispatcher, Job
from emulators.partner_center.events import Event
from emulators.partner_center.list_call import Listing
from emulators.partner_center.referral_shape import PUBLIC_HOST
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.referrals_service import Organization, ReferralsService
from emulators.partner_center.request_checks import Caller, check_caller, check_media
from emulators.partner_center.service_errors import ServiceError, access_denied, invalid_request, not_found
from emulators.partner_center.switches import Switches
from emulators.partner_center.webhook_errors import WebhookError, check_webhook_caller
from emulators.partner_center.webhooks import Webhooks

BASE = "/v1.0/engagements/referrals"
WEBHOOKS = "/webhooks/"
ORGANIZATION = "11111111-2222-4333-8444-555555555555"
LOCATION = "1234567"
_CONTEXT = f"https://{PUBLIC_HOST}/v1.0/engagements/referrals/$metadata#Referrals/$entity"


class PartnerCenterApi(Emulator):
    """The referrals API and the webhook API of one tenant, with the dispatcher that sends its events."""

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
        """Accept the tokens of `entra`, sign events with `certificates`, and trust receivers by `ca_bundle`.

        `organization_id` is our own organisation. `spacing` is the seconds between attempts to deliver an event: one
        number, or one for each attempt.
        """
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
        # For each thread: the jobs to deliver before the answer of the present call; None outside of a call.
        self._thread_state = threading.local()
        self._start_empty()

    def reset_state(self) -> None:
        """Remove all referrals and the registration, and set every switch to its default."""
        self.switches.reset()
        self.dispatcher.forget_all()
        self._start_empty()

    def _start_empty(self) -> None:
        self._request_numbers = random.Random(f"{self.seed}/requests")
        self.service = ReferralsService(
            self.organization, clock=self.clock, chance=self.chance, switches=self.switches, announce=self._announce
        )
        self.webhooks = Webhooks(
            self.dispatcher, clock=self.clock, switches=self.switches, partner_id=self.organization.id,
            seed=self.seed, announce=self._announce,
        )  # fmt: skip
        self._listing = Listing(
            self.service.store, self.switches, self._request_numbers, self.service.is_ours, self.add_tag
        )

    def close(self) -> None:
        """Stop delivering events."""
        self.dispatcher.close()

    # --- one request

    def handle(self, request: Request) -> Response:
        """Answer a request, and first deliver the events that must arrive before the answer."""
        with self._delivering_urgent_events():
            response = super().handle(request)
            if request.path == f"{CONTROL}/clock":
                with self.lock:
                    self.service.expire_unanswered()
            return response

    @contextmanager
    def _delivering_urgent_events(self) -> Iterator[None]:
        """Deliver the urgent events of a thread's outermost call after its lock is released.

        Enter it before the lock, because the receiver may call the emulator while it handles the event.
        """
        if getattr(self._thread_state, "urgent", None) is not None:
            yield
            return
        urgent: list[Job] = []
        self._thread_state.urgent = urgent
        try:
            yield
        finally:
            self._thread_state.urgent = None
        self.dispatcher.deliver_now(urgent)

    def _announce(self, name: str, referral_id: str, at: int) -> None:
        early = name.startswith("related-") and self.switches.related_events == "before"
        self._thread_state.urgent += self.dispatcher.announce(Event(name, referral_id, at), early=early)

    def respond(self, request: Request) -> Response:
        """Answer as the service would, errors included."""
        self.service.expire_unanswered()
        try:
            response = self._route(request)
        except ServiceError as error:
            response = error.to_response()
        number = str(uuid.UUID(int=self._request_numbers.getrandbits(128), version=4))
        is_webhook_call = request.path.startswith(WEBHOOKS)
        own_headers = self.webhooks.response_headers(request) if is_webhook_call else {"Request-ID": number}
        headers = {**own_headers, **response.headers}
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
                created = self.service.create_own(_read_json_body(request))
                if not self.service.is_ours(created):
                    self.add_tag("invite")
                return self._referral_response(created, self.switches.create_status)
            case "GET", True:
                self.add_tag("get")
                return self._referral_response(self._find_visible(referral_id, caller))
            case "PATCH", True:
                self.add_tag("patch")
                return self._patch_referral(request, self._find_visible(referral_id, caller))
        raise ServiceError(405, "invalidRequest", f"{request.method} is not allowed here.", target="method")

    def _list_referrals(self, request: Request, caller: Caller) -> Response:
        may_see = self.service.concerns_us if caller.admin else lambda referral: self._may_see(referral, caller)
        host = request.headers.get("host", "localhost")
        now = timestamps.to_ticks(self.clock.now())
        return Response.of(self._listing.list_page(request.query, now, may_see, host))

    def _patch_referral(self, request: Request, referral: StoredReferral) -> Response:
        self.service.check_owner(referral)
        expected_etag = request.headers.get("if-match")
        if expected_etag not in (None, "*", referral.record["eTag"]):
            raise ServiceError(
                412, "preconditionFailed", "The referral was changed since it was read.", inner="resourceModified"
            )
        changed = self.service.patch_own(referral.id, _read_json_body(request))
        if "return=representation" in request.headers.get("prefer", "").replace(" ", "").lower():
            return self._referral_response(changed)
        return Response(204, b"", {"ETag": changed.record["eTag"]})

    def _may_see(self, referral: StoredReferral, caller: Caller) -> bool:
        return self.service.concerns_us(referral) and caller.has_access_to(referral)

    def _find_visible(self, referral_id: str, caller: Caller) -> StoredReferral:
        """Return a referral that the caller may see. Raises ServiceError (404, or 403 by a switch)."""
        referral = self.service.find_referral(referral_id)
        readable = self.service.is_ours(referral) or self.switches.related_get != "not_found"
        if not (readable and self._may_see(referral, caller)):
            raise not_found()
        if not self.service.is_ours(referral) and self.switches.related_get == "denied":
            raise access_denied("The referral belongs to another organisation.")
        return referral

    def _referral_response(self, referral: StoredReferral, status: int = 200) -> Response:
        body = {"@odata.context": _CONTEXT, **referral.record}
        return Response.of(body, status, ETag=str(referral.record.get("eTag")))

    def defect_response(self, request: Request) -> Response:
        """Return a 500 in the error shape of the API that was called."""
        kind = WebhookError if request.path.startswith(WEBHOOKS) else ServiceError
        return kind(500, "generalException", "An unexpected error occurred.").to_response()


def _read_json_body(request: Request) -> object:
    try:
        return request.json()
    except ValueError:
        raise invalid_request("The body is not valid JSON.", target="body") from None
