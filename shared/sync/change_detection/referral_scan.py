"""The scan of Partner Center's list by change date (docs/protocol.md#the-sweep). It returns ids only."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from shared.foundation.errors import UnreadableRow
from shared.mapping.paths import Json, parse_time
from shared.mapping.translation import is_target_microsoft
from shared.sync.change_detection.echo import is_known_referral
from shared.sync.context import Context

SWEEP = "sweep"
"""The name of the sweep, and of its cursor."""


class ScannedPage(Struct, frozen=True):
    """A page of the list: how many referrals it names, which of them to pull, and the newest change date on it."""

    seen: int
    unknown: Sequence[str]
    newest: datetime | None


def changed_referrals(ctx: Context) -> Iterator[ScannedPage]:
    """Pages of referrals that changed since the cursor, newest first."""
    for page in ctx.partner_center.changed_since(_scan_start(ctx)):
        dates = (_stamp_date(stamp, "updatedDateTime") for stamp in page)
        newest = max((date for date in dates if date), default=None)
        yield ScannedPage(len(page), unknown_referrals(ctx, page), newest)


def _scan_start(ctx: Context) -> datetime:
    cursor = ctx.store.cursor(SWEEP)
    return (cursor - ctx.policy.sweep_overlap) if cursor else ctx.scope.begin


def unknown_referrals(ctx: Context, page: Sequence[Json]) -> list[str]:
    """The ids, in lower case, of our own referrals whose version is not known to any link."""
    own = [stamp for stamp in page if _is_own(ctx, stamp)]
    known = ctx.workers.map(lambda stamp: _is_known_and_readable(ctx, stamp), own, at_most=ctx.policy.parallelism)
    return [str(stamp["id"]).lower() for stamp, is_known in zip(own, known, strict=True) if not is_known]


def _is_own(ctx: Context, stamp: Json) -> bool:
    organization, reference = _text(stamp, "organizationId"), _text(stamp, "externalReferenceId")
    return not ctx.scope.exclusion_reason(organization, reference) and not is_target_microsoft(stamp)


def _is_known_and_readable(ctx: Context, stamp: Json) -> bool:
    """A pointer or link that cannot be read is not known: the pull then queues that pair alone."""
    try:
        return _is_known(ctx, stamp)
    except UnreadableRow:
        return False


def _is_known(ctx: Context, stamp: Json) -> bool:
    """Whether the link has seen this version, or the referral has no link and is from before the start."""
    pointer = ctx.store.pointer(str(stamp["id"]))
    if pointer is None:
        created = _stamp_date(stamp, "createdDateTime")
        return created is not None and created < ctx.scope.begin
    opportunity_id = pointer.value.opportunity_id
    return opportunity_id is not None and is_known_referral(ctx.store, stamp, opportunity_id)


def _text(stamp: Json, name: str) -> str | None:
    value = stamp.get(name)
    return value if isinstance(value, str) else None


def _stamp_date(stamp: Json, name: str) -> datetime | None:
    """A date of a listed referral; None where it cannot be read: that referral is then pulled like a changed one."""
    try:
        return parse_time(stamp.get(name))
    except ValueError:
        return None
