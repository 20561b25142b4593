"""The sentences about what Microsoft and other partners say of a deal: part of `shared.domain.sentences`."""

from collections.abc import Mapping

NEWS_SENTENCES: Mapping[str, str] = {
    "microsoft_accepted": "Microsoft has accepted this deal and works on it.",
    "microsoft_declined": (
        "Microsoft has declined this deal. Its reason: {reason}. You can go on without Microsoft, which is not asked "
        "again."
    ),
    "microsoft_expired": (
        "Microsoft has not answered in time: its record of this deal has expired. You can go on without Microsoft, "
        "which is not asked again."
    ),
    "microsoft_closed": (
        "Microsoft has closed its own record of this deal: {status}. Stage stays as it is here. Please change it if "
        "the deal has ended for you too."
    ),
    "microsoft_crm": "Microsoft CRM Identifier is now {value}.",
    "microsoft_seller": "Microsoft has named who works on this deal: see Microsoft Seller.",
    "microsoft_notes": "Microsoft has changed its notes on this deal: see Microsoft Notes.",
    "microsoft_status_unknown": (
        "Microsoft's record of this deal has a status that the sync does not know: {status}. Microsoft Status stays "
        "as it was. Please see the deal in Partner Center."
    ),
    "partner_takes_part": "Another partner takes part in this deal: {partner}. Its status: {status}.",
    "partner_status": "The status of {partner}, another partner in this deal, is now {status}.",
}
