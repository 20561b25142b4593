"""Show referrals in lists as they were some time ago, or not at all (docs/reference/partner-center.md#list-pages)."""

from collections.abc import Iterator
from copy import replace

from emulators.partner_center import timestamps
from emulators.partner_center.referral_store import UPDATED, ReferralStore, Span, StoredReferral
from emulators.partner_center.switches import Switches


def former_version(referral: StoredReferral, now: int, switches: Switches) -> StoredReferral | None:
    """The version before a change that happens now, if lists are stale. It keeps those that a list may still show."""
    return _without_old_versions(referral, now - _ticks(switches.list_stale)) if switches.list_stale else None


def _without_old_versions(referral: StoredReferral, shown_since: int) -> StoredReferral:
    if referral.former is None or referral.updated <= shown_since:
        return replace(referral, former=None)
    return replace(referral, former=_without_old_versions(referral.former, shown_since))


def are_late(switches: Switches) -> bool:
    """Whether lists show changed referrals late."""
    return bool(switches.list_stale or switches.list_gap)


def listed_versions(
    store: ReferralStore, switches: Switches, field: str, now: int
) -> list[tuple[StoredReferral, bool]]:
    """Each referral as lists in the order of `field` show it now, and whether that is an old version.

    Those in a gap are left out of lists in the order of the last change.
    """
    gap = _ticks(switches.list_gap) if field == UPDATED else 0
    shown = ((_shown_version(referral, switches, gap, now), referral) for referral in store)
    return [(version, version is not referral) for version, referral in shown if version is not None]


def _shown_version(referral: StoredReferral, switches: Switches, gap: int, now: int) -> StoredReferral | None:
    is_late = not switches.list_gap_of or referral.id[0] in switches.list_gap_of
    if gap and is_late and now - gap < referral.updated != referral.created:
        return None
    while referral.former is not None and referral.updated > now - _ticks(switches.list_stale):
        referral = referral.former
    return referral


def in_order(
    versions: list[StoredReferral], field: str, span: Span, *, descending: bool, after: tuple[int, str] | None
) -> Iterator[StoredReferral]:
    """What `ReferralStore.iterate_by_date` yields, for these versions."""
    keyed = sorted(((each.updated if field == UPDATED else each.created, each.id), each) for each in versions)
    for key, each in reversed(keyed) if descending else keyed:
        is_behind = after is None or (key < after if descending else key > after)
        is_within = (span.low is None or span.low <= key[0]) and (span.high is None or key[0] <= span.high)
        if is_behind and is_within:
            yield each


def _ticks(seconds: float) -> int:
    return int(seconds * timestamps.SECOND)
