"""The batched async script of the other direction: the pages of changed referrals, then writes of 200 records."""

import asyncio
import sys
from itertools import batched
from urllib.parse import urlsplit

import httpx

from benchmarks.peers.task import NO_LIMIT_SECONDS, ROWS_A_WRITE, Task, checked, run


async def pull(task: Task) -> None:
    """Pull all deals that changed. Raises httpx.HTTPError."""
    limit = asyncio.Semaphore(task.in_flight)
    async with httpx.AsyncClient(verify=task.ca_bundle, trust_env=False, timeout=NO_LIMIT_SECONDS) as client:
        records = [_record(referral) for referral in await _read_changed(client, task)]

        async def write(part: tuple[dict[str, object], ...]) -> None:
            async with limit:
                body = {"allOrNone": False, "records": part}
                checked(await client.patch(task.collection_url, headers=task.salesforce_headers, json=body))

        await asyncio.gather(*(write(part) for part in batched(records, ROWS_A_WRITE, strict=False)))


def _record(referral: dict[str, dict[str, str]]) -> dict[str, object]:
    details = referral["details"]
    return {
        "attributes": {"type": "Opportunity"}, "id": referral["externalReferenceId"],
        "CloseDate": details["closingDateTime"][:10], "Amount": details["dealValue"],
        "Audit__c": "Changed in Partner Center.",
    }  # fmt: skip


async def _read_changed(client: httpx.AsyncClient, task: Task) -> list[dict[str, dict[str, str]]]:
    """The whole referrals that changed, a page a call. The next page is known only from the one before."""
    query = f"$filter=updatedDateTime gt {task.changed_since}&$orderby=updatedDateTime desc"
    found = list[dict[str, dict[str, str]]]()
    while query:
        address = httpx.URL(task.referrals_url, query=query.replace(" ", "%20").encode())
        answer = checked(await client.get(address, headers=task.partner_center_headers)).json()
        found += answer["value"]
        query = urlsplit(answer.get("@odata.nextLink", "")).query
    return found


if __name__ == "__main__":
    sys.exit(run(lambda task: asyncio.run(pull(task))))
