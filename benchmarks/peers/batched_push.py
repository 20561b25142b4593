"""The batched async script: one query, all referrals with many calls in flight, and the notes in writes of 200."""

import asyncio
import sys
from itertools import batched

import httpx

from benchmarks.peers.task import NO_LIMIT_SECONDS, ROWS_A_WRITE, Task, checked, referral_changes, run


async def push(task: Task) -> None:
    """Push all deals that changed. Raises httpx.HTTPError."""
    limit = asyncio.Semaphore(task.in_flight)
    async with httpx.AsyncClient(verify=task.ca_bundle, trust_env=False, timeout=NO_LIMIT_SECONDS) as client:
        opportunities = await _read_changed(client, task)

        async def patch(opportunity: dict[str, object]) -> None:
            address = f"{task.referrals_url}/{opportunity['Referral_Identifier__c']}"
            async with limit:
                changes = referral_changes(opportunity)
                checked(await client.patch(address, headers=task.partner_center_headers, json=changes))

        async def note(keys: tuple[str, ...]) -> None:
            records = [
                {"attributes": {"type": "Opportunity"}, "id": key, "Audit__c": "Sent to Partner Center."}
                for key in keys
            ]
            async with limit:
                body = {"allOrNone": False, "records": records}
                checked(await client.patch(task.collection_url, headers=task.salesforce_headers, json=body))

        await asyncio.gather(*map(patch, opportunities))
        keys = [str(opportunity["Id"]) for opportunity in opportunities]
        await asyncio.gather(*(note(part) for part in batched(keys, ROWS_A_WRITE, strict=False)))


async def _read_changed(client: httpx.AsyncClient, task: Task) -> list[dict[str, object]]:
    """The opportunities that changed, 2,000 a call."""
    soql = (
        "SELECT Id, Amount, CloseDate, Referral_Identifier__c FROM Opportunity WHERE "  # noqa: S608 - no input of others
        f"Referral_Identifier__c != null AND SystemModstamp > {task.changed_since}"
    )
    address, found = f"{task.query_url}?{httpx.QueryParams({'q': soql})}", list[dict[str, object]]()
    while address:
        answer = checked(await client.get(address, headers=task.salesforce_headers)).json()
        found += answer["records"]
        address = f"{task.salesforce}{answer['nextRecordsUrl']}" if not answer["done"] else ""
    return found


if __name__ == "__main__":
    sys.exit(run(lambda task: asyncio.run(push(task))))
