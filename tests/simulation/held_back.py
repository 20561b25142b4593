"""What is held back for a reason: a copy of a deal, another environment's deal, a close without a reason, a customer.

Written apart from the product, as the oracle is.
"""

import re
from collections.abc import Sequence

from tests.simulation.held_values import LOST, NAME_MARK, Record, of_opportunity

QUESTION = "Is this a copy of "
REASON, REASON_LABEL = "Closing_Reason__c", "Closing Reason"
REASONS_OF_A_LOSS = ("Budget not adequate", "Customer did not respond", "Timeline too short", "Others")
"""Reasons of a deal that is lost or declined. Source: docs/reference/partner-center.md#closing-reasons."""
REASONS_OF_A_MISTAKE = ("Test referral", "Data error")
"""They fit no loss."""


# --- copies (docs/protocol.md#clones)


def is_asked_about(opportunity: Record) -> bool:
    """Whether its audit asks whether it is a copy, and nobody has answered."""
    is_failed = opportunity["Sync_Status__c"] == "Failed" and not opportunity["Referral_Identifier__c"]
    return is_failed and QUESTION in (opportunity["Audit__c"] or "")


def is_copy(opportunity: Record, others: Sequence[Record]) -> bool:
    """Whether another open deal says the same: name, account and amount."""
    same = [other for other in others if other["Id"] != opportunity["Id"] and _said(other) == _said(opportunity)]
    return any(not other["StageName"].startswith("Closed") for other in same)


def _said(record: Record) -> tuple[str, object, object]:
    return NAME_MARK.sub("", record["Name"], count=1).casefold(), record["AccountId"], record["Amount"]


# --- deals of another environment (docs/protocol.md#an-environment-touches-only-its-own)

TAGGED = re.compile(r"\w+:[0-9A-Za-z]{18}")
NOT_OURS = "does not name a referral that can be synced here"


def is_told_foreign(opportunity: Record, referral: Record) -> bool:
    """Whether somebody gave the referral to another environment before the deal was linked, and the audit says so."""
    is_tagged = TAGGED.fullmatch(referral["externalReferenceId"] or "") is not None
    is_failed = opportunity["Sync_Status__c"] == "Failed"
    return is_tagged and is_failed and NOT_OURS in (opportunity["Audit__c"] or "")


# --- closing reasons (docs/protocol.md#closing-reasons)


def waits_for_reason(opportunity: Record, referral: Record) -> bool:
    """Whether a loss is not sent because its reason fits no loss, or because a decline has none, and the audit asks."""
    if of_opportunity(opportunity)["status"] != LOST or referral["status"] == "Closed":
        return False
    reason = opportunity[REASON]
    is_lacking = reason is None and referral["status"] == "New"
    is_asked = opportunity["Sync_Status__c"] == "Failed" and REASON_LABEL in (opportunity["Audit__c"] or "")
    return is_asked and (is_lacking or reason in REASONS_OF_A_MISTAKE)


# --- customers (docs/protocol.md#values-that-travel-once)


def has_other_customer(opportunity: Record, referral: Record) -> bool:
    """Whether Partner Center names another customer than Salesforce; a deal without `customer` has not been asked."""
    named = str(referral["customerProfile"]["name"]).casefold()
    return str(opportunity.get("customer", named)).casefold() != named


# --- what may differ under the mark "Synced with differences"


def may_differ(opportunity: Record, referral: Record) -> bool:
    """Whether the customer differs, or the sharing: a closed deal keeps it, and so does one that has asked for help."""
    is_shared = (referral.get("consent") or {}).get("consentToShareReferralWithMicrosoftSellers") is True
    has_other_sharing = opportunity.get("Visible_to_Microsoft__c", is_shared) != is_shared
    return has_other_sharing or has_other_customer(opportunity, referral)


# --- values that Salesforce ignores (docs/protocol.md#confirmed-means-seen)


def was_ignored(opportunity: Record, label: str, ours: str | None, theirs: str | None) -> bool:
    """Whether a flow of the org set back the value of Partner Center to the one before, and audit and mark say so."""
    sent, kept = (" ".join((value or "empty").split()) for value in (theirs, ours))
    told = f'{label} "{sent}" was written, but Salesforce kept "{kept}"'
    return opportunity["Sync_Status__c"] == "Failed" and told in " ".join((opportunity["Audit__c"] or "").split())


# --- help (docs/protocol.md#asking-microsoft-for-help)

HELP_WORDS = (
    "Microsoft is not asked",
    "Microsoft was asked already",
    "Microsoft is asked",
    "Opportunity Owner has no",
    "stays ticked in Partner Center",
    "after Microsoft was asked for help",
    'Visible to Microsoft sellers "Visible" was not sent',
)
HELP_MARKS = ("Failed", "Synced with differences")
"""What the audit and the mark say where something is wrong with the help."""
