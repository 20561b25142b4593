"""The examination: every check in order, each on its own; one that rests on a failed one is skipped, and says so."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from shared.doctor import (
    clock_checks,
    local_checks,
    partner_center_checks,
    salesforce_checks,
    salesforce_field_checks,
    webhook_checks,
)
from shared.doctor.finding import Result, Verdict, skipped, verdict_of_error
from shared.doctor.installation import Installation

BY_HAND = (
    "PARTNER_CENTER_LOCATION is the valid PartnerID (MPN id) of a location of yours, not of the whole company.",
    "The solutions that sellers name are co-sell ready in Partner Center.",
    "The partner account and the solutions are under one tenant, PARTNER_CENTER_TENANT_ID.",
    "The integration user has View All on Opportunity, Account and Contact, so that sharing hides no record.",
)
"""What no call can tell: a person looks."""


class Prerequisite(Struct, frozen=True):
    """One check: its name, what must be ok before it makes sense, and the look itself."""

    name: str
    needs: tuple[str, ...]
    check: Callable[[Installation], Verdict]


_SIGNED_IN = "Partner Center sign-in"
_LISTED = "referral role"
_IN_SALESFORCE = "Salesforce sign-in"
PREREQUISITES: tuple[Prerequisite, ...] = (
    Prerequisite("settings", (), local_checks.check_settings),
    Prerequisite("mapping file", ("settings",), local_checks.check_mapping_file),
    Prerequisite("vault", ("mapping file",), local_checks.check_vault),
    Prerequisite("Salesforce key", ("vault",), local_checks.check_salesforce_key),
    Prerequisite("Partner Center credential", ("vault",), local_checks.check_app_credential),
    Prerequisite("refresh token", ("vault",), local_checks.check_refresh_token),
    Prerequisite("storage", ("mapping file",), local_checks.check_storage),
    Prerequisite(_SIGNED_IN, ("Partner Center credential",), partner_center_checks.check_sign_in),
    Prerequisite("MFA", (_SIGNED_IN,), partner_center_checks.check_mfa),
    Prerequisite(_LISTED, (_SIGNED_IN,), partner_center_checks.check_referral_role),
    Prerequisite("tenant", (_SIGNED_IN,), partner_center_checks.check_tenant),
    Prerequisite("organisation id", (_SIGNED_IN,), partner_center_checks.check_organization),
    Prerequisite("partner location", (_SIGNED_IN,), partner_center_checks.check_location),
    Prerequisite("Partner Center clock", (_SIGNED_IN,), clock_checks.check_partner_center_clock),
    Prerequisite("webhook registration", (_SIGNED_IN,), webhook_checks.check_registration),
    Prerequisite(_IN_SALESFORCE, ("Salesforce key",), salesforce_checks.check_salesforce_sign_in),
    Prerequisite("Salesforce user", (_IN_SALESFORCE,), salesforce_checks.check_integration_user),
    Prerequisite("Salesforce permissions", (_IN_SALESFORCE,), salesforce_checks.check_permissions),
    Prerequisite("custom fields", (_IN_SALESFORCE,), salesforce_field_checks.check_our_fields),
    Prerequisite("mapped fields", (_IN_SALESFORCE,), salesforce_field_checks.check_mapped_fields),
    Prerequisite("currency field", (_IN_SALESFORCE,), salesforce_field_checks.check_currency_field),
    Prerequisite("stages", (_IN_SALESFORCE,), salesforce_checks.check_stages),
    Prerequisite("conditional update", (_IN_SALESFORCE, "custom fields"), salesforce_checks.check_conditional_update),
    Prerequisite("Salesforce API budget", (_IN_SALESFORCE,), salesforce_checks.check_api_budget),
    Prerequisite("Salesforce clock", (_IN_SALESFORCE,), clock_checks.check_salesforce_clock),
)


class CheckResult(Struct, frozen=True):
    """A check's name and what it says."""

    name: str
    verdict: Verdict

    def as_document(self) -> dict[str, str]:
        """For a script."""
        return {
            "name": self.name,
            "result": str(self.verdict.result),
            "found": self.verdict.found,
            "remedy": self.verdict.remedy,
        }


def run_checks(
    patient: Installation,
    told: Callable[[int, str], None] = lambda _done, _name: None,
    items: Sequence[Prerequisite] = PREREQUISITES,
) -> list[CheckResult]:
    """Look at everything; nothing that a check raises ends the examination. `told` hears of the progress."""
    verdicts: dict[str, Verdict] = {}
    for number, item in enumerate(items):
        told(number, item.name)
        verdicts[item.name] = _verdict(item, patient, verdicts)
    return [CheckResult(name, verdict) for name, verdict in verdicts.items()]


def _verdict(item: Prerequisite, patient: Installation, known: Mapping[str, Verdict]) -> Verdict:
    unmet = next((need for need in item.needs if known[need].result is not Result.OK), None)
    if unmet is not None:
        return skipped(f"rests on: {unmet}")
    try:
        return item.check(patient)
    except Exception as error:  # noqa: BLE001 - a broken check must not hide what the others found
        return verdict_of_error(error)
