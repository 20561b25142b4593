"""What the service answers when it will not: the error bodies of reference/salesforce.md 2.11."""

from typing import Any

NO_SUCH_COLUMN = (
    "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the "
    "'__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)


class ApiError(Exception):
    """One error of the REST API; `fields` None leaves the key out, as errors outside of writes do."""

    def __init__(
        self, status: int, code: str, message: str, fields: list[str] | None = None, *, empty: bool = False
    ) -> None:
        """`empty` sends no body at all (412)."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.empty = empty

    def body(self) -> Any:  # noqa: ANN401 - JSON
        """The body at the top level and inside Composite: a list of one."""
        if self.empty:
            return None
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [error if self.fields is None else {**error, "fields": self.fields}]

    def result(self) -> dict[str, Any]:
        """The same inside a result of sObject Collections, where the code is called `statusCode`."""
        error = {"statusCode": self.code, "message": self.message, "fields": self.fields or []}
        return {"success": False, "errors": [error]}


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    """Nothing under this address, or nothing visible."""
    return ApiError(404, "NOT_FOUND", message)


def gone() -> ApiError:
    """The record is in the recycle bin."""
    return ApiError(404, "ENTITY_IS_DELETED", "entity is deleted", [])


def no_such_field(name: str, sobject: str) -> ApiError:
    """A write or a read by id names a field that is not there, or not visible."""
    return ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject}")


def not_allowed(method: str, allowed: str) -> ApiError:
    """The address exists, the method does not."""
    return ApiError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")


def unreadable(value: object, wanted: str) -> ApiError:
    """A JSON value of the wrong type, in the words of the service's parser."""
    token = {bool: "VALUE_TRUE" if value else "VALUE_FALSE", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
    name = token.get(type(value), "VALUE_NULL" if value is None else "VALUE_STRING")
    if isinstance(value, dict | list):
        name, value = ("START_OBJECT" if isinstance(value, dict) else "START_ARRAY"), "null"
    text = f"Cannot deserialize instance of {wanted} from {name} value {value}"
    return ApiError(
        400, "JSON_PARSER_ERROR", f"{text} or request may be missing a required field at [line:1, column:1]"
    )


def malformed(message: str) -> ApiError:
    """The envelope of a request cannot be read."""
    return ApiError(400, "JSON_PARSER_ERROR", message)
