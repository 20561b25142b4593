"""The sentences that sellers read about members for whom Salesforce has no row."""

from collections.abc import Mapping

ROW_SENTENCES: Mapping[str, str] = {
    "no_user": (
        "{label}: Salesforce has no user with the e-mail address of {value}, so only Partner Center shows them. "
        "Nothing is to be done if they need no user here."
    ),
    "inactive_user": (
        "{label}: the user {value} is not active in Salesforce, so only Partner Center shows them. "
        "Please remove them there if they work on this deal no longer."
    ),
    "own_user": (
        "{label}: {value} has the e-mail address of the user of the sync, who is no seller. "
        "Please remove them in Partner Center."
    ),
    "no_contact": (
        "{label}: {value} cannot be a contact here, because the account is a person. "
        "Please see Partner Center for all contacts."
    ),
    "contact_address_fixed": (
        "{label}: Salesforce does not get {value}, because the integration user may not write Contact.Email, by which "
        "people are matched. Please add them here, and ask your administrator to give it access."
    ),
    "row_refused": "{label}: Salesforce does not take {value}: {reason}. {remedy}",
}
