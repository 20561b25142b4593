"""The sentences that sellers read about edits which do not travel as they are."""

from collections.abc import Mapping

EDIT_SENTENCES: Mapping[str, str] = {}

EDIT_CAUSES: Mapping[str, tuple[str, str]] = {
    "fixed_there": (
        '{label} "{after}" was not sent: Partner Center takes no change of it from here, and keeps "{before}".',
        "Please change it in Partner Center by hand, or change it back here.",
    ),
}
