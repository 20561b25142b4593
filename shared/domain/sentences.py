"""Every sentence a seller reads, in one place, so that it can be translated (design.md section 1).

A sentence is found by its code; causes (why a deal is held, parked or refused) have a reason and a remedy.
"""

from shared.domain.cause import Cause

SENTENCES = {
    "created_referral": "Shared with Microsoft: a referral was created in Partner Center.",
    "adopted_referral": "Linked to the referral that Partner Center already has for this opportunity.",
    "contacts_left_out": "{count} of the contacts were not sent: first name, last name, e-mail and phone are needed.",
    "created_opportunity": "Received from Partner Center: this opportunity was created.",
    "adopted_opportunity": "Linked to a referral in Partner Center.",
    "solutions_cut": "{fitting} of {all} solutions fit the field; the others stand in Partner Center only.",
    "full_text": "{label} fills all {length} characters that fit here: what is longer in Partner Center is not shown.",
    "unreadable": "{label} has a value in Partner Center that cannot be shown here; it is left alone on both sides.",
    "changed": "{changes}.",
    "conflict": "{label} was changed on both sides: {kept} was kept, {lost} was given up.",
    "both_texts": "{label} was changed on both sides: both texts were kept.",
    "put_back": "{label} belongs to {owner}: {lost} was put back to {kept}.",
    "waiting": "{label} is to become {value} in Partner Center: sent at {until} UTC if it still stands.",
    "past_closing": "The closing date {value} has passed and the deal is open: please move it.",
    "problem": "{reason} {remedy}",
}

CAUSES: dict[str, tuple[str, str]] = {
    "missing_name": ("The opportunity has no name.", "Please enter one."),
    "missing_account": ("The opportunity has no account.", "Please choose the customer's account."),
    "missing_country": ("The account has no country.", "Please enter the two-letter country code on the account."),
    "bad_country": ("{value} is no two-letter country code.", "Please enter it on the account, for example US."),
    "missing_money": ("The deal value or its currency is missing.", "Please enter the amount."),
    "bad_amount": ("The deal value is no amount of money.", "Please enter it again."),
    "bad_currency": ("{value} is no ISO 4217 currency.", "Please choose another currency."),
    "missing_closing": ("The closing date is missing.", "Please enter it."),
    "missing_solutions": ("No solution is named.", "Please enter at least one solution id in Products."),
    "too_many_solutions": ("More than 50 solutions are named.", "Please name at most 50."),
    "missing_team": ("The opportunity has no owner who can be shown to Microsoft.", "Please choose an owner."),
    "missing_email": ("The owner has no e-mail address.", "Please ask your administrator to enter it."),
    "missing_phone": ("The owner has no phone number.", "Please enter it on the owner, or set a default phone."),
    "missing_first_name": ("The owner has no first name.", "Please ask your administrator to enter it."),
    "unknown_stage": ("The stage {value} is not in the stage table.", "Please choose a stage that is mapped."),
    "stage_on_hold": ("The stage {value} is for deals that Microsoft sent.", "Please choose an active stage."),
    "help_asked": ("Asking Microsoft for help is not possible yet.", "Please clear How can Microsoft help?"),
    "unknown_referral": ("The referral id leads to no referral of ours.", "Please ask your administrator to check it."),
    "closed_is_final": ("{label} cannot change any more: the deal is closed in Partner Center.", "Please clone it."),
    "not_answered": ("{label} is not sent before the deal is accepted.", "Please accept or decline it first."),
    "no_such_move": ("Partner Center cannot move this deal to {value}.", "Please choose another stage."),
    "not_clearable": ("{label} cannot be emptied on the other side.", "Please enter a value."),
    "ignored": ("{label} was written, and the other side kept {kept}.", "Please check the field's automation."),
}


def sentence(code: str, **values: object) -> str:
    """The sentence for a code."""
    return SENTENCES[code].format(**values)


def cause(code: str, field: str | None = None, **values: object) -> Cause:
    """The cause for a code, with its values filled in."""
    reason, remedy = CAUSES[code]
    return Cause(code, field, reason.format(**values), remedy.format(**values))
