"""Tell the owner of an opportunity about it, by a custom notification or a task.

Source: docs/reference/salesforce.md#owners-and-notifications.
"""

from abc import abstractmethod
from typing import Any

from shared.clients.salesforce.composite import as_record
from shared.clients.salesforce.error_codes import cause_of, exception_for, first_api_error
from shared.clients.salesforce.records import Answer, Node, Written
from shared.clients.salesforce.request import ApiConnection, Call, Reply, UnreadableAnswer
from shared.clients.salesforce.soql_literals import text_literal
from shared.domain.cause import Cause
from shared.domain.owner_notice import OwnerNotice
from shared.foundation.errors import Ambiguous, NotFound, Rejected

ACTION = "actions/standard/customNotificationAction"
MAX_TITLE, MAX_BODY, MAX_SUBJECT = 250, 750, 255
"""Characters of a notification, and of the subject of a task."""


class OwnerNotices:
    """The calls that tell an owner. `SalesforceClient` has them too."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    @abstractmethod
    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """Send one to five queries in one Composite call."""

    @abstractmethod
    def create(self, nodes: list[Node], read: str, fields: tuple[str, ...]) -> Written:
        """Send one Composite Graph."""

    def tell_owner(self, notice: OwnerNotice) -> Cause | None:
        """Tell the present owner, if they are an active person; a task that exists already is not made again.

        Returns why Salesforce refuses, or None. Raises Ambiguous if it is unknown whether the owner was told, and the
        client's other errors if they were not.
        """
        try:
            owner = self._person_who_owns(notice)
            if owner is None:
                return None
            if notice.type_id is None:
                self.create([Node("task", "Task", _task(notice, owner))], "task", ("Id",))
            else:
                call = Call("a notification", ACTION, "POST", {"inputs": [_input(notice, owner)]}, keys=(owner,))
                self._connection.write(call, _check_success)
        except Rejected as error:
            return error.cause
        except NotFound as error:
            return Cause("NOT_FOUND", None, str(error), "")
        return None

    def _person_who_owns(self, notice: OwnerNotice) -> str | None:
        """Return the owner's id; None if the sync itself owns the record, or somebody was told by a task."""
        record = text_literal(notice.opportunity_id)
        soql = [f"SELECT OwnerId, Owner.IsActive FROM Opportunity WHERE Id = {record}"]  # noqa: S608 - a literal
        if notice.type_id is None:
            subject = text_literal(notice.title[:MAX_SUBJECT])
            soql.append(f"SELECT Id FROM Task WHERE WhatId = {record} AND Subject = {subject} LIMIT 1")  # noqa: S608 - as above
        found, *tasks = self.query(*soql).pages
        if not found.records or any(page.records for page in tasks):
            return None
        owner, is_active = str(found.records[0]["OwnerId"]), (found.records[0].get("Owner") or {}).get("IsActive")
        return owner if is_active and owner != self._connection.current_token().user else None


def _input(notice: OwnerNotice, owner: str) -> dict[str, Any]:
    return {
        "customNotifTypeId": notice.type_id,
        "recipientIds": [owner],
        "title": notice.title[:MAX_TITLE],
        "body": notice.body[:MAX_BODY],
        "targetId": notice.opportunity_id,
    }


def _task(notice: OwnerNotice, owner: str) -> dict[str, Any]:
    """Return the values of a task. Status and priority are the defaults of the org, which may have its own."""
    values = {
        "Subject": notice.title[:MAX_SUBJECT],
        "Description": notice.body,
        "WhatId": notice.opportunity_id,
        "OwnerId": owner,
        "ActivityDate": notice.due and notice.due.isoformat(),
    }
    return {name: value for name, value in values.items() if value}


def _check_success(reply: Reply) -> None:
    """Raise the error of an action that failed although the call did not. Raises UnreadableAnswer."""
    results = reply.value if isinstance(reply.value, list) else []
    if len(results) != 1:
        raise UnreadableAnswer("one notification was sent, so one is answered")
    if as_record(results[0]).get("isSuccess") is not True:
        error = exception_for(400, results, "a notification", write=True)
        raise error if not isinstance(error, Ambiguous) else Rejected(cause_of(first_api_error(400, results)))
