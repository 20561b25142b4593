"""Tells what kind of referral a representation is."""

from collections.abc import Mapping

from shared.mapping.paths import Json, in_referral

MICROSOFT = "msft"
"""Microsoft, as an organisation that invites and as a target."""
CONSENT = "/consent/consentToShareReferralWithMicrosoftSellers"
"""Whether Microsoft's sellers see a referral."""


def is_lead(referral: Json) -> bool:
    """Whether a referral is a marketplace lead or a qualified lead, and not a deal.

    Source: docs/reference/partner-center.md#leads-and-deals.
    """
    invited_by = str(in_referral(referral, "/inviteContext/invitedBy/organizationId") or "")
    if referral.get("type") != "Independent":
        return False
    match referral.get("qualification"):
        case "Direct":
            return invited_by in ("", MICROSOFT)
        case "SalesQualified" | "MarketingQualified":
            return invited_by == MICROSOFT
    return False


def is_shared(referral: Json) -> bool:
    """Whether Microsoft's sellers see a referral: only such a deal can be registered.

    Source: docs/reference/partner-center.md#deal-registration.
    """
    return in_referral(referral, CONSENT) is True


def is_target_microsoft(referral: Json) -> bool:
    """Whether a referral, or its entry in a list, is an invitation to Microsoft: Microsoft's own record of the deal.

    Source: docs/protocol.md#only-our-own.
    """
    value = referral.get("target")
    targets = value if isinstance(value, list) else []
    return any(isinstance(target, Mapping) and target.get("id") == MICROSOFT for target in targets)
