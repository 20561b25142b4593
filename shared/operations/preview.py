"""Chooses the deals of a preview, and previews them in the order in which the app would look at them.

what                 opportunities                                referrals
the next runs        changed since the cursor, due for a retry    the same
all                  all that are linked or ticked                all whose version is not known
one id, a filter     those of the filter                          of those that are linked

Source: docs/protocol.md#a-preview.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import batched

from msgspec import Struct, field

from shared.app import App
from shared.domain.deal import Side
from shared.domain.link_states import SUSPENDED
from shared.domain.sighting import RELATED
from shared.foundation.errors import ConfigurationError, UnreadableRow
from shared.operations.find_pair import find_deal, read_id
from shared.operations.preview_context import Preview, open_preview
from shared.operations.preview_deals import Creates, DealPreview, NoteKind
from shared.operations.preview_pairs import preview_pulled, preview_pushed
from shared.operations.soql_option import typed_condition
from shared.sync.change_detection import changed_opportunities, changed_referrals, unknown_referrals
from shared.sync.ports import PULL, PUSH, Context, time_literal
from shared.sync.read_queue import read_retry_queue
from shared.sync.retry_queue import PULLED_TOGETHER, pausing_on_failure

COUNTS = ("creates", "adopts", "to_partner_center", "to_salesforce", "held", "needs_approval")
PLANNED_TOGETHER = 400
"""So many opportunities are planned together: one call reads them, and they are let go before the next are read."""
type Progress = Callable[[int], None]


class PreviewReport(Struct):
    """The deals of which there is something to say, by the run that would look at them, and how many others there are.

    `left` are deals that were not looked at, because they were too many. `reads` has the calls that the preview made to
    each side, and `writes` those that would follow.
    """

    deals: dict[str, list[DealPreview]] = field(default_factory=lambda: {PUSH: [], PULL: []})
    unchanged: int = 0
    left: dict[str, int] = field(default_factory=lambda: {PUSH: 0, PULL: 0})
    reads: dict[Side, int] = field(default_factory=dict)
    writes: dict[Side, int] = field(default_factory=dict)

    @property
    def all_deals(self) -> Sequence[DealPreview]:
        """The deals of both runs."""
        return [*self.deals[PUSH], *self.deals[PULL]]

    def counts(self, run: str) -> dict[str, int]:
        """What a run would do, as numbers of deals."""
        deals = self.deals[run]
        return {
            "creates": sum(deal.creates is not None for deal in deals),
            "adopts": sum(deal.adopts for deal in deals),
            "to_partner_center": sum(bool(deal.to_partner_center) and deal.creates is None for deal in deals),
            "to_salesforce": sum(bool(deal.to_salesforce) and deal.creates is None for deal in deals),
            "held": sum(deal.has(NoteKind.HELD) for deal in deals),
            "needs_approval": sum(deal.needs_approval for deal in deals),
        }

    def created(self, kind: Creates) -> int:
        """How many records of a kind would be created, also by an operator's approval."""
        return sum(deal.creates is kind for deal in self.all_deals)


# --- what is previewed


def preview_next(
    preview: Preview, progress: Progress = lambda _: None, most: tuple[int, int] = (sys.maxsize, sys.maxsize)
) -> PreviewReport:
    """Preview what the next push and the next sweep would do. Raises the errors of both sides and the store.

    `most` limits the opportunities and the referrals that are looked at.
    """
    ctx = preview.ctx
    queues = read_retry_queue(ctx, *Side)
    pushed = [key for batch in changed_opportunities(ctx) for key in batch.opportunities]
    pulled = [key for page in changed_referrals(ctx)[1] for key in page.unknown]
    due = [key for key in queues[Side.PARTNER_CENTER].ready if not key.startswith(RELATED)]
    coming = list(dict.fromkeys((*pushed, *queues[Side.SALESFORCE].ready))), list(dict.fromkeys((*pulled, *due)))
    report = _previewed(preview, coming[0][: most[0]], coming[1][: most[1]], progress)
    report.left = {PUSH: max(0, len(coming[0]) - most[0]), PULL: max(0, len(coming[1]) - most[1])}
    return report


def preview_all(preview: Preview, progress: Progress = lambda _: None) -> PreviewReport:
    """Preview each deal that is linked or could be. Raises the errors of both sides and the store."""
    ctx = preview.ctx
    linked = [entry.value.opportunity_id for entry in ctx.store.links()]
    pulled = [key for page in ctx.partner_center.all_referrals() for key in unknown_referrals(ctx, page)]
    return _previewed(preview, [*linked, *_found(ctx, _ticked_soql(ctx))], pulled, progress)


