"""The data API as an integration calls it, and what tests ask about a refusal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator


@dataclass
class Api:
    """A session of one user."""

    emulator: SalesforceEmulator
    token: str
    version: str = "v66.0"

    def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        data = b"" if body is None else json.dumps(body).encode()
        return self.emulator.handle(Request.of(method, f"/services/data/{self.version}{path}", sent, data))

    def query(self, soql: str, *, resource: str = "query", headers: Mapping[str, str] | None = None) -> Response:
        return self("GET", f"/{resource}?q={quote(soql)}", headers=headers)

    def rows(self, soql: str) -> list[dict[str, Any]]:
        answer = self.query(soql)
        assert answer.status == 200, answer.body
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    def values(self, soql: str, field: str = "Name") -> list[Any]:
        return [row[field] for row in self.rows(soql)]

    def refusal(self, soql: str) -> tuple[str, str]:
        answer = self.query(soql)
        assert answer.status == 400, answer.body
        (error,) = answer.json()
        return error["errorCode"], error["message"]

    def deal(self, **values: object) -> str:
        """A seller's new opportunity."""
        given = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31", **values}
        return self.emulator.insert("Opportunity", given)

    def tags(self) -> list[tuple[str, ...]]:
        """What the journal notes of each request."""
        return [entry.tags for entry in self.emulator.journal]


def code(answer: Response) -> tuple[int, str]:
    """Status and error code of a refusal."""
    (error,) = answer.json()
    return answer.status, error["errorCode"]
