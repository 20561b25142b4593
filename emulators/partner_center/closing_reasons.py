"""Name the reasons of the bulk upload, and check a reason against them.

Source: docs/reference/partner-center.md#closing-reasons
"""

from emulators.partner_center.service_errors import invalid_request

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
REASONS = {"Declined": NOT_WON, "Lost": NOT_WON, "Error": MISTAKE}
"""The reasons of each substatus that can have one."""


def check_reason(substatus: str, reason: object, *, needed: bool, listed: bool) -> None:
    """Check the reason of a deal that closes. Raises ServiceError.

    With `needed` there must be one. With `listed` it must also begin with a reason of the list; more words may follow.
    """
    known = REASONS.get(substatus)
    if known is None or not (needed or listed):
        return
    if not isinstance(reason, str) or not reason.strip():
        raise invalid_request("A reason is required.", target="statusReason")
    if listed and not any(_begins_with(reason, name) for name in known):
        raise invalid_request(f"'{reason}' is not a reason for {substatus}.", target="statusReason")


def _begins_with(reason: str, name: str) -> bool:
    rest = reason.strip()[len(name) :]
    return reason.strip().casefold().startswith(name.casefold()) and not rest[:1].isalnum()
