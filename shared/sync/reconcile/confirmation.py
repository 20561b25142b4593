"""A write is confirmed by what is read back, never by a status code (docs/protocol.md#confirmed-means-seen)."""

from collections.abc import Sequence
from copy import replace
from datetime import datetime

from shared.domain.deal import Deal, Side, fingerprint
from shared.domain.link import Difference, Link
from shared.domain.plan import REFUSED_BY_FAR_SIDE, Change
from shared.domain.records import Referral
from shared.foundation.errors import Ambiguous, Unavailable
from shared.sync.context import Context
from shared.sync.ports import Json


def split_by_effect(changes: Sequence[Change], read_back: Deal) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """The changes that took effect, and those that the far side ignored: it still holds the old value.

    Another value after a successful write means that a person was faster. The base then takes the value that was
    sent, and the next look finds the other value as an edit.
    """
    ignored = tuple(
        change
        for change in changes
        if change.field in read_back and read_back[change.field] == change.old != change.new
    )
    return tuple(change for change in changes if change not in ignored), ignored


def with_refused(link: Link, changes: Sequence[Change], side: Side, now: datetime) -> Link:
    """The link with values noted as refused by a side: they are not sent again, and not pushed back."""
    differences = {
        f"{side}.{change.field}": Difference(fingerprint(change.new), f"{REFUSED_BY_FAR_SIDE}{side}", now)
        for change in changes
    }
    return replace(link, refused={**link.refused, **differences})


def has_refused_value(link: Link) -> bool:
    """Whether the far side refused a value: only another value ends that."""
    return any(known.code.startswith(REFUSED_BY_FAR_SIDE) for known in link.refused.values())


def referral_from_answer(ctx: Context, answer: Json) -> Referral:
    """The referral that confirms a write. Raises Ambiguous for an answer that cannot be read."""
    try:
        return ctx.translation.referral(answer)
    except Unavailable as error:
        raise Ambiguous(f"a write was answered with {error}") from None
