"""Check the body of a create, and make the record from it.

Sources: docs/reference/partner-center.md#creating-a-referral, docs/reference/partner-center.md#co-sell-in-two-creates
"""

from collections.abc import Mapping
from typing import Any

from emulators.partner_center import help_request, value_checks
from emulators.partner_center.referral_shape import (
    MICROSOFT,
    REFERRAL,
    WRITABLE,
    Json,
    complete_object,
    fold_names,
    is_visible_to_microsoft,
)
from emulators.partner_center.service_errors import invalid_request
from emulators.partner_center.switches import Switches

REQUIRED = ("type", "customerProfile", "consent", "details")
OPTIONAL_CONSENT = "consentToMicrosoftToContactSpecificPartners"


def draft_referral(body: object, switches: Switches) -> Json:
    """Return a checked record without ids, dates, owner and status. Raises ServiceError."""
    if not isinstance(body, dict):
        raise invalid_request("The body must be a referral.", target="body")
    properties = fold_names(body)
    for name in REQUIRED:
        if properties.get(name) in (None, {}):
            raise invalid_request(f"The {name} field is required.", target=name)
    record = complete_object(REFERRAL, {name: properties[name] for name in WRITABLE if name in properties})
    _check_head(record)
    _check_consent(record)
    _check_customer(record, complete=switches.demand_complete)
    _check_details(record, complete=switches.demand_complete)
    _check_people(record, complete=switches.demand_complete)
    help_request.check_invitation(record)
    record["type"] = effective_type(record)
    return record


def effective_type(record: Mapping[str, Any]) -> str:
    """Return the type that follows from the consent; the type in the body is only a hint.

    Source: docs/reference/partner-center.md#referral-fields
    """
    return "Shared" if is_visible_to_microsoft(record) else "Independent"


def targets_a_partner(record: Mapping[str, Any]) -> bool:
    """Return whether the record invites a location of another organisation than Microsoft."""
    return any(t["type"] == "BusinessProfileLocation" and t["id"] != MICROSOFT for t in record["target"])


def _check_head(record: Json) -> None:
    value_checks.one_of(*value_checks.TYPES)("type", record["type"])
    value_checks.one_of(*value_checks.QUALIFICATIONS)("qualification", record["qualification"])
    value_checks.one_of(None, *value_checks.SALES_STAGES)("salesStage", record["salesStage"])
    for name in ("name", "externalReferenceId", "campaignId", "referralProgram", "mpnId"):
        value_checks.check_text(name, record[name])


def _check_consent(record: Json) -> None:
    if record["consent"]["consentToToShareInfoWithOthers"] is not True:
        raise invalid_request("consentToToShareInfoWithOthers must be true.", target="consent")
    for name, flag in record["consent"].items():
        if not isinstance(flag, bool) and not (name == OPTIONAL_CONSENT and flag is None):
            raise invalid_request(f"{name} must be true or false.", target="consent")


def _check_customer(record: Json, *, complete: bool) -> None:
    customer = record["customerProfile"]
    value_checks.check_country("customerProfile/address/country", customer["address"]["country"])
    value_checks.one_of(*value_checks.SIZES)("customerProfile/size", customer["size"])
    for name in ("addressLine1", "city"):
        text = value_checks.check_text(f"customerProfile/address/{name}", customer["address"][name])
        if complete and not (text and text.strip()):
            raise invalid_request(f"The address of the customer needs its {name}.", target="customerProfile/address")


def _check_details(record: Json, *, complete: bool) -> None:
    details = record["details"]
    checks = {
        "dealValue": value_checks.check_amount,
        "currency": value_checks.check_currency,
        "closingDateTime": value_checks.check_time,
    }
    for name, check in checks.items():
        if complete or details[name] is not None:
            details[name] = check(f"details/{name}", details[name])
    value_checks.check_text("details/notes", details["notes"])
    value_checks.check_solutions("details/requirements/solutions", details["requirements"]["solutions"])
    attributes = "details/requirements/additionalRequirements/attributes"
    value_checks.check_attributes(attributes, details["requirements"]["additionalRequirements"]["attributes"])
    if complete and not (record["name"] and record["customerProfile"]["name"]):
        raise invalid_request("The deal and the customer need a name.", target="name")


def _check_people(record: Json, *, complete: bool) -> None:
    value_checks.check_contacts("team", value_checks.check_team("team", record["team"]), complete=complete)
    contacts = value_checks.check_members("customerProfile/team", record["customerProfile"]["team"])
    value_checks.check_contacts("customerProfile/team", contacts, complete=complete)
