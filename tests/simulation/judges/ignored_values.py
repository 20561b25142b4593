"""Judges an amount that Salesforce did not take from the connector: the mark and the audit must say so.

Source: docs/protocol.md#confirmed-means-seen.

unparked    the two sides have two amounts, and the mark is a tick
unexplained the audit does not say which amount was written, and which one Salesforce kept
"""

from collections.abc import Iterator, Mapping
from typing import Any

Record = Mapping[str, Any]
KEPT = ("kept ", "keeps ")
"""What stands in front of the value that Salesforce has."""


def judge_ignored(deal: Record, ours: str | None, theirs: str | None) -> Iterator[str]:
    """What is wrong with a deal that has two amounts, because line items decide the one in Salesforce."""
    if deal["Sync_Status__c"] != "Failed":
        yield f"unparked: the amount of {deal['Id']} was ignored, and the mark is {deal['Sync_Status__c']}"
    told = [_after(line, f'Amount "{theirs}"') for line in str(deal["Audit__c"] or "").splitlines()]
    if not any(f'{word}"{ours}"' in text for text in told for word in KEPT):
        yield f"unexplained: the audit of {deal['Id']} does not say that {theirs} was written and {ours} was kept"


def _after(line: str, text: str) -> str:
    return line.partition(text)[2]
