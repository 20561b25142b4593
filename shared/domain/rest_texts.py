"""The sentences that people read about a deal through which no value travels: paused, closed, or gone."""

from collections.abc import Mapping

CHANGED_AFTER_CLOSE = "changed_after_close"
"""The code of a value that changed in Partner Center after the deal was closed."""
OWN_LIST = "its own list"
"""Stands for the people of a closed deal that was not read again."""

REST_SENTENCES: Mapping[str, str] = {
    "paused": (
        "Sync with Partner Center is not ticked any more, so nothing is synced. "
        "Edits of both sides are merged once it is ticked again."
    ),
    "was_deleted": (
        "This opportunity was deleted. Nothing was synced until it was restored, and the referral in Partner Center "
        "stayed as it was."
    ),
    "was_hidden": (
        "The integration user could not see this opportunity any more. Nothing was synced until it saw it again."
    ),
}

REST_CAUSES: Mapping[str, tuple[str, str]] = {
    CHANGED_AFTER_CLOSE: (
        '{label} was changed to "{after}" in Partner Center after the deal was closed. {system} keeps "{before}".',
        "Please change it here too, if it is right. For a new deal, please clone the opportunity.",
    ),
    "opportunity_deleted": (
        "The opportunity was deleted. Its referral in Partner Center is still open, and is not synced.",
        "Please restore the opportunity from the Recycle Bin, or close the referral in Partner Center.",
    ),
}
