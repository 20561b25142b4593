"""The sentences about what Microsoft sees of a deal, does about it, and says: part of `shared.domain.sentences`."""

from collections.abc import Mapping

SHARING_SENTENCES: Mapping[str, str] = {
    "waits_to_share": (
        "This deal will be created in Partner Center at {until} UTC, and Microsoft will see it. This cannot be undone. "
        "Please change it before then if it is wrong."
    ),
}

SHARING_CAUSES: Mapping[str, tuple[str, str]] = {
    "help_asked": ("How can Microsoft help? has a value, which cannot be sent yet.", "Please clear that field."),
    "stays_visible": (
        "{label} stays ticked in Partner Center: Microsoft has seen the deal, and that cannot be undone.",
        "Please tick it here again.",
    ),
}
