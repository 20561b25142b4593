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

DAY_LIMIT_SECONDS = 1800.0
CONCURRENCY_LIMIT_SECONDS = 30.0
INVALID_SESSION = "INVALID_SESSION_ID"
HALTED = frozenset({"PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})
LOCKS = frozenset({"UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"})
GONE = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_PASSING = frozenset({"SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION", "QUERY_TIMEOUT", "INVALID_QUERY_LOCATOR"})
_NO_API = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
_PASSING_STATUSES = frozenset({420, 429})
_SERVER_FAULT = 500
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


class Fault(Struct, frozen=True):
    """One refusal: code, text, fields, and the 18-character ids that a duplicate rule or a unique field named."""

    code: str
    text: str
    fields: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()

    @property
    def field(self) -> str | None:
        """The field or object that is meant, from `fields`, else from the text."""
        found = _FIELD_IN_TEXT.search(self.text)
        return next(iter(self.fields), None) or (next(filter(None, found.groups())) if found else None)


def faults_of(body: object) -> tuple[Fault, ...]:
    """The refusals in an answer's body: a list or a single object, `errorCode` or `statusCode`; () if there is none."""
    listed = body if isinstance(body, list) else [body]
    return tuple(_fault(item) for item in listed if isinstance(item, Mapping) and _code(item))


def fault_of(status: int, body: object) -> Fault:
    """The first refusal; without one, its code is `HTTP_<status>` (several matches of an upsert: MULTIPLE_MATCHES)."""
    nameless = "MULTIPLE_MATCHES" if status == _MULTIPLE_MATCHES else f"HTTP_{status}"
    return next(iter(faults_of(body)), Fault(nameless, "no reason was given"))


def passing(status: int, fault: Fault) -> bool:
    """Whether the trouble is the service's, not the record's: the same request may succeed later."""
    if fault.code in _PASSING or fault.code == "REQUEST_LIMIT_EXCEEDED":
        return True
    known = fault.code in _REMEDIES or fault.code in LOCKS
    return not known and (status >= _SERVER_FAULT or status in _PASSING_STATUSES or fault.code.startswith("HTTP_"))


def cause_of(fault: Fault) -> Cause:
    """Why a record is refused, for the person who mends it."""
    code = "INSUFFICIENT_ACCESS" if fault.code.startswith("INSUFFICIENT_ACCESS") else fault.code
    remedy = _REMEDIES.get(code, _DEFAULT_REMEDY).format(
        field=fault.field or "the field", matches=", ".join(fault.matches) or "another record"
    )
    return Cause(fault.code, fault.field, fault.text[:MAX_REMOTE_TEXT], remedy)


def error_of(status: int, body: object, what: str, *, write: bool, after: float | None = None) -> CosellError:
    """The error of ours for a refused call or subrequest called `what`; a `write` without a readable answer: Ambiguous.

    `after` is what the service asked for in `Retry-After`, in seconds.
    """
    fault = fault_of(status, body)
    if fault.code == "REQUEST_LIMIT_EXCEEDED":
        concurrent = "concurrent" in fault.text.lower()
        return Throttled(
            f"Salesforce refused {what}: {fault.code}",
            after=CONCURRENCY_LIMIT_SECONDS if concurrent else DAY_LIMIT_SECONDS,
        )
    if fault.code in LOCKS:
        return Locked(f"Salesforce refused {what}: {fault.code}", after=after)
    if fault.code == INVALID_SESSION or fault.code in _NO_API:
        return session_error(fault)
    if passing(status, fault):
        return unread(f"Salesforce answered {what} with {status} {fault.code}", write=write, after=after)
    if fault.code in GONE:
        return NotFound(f"Salesforce refused {what}: {fault.code}")
    return Rejected(cause_of(fault))


def session_error(fault: Fault) -> SignInFailed:
    """The token or the API as a whole is refused, and a new token has not helped or would not help."""
    remedy = (
        "Use an edition with API access and give the integration user the permission API Enabled."
        if fault.code in _NO_API
        else "Give the integration user and the app a session that the REST API accepts (profile, session policies)."
    )
    return SignInFailed(f"Salesforce refuses our session: {fault.code}", code=fault.code, remedy=remedy)


def unread(message: str, *, write: bool, after: float | None = None) -> CosellError:
    """No readable answer: of a write nobody knows the outcome, a read may simply be repeated."""
    return Ambiguous(message) if write else Unavailable(message, after=after)


def _code(item: Mapping[str, object]) -> str:
    return str(item.get("errorCode") or item.get("statusCode") or "")[:80]


def _fault(item: Mapping[str, object]) -> Fault:
    text, fields = str(item.get("message") or ""), item.get("fields")
    named = tuple(str(name) for name in fields) if isinstance(fields, Sequence) and not isinstance(fields, str) else ()
    # The misspelt key is the service's own (reference/salesforce.md 2.11).
    found = item.get("duplicateResut") or item.get("duplicateResult")
    matches = tuple(_match_ids(found)) or tuple(
        full_id(found_id) for found_id in _ID_IN_TEXT.findall(text.partition("record with id:")[2])
    )
    return Fault(_code(item), text, named, matches)


def _match_ids(found: object) -> list[str]:
    """The ids under matchResults/matchRecords/record, whatever else is missing."""
    if isinstance(found, list):
        return [record for item in found for record in _match_ids(item)]
    if not isinstance(found, Mapping):
        return []
    own = found.get("Id")
    if isinstance(own, str) and is_id(own):
        return [full_id(own)]
    return [record for key in ("matchResults", "matchRecords", "record") for record in _match_ids(found.get(key))]
