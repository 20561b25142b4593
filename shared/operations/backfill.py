"""Links existing referrals and opportunities: propose pairs, check what a person has reviewed, and store the links.

Neither service is written to, and nothing is created there. The rows of a pair are stored in this order, so that a stop
in between harms nothing, and the same file goes on where it stopped:

row             a stop behind it
pointer         the referral leads to the opportunity: no opportunity is created for it
link            the opportunity has its referral: no referral is created for it
retry entry     the app merges both sides, and shows mark and audit

Source: docs/protocol.md#a-first-load.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import replace
from functools import partial
from itertools import batched

from msgspec import Struct, field

from shared.domain.audit import Line
from shared.domain.deal import STATUS, Side
from shared.domain.link import Link, Pointer
from shared.domain.link_states import State
from shared.domain.pair_match import Proposal, propose
from shared.domain.plan import plan_pair
from shared.domain.records import Opportunity
from shared.domain.sentences import LineDirection
from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.mapping.backfill_file import LINK, Row, safe_cell
from shared.operations.unlinked_records import FoundOpportunity, FoundReferral, Unlinked, texts_of
from shared.sync.ports import OPERATOR, Context, Outcome, Result
from shared.sync.retry_queue import pausing_on_failure, queue_pair

BUSY = "the app works on it: run the command again in ten minutes"

# --- proposing


def propose_pairs(found: Unlinked) -> list[Proposal]:
    """A proposal for each referral without a link, the best first."""
    referrals, opportunities = found.referrals.values(), found.opportunities.values()
    proposals = propose([one.half for one in referrals], [one.half for one in opportunities])
    return sorted(proposals, key=lambda one: (-one.score, one.rivals, one.referral_id))


def lines_of(found: Unlinked, proposals: Sequence[Proposal]) -> Iterator[dict[str, str]]:
    """The lines of the file: the decision is made only where an id says it."""
    for one in proposals:
        opportunity = found.opportunities.get(one.opportunity_id or "")
        reasons = ", ".join(one.reasons) or "nothing found"
        yield {
            "decision": LINK if one.is_certain else "",
            "score": str(one.score),
            "reasons": f"{reasons}; {one.rivals} others are as good" if one.rivals else reasons,
            "referral_id": one.referral_id,
            "opportunity_id": one.opportunity_id or "",
            "ticked": ("yes" if opportunity.is_ticked else "no") if opportunity else "",
            **_texts("referral", found.referrals[one.referral_id]),
            **(_texts("opportunity", opportunity) if opportunity else {}),
        }


def _texts(side: str, found: FoundReferral | FoundOpportunity) -> dict[str, str]:
    texts = texts_of(found.deal)
    named = {"name": "name", "customer": "account", "money": "money", "closing": "closing", "status": STATUS}
    return {f"{side}_{column}": texts[name] for column, name in named.items()}


# --- checking what was reviewed


class Checked(Struct):
    """What the reviewed rows would do.

    to_link    the rows that can be linked
    linked     the rows that are linked already, such as by an earlier run
    refused    the others, each with the reason
    unticked   how many of `to_link` are not ticked: they are linked, and wait for the tick
    changes    how many deals have a value to write in the first merge, by side and label
    """

    to_link: list[Row] = field(default_factory=list)
    linked: list[Row] = field(default_factory=list)
    refused: list[tuple[Row, str]] = field(default_factory=list)
    unticked: int = 0
    changes: Counter[tuple[Side, str]] = field(default_factory=Counter)


def check_rows(ctx: Context, found: Unlinked, rows: Sequence[Row]) -> Checked:
    """Check each row against both sides and the store as they are now, and plan the first merges. Writes nothing."""
    checked, taken = Checked(), {opportunity: referral for referral, opportunity in found.linked.items()}
    for row in rows:
        if found.linked.get(row.referral_id) == row.opportunity_id:
            checked.linked.append(row)
        elif reason := _obstacle(found, taken, row):
            checked.refused.append((row, reason))
        else:
            checked.to_link.append(row)
            checked.unticked += not found.opportunities[row.opportunity_id].is_ticked
    for batch in batched(checked.to_link, ctx.policy.batch, strict=False):
        checked.changes.update(_changes_of(ctx, found, batch))
    return checked


def _obstacle(found: Unlinked, taken: dict[str, str], row: Row) -> str:
    """Why a row cannot be linked; empty if it can."""
    if other := found.linked.get(row.referral_id):
        return f"the referral is linked to opportunity {other}"
    if other := taken.get(row.opportunity_id):
        return f"the opportunity is linked to referral {other}"
    referral, opportunity = found.referrals.get(row.referral_id), found.opportunities.get(row.opportunity_id)
    if referral is None:
        return "Partner Center does not list the referral, or it is a lead or another environment's"
    if opportunity is None:
        return "Salesforce does not show the opportunity, or --soql leaves it out"
    now = _texts("referral", referral) | _texts("opportunity", opportunity)
    for name, written in row.guards.items():
        if written and _bare(written) != _bare(safe_cell(now[name])):
            return f"{name} is {_bare(written)} in the file and {now[name] or 'empty'} now: write the proposals again"
    return ""


def _bare(text: str) -> str:
    """A cell without what guards it in a spreadsheet."""
    return " ".join(text.lstrip("'").split())


def _changes_of(ctx: Context, found: Unlinked, rows: Sequence[Row]) -> Iterator[tuple[Side, str]]:
    """The values that the first merges would write, by side and label, also of those that wait for the tick."""
    by_id = {row.opportunity_id: row for row in rows}
    with pausing_on_failure(ctx, Side.SALESFORCE):
        answer = ctx.salesforce.opportunities(list(by_id), *ctx.translation.read_items)
    records = [record for page in answer.pages for record in page.records]
    for key, opportunity in ctx.translation.opportunities(records, answer.at).items():
        if isinstance(opportunity, Opportunity):
            yield from _planned(ctx, found.referrals[by_id[key].referral_id], opportunity)


def _planned(ctx: Context, referral: FoundReferral, opportunity: Opportunity) -> Iterator[tuple[Side, str]]:
    link = Link(opportunity.id, referral_id=referral.half.id)
    plan = plan_pair(link, opportunity, referral.read, ctx.translation.rules, ctx.clock.now(), ctx.policy)
    yield from ((Side.PARTNER_CENTER, change.label) for change in plan.to_partner_center)
    yield from ((Side.SALESFORCE, change.label) for change in plan.to_salesforce)


# --- linking


def link_rows(
    ctx: Context, found: Unlinked, checked: Checked, progress: Callable[[int], None] = lambda _: None
) -> list[tuple[Row, str]]:
    """Store the links of the rows, and queue the pairs; returns those that could not be, each with the reason.

    Rows that are linked already are queued again if nothing has worked them yet. Raises the errors of the store.
    """
    failed, done = list[tuple[Row, str]](), 0
    rows = [*checked.to_link, *checked.linked]
    for batch in batched(rows, ctx.policy.batch, strict=False):
        reasons = ctx.map(partial(_link_row, ctx, found), batch)
        failed += [(row, reason) for row, reason in zip(batch, reasons, strict=True) if reason]
        done += len(batch)
        progress(done)
    return failed


def _link_row(ctx: Context, found: Unlinked, row: Row) -> str:
    """Store pointer, link and retry entry of one pair; returns the obstacle, or an empty text."""
    try:
        reason = _reason_of_link(ctx, row) or _point(ctx, row) or _insert_link_or_leave(ctx, found, row)
    except StoreConflict:
        return BUSY
    except UnreadableRow:
        return "this version cannot read its row in the store"
    if reason:
        return reason
    link = ctx.store.link(row.opportunity_id)
    if link is not None and link.value.etag is None:  # no run has worked it yet
        queue_pair(ctx, Side.SALESFORCE, row.opportunity_id, Outcome(Result.RETRY, OPERATOR, ctx.clock.now()))
    return ""


def _point(ctx: Context, row: Row) -> str:
    entry = ctx.store.pointer(row.referral_id)
    if entry is None:
        ctx.store.insert_pointer(row.referral_id, Pointer(row.opportunity_id))
        return ""
    pointer = entry.value
    if pointer.opportunity_id == row.opportunity_id:
        return ""
    if pointer.intent is not None:
        return BUSY
    if pointer.opportunity_id is not None and _leads_elsewhere(ctx, pointer.opportunity_id, row.referral_id):
        return f"the referral is linked to opportunity {pointer.opportunity_id}"
    ctx.store.replace_pointer(row.referral_id, entry, replace(pointer, opportunity_id=row.opportunity_id))
    return ""


def _leads_elsewhere(ctx: Context, opportunity_id: str, referral_id: str) -> bool:
    other = ctx.store.link(opportunity_id)
    return other is not None and other.value.referral_id == referral_id


def _reason_of_link(ctx: Context, row: Row) -> str:
    """Why the row of the opportunity forbids the link; empty if it does not."""
    known = ctx.store.link(row.opportunity_id)
    if known is None or known.value.referral_id == row.referral_id:
        return ""
    if known.value.referral_id is not None:
        return f"the opportunity is linked to referral {known.value.referral_id}"
    return BUSY if known.value.intent is not None else ""


def _insert_link_or_leave(ctx: Context, found: Unlinked, row: Row) -> str:
    """Insert the link; where the app was faster, the referral leads nowhere again, so that a second one is told."""
    referral = found.referrals.get(row.referral_id)
    try:
        _insert_link(ctx, row, referral.engagement_id if referral else None)
    except StoreConflict:
        if (entry := ctx.store.pointer(row.referral_id)) is not None and entry.value == Pointer(row.opportunity_id):
            ctx.store.delete_pointer(row.referral_id, entry)
        return BUSY
    return ""


def _insert_link(ctx: Context, row: Row, engagement_id: str | None) -> None:
    """Insert the link, or give a link without a referral its referral. Raises StoreConflict if the app was faster."""
    known = ctx.store.link(row.opportunity_id)
    if known is not None and known.value.referral_id == row.referral_id:
        return
    if reason := _reason_of_link(ctx, row):
        raise StoreConflict(reason)
    before = known.value if known else Link(row.opportunity_id)
    link = replace(
        before,
        referral_id=row.referral_id,
        engagement_id=engagement_id,
        state=State.LIVE,
        reported=(),
        cause=None,
        refused={},
        unwritten=True,
    )
    line = Line(ctx.clock.now(), "adopted_opportunity", LineDirection.FROM_PARTNER_CENTER)
    if known is None:
        ctx.store.insert_link(link, (line,), ctx.correlation_id)
    else:
        ctx.store.replace_link(known, link, (line,), ctx.correlation_id)
