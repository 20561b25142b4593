"""What a seller wants Microsoft to see of a deal and to do about it. Two fields tell the type of a deal.

help     visible   deal type
chosen   any       co-sell: Microsoft is asked for help, and sees the deal
none     yes       partner-led: Microsoft's sellers see the deal
none     no        private

A deal can be upgraded until it ends, and never goes back.
Source: docs/protocol.md#the-type-of-a-deal.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

KINDS_OF_HELP: Mapping[str, str] = {
    "WorkloadSpecificValueProposition": "Workload Specific Value Proposition",
    "CustomerTechnicalArchitecture": "Customer Technical Architecture",
    "ProofOfConceptOrDemo": "Proof Of Concept or Demo",
    "QuotesOrLicensing": "Quotes or Licensing",
    "PostSalesCustomerSuccess": "Post Sales Customer Success",
    "GeneralOrOther": "General or Other",
}
"""The help that Microsoft offers: the labels in Salesforce by the codes of Partner Center.

Source: docs/reference/partner-center.md#assistance-request-codes.
"""
HELP_LABELS = ", ".join(KINDS_OF_HELP.values())
"""All of them, as a seller reads them."""
LABEL_OF_HELP, LABEL_OF_NOTES = "How can Microsoft help?", "Notes to Microsoft"
LABEL_OF_VISIBLE = "Visible to Microsoft sellers"
"""The labels of the fields, as the package has them."""


class DealType(StrEnum):
    """The types of a deal."""

    PRIVATE = "private"
    PARTNER_LED = "partner-led"
    CO_SELL = "co-sell"


class Sharing(Struct, frozen=True):
    """What the fields for Microsoft say on an opportunity.

    visible    whether Microsoft's sellers may see the deal; None where the org has no field for it
    help       what the seller chose as help, as they chose it; empty for none
    notes      the seller's notes to Microsoft
    consents   whether the customer has consented; None where the org has no field for it
    """

    visible: bool | None = None
    help: str = ""
    notes: str = ""
    consents: bool | None = None

    @property
    def deal_type(self) -> DealType:
        """The type of the deal that the seller wants."""
        if self.help:
            return DealType.CO_SELL
        return DealType.PARTNER_LED if self.visible else DealType.PRIVATE

    @property
    def code(self) -> str | None:
        """Partner Center's code of the help; None if none is chosen, or none of the six."""
        chosen = _letters(self.help)
        return next(
            (code for code, label in KINDS_OF_HELP.items() if chosen in (_letters(code), _letters(label))), None
        )


def help_label(code: str) -> str:
    """The label of a help code in Salesforce; the code itself if it is none of the six."""
    return KINDS_OF_HELP.get(code, code)


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


NO_SHARING = Sharing()
"""A private deal for which nothing is asked."""
