"""The sentences that people read about the owner of a deal that arrives."""

from collections.abc import Mapping

_CORRECT_OWNER = "Please ask your administrator to correct the mapping file."
OWNER_CAUSES: Mapping[str, tuple[str, str]] = {
    "owner_no_state": ('Owner rule {rule} does not know the state "{state}".', _CORRECT_OWNER),
    "owner_unknown": ("Owner rule {rule}: this org has no user {user}.", _CORRECT_OWNER),
    "owner_inactive": ("Owner rule {rule}: {user} is not active.", _CORRECT_OWNER),
    "owner_ambiguous": ("Owner rule {rule}: several active users have the address {user}.", _CORRECT_OWNER),
    "owner_unfit": ("Owner rule {rule}: {user} cannot own deals.", _CORRECT_OWNER),
    "owner_refused": ("Owner rule {rule}: Salesforce refused {user}: {reason}.", "{remedy} Or name another user."),
    "no_owner": (
        "No owner rule names a user, so the user of the sync owns this opportunity.",
        "Please change Opportunity Owner.",
    ),
    "owner_not_told": (
        "Opportunity Owner was not notified of this deal: {reason}.",
        "Please ask your administrator to check the permissions of the sync.",
    ),
    "owner_maybe_told": ("Nobody knows whether Opportunity Owner was notified of this deal.", "Please tell them."),
}
