"""What a script is told: addresses and tokens of both sides, which deals there are, and since when they changed."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

VERSION = "v62.0"
NO_LIMIT_SECONDS = 120.0
ROWS_A_WRITE = 200
"""The most records that one call of Salesforce's collections takes."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of one script. `changed_since` is a time in the form of both sides' filters."""

    salesforce: str
    partner_center: str
    salesforce_token: str
    partner_center_token: str
    ca_bundle: str
    ids: list[str]
    changed_since: str
    in_flight: int

    @property
    def salesforce_headers(self) -> dict[str, str]:
        """The header that signs in to Salesforce."""
        return {"Authorization": f"Bearer {self.salesforce_token}"}

    @property
    def partner_center_headers(self) -> dict[str, str]:
        """The header that signs in to Partner Center."""
        return {"Authorization": f"Bearer {self.partner_center_token}"}

    @property
    def query_url(self) -> str:
        """Where Salesforce answers queries."""
        return f"{self.salesforce}/services/data/{VERSION}/query"

    @property
    def opportunity_url(self) -> str:
        """The address of all opportunities. That of one ends with its id."""
        return f"{self.salesforce}/services/data/{VERSION}/sobjects/Opportunity"

    @property
    def collection_url(self) -> str:
        """Where Salesforce takes up to 200 records in one call."""
        return f"{self.salesforce}/services/data/{VERSION}/composite/sobjects"

    @property
    def referrals_url(self) -> str:
        """The address of all referrals. That of one ends with its id."""
        return f"{self.partner_center}/referrals"


def referral_changes(opportunity: dict[str, object]) -> list[dict[str, object]]:
    """The JSON Patch that brings the values of an opportunity to its referral."""
    values = {
        "/details/dealValue": opportunity["Amount"],
        "/details/closingDateTime": f"{opportunity['CloseDate']}T00:00:00Z",
    }
    return [{"op": "replace", "path": path, "value": value} for path, value in values.items()]


def checked(response: httpx.Response) -> httpx.Response:
    """The response. Raises HTTPStatusError for a refusal, and ValueError if a record of a collection is refused."""
    response.raise_for_status()
    outcomes = response.json() if response.content else {}
    if isinstance(outcomes, list) and not all(one["success"] for one in outcomes):
        raise ValueError(f"Salesforce refused a record: {outcomes}")
    return response


def run(work: Callable[[Task], object]) -> int:
    """Read the task, do the work, and print its seconds; returns 0."""
    task = Task(**json.loads(sys.stdin.readline()))
    began = time.perf_counter()
    work(task)
    print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)
    return 0
