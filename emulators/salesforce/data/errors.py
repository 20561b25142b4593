"""Build the error bodies of the REST API (docs/reference/salesforce.md#error-codes)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NO_SUCH_COLUMN = (
    "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the "
    "'__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)


class ApiError(Exception):
    """One error of the REST API. `fields` None leaves the key out, as the service does outside of writes."""

    def __init__(
        self, status: int, code: str, message: str, fields: list[str] | None = None, *, empty: bool = False
    ) -> None:
        """`empty` sends no body at all, as for 412."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.empty = empty
        self.more: dict[str, Any] = {}

    def to_body(self) -> Any:  # noqa: ANN401 - JSON
        """The body of an answer or of a Composite subrequest: a list with one error."""
        if self.empty:
            return None
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code, **self.more}
        return [error if self.fields is None else {**error, "fields": self.fields}]

    def to_result(self) -> dict[str, Any]:
        """The result of one record of sObject Collections, which names the code `statusCode`."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields or []}
        return {"success": False, "errors": [error]}


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    """Nothing exists under this address, or the user may not see it."""
    return ApiError(404, "NOT_FOUND", message)


def record_deleted() -> ApiError:
    """The record is in the recycle bin."""
    return ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", [])


def no_such_field(name: str, sobject: str) -> ApiError:
    """A write or a read by id names a field that does not exist, or that the user may not see."""
    return ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")


def field_not_writable(name: str) -> ApiError:
    """A write names a field that the service fills, or that the user may only read."""
    message = (
        f"Unable to create/update fields: {name}. Please check the security settings of this field and verify "
        "that it is read/write for your profile or permission set."
    )
    return ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, [name])


@dataclass(frozen=True, slots=True)
class Matches:
    """The ids of the records of one object that a matching rule found."""

    sobject: str
    rule: str
    ids: tuple[str, ...]


def duplicates_detected(sobject: str, found: Sequence[Matches], version: str, *, may_save: bool = True) -> ApiError:
    """A duplicate rule found records. It alerts, so that the caller may save all the same, or it blocks.

    The shape was seen at versions 54 to 62. The older one misspells the key, `duplicateResut`.
    """
    error = ApiError(400, "DUPLICATES_DETECTED", "Use one of these records?")
    error.more = {
        "duplicateResult": {
            "allowSave": may_save,
            "duplicateRule": f"Standard_{sobject}_Duplicate_Rule",
            "duplicateRuleEntityType": sobject,
            "errorMessage": error.message,
            "matchResults": [_match_result(matches, version) for matches in found],
        }
    }
    return error


def _match_result(matches: Matches, version: str) -> dict[str, Any]:
    base = f"/services/data/v{version}/sobjects/{matches.sobject}/"
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {"attributes": {"type": matches.sobject, "url": base + each}, "Id": each},
        }
        for each in matches.ids
    ]
    return {
        "entityType": matches.sobject, "errors": [], "matchEngine": "FuzzyMatchEngine", "matchRecords": records,
        "rule": matches.rule, "size": len(records), "success": True,
    }  # fmt: skip


def method_not_allowed(method: str, allowed: str) -> ApiError:
    """The address exists, but does not support the method."""
    return ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")


def wrong_json_type(value: object, expected: str) -> ApiError:
    """A JSON value has the wrong type; the text is that of the service's parser."""
    tokens = {bool: "VALUE_TRUE" if value else "VALUE_FALSE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
    token = tokens.get(type(value), "VALUE_NULL" if value is None else "VALUE_STRING")
    if isinstance(value, dict | list):
        token, value = ("START_OBJECT" if isinstance(value, dict) else "START_ARRAY"), "null"
    text = f"Cannot deserialize instance of {expected} from {token} value {value}"
    return ApiError(
        400, "JSON_PARSER_ERROR", f"{text} or request may be missing a required field at [line:1, column:1]"
    )


def malformed_body(message: str) -> ApiError:
    """The body of the request cannot be read."""
    return ApiError(400, "JSON_PARSER_ERROR", message)
