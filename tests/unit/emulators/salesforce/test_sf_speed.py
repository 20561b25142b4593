"""The emulator must not be what a measurement measures."""

import time
from typing import Any
from urllib.parse import quote

from tests.unit.emulators.salesforce.rest_bench import Api

FIELDS = (
    "Id, Name, StageName, IsClosed, IsWon, Amount, CloseDate, Description, OwnerId, Owner.Name, Owner.Email, "
    "AccountId, Account.Name, Account.BillingCountry, Referral_Identifier__c, Products__c, Sync_Mark__c, "
    "SystemModstamp, (SELECT Id, ContactId, Contact.Email, Role, IsPrimary FROM OpportunityContactRoles)"
)
POLL = (
    "SELECT Id, SystemModstamp FROM Opportunity WHERE (Sync_with_Partner_Center__c = true OR Referral_Identifier__c != "
    "null) AND SystemModstamp >= 2026-11-20T00:00:00.000Z ORDER BY SystemModstamp ASC, Id ASC LIMIT 2000"
)


def _read(ids: list[str], name: str) -> dict[str, Any]:
    listed = ",".join(f"'{each}'" for each in ids)
    soql = f"SELECT {FIELDS} FROM Opportunity WHERE Id IN ({listed})"  # noqa: S608 - ids the emulator has just given
    return {"method": "GET", "url": f"/services/data/v66.0/query?q={quote(soql)}", "referenceId": name}


def test_two_thousand_opportunities_are_polled_and_read_within_a_second(api: Api) -> None:
    account = api.emulator.insert("Account", {"Name": "A"})
    contact = api.emulator.insert("Contact", {"LastName": "Young"})
    for number in range(2_000):
        deal = api.deal(Name=f"{number}", AccountId=account, Sync_with_Partner_Center__c=True)
        api.emulator.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})
    started = time.process_time()
    ids = api.values(POLL, "Id")
    subs = [_read(ids[start : start + 400], f"q{start}") for start in range(0, 2_000, 400)]
    results = api("POST", "/composite", {"compositeRequest": subs}).json()["compositeResponse"]
    spent = time.process_time() - started
    assert sum(result["body"]["totalSize"] for result in results) == 2_000
    assert spent < 1.0
