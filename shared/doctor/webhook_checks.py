"""Check the registration for events (docs/reference/partner-center.md#webhook-registration)."""

from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation

REGISTER = "Run `cosell webhook register`."


def check_registration(installation: Installation) -> Verdict:
    """Check that the tenant's registration sends all events to our address, if this environment should hold it."""
    if not installation.settings.holds_registration:
        return skipped("this environment does not register for events: its sweep finds all changes")
    registration = installation.app.webhooks.read_registration()
    if registration is None:
        return failed("the tenant has no registration for events", REGISTER)
    address = installation.events_address
    if address is None:
        return skipped(
            f"events go to {registration.host}; without EVENTS_URL the doctor cannot tell whether that is the app"
        )
    if not registration.is_at(address):
        return failed(
            f"Partner Center sends this tenant's events to another address, at {registration.host}",
            "Find out which tool uses these events. If it may lose them, run `cosell webhook register --overwrite`.",
        )
    if not registration.is_complete:
        lacks = ", ".join(registration.missing_events()) or "x-ms-signature"
        return failed(f"the registration is ours, but lacks {lacks}", REGISTER)
    return ok(f"events go to the app's address, at {registration.host}")
