"""Says why Salesforce refuses columns of ours, and what a person does about it.

The remedies of docs/errors.md correct a record. Here no value of the deal is wrong: the org keeps the integration user
from writing a column, so most remedies are the administrator's.

Source: docs/troubleshooting.md#what-cosell-status-lists.
"""

from collections.abc import Mapping, Sequence
from copy import replace

from shared.domain.cause import Cause
from shared.domain.link import Unshown
from shared.domain.remedies import SALESFORCE_REMEDIES

REFUSED_COLUMNS = "refused_columns"
"""The cause of a deal on which columns of ours cannot be written."""
_NOT_STORED = "The store does not have the reason yet: the next try stores it, and `cosell status` shows it then."
_ANY = "The administrator of Salesforce corrects what this message names: a rule, a flow, a trigger or a right."
_HIDDEN = "`cosell doctor` names what the integration user may not see or write: the administrator gives that right."
_REMEDIES: Mapping[str, str] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": (
        "A validation rule, a flow or a trigger of the org says this. The administrator of Salesforce lets the "
        "integration user write there, or the seller enters in the opportunity what the message asks for."
    ),
    "INSUFFICIENT_ACCESS": SALESFORCE_REMEDIES["INSUFFICIENT_ACCESS"],
    "INVALID_FIELD": _HIDDEN,
    "INVALID_FIELD_FOR_INSERT_UPDATE": _HIDDEN,
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": (
        "The picklist of the column, or the record type of the opportunity, lacks a value of the Salesforce package: "
        "the administrator adds it."
    ),
    "INVALID_TYPE": _HIDDEN,
}


def refusal_text(refusal: Cause | None) -> str:
    """Why Salesforce refused columns of ours, in its own words; empty where an earlier build stored no reason."""
    if refusal is None:
        return ""
    where = f" of {refusal.field}" if refusal.field else ""
    return f"Salesforce says ({refusal.code}{where}): {refusal.reason.rstrip('.')}."


def column_remedy(refusal: Cause | None) -> str:
    """What a person does so that Salesforce takes the columns."""
    if refusal is None:
        return _NOT_STORED
    code = "INSUFFICIENT_ACCESS" if refusal.code.startswith("INSUFFICIENT_ACCESS") else refusal.code
    return _REMEDIES.get(code, _ANY)


def column_cause(unshown: Unshown | None) -> Cause | None:
    """What the link keeps of the refusal, with the remedy for columns of ours; None if no reason is stored."""
    refusal = unshown.cause if unshown else None
    return replace(refusal, remedy=column_remedy(refusal)) if refusal else None


def columns_text(columns: Sequence[str], refusal: Cause | None) -> str:
    """Which columns of ours Salesforce refuses, why, and the remedy."""
    texts = " ".join(filter(None, (refusal_text(refusal), column_remedy(refusal))))
    return f"Columns that cannot be written back: {', '.join(columns)}. {texts}"
