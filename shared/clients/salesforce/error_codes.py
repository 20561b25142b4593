"""What Salesforce's refusals mean, told by `errorCode` and never by the HTTP status alone.

Codes and texts: reference/salesforce.md 2.11. The same record lock has been seen as 400 and as 500. A refusal's text
may hold a customer's data, so it travels only as the reason of a `Cause`, which the seller reads in his own record;
every other message is made of codes.
"""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from shared.clients.salesforce.soql_literals import full_id, is_id
from shared.foundation.errors import (
    MAX_REMOTE_TEXT,
    Ambiguous,
    Cause,
    CosellError,
    Locked,
    NotFound,
    Rejected,
    SignInFailed,
    Throttled,
    Unavailable,
)

DAILY_LIMIT_WAIT_SECONDS = 1800.0
CONCURRENCY_LIMIT_WAIT_SECONDS = 30.0
INVALID_SESSION = "INVALID_SESSION_ID"
ROLLED_BACK_CODES = frozenset({"PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})
LOCK_CODES = frozenset({"UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"})
MISSING_RECORD_CODES = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_TEMPORARY_CODES = frozenset({"SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION", "QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR"})
_API_DISABLED_CODES = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
_TEMPORARY_STATUSES = frozenset({420, 429})
_SERVER_ERROR = 500
_MULTIPLE_MATCHES = 300

_CONFIGURATION = "check that it exists and that a permission set lets the integration user read and edit it"
_REMEDIES = {
    "INVALID_FIELD": f"{{field}}: {_CONFIGURATION}.",
    "INVALID_TYPE": f"{{field}}: {_CONFIGURATION}.",
    "INVALID_FIELD_FOR_INSERT_UPDATE": f"{{field}}: {_CONFIGURATION}.",
    "INSUFFICIENT_ACCESS": "Give the integration user edit access to this record and to the records it refers to.",
    "REQUIRED_FIELD_MISSING": "Fill in {field}, or give it a default in the mapping file.",
    "STRING_TOO_LONG": "Shorten the value of {field}.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Add the value to the picklist {field}, or map it to one it has.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "Change the record so that the validation rule is met.",
    "FIELD_INTEGRITY_EXCEPTION": "Correct the value of {field}.",
    "DUPLICATE_VALUE": "Another record holds this value of {field}: find it, and clear or merge one of the two.",
    "DUPLICATES_DETECTED": "A duplicate rule found {matches}: use that record, or merge the two.",
    "INACTIVE_OWNER_OR_USER": "Give the record an active owner.",
    "MULTIPLE_MATCHES": "Several records hold this external id: make the field unique and clear the id of all but one.",
    "NOT_FOUND": "The record does not exist, or the integration user may not see it.",
    "ENTITY_IS_DELETED": "The record is in the recycle bin: restore it, or end its sync.",
    "INVALID_CROSS_REFERENCE_KEY": "The record or one that it refers to does not exist or is not visible.",
}
_DEFAULT_REMEDY = "Correct the record, or the mapping of the field."
_FIELD_IN_TEXT = re.compile(
    r"No such column '([\w.]+)'|sObject type '(\w+)'|create/update fields: (\w+)|duplicate value found: (\w+)"
)
_ID_IN_TEXT = re.compile(r"\b[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")


class ApiError(Struct, frozen=True):
    """One refusal: code, text, fields, and the 18-character ids that a duplicate rule or a unique field named."""

    code: str
    text: str
    fields: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()

    @property
    def field_name(self) -> str | None:
        """The field or object that is meant, from `fields`, else from the text."""
        found = _FIELD_IN_TEXT.search(self.text)
        return next(iter(self.fields), None) or (next(filter(None, found.groups())) if found else None)


def api_errors_in(body: object) -> tuple[ApiError, ...]:
    """The refusals in an answer's body: a list or a single object, `errorCode` or `statusCode`; () if there is none."""
    listed = body if isinstance(body, list) else [body]
    return tuple(_api_error_from(item) for item in listed if isinstance(item, Mapping) and _code_in(item))


def first_api_error(status: int, body: object) -> ApiError:
    """The first refusal; without one, its code is `HTTP_<status>` (several matches of an upsert: MULTIPLE_MATCHES)."""
    nameless = "MULTIPLE_MATCHES" if status == _MULTIPLE_MATCHES else f"HTTP_{status}"
    return next(iter(api_errors_in(body)), ApiError(nameless, "no reason was given"))


def is_temporary(status: int, fault: ApiError) -> bool:
    """Whether the trouble is the service's, not the record's: the same request may succeed later."""
    if fault.code in _TEMPORARY_CODES or fault.code == "REQUEST_LIMIT_EXCEEDED":
        return True
    known = fault.code in _REMEDIES or fault.code in LOCK_CODES
    return not known and (status >= _SERVER_ERROR or status in _TEMPORARY_STATUSES or fault.code.startswith("HTTP_"))


def cause_of(fault: ApiError) -> Cause:
    """Why a record is refused, for the person who mends it."""
    code = "INSUFFICIENT_ACCESS" if fault.code.startswith("INSUFFICIENT_ACCESS") else fault.code
    remedy = _REMEDIES.get(code, _DEFAULT_REMEDY).format(
        field=fault.field_name or "the field", matches=", ".join(fault.matches) or "another record"
    )
    return Cause(fault.code, fault.field_name, fault.text[:MAX_REMOTE_TEXT], remedy)


def exception_for(
    status: int, body: object, what: str, *, write: bool, retry_after: float | None = None
) -> CosellError:
    """The error of ours for a refused call or subrequest called `what`; a `write` without a readable answer: Ambiguous.

    `after` is what the service asked for in `Retry-After`, in seconds.
    """
    fault = first_api_error(status, body)
    if fault.code == "REQUEST_LIMIT_EXCEEDED":
        concurrent = "concurrent" in fault.text.lower()
        return Throttled(
            f"Salesforce refused {what}: {fault.code}",
            after=CONCURRENCY_LIMIT_WAIT_SECONDS if concurrent else DAILY_LIMIT_WAIT_SECONDS,
        )
    if fault.code in LOCK_CODES:
        return Locked(f"Salesforce refused {what}: {fault.code}", after=retry_after)
    if fault.code == INVALID_SESSION or fault.code in _API_DISABLED_CODES:
        return session_error(fault)
    if is_temporary(status, fault):
        return unreadable_answer_error(
            f"Salesforce answered {what} with {status} {fault.code}", write=write, retry_after=retry_after
        )
    if fault.code in MISSING_RECORD_CODES:
        return NotFound(f"Salesforce refused {what}: {fault.code}")
    return Rejected(cause_of(fault))


def session_error(fault: ApiError) -> SignInFailed:
    """The token or the API as a whole is refused, and a new token has not helped or would not help."""
    remedy = (
        "Use an edition with API access and give the integration user the permission API Enabled."
        if fault.code in _API_DISABLED_CODES
        else "Give the integration user and the app a session that the REST API accepts (profile, session policies)."
    )
    return SignInFailed(f"Salesforce refuses our session: {fault.code}", code=fault.code, remedy=remedy)


def unreadable_answer_error(message: str, *, write: bool, retry_after: float | None = None) -> CosellError:
    """No readable answer: of a write nobody knows the outcome, a read may simply be repeated."""
    return Ambiguous(message) if write else Unavailable(message, after=retry_after)


def _code_in(item: Mapping[str, object]) -> str:
    return str(item.get("errorCode") or item.get("statusCode") or "")[:80]


def _api_error_from(item: Mapping[str, object]) -> ApiError:
    text, fields = str(item.get("message") or ""), item.get("fields")
    named = tuple(str(name) for name in fields) if isinstance(fields, Sequence) and not isinstance(fields, str) else ()
    # The misspelt key is the service's own (reference/salesforce.md 2.11).
    found = item.get("duplicateResut") or item.get("duplicateResult")
    matches = tuple(_ids_in_matches(found)) or tuple(
        full_id(found_id) for found_id in _ID_IN_TEXT.findall(text.partition("record with id:")[2])
    )
    return ApiError(_code_in(item), text, named, matches)


def _ids_in_matches(found: object) -> list[str]:
    """The ids under matchResults/matchRecords/record, whatever else is missing."""
    if isinstance(found, list):
        return [record for item in found for record in _ids_in_matches(item)]
    if not isinstance(found, Mapping):
        return []
    own = found.get("Id")
    if isinstance(own, str) and is_id(own):
        return [full_id(own)]
    return [record for key in ("matchResults", "matchRecords", "record") for record in _ids_in_matches(found.get(key))]
