"""The emulator is fast enough that a measurement of the product does not measure the emulator."""

import time
from typing import Any
from urllib.parse import quote

from tests.unit.emulators.salesforce.api_session import ApiSession

FIELDS = (
    "Id, Name, StageName, IsClosed, IsWon, Amount, CloseDate, Description, OwnerId, Owner.Name, Owner.Email, "
    "AccountId, Account.Name, Account.BillingCountry, Referral_Identifier__c, Products__c, Sync_Mark__c, "
    "SystemModstamp, (SELECT Id, ContactId, Contact.Email, Role, IsPrimary FROM OpportunityContactRoles)"
)
POLL = (
    "SELECT Id, SystemModstamp FROM Opportunity WHERE (Sync_with_Partner_Center__c = true OR Referral_Identifier__c != "
    "null) AND SystemModstamp >= 2026-11-20T00:00:00.000Z ORDER BY SystemModstamp ASC, Id ASC LIMIT 2000"
)


def _read_subrequest(ids: list[str], name: str) -> dict[str, Any]:
    id_list = ",".join(f"'{each}'" for each in ids)
    soql = f"SELECT {FIELDS} FROM Opportunity WHERE Id IN ({id_list})"  # noqa: S608 - the ids come from the emulator
    return {"method": "GET", "url": f"/services/data/v66.0/query?q={quote(soql)}", "referenceId": name}


def test_two_thousand_opportunities_are_polled_and_read_within_a_second(api: ApiSession) -> None:
    account = api.emulator.insert("Account", {"Name": "A"})
    contact = api.emulator.insert("Contact", {"LastName": "Young"})
    for number in range(2_000):
        deal = api.create_deal(Name=f"{number}", AccountId=account, Sync_with_Partner_Center__c=True)
        api.emulator.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})
    started = time.process_time()
    ids = api.query_values(POLL, "Id")
    subrequests = [_read_subrequest(ids[start : start + 400], f"q{start}") for start in range(0, 2_000, 400)]
    results = api("POST", "/composite", {"compositeRequest": subrequests}).json()["compositeResponse"]
    seconds = time.process_time() - started
    assert sum(result["body"]["totalSize"] for result in results) == 2_000
    assert seconds < 1.0
