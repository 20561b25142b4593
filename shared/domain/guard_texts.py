"""What people read where a guard stops something: part of `shared.domain.sentences`."""

from collections.abc import Mapping

ERASED = "value erased"
"""Stands in an audit line where a value was, once that was erased (docs/protocol.md#personal-data)."""

GUARD_SENTENCES: Mapping[str, str] = {
    "set_back": (
        "{label}: the sync was interrupted while it wrote {after} to {system}, which has {before}. "
        "If somebody has set it back there, please do so again."
    ),
    "replaced_unseen": (
        "{label}: the sync was interrupted while it wrote {after} to {system}. It may have replaced {before} there."
    ),
    "clone_unticked": (
        "Sync with Partner Center was cleared. If it is set again, this opportunity is sent as a deal of its own."
    ),
    "second_referral": (
        "Partner Center has a second open referral for this opportunity, {referral}, which is not synced. "
        "Please close it there as Error, with the reason Duplicate made in Partner Center."
    ),
    "mass_change": (
        "{label} stays {before} in {system} for now, and does not become {after}: unusually many deals have changed in "
        "this way. It goes on once an operator has approved it."
    ),
    "mapping_change": (
        "{label} stays {before} in Partner Center for now, and does not become {after}: the mapping file sends it "
        "for the first time, or from another column. It goes on once an operator has approved it."
    ),
    "mass_creation": (
        "This deal is not in Partner Center yet: unusually many deals were ticked. It goes on once an operator has "
        "approved it."
    ),
    "mass_request": (
        "Microsoft is not asked for help yet: unusually many deals ask for it. It goes on once an operator has "
        "approved it."
    ),
}

GUARD_CAUSES: Mapping[str, tuple[str, str]] = {
    "ping_pong": (
        '{label} "{value}" was written to {system} three times within an hour: another automation sets it back.',
        "Please ask your administrator to end that automation, or enter one value in both. It is tried hourly.",
    ),
    "unreadable_refusal": (
        (
            "{system} refused this again and again without a reason that can be read. "
            "A proxy or gateway in between may have answered."
        ),
        "Please ask your administrator what stands between the sync and {system}. It is tried hourly.",
    ),
    "clone": (
        "Is this a copy of {original}? It was created with the tick, and has the same name, account and amount.",
        (
            "Please clear Sync with Partner Center if it is. If it is a deal of its own, please change its name or "
            "amount; or clear the tick, wait some minutes for a note here, and set it again."
        ),
    ),
    "newly_sent": (
        "The mapping file sends {label} for the first time, or from another column, and nobody has approved that yet.",
        "Please ask your administrator to run cosell approve.",
    ),
    "second_referral_open": (
        "This referral names the opportunity {opportunity}, which is synced with another referral, {linked}.",
        "Please close this referral in Partner Center as Error, with the reason Duplicate made in Partner Center.",
    ),
    "referral_taken": (
        "Referral Identifier names a referral that is synced with another opportunity, {opportunity}.",
        "Please keep one of the two: clear Sync with Partner Center on this opportunity, or delete the other one.",
    ),
}
