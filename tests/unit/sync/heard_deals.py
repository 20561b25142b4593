"""Deals in which Microsoft takes part, because a colleague asked it for help in the portal."""

from typing import Any

from shared.sync.ports import Outcome
from shared.sync.runs import pull_event
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.helped_deals import linked_deal

STATUS, CRM, ANSWER_BY = "Microsoft_Status__c", "Microsoft_CRM_Identifier__c", "Microsoft_Answer_By__c"
SELLER, NOTES = "Microsoft_Seller__c", "Microsoft_Notes__c"
GET, LIST = "partner_center.get", "partner_center.list"
QUERY, UPDATE = "salesforce.query", "salesforce.write_back"


def engagement_of(harness: Harness, deal: str) -> str:
    return str(harness.referral_of(deal)["engagementId"])


def microsofts(harness: Harness, deal: str) -> dict[str, Any]:
    """Microsoft's record in the engagement of a deal."""
    return dict(harness.partner_center.microsoft_record(engagement_of(harness, deal)))


def asked_deal(harness: Harness, **values: object) -> str:
    """A deal for which a colleague asked Microsoft in the portal. Our own record is pulled, Microsoft's not heard."""
    deal = linked_deal(harness, **values)
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.portal_asks_for_help(referral, notes="Please help.")
    harness.pull_event(referral)
    harness.push_until_quiet()
    return deal


def heard_deal(harness: Harness, **values: object) -> str:
    """The same, and Microsoft's record was heard."""
    deal = asked_deal(harness, **values)
    hear(harness, deal)
    harness.push_until_quiet()
    return deal


def hear_event(instance: Instance, referral_id: str, after: float = 1.0) -> Outcome | None:
    """Work on the queue message of an event about a related referral."""
    instance.harness.advance_time(after)
    return pull_event(instance.ctx, referral_id, is_related=True)


def hear(harness: Harness, deal: str, by: Instance | None = None) -> Outcome | None:
    """The event about Microsoft's record of a deal, which names it, or ours where the switch says so."""
    is_ours = harness.partner_center.switches.related_event_names == "ours"
    named = harness.referral_of(deal) if is_ours else microsofts(harness, deal)
    return hear_event(by or harness.first, named["id"])


def shown_news(harness: Harness, deal: str) -> tuple[Any, ...]:
    """Status, CRM identifier, seller and notes of Microsoft, as the opportunity shows them."""
    record = harness.opportunity(deal)
    return record[STATUS], record[CRM], record[SELLER], record[NOTES]


def accept(harness: Harness, deal: str, **values: str) -> None:
    """Microsoft accepts the deal."""
    harness.partner_center.microsoft_accepts(engagement_of(harness, deal), msx_id="7-1", **values)  # type: ignore[arg-type]  # texts only
