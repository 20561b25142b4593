"""The check of the registration for events (reference/partner-center.md 11)."""

from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation

REGISTER = "Run `cosell webhook register`."


def check_registration(patient: Installation) -> Verdict:
    """The tenant's one registration leads to our door and holds all events, where this environment is to hold it."""
    if not patient.settings.holds_registration:
        return skipped("this environment does not register for events: its sweep finds what changes")
    found = patient.app.webhooks.registration()
    if found is None:
        return failed("Partner Center sends this tenant's events nowhere", REGISTER)
    address = patient.events_address
    if address is None:
        return skipped(
            f"events go to {found.host}; EVENTS_URL is not set here, so that nobody knows whether it is ours"
        )
    if not found.is_at(address):
        return failed(
            f"Partner Center sends this tenant's events to another address, at {found.host}",
            "Find out which tool lives on them; if it may lose them: `cosell webhook register --overwrite`.",
        )
    if not found.is_complete:
        return failed(f"the registration is ours, but lacks {', '.join(found.lacks()) or 'x-ms-signature'}", REGISTER)
    return ok(f"events go to our door at {found.host}")
