"""Run the one standard action that is emulated: send a custom notification.

The contract: docs/reference/salesforce.md#owners-and-notifications. The codes of the refusals are inferred.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from emulators.salesforce.data.errors import malformed_body, not_found
from emulators.salesforce.data.record_ids import canonical_id
from emulators.salesforce.rest.call import Call, Reply, RestContext

NAME = "customNotificationAction"
MAX_RECIPIENTS = 500
MAX_LENGTHS = {"title": 250, "body": 750}
_RECIPIENTS = ("005", "00G")


class StandardActions:
    """The resource `/actions/standard/NAME`."""

    def __init__(self, context: RestContext) -> None:
        self._org = context.org
        self._tag = context.tag

    def run(self, call: Call, name: str) -> Reply:
        """Answer a POST: 200 with a result for each input, or 400 if one of them failed. Raises ApiError."""
        if name != NAME:
            raise not_found()
        self._tag("action")
        inputs = call.body.get("inputs") if isinstance(call.body, dict) else None
        if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
            raise malformed_body("inputs: a list of objects is required")
        results = [self._send(each, call.user) for each in inputs]
        return Reply(200 if all(each["isSuccess"] for each in results) else 400, results)

    def _send(self, values: Mapping[str, Any], user: str) -> dict[str, Any]:
        problem = next(self._problems(values, user), None)
        if problem is not None:
            errors = [{"statusCode": problem[0], "message": problem[1], "fields": []}]
            return {"actionName": NAME, "errors": errors, "isSuccess": False, "outputValues": None}
        active = [each for each in values["recipientIds"] if self._is_active(str(each))]
        self._org.notifications.append({**values, "recipientIds": active, "senderId": user})
        text = "Your custom notification is processed successfully."
        return {"actionName": NAME, "errors": None, "isSuccess": True, "outputValues": {"SuccessMessage": text}}

    def _problems(self, values: Mapping[str, Any], user: str) -> Iterator[tuple[str, str]]:
        rights = self._org.rights_of(user)
        if rights is not None and "SendCustomNotifications" not in rights.users:
            yield "INSUFFICIENT_ACCESS", "You need the Send Custom Notifications user permission"
        for name in ("customNotifTypeId", "recipientIds", "title", "body"):
            if not values.get(name):
                yield "INVALID_API_INPUT", f"Missing required input parameter: {name}"
        if not values.get("targetId") and not values.get("targetPageRef"):
            yield "INVALID_API_INPUT", "You must specify either a targetID or a targetPageRef"
        if (
            self._org.stored_record("CustomNotificationType", canonical_id(str(values["customNotifTypeId"])) or "")
            is None
        ):
            yield "INVALID_API_INPUT", "The notification type does not exist"
        recipients = values["recipientIds"]
        if not isinstance(recipients, list) or len(recipients) > MAX_RECIPIENTS:
            yield "INVALID_API_INPUT", f"A notification has at most {MAX_RECIPIENTS} recipients"
        elif not all(str(each).startswith(_RECIPIENTS) for each in recipients):
            yield "INVALID_API_INPUT", "A recipient is a user, a group or a queue"
        for name, most in MAX_LENGTHS.items():
            if len(str(values[name])) > most:
                yield "INVALID_API_INPUT", f"{name} has at most {most} characters"

    def _is_active(self, recipient: str) -> bool:
        """Whether a user is active. Inactive ones get nothing, without an error. Members of groups are not told."""
        user = self._org.stored_record("User", canonical_id(recipient) or "")
        return user is None or bool(user["IsActive"])
