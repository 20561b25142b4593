"""Walk a deal each way through an org of some kinds, and tell what neither arrived nor is named where people look."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from shared.domain.deal import TEAM
from shared.mapping.schema import DEFAULT
from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunities_of
from tests.unit.sync.real_orgs import customer_contact, org_harness, seller_values, turn_on

ENDED = ("run_failed", "run_skipped", "event_poisoned")
"""Log events of a run that ended or was left out."""
DEFECTS = (*ENDED, "pair_failed")
"""The same, and a deal whose error nothing explains."""


def faults_of_a_walk(names: Collection[str], mapping: Path = DEFAULT) -> list[str]:
    """A deal out, a deal in, and an edit each way, in an org with these switches: what is lost without a word."""
    with org_harness(names, mapping) as harness:
        faults = [*faults_of_new_deals(harness, names)]
        return [*faults, *faults_of_edits(harness, names), *defects(harness.first)]


def faults_of_a_changed_org(names: Collection[str]) -> list[str]:
    """The same in an org that turns the switches on while the connector runs, with deals from before."""
    with org_harness(()) as harness:
        faults = [*faults_of_new_deals(harness, ())]
        turn_on(harness, names)
        before = harness.first
        edit_all(harness, names)
        harness.ask_org_again()  # within the hour, or within minutes of a refused column
        faults += faults_of_new_deals(harness, names, name="A second deal")
        return [*faults, *faults_of_edits(harness, names), *defects(before, ENDED), *defects(harness.first)]


def faults_of_new_deals(harness: Harness, names: Collection[str], **fields: object) -> Iterator[str]:
    """A deal out and a deal in."""
    ours = seller_creates_deal(harness, names)
    run(harness)
    yield from lost_deals(harness, ours)
    referral = microsoft_sends_deal(harness, **fields)
    harness.pull_event(referral)
    run(harness)
    yield from lost_referrals(harness, referral)


def faults_of_edits(harness: Harness, names: Collection[str]) -> Iterator[str]:
    """An edit each way of every deal that both sides have."""
    edit_all(harness, names)
    yield from (text for deal in linked_deals(harness) for text in unnamed_differences(harness, deal))


def edit_all(harness: Harness, names: Collection[str]) -> None:
    """Edit every deal that both sides have, each way, and let the runs of an hour work."""
    for deal in linked_deals(harness):
        edit_both_ways(harness, deal, names)
    run(harness)
    run(harness, after=HOUR)


def defects(worker: Instance, events: Sequence[str] = DEFECTS) -> Iterator[str]:
    """What an instance logged of these events. While it knows the org as it was before, a deal may fail."""
    yield from (f"{name}: {fields}" for name in events for fields in worker.log.fields_of(name))


def run(harness: Harness, after: float = 60.0) -> None:
    """Two rounds of the timers."""
    harness.push(after)
    harness.push()
    harness.sweep()


def seller_creates_deal(harness: Harness, names: Collection[str]) -> str:
    """The id of a ticked deal with a contact, as this org demands it."""
    account = harness.account_id()
    deal = harness.seller_creates(AccountId=account, **seller_values(names))
    role = {"Role": "Buyer" if "restricted picklists" in names else "Decision Maker", "IsPrimary": True}
    contact = customer_contact(harness, account)
    harness.salesforce.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": contact, **role})
    return deal


def edit_both_ways(harness: Harness, deal: str, names: Collection[str]) -> None:
    """The seller changes the close date, and a colleague the notes, of a deal that both sides have."""
    at = f"{harness.now():%H:%M:%S}"
    harness.seller_edits(deal, CloseDate=f"2027-05-{harness.now().minute % 27 + 1:02d}", **seller_values(names))
    if referral := referral_id(harness, deal):
        harness.colleague_edits(referral, details_notes=f"Changed by a colleague at {at}.")
        harness.pull_event(referral)


# --- what is lost


def lost_deals(harness: Harness, deal: str) -> Iterator[str]:
    """The seller's deal, if it made no referral, or cannot be written back, and nobody is told."""
    if referral_id(harness, deal) is None and not cause_of(harness, deal):
        yield "the seller's deal made no referral, and no cause is named"
    elif harness.opportunity(deal)["Referral_Identifier__c"] is None and not cause_of(harness, deal):
        yield "the seller's deal cannot be written back, and no cause is named"


def lost_referrals(harness: Harness, referral: str) -> Iterator[str]:
    """Microsoft's deal, if it made no opportunity, and nobody is told."""
    made = opportunities_of(harness, referral)
    if len(made) > 1:
        yield "Microsoft's deal made several opportunities"
    if not made and not inbox_cause(harness, referral):
        yield "Microsoft's deal made no opportunity, and no cause is named"


def unnamed_differences(harness: Harness, deal: str) -> Iterator[str]:
    """The fields in which the two sides differ, and whose names stand neither in the audit nor in the inbox.

    Our team goes with the accept: until then, nothing is told of it.
    """
    referral = harness.opportunity(deal)["Referral_Identifier__c"]
    is_unanswered = referral is not None and harness.partner_center.referral(referral)["status"] == "New"
    later = {TEAM} if is_unanswered else set()
    for name in (name for name in harness.differences(deal) if name not in later):
        label = harness.translation.fields[name].label
        if label not in audit(harness, deal) and not inbox_cause(harness, deal):
            yield f"{label} differs, and nothing names it"


# --- where people look


def linked_deals(harness: Harness) -> list[str]:
    """The opportunities that both sides have."""
    ids = (each["Id"] for each in harness.salesforce.records("Opportunity"))
    return [each for each in ids if referral_id(harness, each)]


def referral_id(harness: Harness, deal: str) -> str | None:
    """The id of a deal's referral, by the identifier of the opportunity or by the reference of the referral."""
    known = harness.opportunity(deal)["Referral_Identifier__c"]
    reference = harness.scope.reference(deal)
    found = (each["id"] for each in harness.our_referrals() if each["externalReferenceId"] == reference)
    return known or next(found, None)


def audit(harness: Harness, deal: str) -> str:
    """The audit of a deal, all lines."""
    return harness.opportunity(deal)["Audit__c"] or ""


def inbox_cause(harness: Harness, key: str) -> str:
    """The cause and the remedy that the inbox names for a deal; empty if it names none."""
    records = (each for each in harness.salesforce.records("Cosell_Inbox__c") if each["Key__c"] == key)
    return next((f"{each['Cause__c']} {each['Remedy__c']}" for each in records if each["Cause__c"]), "")


def cause_of(harness: Harness, deal: str) -> str:
    """What audit or inbox say about a deal that is stuck."""
    return audit(harness, deal) or inbox_cause(harness, deal)
