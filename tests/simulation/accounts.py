"""Customers' accounts that people rename or move: Partner Center keeps what a deal was created with.

named     where the names differ, the audit says so, and the mark is no tick

Source: docs/protocol.md#values-that-travel-once.
"""

from collections.abc import Iterator
from typing import Any

from tests.simulation.held_back import has_other_customer
from tests.simulation.held_values import Record, belongs_to
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People

ACCOUNTS = "accounts that people change"
LABEL = "Account Name"


def _edits(name: str, weight: int, column: str) -> Move:
    def act(people: People) -> bool:
        record = people.choose(people.opportunities())
        if record is None:
            return False
        value = f"Customer {next(people.numbers)}"  # never a name that another account has
        people.harness.salesforce.edit("Account", record["AccountId"], {column: value})
        return True

    return Move(f"seller {name}", weight, act, "", ACCOUNTS)


ACCOUNT_MOVES = (
    _edits("renames the account", 6, "Name"),
    _edits("changes the city of the account", 8, "BillingCity"),
)


def with_customer(people: People, record: Record) -> dict[str, Any]:
    """The deal with the name that its customer has now."""
    if ACCOUNTS not in people.also:
        return dict(record)
    return {**record, "customer": people.harness.salesforce.record("Account", record["AccountId"])["Name"]}


def judge_accounts(people: People) -> Iterator[str]:
    """Each ticked deal with two names of its customer that are not told."""
    for opportunity in people.opportunities() if ACCOUNTS in people.also else ():
        for referral in people.referrals():
            is_open = opportunity[TICK] and referral["status"] != "Closed"  # a closed deal is not compared any more
            if not (is_open and belongs_to(opportunity, referral)):
                continue
            if has_other_customer(with_customer(people, opportunity), referral):
                told = LABEL in (opportunity["Audit__c"] or "")
                if not told or opportunity["Sync_Status__c"] == "Synced":
                    mark = opportunity["Sync_Status__c"]
                    yield f"named: the account of {opportunity['Id']} was renamed, its mark is {mark}, told: {told}"
