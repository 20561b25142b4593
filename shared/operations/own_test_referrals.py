"""Finds the open referrals that this environment has made, and notes in their links that the app closes them.

Outside production every referral is a test, and nothing can be deleted in Partner Center. This module writes the rows
of the store only: the app closes each referral under the lease of its pair (`shared/sync/close_test_referral.py`).
First the link is noted, under the ETag of its row, then the pair is queued. If the process stops in between, the
command is run again.

Source: docs/protocol.md#closing-test-referrals.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import replace
from datetime import UTC, datetime

from msgspec import Struct

from shared.domain.deal import Side, display_text
from shared.domain.link import Link
from shared.domain.records import Referral
from shared.foundation.errors import NotFound, StoreConflict, UnreadableRow
from shared.mapping.referral_kind import is_target_microsoft
from shared.sync.ports import Context, Entry, Outcome, Result
from shared.sync.retry_queue import queue_pair

FIRST_DAY = datetime(2015, 1, 1, tzinfo=UTC)
"""Before the first referral of any tenant."""
BUSY = "the app works on it: run the command again in ten minutes"
BY_HAND = "close it in Partner Center, as error: Test referral"
CHANGED = "its external reference no longer has this environment's tag, so it may be another one's deal by now"


class TestReferral(Struct, frozen=True):
    """An open referral of this environment; `obstacle` says why the app cannot close it, and is empty if it can."""

    __test__ = False  # no test of pytest

    id: str
    name: str
    amount: str
    opportunity_id: str | None
    obstacle: str = ""


def find_test_referrals(
    ctx: Context, report_progress: Callable[[int, int], None] = lambda _done, _total: None
) -> Sequence[TestReferral]:
    """The open referrals of this environment: with its tag, or linked here, whatever their reference says now.

    Raises the errors of Partner Center and of the store.
    """
    found, linked = list[TestReferral](), _linked_opportunities(ctx)
    ids = list(dict.fromkeys((*_listed_ids(ctx), *linked)))
    for number, referral_id in enumerate(ids):
        report_progress(number, len(ids))
        with suppress(NotFound):
            referral = ctx.translation.referral(ctx.partner_center.get(referral_id))
            is_closed = referral.status is not None and referral.status.is_final
            if not is_closed and _is_own(ctx, referral, linked.get(referral_id)):
                found.append(_described(ctx, referral, linked.get(referral_id)))
    return found


def request_close(ctx: Context, found: TestReferral) -> str:
    """Note in the link that the app closes the referral, and queue the pair; returns the obstacle, or an empty text.

    A request that is repeated changes nothing but the time of the queue's entry.
    """
    entry, obstacle = _link_of(ctx, found.id, found.opportunity_id)
    if entry is None or obstacle:
        return obstacle
    try:
        if not entry.value.close_as_test:
            ctx.store.replace_link(entry, replace(entry.value, close_as_test=True))
    except StoreConflict:
        return BUSY
    queue_pair(
        ctx, Side.SALESFORCE, entry.value.opportunity_id, Outcome(Result.RETRY, "close_as_test", ctx.clock.now())
    )
    return ""


def _listed_ids(ctx: Context) -> Iterator[str]:
    for page in ctx.partner_center.created_since(FIRST_DAY):
        for stamp in page:
            organization, reference = stamp.get("organizationId"), stamp.get("externalReferenceId")
            if not (ctx.scope.exclusion_reason(organization, reference) or is_target_microsoft(stamp)):
                yield str(stamp["id"]).lower()


def _linked_opportunities(ctx: Context) -> dict[str, str]:
    """The opportunities of the store by referral: a list shows a new referral late."""
    links = (entry.value for entry in ctx.store.links())
    return {link.referral_id.lower(): link.opportunity_id for link in links if link.referral_id}


def _is_own(ctx: Context, referral: Referral, linked: str | None) -> bool:
    is_foreign = linked is None and _is_foreign(ctx, referral)
    return not (is_foreign or referral.is_target_microsoft)


def _is_foreign(ctx: Context, referral: Referral) -> bool:
    return ctx.scope.exclusion_reason(referral.organization_id, referral.external_reference) is not None


def _described(ctx: Context, referral: Referral, linked: str | None) -> TestReferral:
    """What is told of a referral. One whose tag a colleague took away may be another environment's deal by now."""
    name, amount = (display_text(referral.deal.get(field)) for field in ("name", "money"))
    opportunity_id = linked or ctx.scope.opportunity_named_by(referral.external_reference)
    obstacle = CHANGED if _is_foreign(ctx, referral) else _link_of(ctx, referral.id, opportunity_id)[1]
    return TestReferral(referral.id, name, amount, opportunity_id, obstacle)


def _link_of(ctx: Context, referral_id: str, opportunity_id: str | None) -> tuple[Entry[Link] | None, str]:
    """The link of a referral, and why the app cannot close it now."""
    if opportunity_id is None:
        return None, f"its external reference names no opportunity: {BY_HAND}"
    try:
        entry = ctx.store.link(opportunity_id)
    except UnreadableRow:
        return None, f"this version cannot read its row: {BY_HAND}"
    if entry is not None and entry.value.intent is not None:
        return entry, BUSY
    if entry is None or entry.value.referral_id != referral_id:
        return None, f"the store does not link opportunity {opportunity_id} with it: {BY_HAND}"
    return entry, ""
