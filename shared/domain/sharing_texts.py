"""The sentences about what Microsoft sees of a deal, does about it, and says: part of `shared.domain.sentences`."""

from collections.abc import Mapping

from shared.domain.news_texts import NEWS_SENTENCES

SHARING_SENTENCES: Mapping[str, str] = {
    "waits_to_share": (
        "This deal will be created in Partner Center at {until} UTC, and Microsoft will see it. This cannot be undone. "
        "Please change it before then if it is wrong."
    ),
    "closed_as_test": (
        "This is a test environment. An administrator let the sync close this deal in Partner Center as an error."
    ),
    "consent_withdrawn": (
        "Customer Consents was cleared, but the deal was sent with the customer's consent, and Partner Center keeps "
        "what it has. Please close the deal, or tick Customer Consents again if the customer agrees."
    ),
    **NEWS_SENTENCES,
}

SHARING_CAUSES: Mapping[str, tuple[str, str]] = {
    "help_asked": ("How can Microsoft help? has a value, which cannot be sent yet.", "Please clear that field."),
    "not_from_staging": (
        "This is a test environment, which shares no deals with Microsoft: nothing can be deleted in Partner Center.",
        "Please clear Visible to Microsoft sellers and How can Microsoft help?, or ask your administrator.",
    ),
    "no_consent": (
        "Customer Consents is not ticked. Without the customer's consent this deal is not sent.",
        "Please ask the customer, and tick it if they agree.",
    ),
    "no_consents_field": (
        "This org has no field Customer Consents that the sync can see. Without it no new deal is sent.",
        "Please ask your administrator to install the current package, or to show the field to the integration user.",
    ),
    "stays_visible": (
        "{label} stays ticked in Partner Center: Microsoft has seen the deal, and that cannot be undone.",
        "Please tick it here again.",
    ),
}
