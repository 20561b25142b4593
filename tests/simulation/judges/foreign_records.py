"""Judges what becomes of records that are not this environment's: nothing may.

Sources: docs/protocol.md#rule-10-an-environment-touches-only-its-own-deals, docs/protocol.md#who-may-be-linked.

touched    a record that is not ours was changed by the connector
taken in   an opportunity carries the id or a value of a referral that is not ours
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Record = Mapping[str, Any]
SHARED = "consentToShareReferralWithMicrosoftSellers"


def judge_foreign_write(record: str, foreign: Iterable[str]) -> Iterator[str]:
    """A request that changes a record which is not ours."""
    if record.lower() in {one.lower() for one in foreign}:
        yield f"touched: a write to {record}, which is not ours"


def judge_foreign(before: Iterable[Record], now: Iterable[Record], opportunities: Iterable[Record]) -> Iterator[str]:
    """What the connector did with referrals that are not ours; nobody else has changed them since `before`."""
    present, deals = {str(one["id"]): one for one in now}, list(opportunities)
    for record in before:
        key = str(record["id"])
        if present.get(key) != record:
            yield f"touched: the referral {key} is not ours, and has changed"
        for deal in deals:
            is_named = str(deal["Referral_Identifier__c"] or "").lower() == key.lower()
            if is_named or str(record["name"]) == deal["Name"] or f"{record['name']}" in str(deal["Audit__c"] or ""):
                yield f"taken in: {deal['Id']} has values of {key}, which is not ours"


def judge_staging_write(
    method: str,
    referral: str,
    sent: Any,  # noqa: ANN401 - a JSON value
    references: Mapping[str, str],
    tag: str,
) -> Iterator[str]:
    """A request of another environment: it changes what lacks its tag, or shows a deal to Microsoft."""
    reference = str(sent.get("externalReferenceId")) if method == "POST" else references.get(referral, "")
    if not reference.startswith(f"{tag}:"):
        yield f"touched: {tag} sends {method} {referral}, and its reference is {reference}"
    is_shown = (
        "msft" in str(sent.get("target")) or (sent.get("consent") or {}).get(SHARED)
        if method == "POST"
        else any(one["path"].endswith(SHARED) and one["value"] for one in sent)
    )
    if is_shown:
        yield f"touched: {tag} shows {reference} to Microsoft"


def judge_strange_opportunities(before: Iterable[Record], now: Mapping[str, Record]) -> Iterator[str]:
    """Opportunities that nobody has ticked, and which the connector has changed."""
    yield from (f"touched: nobody has ticked {one['Id']}" for one in before if now.get(one["Id"]) != one)
