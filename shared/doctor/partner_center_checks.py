"""Checks of Partner Center (reference/partner-center.md 2.4, 12.2, 12.6)."""

import re

from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.doctor.local_checks import CONNECT_PARTNER_CENTER, skipped_without_referrals

MFA = f"{CONNECT_PARTNER_CENTER} Sign in as the integration account, with multi-factor authentication."
ROLE = "Give the integration account the role Referrals admin in Partner Center: a Referrals user sees his own only."
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check_sign_in(patient: Installation) -> Verdict:
    """The refresh token gives an access token."""
    patient.referrals.claims()
    return ok("the refresh token gives an access token")


def check_mfa(patient: Installation) -> Verdict:
    """The consent was given with multi-factor authentication."""
    match patient.partner_center_probe[0].mfa:
        case None:
            return skipped("neither the service nor the token says whether it proves multi-factor authentication")
        case True:
            return ok("the token proves multi-factor authentication")
    return failed("the token does not prove multi-factor authentication", MFA)


def check_referral_role(patient: Installation) -> Verdict:
    """Referrals can be listed, those of others among them."""
    probe = patient.partner_center_probe[0]
    if not probe.referrals:
        return skipped("the list works but is empty: check again after the first deal")
    count = len(probe.referrals)
    if probe.account is None:
        return ok(f"{count} referrals seen; the token does not name the account, so its role is not proven")
    if probe.of_others:
        return ok(f"{count} referrals seen, {probe.of_others} of them without the account in the team")
    return failed(f"all of the {count} newest referrals have the account in the team", ROLE)


def check_tenant(patient: Installation) -> Verdict:
    """The token is of the tenant of the settings."""
    wanted, told = patient.settings.partner_center.tenant_id, patient.partner_center_probe[0].tenant
    if told is None or not _GUID.fullmatch(wanted):
        return skipped(f"not to be compared: the setting is {wanted}, the token names {told or 'no tenant'}")
    if told.casefold() == wanted.casefold():
        return ok(f"the token is of {told}")
    return failed(
        f"the token is of {told}, but PARTNER_CENTER_TENANT_ID is {wanted}",
        f"Set the tenant of the partner account, then: {CONNECT_PARTNER_CENTER}",
    )


def check_organization(patient: Installation) -> Verdict:
    """The organisation id of the settings is the one on our referrals."""
    wanted = patient.settings.partner_center.organization_id
    known = _values(patient, "organizationId")
    if not known:
        return skipped_without_referrals("the organisation id")
    if wanted.casefold() in known:
        return ok(f"referrals of {wanted} are seen")
    listed = ", ".join(sorted(known))
    return failed(
        f"no referral is of PARTNER_CENTER_ORGANIZATION_ID={wanted}; seen: {listed}",
        "Set PARTNER_CENTER_ORGANIZATION_ID to the id of your own organisation.",
    )


def check_location(patient: Installation) -> Verdict:
    """The partner location of the settings is one that our referrals name."""
    wanted = patient.settings.partner_center.location
    known = _values(patient, "mpnId")
    if not known:
        return skipped_without_referrals("the partner location")
    if wanted in known:
        return ok(f"location {wanted} is seen")
    return failed(
        f"no referral is of PARTNER_CENTER_LOCATION={wanted}; seen: {', '.join(sorted(known))}",
        "Set PARTNER_CENTER_LOCATION to the PartnerID of a location of yours; a right one that is new passes after "
        "its first deal.",
    )


def _values(patient: Installation, name: str) -> set[str]:
    """The values of a property, of our own organisation's referrals if the property is not the organisation."""
    ours = patient.settings.partner_center.organization_id.casefold()
    rows = [
        row
        for row in patient.newest_referrals
        if name == "organizationId" or str(row.get("organizationId")).casefold() == ours
    ]
    return {str(row[name]).casefold() for row in rows if row.get(name)}
