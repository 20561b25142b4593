"""The sentences about leads: part of `shared.domain.sentences`."""

from collections.abc import Mapping

LEAD_SENTENCES: Mapping[str, str] = {
    "lead_arrived": (
        "This is a lead of Partner Center. It is read-only there: nothing that is edited here is sent. "
        "Please accept or decline it in Partner Center."
    ),
    "lead_opportunity": (
        "This is a lead of Partner Center from {source}. The customer asked for: {action}. Solutions: {solutions}. "
        "Nothing is sent before the lead is accepted in Partner Center; then it becomes a deal like any other."
    ),
    "lead_default": '{label} is empty in Partner Center, so "{after}" was entered. Please correct it here.',
    "lead_cut": "{label} was cut, because it is too long in Partner Center. Please see it there.",
    "lead_differs": '{label} is "{after}" in Partner Center. Here it is "{before}", which was edited and stays.',
    "lead_status": "The lead is {status} in Partner Center.",
    "lead_refused": "{label} was left out: {reason}. {remedy}",
    "lead_hidden": (
        "{label} was left out: Lead has no such field, or the sync may not see it. Please ask your administrator."
    ),
    "lead_resembles": "This lead resembles {matches}. It was saved all the same. Please merge them if they are one.",
    "lead_accepted": "This lead was accepted in Partner Center. It is a deal now, and edits travel.",
    "lead_became": (
        "This lead was accepted in Partner Center, and its deal is {address}. Please close or convert this lead."
    ),
    "lead_before": "This deal was a lead before: {address}. Please close or convert that lead, which is not synced.",
    "lead_unsent": (
        "This is a lead of Partner Center, so nothing is sent, whether or not Sync with Partner Center is ticked. "
        "Please accept the lead in Partner Center."
    ),
    "lead_not_accepted": (
        '{label} was not sent: Partner Center keeps "{before}", because this is a lead there. "{after}" stays here. '
        "Please accept the lead in Partner Center, and it is sent."
    ),
}

LEAD_CAUSES: Mapping[str, tuple[str, str]] = {
    "no_lead_column": (
        "This is a lead, and Salesforce has no field {value} on Lead, or the integration user may not see it.",
        "Please install the Salesforce package and its permission set again, or set LEADS to off or opportunity.",
    ),
    "converted_lead": (
        "This opportunity was converted from a lead of Partner Center that nobody has accepted there.",
        "Please accept the lead in Partner Center. Then this opportunity is linked to it.",
    ),
}

FILL_LEAD = "Give {field} a value under defaults in the table [lead] of the mapping file, or a default in Salesforce."
"""What helps where the org demands a column of each Lead that we do not write."""
