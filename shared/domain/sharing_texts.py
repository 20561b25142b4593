"""The sentences about what Microsoft sees of a deal, does about it, and says: part of `shared.domain.sentences`."""

from collections.abc import Mapping

from shared.domain.closing_reasons import known_reasons
from shared.domain.news_texts import NEWS_SENTENCES

SHARING_SENTENCES: Mapping[str, str] = {
    "waits_to_share": (
        "This deal will be created in Partner Center at {until} UTC, and Microsoft will see it. This cannot be undone. "
        "Please clear Visible to Microsoft sellers before then if it is wrong."
    ),
    "ticked": "{label} was ticked, because Microsoft sees this deal in Partner Center.",
    "notes_alone": (
        "{label} were not sent: they are sent only with How can Microsoft help?, which is empty. "
        "Please choose the help that you need, if Microsoft is to read them."
    ),
    "closed_as_test": (
        "This is a test environment. An administrator let the sync close this deal in Partner Center as an error."
    ),
    "consent_withdrawn": (
        "Customer Consents was cleared, but the deal was sent with the customer's consent, and Partner Center keeps "
        "what it has. Please close the deal, or tick Customer Consents again if the customer agrees."
    ),
    **NEWS_SENTENCES,
    "waits_to_ask": (
        "At {until} UTC, Microsoft will be asked for help with this deal ({help}), and will see it. This cannot be "
        "undone. Please change How can Microsoft help? before then if it is wrong."
    ),
    "asked_for_help": "Microsoft was asked for help: {help}. It can answer until {until} UTC.",
    "asked_and_answered": "Microsoft was asked for help: {help}. It has answered already: see Microsoft Status.",
    "help_was_asked": "Microsoft has been asked for help with this deal already: {help}. It is not asked again.",
    "takes_part": (
        "Microsoft takes part in this deal already, so it was not asked for help again. "
        "Please see the deal in Partner Center."
    ),
    "help_unsure": (
        "Partner Center did not confirm that Microsoft was asked for help. The sync looks for the "
        "request at {until} UTC. Please wait until then."
    ),
    "help_not_found": (
        "How can Microsoft help? is empty now, so the sync no longer looks for the request that Partner Center did not "
        "confirm. Please choose the help again only if Partner Center shows that Microsoft was not asked."
    ),
    "help_ended": (
        "The deal is closed, so the sync no longer looks for the request for help that Partner Center did not confirm. "
        "Please check in Partner Center whether Microsoft was asked."
    ),
    "help_left": (
        "This deal is not synced any more, so the sync does not look for the request for help that Partner Center did "
        "not confirm. Please check in Partner Center whether Microsoft was asked."
    ),
    "answer_due": (
        "Microsoft awaits the answer to this deal until {until} UTC. Then it expires. Please choose an active Stage to "
        "accept it. To decline it, choose the Stage of a lost or declined deal, and one of these Closing Reasons: "
        f"{known_reasons('Declined')}."
    ),
}

SHARING_CAUSES: Mapping[str, tuple[str, str]] = {
    "help_asked": (
        "Microsoft cannot be asked for help: this org has no field Visible to Microsoft sellers.",
        "Please clear How can Microsoft help?, or ask your administrator to upgrade the Salesforce package.",
    ),
    "help_unknown": (
        'How can Microsoft help? has the value "{value}", which Microsoft does not offer.',
        "Please choose one of these: {known}.",
    ),
    "help_without_contact": (
        "Microsoft is asked for help only with a contact of the customer.",
        "Please add a Contact Role whose contact has First Name, Last Name, Email and Phone.",
    ),
    "help_without_solution": (
        "Microsoft is asked for help only with a solution that is co-sell ready. These are not: {value}.",
        "Please add one that is, or ask your administrator to correct the catalogue of solutions.",
    ),
    "help_lacks": ("Microsoft is not asked for help with this deal yet: {reason}.", "{remedy}."),
    "help_without_consent": (
        "Microsoft is not asked for help without the customer's consent, and Customer Consents is not ticked.",
        "Please ask the customer, and tick it if they agree.",
    ),
    "help_closed": (
        "Microsoft is not asked for help, because the deal is closed.",
        "Please clear How can Microsoft help?, or ask with a deal that is open.",
    ),
    "help_not_answered": (
        "Microsoft is not asked for help, because this deal is not accepted yet.",
        "Please choose an active Stage to accept it.",
    ),
    "help_from_microsoft": (
        "Microsoft is not asked for help, because it sent this deal and takes part already.",
        "Please clear How can Microsoft help? and save.",
    ),
    "help_stays": (
        '{label} "{after}" was not sent: Microsoft was asked already, for "{before}", which cannot be changed.',
        'Please choose "{before}" again, and tell Microsoft\'s seller what you need.',
    ),
    "notes_stay": (
        "{label} were changed after Microsoft was asked for help. Microsoft keeps those that it was sent.",
        "Please tell Microsoft's seller what has changed, or enter the earlier notes again.",
    ),
    "help_unconfirmed": (
        "Nobody knows whether Microsoft was asked for help: Partner Center did not confirm it and does not show it.",
        (
            "Please look in Partner Center, then clear How can Microsoft help? and save, whatever you find there. "
            "Only if Microsoft was not asked, choose the help again once the Audit says that it is empty."
        ),
    ),
    "not_from_staging": (
        "This is a test environment, which shares no deals with Microsoft: nothing can be deleted in Partner Center.",
        "Please clear Visible to Microsoft sellers and How can Microsoft help?, or ask your administrator.",
    ),
    "help_not_from_staging": (
        "Microsoft is not asked for help from this test environment: nothing can be deleted in Partner Center.",
        "Please clear How can Microsoft help?, or ask your administrator.",
    ),
    "no_consent": (
        "Customer Consents is not ticked. Without the customer's consent this deal is not sent.",
        "Please ask the customer, and tick it if they agree.",
    ),
    "no_consents_field": (
        (
            "This org has no field Customer Consents that the sync can see. Without it no new deal is sent, and "
            "Microsoft is not asked for help."
        ),
        "Please ask your administrator to install the current package, or to show the field to the integration user.",
    ),
    "stays_visible": (
        "{label} stays ticked in Partner Center: Microsoft has seen the deal, and that cannot be undone.",
        "Please tick it here again.",
    ),
}
