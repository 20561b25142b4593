"""Scenes that lead to an audit line, and the lines as data. A scene returns the opportunity's id."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from emulators.base.faults import Fault, FaultKind
from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.sentences import LineDirection
from tests.unit.sync.harness import AFTER_LEASE, Harness
from tests.unit.sync.inbound_deals import accepted_deal, add_flow, arrived_deal, microsoft_sends_deal, opportunity_of

TO, FROM = LineDirection.TO_PARTNER_CENTER, LineDirection.FROM_PARTNER_CENTER
NOTE, NOT_SYNCED = LineDirection.NOTE, LineDirection.NOT_SYNCED
AT = datetime(2026, 11, 22, tzinfo=UTC)
THERE, HERE = Side.PARTNER_CENTER, Side.SALESFORCE
AMOUNT, CLOSE_DATE, STAGE, NOTES = (
    {"label": label} for label in ("Amount", "Close Date", "Stage", "Description")
)  # fmt: skip


def seller_changes_two_values(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=200, CloseDate="2027-01-31")
    harness.push()
    return deal


def colleague_changes_a_value(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=300)
    harness.sweep()
    return deal


def value_refused_by_a_latch(harness: Harness) -> str:
    deal = harness.shared_deal(StageName="Closed Won")
    harness.run_rounds(1)
    harness.seller_edits(deal, Amount=1)
    harness.push()
    return deal


def value_that_cannot_be_cleared(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Description=None)
    harness.push()
    return deal


def value_refused_by_partner_center(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=-5)
    harness.push()
    return deal


def values_refused_by_salesforce(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.refuse_writes_of("Amount")
    harness.colleague_edits(
        harness.referral_of(deal)["id"], details_dealValue=300, details_closingDateTime="2027-01-31T00:00:00Z"
    )
    harness.sweep()
    return deal


def conflict(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=500)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=700)
    harness.push()
    return deal


def conflict_of_a_final_stage(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.colleague_edits(harness.referral_of(deal)["id"], status="Closed", substatus="Lost")
    harness.run_rounds(1)
    return deal


def both_texts(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Description="Seller's words")
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Colleague's words")
    harness.run_rounds(1)
    return deal


def close_that_waits(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    return deal


def held_deal(harness: Harness) -> str:
    deal = harness.seller_creates(Amount=None, CloseDate="2026-12-31")
    harness.push()
    return deal


def held_deal_with_an_unknown_stage(harness: Harness) -> str:
    deal = harness.seller_creates(StageName="Verbal")
    harness.push()
    return deal


def value_ignored_by_salesforce(harness: Harness) -> str:
    add_flow(harness, Description=None)
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def created_referral(harness: Harness) -> str:
    return harness.shared_deal()


def created_referral_with_a_past_close_date(harness: Harness) -> str:
    return harness.shared_deal(CloseDate="2026-01-31")


def adopted_referral(harness: Harness) -> str:
    deal = harness.seller_creates()
    harness.inject_fault(THERE, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    harness.push(AFTER_LEASE + AFTER_LEASE + AFTER_LEASE)
    harness.push()
    return deal


def referral_without_a_contact(harness: Harness) -> str:
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    contact = harness.salesforce.insert("Contact", {"LastName": "Berg", "AccountId": harness.account_id()})
    role = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": True}
    harness.salesforce.insert("OpportunityContactRole", role)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push()
    return deal


def created_opportunity(harness: Harness) -> str:
    return arrived_deal(harness)[1]


def adopted_opportunity(harness: Harness) -> str:
    referral = harness.partner_center.portal_creates({"details": {"notes": "From the portal"}})
    deal = harness.seller_creates(Referral_Identifier__c=referral)
    harness.push()
    return deal


def opportunity_with_cut_solutions(harness: Harness) -> str:
    tags = [{"id": f"SOL-{number:06d}", "type": "Name"} for number in range(50)]
    return arrived_deal(harness, details={"requirements": {"solutions": tags}})[1]


def opportunity_with_cut_contacts(harness: Harness) -> str:
    people = [{"firstName": "P", "lastName": f"N{number}", "phoneNumber": "1", "email": f"p{number}@f.example"}
              for number in range(50)]  # fmt: skip
    referral = microsoft_sends_deal(harness, customerProfile={"team": people})
    harness.partner_center.raw_patch(referral, {"/customerProfile/team": [*people, {"lastName": "One more"}]})
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def opportunity_with_defaults(harness: Harness) -> str:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(
        referral, {"/details/closingDateTime": None, "/customerProfile/address": {"country": "Atlantis"}}
    )
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def opportunity_with_an_unreadable_value(harness: Harness) -> str:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/currency": "XXQ"})
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def opportunity_with_full_notes(harness: Harness) -> str:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.raw_patch(referral, {"/details/notes": "A long story. " * 3000})
    harness.pull_event(referral)
    return str(opportunity_of(harness, referral)["Id"])


def recovered_write(harness: Harness) -> str:
    referral, deal = accepted_deal(harness)
    harness.colleague_edits(referral, details_dealValue=30000)
    harness.inject_fault(HERE, Fault(FaultKind.DROP_AFTER, path="composite$", method="POST", skip=1))
    harness.pull_event(referral)
    harness.push(AFTER_LEASE)
    return deal


def unreadable_stage_of_a_shared_deal(harness: Harness) -> str:
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName="Verbal")
    harness.push()
    return deal


def changed(
    direction: LineDirection, side: Side, field: str, change: tuple[str, str], values: Mapping[str, str]
) -> Line:
    return Line(AT, "changed", direction, side, field, *change, "confirmed", values)


SCENES: dict[Callable[[Harness], str], list[Line]] = {
    seller_changes_two_values: [
        changed(TO, THERE, "money", ("10000.00 USD", "200.00 USD"), AMOUNT),
        changed(TO, THERE, "closing", ("2026-12-31", "2027-01-31"), CLOSE_DATE),
    ],
    colleague_changes_a_value: [changed(FROM, HERE, "money", ("10000.00 USD", "300.00 USD"), AMOUNT)],
    value_refused_by_a_latch: [
        Line(
            AT, "closed_is_final", NOTE, THERE, "money", "10000.00 USD", "1.00 USD", "closed_is_final",
            {**AMOUNT, "system": "Partner Center"},
        )
    ],
    value_that_cannot_be_cleared: [
        Line(
            AT, "not_clearable", NOTE, THERE, "notes", "First call went well.", "empty", "not_clearable",
            {**NOTES, "system": "Partner Center"},
        )
    ],
    conflict: [
        changed(TO, THERE, "money", ("700.00 USD", "500.00 USD"), AMOUNT),
        Line(AT, "conflict", NOTE, THERE, "money", "700.00 USD", "500.00 USD", "winner", AMOUNT),
    ],
    conflict_of_a_final_stage: [
        changed(FROM, HERE, "status", ("Closed/Won", "Closed/Lost"), STAGE),
        Line(AT, "conflict_closed", NOTE, HERE, "status", "Closed/Won", "Closed/Lost", "final_over_open", STAGE),
    ],
    both_texts: [Line(AT, "both_texts", NOTE, field="notes", rule="both_texts", values=NOTES)],
    close_that_waits: [
        Line(
            AT, "waiting", NOTE, THERE, "status", "Active/Accepted", "Closed/Won", "irreversible",
            {**STAGE, "until": "10:06"},
        )
    ],
    held_deal: [Line(AT, "missing_money", NOT_SYNCED, THERE, "money", rule="missing_money")],
    held_deal_with_an_unknown_stage: [
        Line(AT, "unknown_stage", NOT_SYNCED, THERE, "status", rule="unknown_stage", values={"value": "Verbal"})
    ],
    value_ignored_by_salesforce: [
        Line(
            AT, "ignored", NOT_SYNCED, HERE, "notes", "empty", "Wants a pilot before summer.", "ignored",
            {**NOTES, "system": "Salesforce"},
        ),
    ],
    created_referral: [Line(AT, "created_referral", TO, THERE)],
    created_referral_with_a_past_close_date: [
        Line(AT, "past_closing", NOTE, field="closing", values={"value": "2026-01-31"})
    ],
    adopted_referral: [Line(AT, "adopted_referral", TO, THERE)],
    referral_without_a_contact: [
        Line(
            AT, "member_no_address", NOTE, THERE, "contacts", rule="member_no_address",
            values={"label": "Contact Roles", "value": "Berg", "system": "Partner Center"},
        ),
    ],
    created_opportunity: [Line(AT, "created_opportunity", FROM, HERE)],
    adopted_opportunity: [Line(AT, "adopted_opportunity", FROM)],
    opportunity_with_cut_solutions: [
        Line(AT, "solutions_cut", FROM, HERE, "solutions", values={"fitting": "23", "all": "50"})
    ],
    opportunity_with_cut_contacts: [
        Line(AT, "contacts_cut", FROM, HERE, "contacts", values={"fitting": "50", "all": "51"})
    ],
    opportunity_with_defaults: [
        Line(AT, "no_closing", FROM, HERE, "closing", rule="no_closing", values={"value": "2027-02-20"}),
        Line(
            AT, "unknown_country", FROM, HERE, "account", rule="unknown_country",
            values={"given": "Atlantis", "default": "empty"},
        ),
        Line(AT, "no_address", FROM, HERE, "account", rule="no_address"),
    ],
    opportunity_with_an_unreadable_value: [
        Line(
            AT, "left_alone", FROM, HERE, "money", rule="bad_currency",
            values={**AMOUNT, "reason": "The currency XXQ is not an ISO 4217 code."},
        )
    ],
    opportunity_with_full_notes: [
        Line(AT, "longer_text", FROM, HERE, "notes", values={**NOTES, "length": "32,000", "system": "Partner Center"}),
    ],
    recovered_write: [
        Line(AT, "changed", FROM, HERE, "money", "25000.00 EUR", "30000.00 EUR", "recovered", AMOUNT),
    ],
    unreadable_stage_of_a_shared_deal: [
        Line(AT, "unknown_stage", NOTE, THERE, "status", rule="unknown_stage", values={"value": "Verbal"})
    ],
}  # fmt: skip
