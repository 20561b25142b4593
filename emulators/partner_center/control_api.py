"""Answer the control API of the Partner Center emulator (docs/reference/emulator-of-partner-center.md#control)."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import msgspec

from emulators.base.control_body import Pause, convert_strictly
from emulators.base.emulator import CONTROL
from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request, Response
from emulators.partner_center.event_faults import EventFault
from emulators.partner_center.events import KNOWN_NAMES, NAMES
from emulators.partner_center.request_checks import MFA_CODE
from emulators.partner_center.scenario import PartnerCenterScenario
from emulators.partner_center.service_errors import ServiceError, unauthenticated

type Route = Callable[[PartnerCenterScenario, Any], object]


def make_service_fault(name: str, **more: Any) -> Fault:  # noqa: ANN401 - the fields of a fault have several types
    """Return a fault with a documented answer of the service, or of a gateway in front of it.

    `more` sets further fields of the fault, or `retry_after` in seconds. Raises KeyError for an unknown name, and
    ValueError.
    """
    seconds = int(more.pop("retry_after", 57))
    wait = f"Rate limit is exceeded. Try again in {seconds} seconds."
    mfa = unauthenticated("401 Unauthorized - MFA required", inner=MFA_CODE).to_response().body.decode()
    known: dict[str, dict[str, Any]] = {
        "throttled": {"status": 429, "headers": {"Retry-After": str(seconds)},
                      "body": json.dumps({"statusCode": 429, "message": wait})},
        "unavailable": {"status": 503, "headers": {"Retry-After": str(seconds)},
                        "body": '{"error":{"code":"serviceNotAvailable","message":"The service is not available."}}'},
        "broken": {"status": 500,
                   "body": '{"error":{"code":"generalException","message":"An unexpected error occurred."}}'},
        "bad-gateway": {"status": 502, "headers": {"Content-Type": "text/html"},
                        "body": "<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"},
        "mfa-required": {"status": 401, "headers": {"WWW-Authenticate": 'Bearer error="invalid_token"'}, "body": mfa},
        "empty": {"status": 200, "body": ""},
    }  # fmt: skip
    return convert_strictly(Fault, {"kind": FaultKind.ANSWER, **known[name], **more})


def respond_to_control(emulator: PartnerCenterScenario, request: Request) -> Response | None:
    """Answer a control request; return None for an unknown one. Raises as `Emulator.respond_to_control`."""
    path = request.path.removeprefix(CONTROL)
    route = _ROUTES.get((request.method, path))
    if route is None:
        return _show_records(emulator, request.method, path)
    try:
        body = request.json() if request.body else {}
        result = route(emulator, body)
    except ServiceError as error:
        return error.to_response()
    return Response.of({"ok": True} if result is None else result)


def _show_records(emulator: PartnerCenterScenario, method: str, path: str) -> Response | None:
    kind, _, key = path.removeprefix("/").partition("/")
    if method != "GET" or kind not in ("referrals", "engagements"):
        return None
    try:
        return Response.of(emulator.referral(key) if kind == "referrals" else emulator.engagement(key))
    except ServiceError as error:
        return error.to_response()


def _register_events(emulator: PartnerCenterScenario, body: Any) -> None:  # noqa: ANN401 - JSON
    names = body.get("events", NAMES)
    unknown = set(names) - set(KNOWN_NAMES)
    if unknown:
        raise ValueError(f"unknown events: {sorted(unknown)}")
    emulator.register_events(body["url"], names, x_ms_signature=body.get("x_ms_signature", True))


def _add_service_fault(emulator: PartnerCenterScenario, body: Any) -> None:  # noqa: ANN401 - JSON
    emulator.faults.append(make_service_fault(**body))


def _write_raw(emulator: PartnerCenterScenario, body: Any) -> object:  # noqa: ANN401 - JSON
    return emulator.raw_patch(
        body["referral_id"], body.get("set", {}), body.get("remove", ()), touch=body.get("touch", True)
    )


def _show_deliveries(emulator: PartnerCenterScenario, _: object) -> object:
    lines = [asdict(delivery) for delivery in emulator.dispatcher.journal]
    return {"idle": emulator.dispatcher.is_idle, "deliveries": lines, "parked": len(emulator.dispatcher.parked)}


_ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/register-events"): _register_events,
    ("POST", "/microsoft-sends"): lambda e, b: {"id": e.microsoft_sends(**b)},
    ("POST", "/partner-sends"): lambda e, b: {"id": e.partner_sends(**b)},
    ("POST", "/customer-asks"): lambda e, b: {"id": e.customer_asks(**b)},
    ("POST", "/partner-creates"): lambda e, b: {"id": e.partner_creates(**b)},
    ("POST", "/portal-creates"): lambda e, b: {"id": e.portal_creates(b)},
    ("POST", "/portal-edits"): lambda e, b: e.portal_edits(b["referral_id"], b["operations"]),
    ("POST", "/portal-asks-for-help"): lambda e, b: e.portal_asks_for_help(**b),
    ("POST", "/partner-joins"): lambda e, b: e.partner_joins(**b),
    ("POST", "/partner-edits"): lambda e, b: e.partner_edits(b["engagement_id"], b["operations"]),
    ("POST", "/microsoft-receives"): lambda e, b: e.microsoft_receives(b["engagement_id"]),
    ("POST", "/microsoft-accepts"): lambda e, b: e.microsoft_accepts(**b),
    ("POST", "/microsoft-adds-news"): lambda e, b: e.microsoft_adds_news(**b),
    ("POST", "/microsoft-declines"): lambda e, b: e.microsoft_declines(**b),
    ("POST", "/microsoft-closes"): lambda e, b: e.microsoft_closes(**b),
    ("POST", "/microsoft-edits"): lambda e, b: e.microsoft_edits(b["engagement_id"], b["operations"]),
    ("POST", "/expire"): lambda e, b: e.let_expire(b["referral_id"]),
    ("POST", "/send-event"): lambda e, b: e.send_event(b["event"], b["referral_id"]),
    ("POST", "/raw"): _write_raw,
    ("POST", "/populate"): lambda e, b: e.populate(int(b["count"])),
    ("POST", "/trouble"): _add_service_fault,
    ("POST", "/switches"): lambda e, b: e.switches.apply_changes(b),
    ("GET", "/switches"): lambda e, _: asdict(e.switches),
    ("GET", "/referrals"): lambda e, _: e.referrals(),
    ("GET", "/engagements"): lambda e, _: e.engagements(),
    ("GET", "/deliveries"): _show_deliveries,
    ("DELETE", "/deliveries"): lambda e, _: e.dispatcher.journal.clear(),
    ("POST", "/event-faults"): lambda e, b: e.dispatcher.faults.append(convert_strictly(EventFault, b)),
    ("DELETE", "/event-faults"): lambda e, _: e.dispatcher.faults.clear(),
    ("POST", "/spacing"): lambda e, b: setattr(e.dispatcher, "spacing", msgspec.convert(b["seconds"], Pause)),
    ("GET", "/root"): lambda e, _: {"pem": e.certificates.root_pem},
}
