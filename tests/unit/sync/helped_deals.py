"""Deals whose sellers ask Microsoft for help, and what they find in Partner Center."""

from typing import Any

from emulators.partner_center.referral_shape import MICROSOFT
from tests.unit.sync.harness import MINUTE, Harness

HELP, NOTES, VISIBLE = "How_can_Microsoft_help__c", "Notes_to_Microsoft__c", "Visible_to_Microsoft__c"
PROOF, GENERAL = "Proof Of Concept or Demo", "General or Other"
TWO_MINUTES = 2 * MINUTE
PERSON = {"FirstName": "Ada", "LastName": "Lind", "Email": "ada@northwind.example", "Phone": "+12065550100"}
ASKED = "To Partner Center: Microsoft was asked for help:"
WILL_ASK = "Microsoft will be asked for help with this deal"


def add_contact(harness: Harness, deal: str, **values: object) -> None:
    """The seller adds a contact role whose contact Microsoft can call; `values` override."""
    account = harness.opportunity(deal)["AccountId"]
    contact = harness.salesforce.insert("Contact", {**PERSON, "AccountId": account, **values})
    harness.salesforce.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact})


def complete_deal(harness: Harness, **values: object) -> str:
    """A new deal that has all that Microsoft demands; `values` override."""
    deal = harness.seller_creates(**values)
    add_contact(harness, deal)
    return deal


def linked_deal(harness: Harness, **values: object) -> str:
    """A private deal with its referral, which has all that Microsoft demands."""
    deal = complete_deal(harness, **values)
    harness.push_until_quiet()
    return deal


def helped_deal(harness: Harness, **values: object) -> str:
    """A deal for which Microsoft was asked for a proof of concept, with nothing left to do."""
    deal = complete_deal(harness, **{HELP: PROOF, NOTES: "A demo in May, please.", **values})
    harness.push()
    harness.push(TWO_MINUTES)
    harness.push_until_quiet()
    return deal


def microsofts_records(harness: Harness) -> list[dict[str, Any]]:
    """All records of Microsoft's, oldest first."""
    return [dict(record) for record in harness.partner_center.referrals(MICROSOFT)]


def microsofts_record(harness: Harness, deal: str) -> dict[str, Any]:
    """The one record of Microsoft's in the engagement of the deal. Fails if there is none, or more than one."""
    engagement = harness.referral_of(deal)["engagementId"]
    matches = [record for record in microsofts_records(harness) if record["engagementId"] == engagement]
    assert len(matches) == 1, f"{len(matches)} records of Microsoft's"
    return matches[0]


def asked_for(harness: Harness, deal: str) -> tuple[str, str | None]:
    """The help code and the notes of the one request for a deal."""
    context = microsofts_record(harness, deal)["inviteContext"]
    return context["assistanceRequestCode"], context["notes"]


def mark(harness: Harness, deal: str) -> str:
    """The sync status of the opportunity."""
    return str(harness.opportunity(deal)["Sync_Status__c"])
