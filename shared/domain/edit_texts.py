"""The sentences that sellers read about edits which do not travel as they are."""

from collections.abc import Mapping

from shared.domain.attribute_texts import ATTRIBUTE_CAUSES
from shared.domain.lead_texts import LEAD_CAUSES, LEAD_SENTENCES
from shared.domain.rest_texts import REST_CAUSES, REST_SENTENCES
from shared.domain.row_texts import ROW_SENTENCES
from shared.domain.solution_texts import SOLUTION_CAUSES, SOLUTION_SENTENCES

EDIT_SENTENCES: Mapping[str, str] = {
    **LEAD_SENTENCES,
    **REST_SENTENCES,
    **ROW_SENTENCES,
    **SOLUTION_SENTENCES,
    "conflict_empty": "{label} was emptied in {system}, and changed on the other side. Kept: {after}.",
    "member_stays": (
        "{label}: {system} does not get {value}, because additions on the other side do not travel. "
        "Please add them in {system} too if they belong there."
    ),
    "details_stay": (
        "{label}: Partner Center has another name, phone number or title of {value}. Salesforce keeps its own, because "
        "other deals use it too. Please correct the side that is wrong."
    ),
    "member_does_not_fit": (
        "{label} does not show {value}, which it cannot hold. Please see Partner Center for the full list."
    ),
    "member_no_address": (
        "{label}: {system} does not get {value}, because people are matched by e-mail address, of at most 80 "
        "characters. Please enter one."
    ),
    "member_same_address": (
        "{label}: {system} does not get {value}, because somebody else on the list has the same e-mail address. "
        "Please correct the address."
    ),
    "member_inactive": "{label}: Partner Center does not get {value}, because their user is not active in Salesforce.",
    "member_of_microsoft": (
        "{label}: Partner Center does not get {value}, because their e-mail address is one of Microsoft. "
        "Please name them with an address of your own company."
    ),
    "member_unseen": (
        "{label} is not synced for now, because the integration user may not see everybody on the list. "
        "Please ask your administrator to give it access."
    ),
    "member_too_many": (
        "{label}: {system} does not get {value}, because it takes no more for one deal. Please remove some."
    ),
    "member_refused": (
        "{label}: Partner Center does not take {value}: {reason}. "
        "Please correct or remove it. It is sent again once it, or the list, is edited."
    ),
    "member_details": "{label}: the changed name, phone number or title of {value} was sent.",
    "member_incomplete": (
        "{label}: Partner Center does not get {value}. Each person needs First Name, Last Name, Email and Phone. "
        "Please complete them."
    ),
    "longer_text": (
        "{label} holds the first {length} characters of a longer text in Partner Center. "
        "Please edit it there: an edit here replaces all of it."
    ),
    "longer_text_here": (
        "Partner Center holds the first {length} characters of {label}. "
        "Please shorten it: an edit there replaces the whole text here."
    ),
    "longer_text_replaced": "{label} was longer than {length} characters in {system}. All of that text was replaced.",
}

EDIT_CAUSES: Mapping[str, tuple[str, str]] = {
    **ATTRIBUTE_CAUSES,
    **LEAD_CAUSES,
    **REST_CAUSES,
    **SOLUTION_CAUSES,
    "contacts_locked": (
        '{label} "{after}" was not sent: Partner Center keeps "{before}", because the deal is shared with Microsoft.',
        "Please tell the people at Microsoft who work on the deal about the other contact.",
    ),
    "contacts_locked_empty": (
        '{label} has nobody now, but Partner Center keeps "{before}", because the deal is shared with Microsoft.',
        "Please tell the people at Microsoft who work on the deal.",
    ),
    "contact_address_locked": (
        "{label}: the changed e-mail address of {value} was not sent, because the deal is shared with Microsoft.",
        "Please tell the people at Microsoft who work on the deal about the change.",
    ),
    "contact_details_locked": (
        "{label}: the changed details of {value} were not sent, because the deal is shared with Microsoft.",
        "Please tell the people at Microsoft who work on the deal about the change.",
    ),
    "address_fixed": (
        "Left out of the contacts, because the integration user may not write Contact.Email: {value}.",
        "Please add them here, and ask your administrator to give it access.",
    ),
    "seller_stays": (
        '{label}: Partner Center needs one of your sellers, and keeps "{before}".',
        "Please give the deal to an active seller with First Name, Last Name, Email and Phone.",
    ),
    "microsoft_owner": (
        "The owner has an e-mail address of Microsoft.",
        "Please give the deal to a seller with an address of your own company.",
    ),
    "integration_owner": (
        "The deal belongs to the user of the sync, who is no seller.",
        "Please give the deal to a seller.",
    ),
    "fixed_there": (
        '{label} "{after}" was not sent: Partner Center takes no change of it from here, and keeps "{before}".',
        "Please change it in Partner Center by hand, or change it back here.",
    ),
}
