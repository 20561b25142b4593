"""What a person can do after a refusal by a service, by its code. The reason is the service's own text.

Source: docs/errors.md#causes-from-a-service.
"""

from collections.abc import Mapping

_CORRECT_VALUE = "Please correct this value on the opportunity. It is sent again after the edit."
PARTNER_CENTER_REMEDIES: Mapping[int, str] = {
    400: _CORRECT_VALUE,
    410: "The referral was removed from Partner Center. Please ask your administrator to end its link.",
    413: "Please shorten the notes, or remove solutions or team members. The opportunity is sent again after the edit.",
    422: _CORRECT_VALUE,
}
"""Remedies after a refusal by Partner Center, by status. The reason is the service's own text."""
PARTNER_CENTER_DEFAULT_REMEDY = "Please tell the operator that Partner Center does not accept this call."

_CHECK_FIELD_ACCESS = "check that it exists and that a permission set lets the integration user read and edit it"
SALESFORCE_REMEDIES: Mapping[str, str] = {
    "INVALID_FIELD": f"{{field}}: {_CHECK_FIELD_ACCESS}.",
    "INVALID_TYPE": f"{{field}}: {_CHECK_FIELD_ACCESS}.",
    "INVALID_FIELD_FOR_INSERT_UPDATE": f"{{field}}: {_CHECK_FIELD_ACCESS}.",
    "INSUFFICIENT_ACCESS": "Give the integration user edit access to this record and to the records it refers to.",
    "REQUIRED_FIELD_MISSING": "Fill in {field}.",
    "STRING_TOO_LONG": "Shorten the value of {field}.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Add the value to the picklist {field}, or map it to one it has.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "Change the record so that the validation rule is met.",
    "FIELD_INTEGRITY_EXCEPTION": "Correct the value of {field}.",
    "JSON_PARSER_ERROR": "Give each default in the mapping file its column's type.",
    "DUPLICATE_VALUE": "Another record holds this value of {field}: find it, and clear or merge one of the two.",
    "DUPLICATES_DETECTED": "A duplicate rule found {matches}: use that record, or merge the two.",
    "INACTIVE_OWNER_OR_USER": "Give the record an active owner.",
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": "Choose a user whose licence lets them own the record.",
    "TRANSFER_REQUIRES_READ": "Give the user read access to the object, or choose another one.",
    "MULTIPLE_MATCHES": "Several records hold this external id: make the field unique and clear the id of all but one.",
    "NOT_FOUND": "The record does not exist, or the integration user may not see it.",
    "ENTITY_IS_DELETED": "The record, or one that it names, is in the recycle bin: restore it, or end its sync.",
    "INVALID_CROSS_REFERENCE_KEY": "The record or one that it refers to does not exist or is not visible.",
}
"""Remedies after a refusal by Salesforce, by error code. The reason is the service's own text."""
SALESFORCE_DEFAULT_REMEDY = "Correct the record, or the mapping of the field."
