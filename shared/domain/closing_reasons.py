"""The reasons that Microsoft knows for a deal that is declined, lost or closed as an error.

Source: docs/reference/partner-center.md#closing-reasons.
"""

from collections.abc import Mapping

NOT_WON = (
    "Budget not adequate",
    "Customer did not respond",
    "Customer chose another vendor",
    "Requirement not met",
    "Not a customer",
    "Timeline too short",
    "Abuse, spam or phishing",
    "Others",
)
MISTAKE = (
    "Duplicate by bulk upload",
    "Duplicate made in Partner Center",
    "Duplicate sent by Microsoft",
    "Connector data sync issue",
    "Customer matching issue",
    "Solution issue",
    "Test referral",
    "Data error",
    "Others",
)
OTHERS = "Others"
REASONS: Mapping[str, tuple[str, ...]] = {"Declined": NOT_WON, "Lost": NOT_WON, "Error": MISTAKE}
"""The reasons of each substatus that needs one."""


def known_reasons(substatus: str) -> str:
    """The reasons of a substatus as a sentence lists them, one of which has a comma; empty where it needs none."""
    return "; ".join(REASONS.get(substatus, ()))


def listed_reason(substatus: str, chosen: str) -> str | None:
    """The reason as Microsoft spells it; None if it is not one for this substatus."""
    return next((one for one in REASONS[substatus] if one.casefold() == chosen.strip().casefold()), None)


def reason_text(substatus: str, given: str) -> str:
    """A reason of the mapping file as Microsoft takes it: its own words, or `Others` with the given words behind it."""
    own = any(given.casefold() == one.casefold() or given.casefold().startswith(f"{one.casefold()}:")
              for one in REASONS[substatus])  # fmt: skip
    return given if own else with_details(OTHERS, given)


def with_details(reason: str, details: str) -> str:
    """The reason with a person's own words behind it."""
    words = " ".join(details.split())
    return f"{reason}: {words}" if words else reason
