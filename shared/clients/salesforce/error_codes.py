"""Turn Salesforce's errors into errors of the product, by `errorCode` and never by the HTTP status alone.

The same record lock has been seen with the statuses 400 and 500. An error's text may hold a customer's data. So the
text is used only as the reason of a `Cause`, which sellers read in their own record. Other messages hold codes only.
Sources: docs/reference/salesforce.md#error-codes, docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain

from msgspec import Struct

from shared.clients.salesforce.soql_literals import full_id, is_id
from shared.domain.remedies import SALESFORCE_DEFAULT_REMEDY, SALESFORCE_REMEDIES
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
    UnreadableRefusal,
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
_FIRST_REFUSAL, _TIMEOUT, _SERVER_ERROR = 400, 408, 500
_MULTIPLE_MATCHES = 300

_FIELD_IN_TEXT = re.compile(
    r"No such column '([\w.]+)'|sObject type '(\w+)'|create/update fields: (\w+)|duplicate value found: (\w+)"
    r"|relationship '(\w+)' in FROM"
)
_ID_IN_TEXT = re.compile(r"\b[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b")


class ApiError(Struct, frozen=True):
    """One error in an answer of Salesforce.

    `matches` are the 18-character ids of the records that a duplicate rule found, or that hold a unique value already.
    """

    code: str
    text: str
    fields: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()

    @property
    def field_name(self) -> str | None:
        """The name of the field or object that the error is about, from `fields`, or else from the text."""
        match = _FIELD_IN_TEXT.search(self.text)
        return next(iter(self.fields), None) or (next(filter(None, match.groups())) if match else None)


def api_errors_in(body: object) -> tuple[ApiError, ...]:
    """Return the errors in a body, which is a list or one object, with `errorCode` or `statusCode` in each.

    The result of an action that failed has a list `errors` of its own.
    """
    listed = body if isinstance(body, list) else [body]
    results = [item["errors"] for item in listed if isinstance(item, Mapping) and isinstance(item.get("errors"), list)]
    listed = [*listed, *chain.from_iterable(results)]
    return tuple(_api_error_from(item) for item in listed if isinstance(item, Mapping) and _code_in(item))


def first_api_error(status: int, body: object) -> ApiError:
    """Return the first error in a body.

    If the body holds no error, the code is `HTTP_<status>`, or MULTIPLE_MATCHES if an upsert matched several records.
    """
    code = "MULTIPLE_MATCHES" if status == _MULTIPLE_MATCHES else f"HTTP_{status}"
    return next(iter(api_errors_in(body)), ApiError(code, "no reason was given"))


def is_temporary(status: int, error: ApiError) -> bool:
    """Whether the service caused the error, and not the record: the same request may succeed later."""
    if error.code in _TEMPORARY_CODES or error.code == "REQUEST_LIMIT_EXCEEDED":
        return True
    known = error.code in SALESFORCE_REMEDIES or error.code in LOCK_CODES
    return not known and (status >= _SERVER_ERROR or status in _TEMPORARY_STATUSES or error.code.startswith("HTTP_"))


def _is_page(status: int, error: ApiError) -> bool:
    """Whether a gateway refused the call with a page: a 4xx without an error of Salesforce's own."""
    is_refusal = _FIRST_REFUSAL <= status < _SERVER_ERROR and status not in _TEMPORARY_STATUSES | {_TIMEOUT}
    return is_refusal and error.code.startswith("HTTP_")


def cause_of(error: ApiError) -> Cause:
    """Return why a record is refused, and what a person can do about it."""
    code = "INSUFFICIENT_ACCESS" if error.code.startswith("INSUFFICIENT_ACCESS") else error.code
    remedy = SALESFORCE_REMEDIES.get(code, SALESFORCE_DEFAULT_REMEDY).format(
        field=error.field_name or "the field", matches=", ".join(error.matches) or "another record"
    )
    return Cause(error.code, error.field_name, error.text[:MAX_REMOTE_TEXT], remedy, matches=error.matches)


def exception_for(
    status: int, body: object, description: str, *, write: bool, retry_after: float | None = None
) -> CosellError:
    """Return the product's error for a refused call or subrequest, which `description` names.

    After a temporary error the outcome of a `write` is unknown: the error is Ambiguous. `retry_after` is the pause that
    the service asked for, in seconds.
    """
    error = first_api_error(status, body)
    if error.code == "REQUEST_LIMIT_EXCEEDED":
        is_concurrency_limit = "concurrent" in error.text.lower()
        return Throttled(
            f"Salesforce refused {description}: {error.code}",
            after=CONCURRENCY_LIMIT_WAIT_SECONDS if is_concurrency_limit else DAILY_LIMIT_WAIT_SECONDS,
        )
    if error.code in LOCK_CODES:
        return Locked(f"Salesforce refused {description}: {error.code}", after=retry_after)
    if error.code == INVALID_SESSION or error.code in _API_DISABLED_CODES:
        return session_error(error)
    if is_temporary(status, error):
        text = f"Salesforce answered {description} with {status} {error.code}"
        is_page = write and _is_page(status, error)
        return (
            UnreadableRefusal(text) if is_page else unreadable_answer_error(text, write=write, retry_after=retry_after)
        )
    if error.code in MISSING_RECORD_CODES:
        return NotFound(f"Salesforce refused {description}: {error.code}")
    return Rejected(cause_of(error))


def session_error(error: ApiError) -> SignInFailed:
    """Return the error for a refused token, or for an org without the API, where a new token does not help."""
    remedy = (
        "Use an edition with API access and give the integration user the permission API Enabled."
        if error.code in _API_DISABLED_CODES
        else "Give the integration user and the app a session that the REST API accepts (profile, session policies)."
    )
    return SignInFailed(f"Salesforce refuses our session: {error.code}", code=error.code, remedy=remedy)


def unreadable_answer_error(message: str, *, write: bool, retry_after: float | None = None) -> CosellError:
    """Return the error for a call without a readable answer.

    The outcome of a write is then unknown (Ambiguous). A read can be repeated (Unavailable).
    """
    return Ambiguous(message) if write else Unavailable(message, after=retry_after)


def _code_in(item: Mapping[str, object]) -> str:
    return str(item.get("errorCode") or item.get("statusCode") or "")[:80]


def _api_error_from(item: Mapping[str, object]) -> ApiError:
    text, fields = str(item.get("message") or ""), item.get("fields")
    names = tuple(str(name) for name in fields) if isinstance(fields, Sequence) and not isinstance(fields, str) else ()
    # The service itself misspells the first key (docs/reference/salesforce.md#message-texts-that-carry-data).
    duplicates = item.get("duplicateResut") or item.get("duplicateResult")
    matches = tuple(_ids_in_matches(duplicates)) or tuple(
        full_id(record_id) for record_id in _ID_IN_TEXT.findall(text.partition("record with id:")[2])
    )
    return ApiError(_code_in(item), text, names, matches)


def _ids_in_matches(value: object) -> list[str]:
    """Return the ids below matchResults, matchRecords and record; any other part may be missing."""
    if isinstance(value, list):
        return [record_id for item in value for record_id in _ids_in_matches(item)]
    if not isinstance(value, Mapping):
        return []
    record_id = value.get("Id")
    if isinstance(record_id, str) and is_id(record_id):
        return [full_id(record_id)]
    keys = ("matchResults", "matchRecords", "record")
    return [record_id for key in keys for record_id in _ids_in_matches(value.get(key))]
