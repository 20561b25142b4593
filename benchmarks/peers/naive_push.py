"""The naive loop: for each opportunity read it, change its referral, and note in the opportunity that this was done."""

import sys

import httpx

from benchmarks.peers.task import NO_LIMIT_SECONDS, Task, checked, referral_changes, run


def push(task: Task) -> None:
    """Push each deal before the next one. Raises httpx.HTTPError."""
    with httpx.Client(verify=task.ca_bundle, trust_env=False, timeout=NO_LIMIT_SECONDS) as client:
        for key in task.ids:
            address = f"{task.opportunity_url}/{key}"
            opportunity = checked(client.get(address, headers=task.salesforce_headers)).json()
            referral = f"{task.referrals_url}/{opportunity['Referral_Identifier__c']}"
            checked(client.patch(referral, headers=task.partner_center_headers, json=referral_changes(opportunity)))
            checked(
                client.patch(address, headers=task.salesforce_headers, json={"Audit__c": "Sent to Partner Center."})
            )


if __name__ == "__main__":
    sys.exit(run(push))
