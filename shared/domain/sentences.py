"""Every sentence that a seller reads, in one place, so that it can be translated; and the text of an audit line.

A sentence is found by its code. A cause (why a deal is held, parked or refused) has a reason and a remedy. After a
refusal by a service only the remedy is ours. Fields have their labels (docs/protocol.md#sentences-for-sellers).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from shared.domain.cause import Cause
from shared.domain.closing_reasons import known_reasons
from shared.domain.deal import Side
from shared.domain.edit_texts import EDIT_CAUSES, EDIT_SENTENCES
from shared.domain.guard_texts import GUARD_CAUSES, GUARD_SENTENCES
from shared.domain.owner_texts import OWNER_CAUSES
from shared.domain.sharing_texts import SHARING_CAUSES, SHARING_SENTENCES


class LineDirection(StrEnum):
    """What an audit line is about: a value that travelled, a cause, or a note about a value that did not travel."""

    TO_PARTNER_CENTER = "to_partner_center"
    FROM_PARTNER_CENTER = "from_partner_center"
    NOT_SYNCED = "not_synced"
    NOTE = "note"


HEADINGS: Mapping[LineDirection, str] = {
    LineDirection.TO_PARTNER_CENTER: "To Partner Center",
    LineDirection.FROM_PARTNER_CENTER: "From Partner Center",
    LineDirection.NOT_SYNCED: "Not synced",
    LineDirection.NOTE: "Note",
}

SENTENCES = {
    **SHARING_SENTENCES,
    **EDIT_SENTENCES,
    **GUARD_SENTENCES,
    "created_referral": "A referral was created in Partner Center for this opportunity.",
    "adopted_referral": "This opportunity was linked to the referral that Partner Center already has for it.",
    "contacts_left_out": (
        "Contacts not sent: {count}. Each needs First Name, Last Name, Email and Phone. "
        "Please add them in Partner Center."
    ),
    "created_opportunity": "This opportunity was created from a referral in Partner Center.",
    "adopted_opportunity": "This opportunity was linked to a referral in Partner Center.",
    "solutions_cut": "Products holds {fitting} of {all} solutions. Please see Partner Center for the full list.",
    "contacts_cut": (
        "Contact Roles holds {fitting} of {all} contacts of the referral. Please see Partner Center for the others."
    ),
    # Builds up to 0.6.0 stored this one.
    "full_text": (
        "{label} is full ({length} characters). Partner Center may hold more text, and an edit here removes it. "
        "Please edit it in Partner Center."
    ),
    "left_alone": (
        "{label} has a value in Partner Center that cannot be read, so it is left alone on both sides. {reason} "
        "Please correct it in Partner Center."
    ),
    # Builds up to 0.3.0 stored this one.
    "unreadable": (
        "{label} has a value in Partner Center that cannot be read, so it is not synced. "
        "Please correct it in Partner Center."
    ),
    "changed": "{label} {before} → {after}.",
    "conflict": (
        "{label} was changed on both sides. Kept: {after}. Discarded: {before}. "
        "Please enter the discarded value again if it is right."
    ),
    "conflict_closed": (
        "{label} was changed on both sides. Kept: {after}, the end in Partner Center. Discarded: {before}."
    ),
    "both_texts": "{label} was changed on both sides. Both texts were kept. Please check the result.",
    "put_back": (
        "{label} can be changed only in {owner}: {before} was replaced by {after}. Please make the change in {owner}."
    ),
    "waiting": (
        "{label} will change from {before} to {after} in Partner Center at {until} UTC. This cannot be undone. "
        "Please change it back before then if it is wrong."
    ),
    "win_held": (
        "{label} will change from {before} to {after} in Partner Center at {until} UTC. An earlier win may not be "
        "registered. Please change it back before then if it is wrong."
    ),
    "past_closing": "Close Date {value} has passed and the deal is open. Please enter a new date.",
    "refused": '{label} "{after}" was not carried over: {system} refused it and keeps "{before}". {reason} {remedy}',
    "create_unconfirmed": (
        "Partner Center did not confirm the new referral. The sync looks for it until {until} UTC, "
        "and creates it again if it does not exist."
    ),
    "closed_as": "Partner Center closed this deal as {status}.",
    "unsent_edits": "The deal was declined. These edits were not sent, and stay here only: {edits}.",
    "problem": "{reason} {remedy}",
    "text": "{text}",
    "folded": "{text}",
    "unreadable_line": "This line was written by a newer version of the connector, which is needed to show it.",
}

CAUSES: dict[str, tuple[str, str]] = {
    **SHARING_CAUSES,
    **EDIT_CAUSES,
    **GUARD_CAUSES,
    **OWNER_CAUSES,
    "missing_name": ("Opportunity Name is empty.", "Please enter a name."),
    "no_customer": ("The referral names no customer.", "Please enter the customer in Partner Center."),
    "missing_account": ("Account Name is empty.", "Please choose the customer's account."),
    "missing_country": ("The account has no Billing Country.", "Please enter it on the account."),
    "bad_country": (
        "The account's Billing Country {value} is not known.",
        "Please enter its name or its two-letter code on the account, for example Germany or DE.",
    ),
    "bad_listed_country": (
        "The account's Billing Country {value} is no country of ISO 3166-1. Partner Center takes no others.",
        "Please choose another country on the account.",
    ),
    "missing_address": ("The account has no {value}.", "Please enter it on the account."),
    "missing_money": ("Amount or its currency is empty.", "Please enter what is missing."),
    "bad_amount": ("Amount cannot be read as a sum of money.", "Please enter it again."),
    "bad_currency": ("The currency {value} is not an ISO 4217 code.", "Please choose another currency."),
    "unknown_org_currency": (
        "The currency of Amount is not known: the org does not name its currency.",
        "Please ask your administrator to set fixed_currency in the mapping file.",
    ),
    "currency_not_held": (
        '{label} is "{after}" in Partner Center. This org does not use that currency: {label} keeps "{before}" here.',
        "Please see Partner Center Amount, or the deal in Partner Center.",
    ),
    "currency_converted": (
        '{label} is "{after}" in Partner Center. This org shows "{converted}" for it, at the rate {rate}.',
        "Please change the amount in Partner Center only.",
    ),
    "amount_left_out": (
        '{label} "{after}" was not sent: Partner Center keeps "{before}", in a currency that this org does not use.',
        "Please change the amount in Partner Center.",
    ),
    "missing_closing": ("Close Date is empty.", "Please enter a date."),
    "bad_closing": ("The closing date in Partner Center cannot be read.", "Please enter it there again."),
    "no_closing": (
        "The referral has no closing date. Close Date {value} is a default, which is not sent.",
        "Please enter the right date.",
    ),
    "unreadable_closing": (
        "The referral's closing date cannot be read. Close Date {value} is a default, which is not sent.",
        "Please enter the right date in Partner Center.",
    ),
    "no_country": (
        "The referral has no country. Its account was found by name, or is new with country {default}.",
        "Please check the account.",
    ),
    "unknown_country": (
        "The referral's country {given} is not known. Its account was found by name, or is new with country {default}.",
        "Please check the account.",
    ),
    "text_cut": (
        "{label} holds the first {length} characters of a longer text.",
        "Please see the other system for the whole text.",
    ),
    "bad_addresses": (
        "Contacts without a valid e-mail address were left out: {value}.",
        "Please correct the addresses, and add the contact roles here.",
    ),
    "contact_refused": (
        "Salesforce refused the contact {contact}: {reason}.",
        "{remedy} Please add the contact role here.",
    ),
    "account_chosen": (
        "{count} accounts match the customer. This one {trait}. The others: {others}.",
        "Please merge them, or choose another.",
    ),
    "account_taken": (
        "A duplicate rule refused a new account. The one that it found is used: {account}.",
        "Please choose another if it is wrong.",
    ),
    "account_without_country": ("Account {account} has no known country.", "Please enter it, or choose another."),
    "several_accounts": (
        "Several accounts match the customer, {customer}.",
        "Please merge them, or let only one have this name and country.",
    ),
    "account_candidates": (
        "A duplicate rule refuses a new account for {customer}, and none that it found is surely the customer's.",
        "Please give the right one this name and country, merge them, or create it. The integration user must see it.",
    ),
    "contact_taken": ("A duplicate rule found {contact} in this account.", "Please check the contact role."),
    "contact_allowed": (
        "The contact {contact} is new, although a duplicate rule found similar records: {matches}.",
        "Please merge them if they are one person.",
    ),
    "person_account_contacts": (
        "The account {account} is a person and has no other contacts. Left out: {value}.",
        "Please add contact roles if needed.",
    ),
    "account_part_refused": (
        "Salesforce refused {column} of the new account, which was left empty: {reason}.",
        "{remedy} Please enter it on the account.",
    ),
    "no_address": ("The referral has no address. A new account has none either.", "Please enter it on the account."),
    "default_left_out": (
        "The default of {column} was left out: the integration user may not write that column.",
        "Please ask your administrator for access, or to correct the mapping file.",
    ),
    "value_refused": ("{label} was left out, because Salesforce refused it: {reason}.", "{remedy} Please enter it."),
    "stage_not_offered": ("The record type {name} does not offer the stage {value}.", "Add it, or map another stage."),
    "no_record_type": (
        "The integration user has no active record type {name} of {sobject}.",
        "Please ask your administrator to assign it, or to correct the mapping file.",
    ),
    "hidden_column": (
        "{label} is not synced, because the integration user may not see {columns}.",
        "Please ask your administrator to give them access.",
    ),
    "read_only_column": (
        "{label} was left empty, because the integration user may not write {columns}.",
        "Please enter it, and ask your administrator to give them access.",
    ),
    "unlisted_country": (
        "This org's list of countries lacks {given}. If the account is new, it has neither country nor state.",
        "Please choose the country on the account, or ask your administrator to add it to the list.",
    ),
    "unlisted_state": (
        "This org has no state {given} for {country}. If the account is new, it has no state.",
        "Please choose the state on the account.",
    ),
    "country_name": ("The referral's country {given} was read as {value}.", "Please check it on the account."),
    "missing_solutions": ("Products is empty.", "Please enter a solution id, for example SOL-15974-MQF."),
    "bad_solutions": (
        "Products holds words that are no solution ids: {value}.",
        "Please enter ids such as SOL-15974-MQF, separated by a comma, a semicolon or a blank.",
    ),
    "too_many_solutions": ("The deal has more than 50 solutions.", "Please keep at most 50."),
    "missing_team": ("Opportunity Owner has no last name.", "Please choose another owner."),
    "missing_email": ("Opportunity Owner has no email address.", "Please ask your administrator to enter it."),
    "missing_phone": (
        "Opportunity Owner has no phone number.",
        "Please ask your administrator to enter it or to set a default.",
    ),
    "missing_first_name": ("Opportunity Owner has no first name.", "Please ask your administrator to enter it."),
    "unknown_stage": (
        "Stage {value} has no matching status in Partner Center.",
        "Please choose another stage, or ask your administrator to map it.",
    ),
    "stage_on_hold": (
        "This Stage means {value}, which is only for deals that Microsoft sent.",
        "Please choose an active stage.",
    ),
    "unknown_referral": (
        "Referral Identifier does not name a referral that can be synced here.",
        "Please ask your administrator to check it.",
    ),
    "closed_is_final": (
        '{label} "{after}" was not sent: the deal is closed in Partner Center, which keeps "{before}".',
        "For a new deal, please clone the opportunity, clear Sync with Partner Center on the copy, save, then tick it.",
    ),
    "not_answered": (
        '{label} "{after}" was not sent: the deal is not accepted yet. Partner Center keeps "{before}".',
        "Please choose an active Stage to accept it, or a closed one to decline it.",
    ),
    "already_accepted": (
        'Stage "{after}" was not sent: the deal is "{before}" in Partner Center. Only an unanswered one is declined.',
        "Please choose the Stage of a lost deal, or an active one.",
    ),
    "no_reason": (
        "Closing Reason is empty. Stage {value} closes the deal as {sent}, which needs one, so it was not sent.",
        "Please choose another Stage, or one of these Closing Reasons: {known}.",
    ),
    "unlisted_reason": (
        "Closing Reason {value} is not a reason for {sent}, so the Stage was not sent.",
        "Please choose one of these Closing Reasons: {known}.",
    ),
    "set_at_creation": (
        '{label} "{after}" was not carried over: it travels only at creation. {system} keeps "{before}".',
        "Please change it there too, if it is right.",
    ),
    "unreadable_there": (
        '{label} "{after}" was not sent, because its value in Partner Center cannot be read.',
        "Please correct it in Partner Center first.",
    ),
    "unmapped_status": (
        "The status {value} of Partner Center has no matching stage.",
        "Please ask your administrator to map it.",
    ),
    "no_such_move": (
        "Partner Center cannot change this deal from {before} to {after}.",
        "Please choose another Stage.",
    ),
    "not_clearable": ('{label} was emptied, but {system} needs a value and keeps "{before}".', "Please enter a value."),
    "empty_at_owner": (
        '{label} is empty in {system}, where alone it can be changed. "{after}" was left as it is on the other side.',
        "Please enter it in {system} too if it belongs there.",
    ),
    "unasked_stage": (
        'Stage {value} may be set by automation. It was not sent: Partner Center keeps "{kept}".',
        (
            "Any other Stage that you choose is sent as the answer. If {value} is the right one, please choose another "
            "active Stage first, which is sent too, and {value} after the next sync."
        ),
    ),
    "ignored": (
        '{label} "{after}" was written, but {system} kept "{before}".',
        "Please ask your administrator what changes this field.",
    ),
    "ignored_stage": (
        '{label} "{after}" was written, but {system} kept "{before}".',
        (
            'A Stage that means another status than "{before}" is sent as the answer. For any other answer, please '
            "accept or decline the deal in Partner Center, and ask your administrator what changes this field."
        ),
    ),
}


def system_name(side: Side) -> str:
    """The name of a side as people know it."""
    return "Partner Center" if side is Side.PARTNER_CENTER else "Salesforce"


def line_text(code: str, direction: LineDirection | None, values: Mapping[str, str]) -> str:
    """The text of an audit line: its heading, and the sentence of its code or the reason and the remedy of a cause.

    A line that a later build stored with other values is shown as a sentence that says so.
    """
    stored = {"known": known_reasons(values["sent"]), **values} if "sent" in values else values  # 0.9.0 kept no list
    try:
        text = (SENTENCES[code] if code in SENTENCES else " ".join(CAUSES[code])).format(**stored)
    except KeyError:
        return SENTENCES["unreadable_line"]
    return f"{HEADINGS[direction]}: {text}" if direction else text


def cause(code: str, field: str | None = None, **values: object) -> Cause:
    """The cause for a code, with its values filled in."""
    reason, remedy = CAUSES[code]
    texts = {name: str(value) for name, value in values.items()}
    return Cause(code, field, reason.format(**texts), remedy.format(**texts), values=texts)


def is_reported(one: Cause, reported: Sequence[str]) -> bool:
    """Whether a cause was reported already; `reported` holds the keys of those that the link has reported.

    A reason without values says the same in every wording, so an earlier release's wording counts too.
    """
    if one.key in reported:
        return True
    has_values = "{" in CAUSES[one.code][0] if one.code in CAUSES else True
    return not has_values and any(key.startswith(f"{one.code}:") for key in reported)
