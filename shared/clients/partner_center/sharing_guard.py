"""The last line of defence outside production: no request leaves that shows a deal to Microsoft or asks it for help.

The plan keeps such writes back and tells the seller (`shared.domain.permission`). This check holds even if a plan is
wrong, because nothing can be deleted in Partner Center. Reading, and every other write, is as before.

Source: docs/protocol.md#an-environment-touches-only-its-own.
"""

from collections.abc import Mapping, Sequence

from shared.clients.partner_center.json_bodies import Json
from shared.foundation.errors import Cause, Rejected

MICROSOFT = "msft"
CONSENT = "consentToShareReferralWithMicrosoftSellers"
_SHARING_PATHS = (f"/consent/{CONSENT}".lower(), "/target", "/type")
_REFUSED = Cause(
    "not_from_staging",
    "visibility",
    "this environment shares no deal with Microsoft, so the request was not sent",
    "Please tell the operator: the sync should not have planned it.",
)


def refuse_shared_body(body: Json) -> None:
    """Check the body of a new referral. Raises Rejected if Microsoft would see the deal or be asked for help."""
    consent, target = body.get("consent"), body.get("target")
    is_visible = isinstance(consent, Mapping) and consent.get(CONSENT, False) is not False
    names = [each.get("id") if isinstance(each, Mapping) else each for each in target or ()]
    if is_visible or body.get("type") == "Shared" or any(str(name).lower() == MICROSOFT for name in names):
        raise Rejected(_REFUSED)


def refuse_shared_operations(operations: Sequence[Json]) -> None:
    """Check the operations of a PATCH. Raises Rejected as `refuse_shared_body` does."""
    for operation in operations:
        path, value = str(operation.get("path", "")).lower(), operation.get("value")
        is_whole = path in ("", "/", "/consent")
        if is_whole or (path.startswith(_SHARING_PATHS) and value is not False):
            raise Rejected(_REFUSED)
