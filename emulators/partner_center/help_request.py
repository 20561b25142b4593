"""Check that a deal may ask Microsoft for help, and that Microsoft may be invited to its engagement.

No source describes the service's answers; each refusal is a 400.
Source: docs/reference/partner-center.md#asking-microsoft-for-help
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulators.partner_center import value_checks
from emulators.partner_center.referral_shape import MICROSOFT, Json, is_visible_to_microsoft
from emulators.partner_center.referral_store import StoredReferral
from emulators.partner_center.service_errors import invalid_request
from emulators.partner_center.switches import Switches

LOCATION_TARGET = "BusinessProfileLocation"
_CODE = "inviteContext/assistanceRequestCode"
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def asks_for_help(record: Mapping[str, Any]) -> bool:
    """Return whether the record has a help code."""
    return bool(record["inviteContext"]["assistanceRequestCode"] != value_checks.NO_HELP)


def targets_microsoft(record: Mapping[str, Any]) -> bool:
    """Return whether the record has Microsoft as a target."""
    return any(target["id"] == MICROSOFT for target in record["target"])


def check_invitation(record: Json) -> None:
    """Check the values of `inviteContext`, and what a help code needs. Raises ServiceError."""
    context = record["inviteContext"]
    value_checks.one_of(value_checks.NO_HELP, *value_checks.HELP_CODES)(_CODE, context["assistanceRequestCode"])
    value_checks.check_text("inviteContext/notes", context["notes"])
    if asks_for_help(record):
        check_help_is_possible(record)


def check_sender(record: Json, caller_id: str) -> None:
    """Check that nobody invites in the name of another organisation. Raises ServiceError."""
    if record["inviteContext"]["invitedBy"]["organizationId"] not in (None, caller_id):
        raise invalid_request("The invitation names another organisation.", target="inviteContext/invitedBy")


def check_help_is_possible(record: Json) -> None:
    """Check that Microsoft may see the deal, and knows whom to call at the customer. Raises ServiceError."""
    if not is_visible_to_microsoft(record):
        raise invalid_request("Help needs a deal that Microsoft's sellers may see.", target="consent")
    contacts = record["customerProfile"]["team"]
    if not contacts:
        raise invalid_request("A customer contact is required when help is requested.", target="customerProfile/team")
    value_checks.check_contacts("customerProfile/team", contacts, complete=True)


def check_request_to_microsoft(record: Json, switches: Switches) -> None:
    """Check the record that is to become Microsoft's. Raises ServiceError."""
    if not asks_for_help(record):
        raise invalid_request("An invitation needs a help code.", target=_CODE)
    if any(t["id"] == MICROSOFT and t["type"] != LOCATION_TARGET for t in record["target"]):
        raise invalid_request(f"Microsoft is a target of type {LOCATION_TARGET}.", target="target")
    solutions = record["details"]["requirements"]["solutions"]
    if not any(_is_ready(solution, switches) for solution in solutions):
        raise invalid_request(
            "No solution is co-sell ready.", target="details/requirements/solutions", inner="solutionNotCoSellReady"
        )


def check_engagement(record: Json, own: StoredReferral, referrals: Iterable[StoredReferral]) -> None:
    """Check that Microsoft can join the engagement of our referral `own`. Raises ServiceError."""
    if not (is_visible_to_microsoft(record) and is_visible_to_microsoft(own.record)):
        raise invalid_request("Microsoft can only be invited to a deal that it may see.", target="consent")
    if own.record["status"] != "Active":
        raise invalid_request(
            f"Microsoft cannot be invited to a deal that is {own.record['status']}.",
            target="status",
            inner="invalidTransition",
        )
    if any(referral.owner_id == MICROSOFT for referral in referrals):
        raise invalid_request("Microsoft is a party of this engagement already.", target="target")


def _is_ready(solution: Json, switches: Switches) -> bool:
    """Return whether a solution is co-sell ready, or Microsoft's own: a predefined name, or an id that is a GUID."""
    is_microsofts = solution["type"] == "Category" or _GUID.fullmatch(str(solution["id"])) is not None
    return is_microsofts or solution["id"] not in switches.solutions_not_ready
