"""The shape of a referral: every property with its unset value, and bodies brought into that shape.

Source: reference/partner-center.md 3.1 (case, nulls, empty arrays) and 3.10 (a complete record).
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

# What a caller may set in a create; everything else is the service's.
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
    """Every property name in a shape, at any depth."""
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
    """The same JSON with every property name in the service's camelCase, whatever case it came in."""
    if isinstance(value, dict):
        return {_CANONICAL.get(name.lower(), name): fold_names(item) for name, item in value.items()}
    return [fold_names(item) for item in value] if isinstance(value, list) else value


def canonical_path(path: str) -> str:
    """A JSON pointer with its property names in camelCase."""
    return "/".join(_CANONICAL.get(part.lower(), part) for part in path.split("/"))


def complete_element(path: str, value: object) -> Json:
    """One member of the collection at `path`, complete. Raises ServiceError."""
    if not isinstance(value, dict):
        raise invalid_request(f"An item of '{path}' must be an object.", target=path)
    return complete_object(ELEMENTS[path], value, path)


def complete_collection(path: str, value: object) -> list[Any]:
    """A whole collection, each member complete; `{}` and null count as empty, as in old samples (quirk 11)."""
    if value is None or value == {}:
        return []
    if not isinstance(value, list):
        raise invalid_request(f"'{path}' must be an array.", target=path)
    return [complete_element(path, item) for item in value] if path in ELEMENTS else copy.deepcopy(value)


def complete_object(shape: Mapping[str, Any], body: Mapping[str, Any], path: str = "") -> Json:
    """`shape` with the values of `body`; what the shape does not know is dropped. Raises ServiceError."""
    return {name: _complete_value(unset, body.get(name), f"{path}/{name}".lstrip("/")) for name, unset in shape.items()}


def _complete_value(unset: object, given: object, path: str) -> object:
    if isinstance(unset, list):
        return complete_collection(path, given)
    if isinstance(unset, dict):
        return complete_object(unset, _require_object(given, path), path)
    if isinstance(given, dict | list):
        raise invalid_request(f"'{path}' must be a plain value.", target=path)
    return unset if given is None else given


def _require_object(given: object, path: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise invalid_request(f"'{path}' must be an object.", target=path)
    return given


def is_visible_to_microsoft(record: Mapping[str, Any]) -> bool:
    """Whether Microsoft's sellers may see the deal."""
    consent = record.get("consent") or {}  # a record written raw may lack it
    return consent.get("consentToShareReferralWithMicrosoftSellers") is True


def set_links(record: Json) -> None:
    """Fill `links` in the captured form: space unescaped, guid unquoted (3.10)."""
    base = f"https://{PUBLIC_HOST}/v1.0/engagements/referrals"
    record["links"]["relatedReferrals"]["uri"] = f"{base}?$filter=engagementId eq {record['engagementId']}"
    record["links"]["self"]["uri"] = f"{base}/{record['id']}"
