"""Deals whose sellers ask Microsoft for help, and what they find in Partner Center."""

from collections.abc import Callable
from typing import Any

from emulators.base.faults import Fault, FaultKind
from emulators.partner_center.referral_shape import MICROSOFT
from shared.domain.deal import Side
from shared.sync.ask_microsoft import LISTED
from tests.unit.sync.harness import MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet

HELP, NOTES, VISIBLE = "How_can_Microsoft_help__c", "Notes_to_Microsoft__c", "Visible_to_Microsoft__c"
PROOF, GENERAL = "Proof Of Concept or Demo", "General or Other"
TWO_MINUTES = 2 * MINUTE
PERSON = {"FirstName": "Ada", "LastName": "Lind", "Email": "ada@northwind.example", "Phone": "+12065550100"}
ASKED = "To Partner Center: Microsoft was asked for help:"
WILL_ASK = "Microsoft will be asked for help with this deal"
QUESTION = "Nobody knows whether Microsoft was asked for help"
SHOWN_IN = ["all", "engagement"]
"""The lists that show Microsoft's records."""


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


def lose_reply(harness: Harness, kind: FaultKind, skip: int = 0) -> None:
    """Lose the reply of a create: of the first, or of the one after `skip` others."""
    harness.inject_fault(Side.PARTNER_CENTER, Fault(kind, method="POST", skip=skip))


def show_records(harness: Harness, where: str, *, is_known: bool = True) -> None:
    """Let lists show Microsoft's records, or none; `is_known` says whether one was seen in a list before."""
    harness.partner_center.switches.related_lists = where
    if is_known:
        harness.store.move_cursor(LISTED, harness.now())


def new_deal(harness: Harness) -> str:
    """A new deal with help, whose two minutes have begun."""
    deal = complete_deal(harness, **{HELP: PROOF, NOTES: "A demo in May, please."})
    harness.push()
    return deal


def private_deal(harness: Harness) -> str:
    """A private linked deal with help, whose two minutes have begun."""
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF, NOTES: "A demo in May, please."})
    harness.push()
    return deal


DEALS: dict[str, Callable[[Harness], str]] = {"new": new_deal, "linked": private_deal}


def push_at_its_time(instance: Instance) -> None:
    instance.push(TWO_MINUTES)


def assert_asked_once(harness: Harness, deal: str) -> None:
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "A demo in May, please.")
    assert (mark(harness, deal), harness.opportunity(deal)[VISIBLE], harness.differences(deal)) == ("Synced", True, [])
    assert harness.count_in_audit(deal, ASKED) == 1, harness.audit_texts(deal)
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert_quiet(harness)
    # The service would refuse a second request, as the emulator does: none was sent.
    posts = [entry.status for entry in harness.partner_center.journal if entry.method == "POST"]
    assert 400 not in posts
