"""What an owner is told keeps to what Salesforce takes (docs/reference/salesforce.md#owners-and-notifications)."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast, override

import pytest

from shared.clients.salesforce.owner_notices import OwnerNotices
from shared.clients.salesforce.records import Answer, Node, Page, Written
from shared.clients.salesforce.request import ApiConnection
from shared.domain.owner_notice import OwnerNotice

AT = datetime(2026, 1, 1, tzinfo=UTC)
TITLE, BODY = "t" * 1000, "b" * 1000


class Org(OwnerNotices):
    """Answers with an opportunity of another user, and keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: dict[str, Any] = {}
        self.queries: tuple[str, ...] = ()
        connection = SimpleNamespace(current_token=lambda: SimpleNamespace(user="own"), write=self._keep)
        super().__init__(cast("ApiConnection", connection))

    def _keep(self, call: Any, _: object) -> None:  # noqa: ANN401 - a call or a direct call
        self.sent = call.body["inputs"][0]

    @override
    def query(self, *soql: str, deleted: bool = False) -> Answer:
        self.queries = soql
        owned = {"OwnerId": "005", "Owner": {"IsActive": True}}
        return Answer((Page((owned,), None), *(Page((), None) for _ in soql[1:])), AT)

    @override
    def create(self, nodes: list[Node], read: str, fields: tuple[str, ...]) -> Written:
        self.sent = dict(nodes[0].values)
        return Written("00T", None, AT)


@pytest.fixture
def org() -> Org:
    return Org()


def test_a_notification_is_cut_to_what_salesforce_takes(org: Org) -> None:
    org.tell_owner(OwnerNotice("006", TITLE, BODY, type_id="0ML"))
    assert (len(org.sent["title"]), len(org.sent["body"])) == (250, 750)


def test_the_subject_of_a_task_is_cut_and_found_again(org: Org) -> None:
    org.tell_owner(OwnerNotice("006", TITLE, BODY))
    assert (org.sent["Subject"], org.sent["Description"]) == (TITLE[:255], BODY)
    assert f"Subject = '{TITLE[:255]}'" in org.queries[1]