def preview_filter(preview: Preview, condition: str, progress: Progress = lambda _: None) -> PreviewReport:
    """Preview the opportunities of a SOQL condition. Raises ConfigurationError for a wrong one, and errors of both."""
    ctx = preview.ctx
    with typed_condition(condition):
        found = list(_found(ctx, f"SELECT Id FROM Opportunity WHERE ({condition}) ORDER BY Id"))  # noqa: S608 - the operator's own
    referrals = dict(_with_referrals(ctx, found))
    rest = [key for key in found if key not in referrals]
    return _previewed(preview, rest, list(referrals.values()), progress, tells_all=True)


def preview_one(app: App, text: str) -> PreviewReport:
    """Preview one deal by either id. Raises ConfigurationError for an id that nothing knows, and both sides' errors."""
    side, key = read_id(text)
    preview = open_preview(app, asks_org=False)
    unknown = _unknown(app, text)
    pushed, pulled = ([key], []) if side is Side.SALESFORCE else ([], [key])
    if referrals := dict(_with_referrals(preview.ctx, pushed)):
        pushed, pulled = [], list(referrals.values())
    report = _previewed(preview, pushed, pulled, lambda _: None, tells_all=True)
    if unknown is not None and not any(deal.exists for deal in report.all_deals):
        raise unknown
    return report


def _unknown(app: App, text: str) -> ConfigurationError | None:
    """Why the store does not know an id; None if it does."""
    try:
        find_deal(app.store, text)
    except ConfigurationError as error:
        return error
    return None


def _with_referrals(ctx: Context, opportunity_ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The opportunities whose pair is in step, with their referrals: of such, both sides are read."""
    for key in opportunity_ids:
        known = None
        with suppress(UnreadableRow):
            known = ctx.store.link(key)
        if known and known.value.referral_id and known.value.state not in SUSPENDED:
            yield key, known.value.referral_id.lower()


def _found(ctx: Context, soql: str) -> Iterator[str]:
    """The ids that a query finds."""
    with pausing_on_failure(ctx, Side.SALESFORCE):
        page = ctx.salesforce.query(soql).pages[0]
        while True:
            yield from (str(record["Id"]) for record in page.records)
            if not page.next:
                return
            page = ctx.salesforce.more(page.next).pages[0]


def _ticked_soql(ctx: Context) -> str:
    return (
        f"SELECT Id FROM Opportunity WHERE {ctx.translation.file.ours.flag} = true "  # noqa: S608 - a name from the checked mapping file, and a literal
        f"AND LastModifiedDate >= {time_literal(ctx.scope.begin)} ORDER BY Id"
    )


# --- in the order of the app


def _previewed(
    preview: Preview,
    opportunity_ids: Iterable[str],
    referral_ids: Iterable[str],
    progress: Progress,
    *,
    tells_all: bool = False,
) -> PreviewReport:
    """Preview the pushes, then the pulls. A pair of which both sides may have changed is pulled: so both are read."""
    ctx, report = preview.ctx, PreviewReport()
    pulled = dict.fromkeys(referral_ids)
    linked = {_opportunity_of(ctx, key) for key in pulled}
    pushed = [key for key in dict.fromkeys(opportunity_ids) if key not in linked]
    seen, done = set[str](), 0
    for some in batched(pushed, PLANNED_TOGETHER, strict=False):
        done += len(some)
        _add(report, PUSH, preview_pushed(preview, some), seen, tells_all=tells_all)
        progress(done)
    for some in batched(pulled, PULLED_TOGETHER, strict=False):
        done += len(some)
        left = [key for key in some if _opportunity_of(ctx, key) not in seen]  # else a push has just adopted it
        _add(report, PULL, preview_pulled(preview, left), seen, tells_all=tells_all)
        progress(done)
    report.reads, report.writes = preview.calls.reads, preview.calls.writes
    return report


def _opportunity_of(ctx: Context, referral_id: str) -> str | None:
    """The opportunity of a referral. A pointer that cannot be read is told when the referral is looked at."""
    with suppress(UnreadableRow):
        pointer = ctx.store.pointer(referral_id)
        return pointer.value.opportunity_id if pointer else None
    return None


def _add(report: PreviewReport, run: str, deals: Sequence[DealPreview], seen: set[str], *, tells_all: bool) -> None:
    """Keep the deals of which there is something to say."""
    seen.update(deal.opportunity_id for deal in deals if deal.opportunity_id)
    kept = [deal for deal in deals if not deal.says_nothing or (tells_all and deal.notes)]
    report.deals[run] += kept
    report.unchanged += len(deals) - len(kept)
