"""Check Partner Center: sign-in, MFA, role, tenant, organisation id and partner location.

Who sees which deals: docs/reference/partner-center.md#who-sees-what. Roles:
docs/reference/partner-center.md#account-roles-and-app-permissions. MFA:
docs/reference/partner-center.md#multi-factor-authentication.
"""

import re

from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.doctor.local_checks import CONNECT_PARTNER_CENTER, skipped_without_referrals

MFA_REMEDY = f"{CONNECT_PARTNER_CENTER} Sign in as the integration account, with multi-factor authentication."
MFA_UNKNOWN = "neither Partner Center nor the token says whether it proves multi-factor authentication"
ROLE_REMEDY = (
    "Give the integration account the role Referrals admin in Partner Center: a Referrals user sees only the deals of "
    "their own team."
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check_sign_in(installation: Installation) -> Verdict:
    """Check that the refresh token gives an access token."""
    installation.referrals.access_token_claims()
    return ok("the refresh token gives an access token")


def check_mfa(installation: Installation) -> Verdict:
    """Check that the consent was given with multi-factor authentication."""
    match installation.partner_center_probe[0].mfa:
        case None:
            return skipped(MFA_UNKNOWN)
        case True:
            return ok("the token proves multi-factor authentication")
    return failed("the token does not prove multi-factor authentication", MFA_REMEDY)


def check_referral_role(installation: Installation) -> Verdict:
    """Check that the account can list referrals, including those without it in the team."""
    probe = installation.partner_center_probe[0]
    if not probe.referrals:
        return skipped("the list works but is empty: run the doctor again after the first deal")
    count = len(probe.referrals)
    if probe.account is None:
        return ok(f"{count} referrals found; the token does not name the account, so its role is not proven")
    if probe.count_without_account:
        return ok(f"{count} referrals found, {probe.count_without_account} of them without the account in the team")
    return failed(sees_only_own_deals(count), ROLE_REMEDY)


def sees_only_own_deals(count: int) -> str:
    """Return the sentence for an account that probably is only a Referrals user."""
    return f"all of the {count} newest referrals have the account in the team"


def check_tenant(installation: Installation) -> Verdict:
    """Check that the token belongs to the tenant of the settings."""
    setting, of_token = installation.settings.partner_center.tenant_id, installation.partner_center_probe[0].tenant
    if of_token is None or not _GUID.fullmatch(setting):
        return skipped(f"cannot be compared: the setting is {setting}, the token names {of_token or 'no tenant'}")
    if of_token.casefold() == setting.casefold():
        return ok(f"the token belongs to the tenant {of_token}")
    return failed(
        f"the token belongs to the tenant {of_token}, but PARTNER_CENTER_TENANT_ID is {setting}",
        f"Set PARTNER_CENTER_TENANT_ID to the tenant of the partner account. Then: {CONNECT_PARTNER_CENTER}",
    )


def check_organization(installation: Installation) -> Verdict:
    """Check that the organisation id of the settings is the one on our referrals."""
    setting = installation.settings.partner_center.organization_id
    on_referrals = _values_on_referrals(installation, "organizationId")
    if not on_referrals:
        return skipped_without_referrals("the organisation id")
    if setting.casefold() in on_referrals:
        return ok(f"there are referrals of {setting}")
    return failed(
        f"no referral belongs to PARTNER_CENTER_ORGANIZATION_ID={setting}; found: {', '.join(sorted(on_referrals))}",
        "Set PARTNER_CENTER_ORGANIZATION_ID to the id of your own organisation.",
    )


def check_location(installation: Installation) -> Verdict:
    """Check that the partner location of new deals is on one of our referrals, and that the mapping file allows it."""
    setting, table = installation.settings.partner_center.location, installation.app.translation.file.location
    allowed = table.allowed if table else (setting,)
    if table and table.default is None and setting not in allowed:
        found = f"the mapping file does not allow PARTNER_CENTER_LOCATION={setting}, which is the default of deals"
        return failed(
            found, f"Set it to one of {', '.join(allowed)}, or set default in [location] of the mapping file."
        )
    on_referrals = _values_on_referrals(installation, "mpnId")
    if not on_referrals:
        return skipped_without_referrals("the partner location")
    unused = "" if setting in allowed else f"; PARTNER_CENTER_LOCATION={setting} is not among those of the mapping file"
    if known := [location for location in allowed if location.casefold() in on_referrals]:
        return ok(f"there are referrals of the location {', '.join(known)}{unused}")
    name = "a location of the mapping file" if table else f"PARTNER_CENTER_LOCATION={setting}"
    return failed(
        f"no referral has {name}; found: {', '.join(sorted(on_referrals))}",
        "Set PARTNER_CENTER_LOCATION to the PartnerID of one of your locations. If it is right but new, this check "
        "passes after the first deal of that location.",
    )


def _values_on_referrals(installation: Installation, name: str) -> set[str]:
    """Return the values of a property. Of other properties than the organisation only our own referrals count."""
    ours = installation.settings.partner_center.organization_id.casefold()
    referrals = [
        referral
        for referral in installation.newest_referrals
        if name == "organizationId" or str(referral.get("organizationId")).casefold() == ours
    ]
    return {str(referral[name]).casefold() for referral in referrals if referral.get(name)}
