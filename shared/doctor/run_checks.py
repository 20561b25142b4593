"""List all checks of `cosell doctor` in order, and run them.

A check that needs another one is skipped if that one did not pass.
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from shared.doctor import (
    app_access_check,
    approval_check,
    arrival_check,
    clock_checks,
    consent_check,
    country_check,
    hidden_deals_check,
    lead_check,
    local_checks,
    mapping_checks,
    new_record_checks,
    owner_checks,
    partner_center_checks,
    picklist_checks,
    row_checks,
    salesforce_checks,
    salesforce_field_checks,
    salesforce_sharing_checks,
    webhook_checks,
)
from shared.doctor.finding import Result, Verdict, skipped, verdict_of_error
from shared.doctor.installation import Installation

MANUAL_CHECKS = (
    "PARTNER_CENTER_LOCATION is the valid PartnerID (MPN id) of one of your locations, not of the whole company.",
    "The solutions that sellers name are co-sell ready in Partner Center.",
    "The partner account and the solutions belong to one tenant, PARTNER_CENTER_TENANT_ID.",
    "The integration user has View All on Opportunity, Account and Contact: in an open org, no check can show it.",
    "The validation rule Cosell_Clone is active: the deployment of the package names what is not.",
)
"""The points that a person must check, because no API shows them."""


class Prerequisite(Struct, frozen=True):
    """One check: its name, the names of the checks that must pass before it, and its function."""

    name: str
    needs: tuple[str, ...]
    check: Callable[[Installation], Verdict]


_PARTNER_CENTER_SIGN_IN = "Partner Center sign-in"
_SALESFORCE_SIGN_IN = "Salesforce sign-in"
PREREQUISITES: tuple[Prerequisite, ...] = (
    Prerequisite("settings", (), local_checks.check_settings),
    Prerequisite("schedules", ("settings",), local_checks.check_schedules),
    Prerequisite("mapping file", ("settings",), local_checks.check_mapping_file),
    Prerequisite("vault", ("mapping file",), local_checks.check_vault),
    Prerequisite("Salesforce key", ("vault",), local_checks.check_salesforce_key),
    Prerequisite("Partner Center credential", ("vault",), local_checks.check_app_credential),
    Prerequisite("refresh token", ("vault",), local_checks.check_refresh_token),
    Prerequisite("storage", ("mapping file",), local_checks.check_storage),
    Prerequisite("paused sides", ("storage",), local_checks.check_paused_sides),
    Prerequisite("refused paths", ("storage",), local_checks.check_refused_paths),
    Prerequisite("lists", ("storage",), local_checks.check_lists),
    Prerequisite("hidden deals", ("storage",), hidden_deals_check.check_hidden_deals),
    Prerequisite("approvals", ("storage",), approval_check.check_approvals),
    Prerequisite(_PARTNER_CENTER_SIGN_IN, ("Partner Center credential",), partner_center_checks.check_sign_in),
    Prerequisite("MFA", (_PARTNER_CENTER_SIGN_IN,), partner_center_checks.check_mfa),
    Prerequisite("referral role", (_PARTNER_CENTER_SIGN_IN,), partner_center_checks.check_referral_role),
    Prerequisite("tenant", (_PARTNER_CENTER_SIGN_IN,), partner_center_checks.check_tenant),
    Prerequisite("organisation id", (_PARTNER_CENTER_SIGN_IN,), partner_center_checks.check_organization),
    Prerequisite("partner location", (_PARTNER_CENTER_SIGN_IN,), partner_center_checks.check_location),
    Prerequisite("Partner Center clock", (_PARTNER_CENTER_SIGN_IN,), clock_checks.check_partner_center_clock),
    Prerequisite("webhook registration", (_PARTNER_CENTER_SIGN_IN,), webhook_checks.check_registration),
    Prerequisite(_SALESFORCE_SIGN_IN, ("Salesforce key",), salesforce_checks.check_salesforce_sign_in),
    Prerequisite("environment", (_SALESFORCE_SIGN_IN, "storage"), salesforce_checks.check_environment),
    Prerequisite("Salesforce user", (_SALESFORCE_SIGN_IN,), salesforce_checks.check_integration_user),
    Prerequisite("app access", (_SALESFORCE_SIGN_IN,), app_access_check.check_app_access),
    Prerequisite("Salesforce permissions", (_SALESFORCE_SIGN_IN,), salesforce_checks.check_permissions),
    Prerequisite("custom fields", (_SALESFORCE_SIGN_IN,), salesforce_field_checks.check_our_fields),
    Prerequisite("consents", (_SALESFORCE_SIGN_IN,), consent_check.check_consents),
    Prerequisite("package", (_SALESFORCE_SIGN_IN,), salesforce_field_checks.check_package),
    Prerequisite("inbox", (_SALESFORCE_SIGN_IN,), salesforce_field_checks.check_inbox),
    Prerequisite("leads", (_SALESFORCE_SIGN_IN,), lead_check.check_leads),
    Prerequisite("solutions", (_SALESFORCE_SIGN_IN,), row_checks.check_solutions),
    Prerequisite("team", (_SALESFORCE_SIGN_IN,), row_checks.check_team),
    Prerequisite("mapped fields", (_SALESFORCE_SIGN_IN,), salesforce_field_checks.check_mapped_fields),
    Prerequisite("new records", (_SALESFORCE_SIGN_IN,), new_record_checks.check_new_records),
    Prerequisite("duplicate rules", (_SALESFORCE_SIGN_IN,), new_record_checks.check_duplicate_rules),
    Prerequisite("currency field", (_SALESFORCE_SIGN_IN,), salesforce_field_checks.check_currency_field),
    Prerequisite("stages", (_SALESFORCE_SIGN_IN,), picklist_checks.check_stages),
    Prerequisite("picklists", (_SALESFORCE_SIGN_IN,), picklist_checks.check_picklists),
    Prerequisite("countries", (_SALESFORCE_SIGN_IN,), country_check.check_countries),
    Prerequisite("record types", (_SALESFORCE_SIGN_IN,), picklist_checks.check_record_types),
    Prerequisite(
        "conditional update", (_SALESFORCE_SIGN_IN, "custom fields"), salesforce_checks.check_conditional_update
    ),
    Prerequisite("write access", (_SALESFORCE_SIGN_IN, "custom fields"), salesforce_sharing_checks.check_write_access),
    Prerequisite("read access", (_SALESFORCE_SIGN_IN,), salesforce_sharing_checks.check_read_access),
    Prerequisite("owners", (_SALESFORCE_SIGN_IN,), owner_checks.check_owners),
    Prerequisite("arrival", (_SALESFORCE_SIGN_IN, "custom fields", "stages"), arrival_check.check_arrival),
    Prerequisite("Salesforce API budget", (_SALESFORCE_SIGN_IN,), salesforce_checks.check_api_budget),
    Prerequisite("Salesforce clock", (_SALESFORCE_SIGN_IN,), clock_checks.check_salesforce_clock),
)
_OF_THE_DOCTOR = (
    "settings", "mapping file", "vault", "Salesforce key", _SALESFORCE_SIGN_IN, "custom fields", "solutions", "team",
    "mapped fields", "new records", "currency field", "stages", "picklists", "countries", "record types", "owners",
)  # fmt: skip
MAPPING_CHECKS: tuple[Prerequisite, ...] = (
    *(each for each in PREREQUISITES if each.name in _OF_THE_DOCTOR),
    Prerequisite("column types", (_SALESFORCE_SIGN_IN,), mapping_checks.check_column_types),
    Prerequisite("value lists", (_SALESFORCE_SIGN_IN,), mapping_checks.check_value_lists),
    Prerequisite("solution ids", (_SALESFORCE_SIGN_IN,), mapping_checks.check_solution_ids),
    Prerequisite("latches", ("mapping file",), mapping_checks.check_latches),
)
"""The checks of `cosell mapping check`: those of the doctor that concern the file, and its own."""


def run_checks(
    installation: Installation,
    report_progress: Callable[[int, str], None] = lambda _done, _name: None,
    prerequisites: Sequence[Prerequisite] = PREREQUISITES,
) -> dict[str, Verdict]:
    """Run all checks and return their verdicts by name. A check that raises an error does not stop the others.

    `report_progress` is called before each check, with the number of finished checks and the name of the next one.
    """
    verdicts: dict[str, Verdict] = {}
    for number, prerequisite in enumerate(prerequisites):
        report_progress(number, prerequisite.name)
        verdicts[prerequisite.name] = _run_check(prerequisite, installation, verdicts)
    return verdicts


def _run_check(prerequisite: Prerequisite, installation: Installation, earlier: Mapping[str, Verdict]) -> Verdict:
    not_passed = next((name for name in prerequisite.needs if earlier[name].result is not Result.OK), None)
    if not_passed is not None:
        return skipped(f"needs the check {not_passed}, which did not pass")
    try:
        return prerequisite.check(installation)
    except Exception as error:  # noqa: BLE001 - a broken check must not hide what the others found
        return verdict_of_error(error)
