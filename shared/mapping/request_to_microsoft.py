"""The second create of a co-sell deal, which asks Microsoft for help.

Source: docs/reference/partner-center.md#co-sell-in-two-creates.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.sharing import Sharing
from shared.mapping.referral_kind import MICROSOFT


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
