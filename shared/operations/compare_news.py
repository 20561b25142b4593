"""Finds what other parties say in our open deals and nobody has heard, because an event was lost.

The engagement of each open deal that Microsoft sees, or another party takes part in, is listed: one call each. Where
the list hides Microsoft's record, the record is read by the id that the link knows. What is found is heard through the
retry queue, as after an event (`hear_microsoft.py`).

Source: docs/protocol.md#the-daily-compare.
"""

from collections.abc import Collection, Sequence
from functools import partial

from shared.domain.compared import GRACE, Finding, FindingKind, has_other_parties
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.microsoft_news import is_news_for
from shared.domain.microsoft_record import MicrosoftRecord, PartnerRecord
from shared.domain.sighting import Sighting
from shared.foundation.errors import CosellError, NotFound, Rejected, SignInFailed, Throttled
from shared.mapping.other_parties import parties_in, record_of_party
from shared.sync.hear_microsoft import read_shown
from shared.sync.ports import Context, Json
from shared.sync.retry_queue import outcome_of_error, pausing_on_failure


def find_news(ctx: Context, links: Sequence[Link], new: Collection[str] = ()) -> list[Finding]:
    """A finding for each record of another party that says more than its open deal has heard.

    A change of the last hour may be under way, and is left out. So is what a deal of `new` has never heard of.
    Raises Throttled and SignInFailed, and the errors of the store.
    """
    shared = [link for link in links if has_other_parties(link) and not link.has_ended]
    news = ctx.map(partial(_news_or_leave, ctx, new), shared, to=Side.PARTNER_CENTER)
    return [one for each in news for one in each]


def _news_or_leave(ctx: Context, new: Collection[str], link: Link) -> Sequence[Finding]:
    try:
        with pausing_on_failure(ctx, Side.PARTNER_CENTER):
            records = _records_of(ctx, link)
    except (Throttled, SignInFailed):
        raise
    except CosellError as error:  # one bad record must not stop the others
        outcome_of_error(ctx, error, link.opportunity_id)
        return ()
    is_new = link.opportunity_id in new
    settled = [record for record in records if _is_settled(ctx, link, record, is_new=is_new)]
    news = [record.id for record in settled if is_news_for(link, record)]
    return [Finding(FindingKind.NEWS, link.opportunity_id, key) for key in news if not _is_sighted(ctx, key)]


def _is_settled(ctx: Context, link: Link, record: MicrosoftRecord | PartnerRecord, *, is_new: bool) -> bool:
    """Whether an event or a sweep has had the time to tell what the record says."""
    is_first = link.microsoft is None if isinstance(record, MicrosoftRecord) else record.id not in link.partners
    is_young = record.updated is not None and ctx.clock.now() - record.updated < GRACE
    return not is_young and not (is_new and is_first)


def _is_sighted(ctx: Context, referral_id: str) -> bool:
    return ctx.store.retry_entry(Side.PARTNER_CENTER, Sighting(referral_id).key) is not None


def _records_of(ctx: Context, link: Link) -> Sequence[MicrosoftRecord | PartnerRecord]:
    """What the list of the engagement shows of other parties; where it hides Microsoft's record, that one by its id."""
    records, _ = parties_in(_listed(ctx, link.engagement_id), ctx.scope.organization_id)
    known = link.microsoft.id if link.microsoft else ""
    raw = read_shown(ctx, known) if known and all(record.id != known for record in records) else None
    return records if raw is None else (*records, record_of_party(raw))


def _listed(ctx: Context, engagement_id: str | None) -> Sequence[Json]:
    try:
        return ctx.partner_center.in_engagement(engagement_id) if engagement_id else ()
    except (NotFound, Rejected):
        return ()
