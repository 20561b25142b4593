"""The body of a new referral: what every one carries. The fields of the mapping file add their values to it.

Source: docs/reference/partner-center.md#creating-a-referral.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from shared.mapping.attribute_field import ATTRIBUTES
from shared.mapping.paths import set_value


class ReferralConstants(Struct, frozen=True):
    """The values from the settings that every new referral carries.

    Source: docs/reference/partner-center.md#creating-a-referral.
    """

    location: str
    qualification: str = "SalesQualified"
    marketplace_intent: str = "HaveNotDecided"
    referral_link: str = "https://partner.microsoft.com/referrals/v2/inbox?id={id}"
    consent_to_contact: bool = True
    consent_to_share_with_others: bool = True
    consent_to_contact_specific_partners: bool = True


def referral_body(
    constants: ReferralConstants, external_reference: str, attributes: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Return the body of a private referral without values: the consents, the attributes and what the settings say."""
    body: dict[str, Any] = {
        "externalReferenceId": external_reference,
        "qualification": constants.qualification,
        "type": "Independent",
        "mpnId": constants.location,
        "consent": {
            "consentToToShareInfoWithOthers": constants.consent_to_share_with_others,
            "consentToContact": constants.consent_to_contact,
            "consentToMicrosoftToContactSpecificPartners": constants.consent_to_contact_specific_partners,
            "consentToShareReferralWithMicrosoftSellers": False,
        },
        "target": [],
    }
    set_value(body, ATTRIBUTES, [*attributes])
    return body
