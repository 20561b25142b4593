"""Tells what kind of referral a representation is."""

from shared.mapping.paths import Json, in_referral


def is_lead(referral: Json) -> bool:
    """Whether a referral is a marketplace lead or a qualified lead, and not a deal.

    Source: docs/reference/partner-center.md#leads-and-deals.
    """
    invited_by = str(in_referral(referral, "/inviteContext/invitedBy/organizationId") or "")
    if referral.get("type") != "Independent":
        return False
    match referral.get("qualification"):
        case "Direct":
            return invited_by in ("", "msft")
        case "SalesQualified" | "MarketingQualified":
            return invited_by == "msft"
    return False
