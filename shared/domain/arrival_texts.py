"""Parts of what people read about a deal that arrives: why an account was taken, and the notice to the owner."""

from collections.abc import Mapping

MATCHED_BY: Mapping[str | None, str] = {
    "duns": "has the same D-U-N-S number",
    "domain": "has the web domain of the contacts",
    "address": "has the same address",
    None: "is the oldest",
}
"""Why an account is the best of several, by what it has in common with the customer."""

NOTICE: Mapping[str, str] = {
    "title": "New deal from Partner Center: {name}",
    "warning_3": "Answer within 3 days: {name}",
    "warning_1": "Answer within 1 day: {name}",
    "unanswered": (
        "{deal}. Please answer by {until} UTC: an active Stage accepts it, the Stage of a lost or declined deal with a "
        "Closing Reason declines it."
    ),
    "answered": "{deal}. It is answered already, and belongs to you now.",
    "lead": "{deal}. It is a lead, and read-only here. Please accept or decline it in Partner Center.",
}
"""What the owner of a new deal reads in a notification or a task."""
