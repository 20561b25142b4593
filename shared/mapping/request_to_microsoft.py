"""The second create of a co-sell deal, which asks Microsoft for help, and what Microsoft's record says of it.

Source: docs/reference/partner-center.md#co-sell-in-two-creates.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.help_request import SeenRequest
from shared.domain.sharing import HELP, Sharing
from shared.mapping.paths import Json, in_referral, normal_text, time_or_none
from shared.mapping.referral_kind import is_target_microsoft

MICROSOFT = "msft"


def request_body(body: Mapping[str, Any], sharing: Sharing, engagement_id: str, organization_id: str) -> dict[str, Any]:
    """Return the body of the request in an engagement: that of our own referral, addressed to Microsoft.

    It has no external reference, because Microsoft's record is not ours.
    """
    invitation: dict[str, Any] = {
        "assistanceRequestCode": sharing.code,
        "invitedBy": {"organizationId": organization_id},
        **({"notes": sharing.notes} if sharing.notes else {}),
    }
    own = {key: value for key, value in body.items() if key != "externalReferenceId"}
    target = [{"type": "BusinessProfileLocation", "id": MICROSOFT}]
    return {**own, "engagementId": engagement_id, "type": "Shared", "target": target, "inviteContext": invitation}


def record_of_microsoft(records: Iterable[Json]) -> Json | None:
    """Return the record among those of an engagement by which Microsoft was asked for help."""
    return next((record for record in records if is_target_microsoft(record)), None)


def is_sent_by_microsoft(records: Iterable[Json]) -> bool:
    """Whether the records of an engagement show that Microsoft sent the deal: its own record invites us."""
    inviters = (in_referral(record, "/inviteContext/invitedBy/organizationId") for record in records)
    return any(str(inviter or "").lower() == MICROSOFT for inviter in inviters)


def seen_request(record: Json) -> SeenRequest:
    """Return what Microsoft's record says of the request."""
    code = in_referral(record, "/inviteContext/assistanceRequestCode")
    notes = normal_text(in_referral(record, "/inviteContext/notes"))
    until = time_or_none(record.get("expirationDateTime"))
    known = code if isinstance(code, str) and code in HELP else None
    return SeenRequest(str(record.get("id") or "").lower(), known, notes or "", until)
