"""Call the data API as an integration does, in one session."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from emulators.base.server import Request, Response
from emulators.salesforce import SalesforceEmulator


@dataclass
class ApiSession:
    """The session of one user. Calling it sends a request to a path below `/services/data/vN`."""

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
        all_headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        data = b"" if body is None else json.dumps(body).encode()
        return self.emulator.handle(Request.of(method, f"/services/data/{self.version}{path}", all_headers, data))

    def query(self, soql: str, *, resource: str = "query", headers: Mapping[str, str] | None = None) -> Response:
        return self("GET", f"/{resource}?q={quote(soql)}", headers=headers)

    def query_records(self, soql: str) -> list[dict[str, Any]]:
        answer = self.query(soql)
        assert answer.status == 200, answer.body
        records: list[dict[str, Any]] = answer.json()["records"]
        return records

    def query_values(self, soql: str, field: str = "Name") -> list[Any]:
        return [record[field] for record in self.query_records(soql)]

    def query_refusal(self, soql: str) -> tuple[str, str]:
        """The code and the message of a query that must be refused."""
        answer = self.query(soql)
        assert answer.status == 400, answer.body
        (error,) = answer.json()
        return error["errorCode"], error["message"]

    def create_deal(self, **values: object) -> str:
        """Create an opportunity as the seller does; returns its id."""
        all_values = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31", **values}
        return self.emulator.insert("Opportunity", all_values)

    def journal_tags(self) -> list[tuple[str, ...]]:
        """The tags of each request in the journal."""
        return [entry.tags for entry in self.emulator.journal]


def status_and_code(answer: Response) -> tuple[int, str]:
    """The status and the error code of a refusal."""
    (error,) = answer.json()
    return answer.status, error["errorCode"]
