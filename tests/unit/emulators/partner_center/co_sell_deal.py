"""Ask the emulated Microsoft for help, as a partner does: two creates in one engagement."""

from typing import Any

from emulators.base.server import Response
from tests.unit.emulators.partner_center.referral_client import ReferralClient

VISIBILITY = "consentToShareReferralWithMicrosoftSellers"
VISIBLE = f"/consent/{VISIBILITY}"
SHARED = {"consentToToShareInfoWithOthers": True, "consentToContact": True, VISIBILITY: True}
MSFT = [{"type": "BusinessProfileLocation", "id": "msft"}]
HELP = {"assistanceRequestCode": "ProofOfConceptOrDemo", "notes": "A demo in May, please."}


def invite_microsoft(client: ReferralClient, engagement: object, **changes: object) -> Response:
    """Post Microsoft's record of an engagement with these changes."""
    invitation = {"consent": SHARED, "target": MSFT, "engagementId": engagement, "inviteContext": HELP}
    return client.try_create(type="Shared", **{**invitation, **changes})


def make_co_sell_deal(client: ReferralClient) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make both records of a co-sell deal, and return ours and Microsoft's."""
    ours = client.create(type="Shared", consent=SHARED)
    theirs = invite_microsoft(client, ours["engagementId"])
    assert theirs.status == 200, theirs.body
    return ours, theirs.json()
