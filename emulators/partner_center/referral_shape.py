"""Define the shape of a referral, with the unset value of every property, and bring bodies into that shape.

Sources: docs/reference/partner-center.md#wire-format (case, nulls, empty arrays),
docs/reference/partner-center.md#a-complete-referral
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from emulators.partner_center.service_errors import invalid_request

type Json = dict[str, Any]

PUBLIC_HOST = "api.partner.microsoft.com"
MICROSOFT = "msft"

MEMBER: Json = {
    "firstName": None, "lastName": None, "phoneNumber": None, "email": None, "title": None,
    "contactPreference": {"locale": None, "disableNotifications": None},
}  # fmt: skip
SOLUTION: Json = {
    "id": None, "name": None, "type": "None", "price": None, "quantity": None, "currency": None,
    "publisherName": None, "solutionType": None, "closingDateTime": None,
}  # fmt: skip

REFERRAL: Json = {
    "id": None,
    "engagementId": None,
    "name": None,
    "organizationId": None,
    "organizationName": None,
    "lastModifiedVia": None,
    "lastRunId": None,
    "externalReferenceId": None,
    "createdDateTime": None,
    "updatedDateTime": None,
    "expirationDateTime": None,
    "status": "None",
    "substatus": "None",
    "statusReason": None,
    "qualification": "None",
    "type": "Independent",
    "referralSource": None,
    "eTag": None,
    "favorite": False,
    "campaignId": None,
    "salesStage": None,
    "quality": "Unknown",
    "isSpam": False,
    "direction": "Outgoing",
    "mpnId": None,
    "referralProgram": None,
    "dealSensitivity": "None",
    "createdVia": None,
    "tags": [],
    "acceptedDateTime": None,
    "closedDateTime": None,
    "callToAction": None,
    "registrationStatus": "None",
    "target": [],
    "customerProfile": {
        "name": None, "size": None, "isMatchingComplete": False,
        "address": {"addressLine1": None, "addressLine2": None, "city": None, "state": None, "postalCode": None,
                    "country": None, "region": None},
        "team": [], "ids": [],
    },
    "consent": {
        "consentToToShareInfoWithOthers": False, "consentToContact": False,
        "consentToMicrosoftToContactSpecificPartners": None, "consentToShareReferralWithMicrosoftSellers": False,
    },
    "details": {
        "notes": None, "dealValue": None, "currency": None, "closingDateTime": None, "customerRequestedContact": None,
        "customerAction": None, "incentiveLevel": None,
        "requirements": {
            "industries": [], "products": [], "services": [], "solutions": [], "offers": [], "salesPlays": [],
            "additionalRequirements": {
                "iot": {"customerLicenseAgreementNumber": None, "deviceCategory": None, "siliconType": None,
                        "azureCertifiedDevice": False, "attachServices": False},
                "attributes": [],
            },
        },
    },
    "team": [],
    "inviteContext": {
        "notes": None, "assistanceRequestCode": "Unknown", "invitedMpnId": None,
        "invitedBy": {"organizationId": None, "organizationName": None},
    },
    "links": {"relatedReferrals": {"uri": None, "method": "GET"}, "self": {"uri": None, "method": "GET"}},
    "trackingInfo": {"microsoftMsxId": None, "microsoftUSFedOpportunityId": None, "microsoftUSFedLeadId": None,
                     "migratedPSCDealId": None, "migratedPSCPartnerDealId": None},
    "registrations": [],
}  # fmt: skip

# The properties that a caller may set in a create. The service sets all others.
WRITABLE = (
    "name", "externalReferenceId", "qualification", "type", "favorite", "campaignId", "salesStage", "mpnId",
    "referralProgram", "lastModifiedVia", "lastRunId", "target", "customerProfile", "consent", "details", "team",
    "inviteContext",
)  # fmt: skip

ELEMENTS: Mapping[str, Json] = {
    "team": MEMBER,
    "customerProfile/team": MEMBER,
    "customerProfile/ids": {"profileType": None, "id": None},
    "target": {"type": "None", "id": None},
    "details/requirements/industries": {"id": None},
    "details/requirements/products": {"id": None},
    "details/requirements/services": {"id": None},
    "details/requirements/solutions": SOLUTION,
    "details/requirements/additionalRequirements/attributes": {"id": None, "type": None},
}


def property_names(shape: Mapping[str, Any]) -> Iterator[str]:
    """Yield every property name in a shape, at any depth."""
    for name, value in shape.items():
        yield name
        if isinstance(value, dict):
            yield from property_names(value)


_CANONICAL = {
    name.lower(): name
    for shape in (REFERRAL, {"profileType": None}, *ELEMENTS.values(), {"op": 0, "path": 0, "value": 0, "from": 0})
    for name in property_names(shape)
}


def fold_names(value: object) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Return the same JSON with every known property name in camelCase, from any case."""
    if isinstance(value, dict):
        return {_CANONICAL.get(name.lower(), name): fold_names(item) for name, item in value.items()}
    return [fold_names(item) for item in value] if isinstance(value, list) else value


def canonical_path(path: str) -> str:
    """Return a JSON pointer with its known property names in camelCase."""
    return "/".join(_CANONICAL.get(part.lower(), part) for part in path.split("/"))


def complete_element(path: str, value: object) -> Json:
    """Return one item of the collection at `path` with all its properties. Raises ServiceError."""
    if not isinstance(value, dict):
        raise invalid_request(f"An item of '{path}' must be an object.", target=path)
    return complete_object(ELEMENTS[path], value, path)


def complete_collection(path: str, value: object) -> list[Any]:
    """Return a collection, each item with all its properties. Raises ServiceError.

    `{}` and null count as empty, as in old samples (docs/reference/partner-center.md#wire-format).
    """
    if value is None or value == {}:
        return []
    if not isinstance(value, list):
        raise invalid_request(f"'{path}' must be an array.", target=path)
    return [complete_element(path, item) for item in value] if path in ELEMENTS else copy.deepcopy(value)


def complete_object(shape: Mapping[str, Any], body: Mapping[str, Any], path: str = "") -> Json:
    """Return `shape` with the values of `body`, without properties that the shape lacks. Raises ServiceError."""
    return {name: _complete_value(unset, body.get(name), f"{path}/{name}".lstrip("/")) for name, unset in shape.items()}


def _complete_value(unset: object, value: object, path: str) -> object:
    if isinstance(unset, list):
        return complete_collection(path, value)
    if isinstance(unset, dict):
        return complete_object(unset, _require_object(value, path), path)
    if isinstance(value, dict | list):
        raise invalid_request(f"'{path}' must be a plain value.", target=path)
    return unset if value is None else value


def _require_object(value: object, path: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_request(f"'{path}' must be an object.", target=path)
    return value


def is_visible_to_microsoft(record: Mapping[str, Any]) -> bool:
    """Return whether Microsoft's sellers may see the deal."""
    consent = record.get("consent") or {}  # a record that was written raw may lack it
    return consent.get("consentToShareReferralWithMicrosoftSellers") is True


def set_links(record: Json) -> None:
    """Set `links` as observed response bodies have it: a space that is not escaped, a GUID without quotes.

    Source: docs/reference/partner-center.md#links
    """
    base = f"https://{PUBLIC_HOST}/v1.0/engagements/referrals"
    record["links"]["relatedReferrals"]["uri"] = f"{base}?$filter=engagementId eq {record['engagementId']}"
    record["links"]["self"]["uri"] = f"{base}/{record['id']}"
