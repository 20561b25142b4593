"""Keeps what a push has brought to its end, and lets the poll drop it without a read of the link.

A stamp of which a save may still come is looked at once more: the record is read, and its values are compared with the
hash of the agreed ones. Only what differs is acquired. Source: docs/protocol.md#own-writes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import batched

from shared.domain.link import Link
from shared.domain.name_mark import with_mark
from shared.domain.own_writes import OwnWrite, looked_at_again, own_writes_of
from shared.domain.records import Opportunity
from shared.foundation.errors import CosellError
from shared.sync.pair_lease import Pair
from shared.sync.ports import RECONCILED, Context


def keep_own_writes(ctx: Context, pairs: Sequence[Pair]) -> None:
    """Keep what a push has released in order, in one write. A failure costs looks and nothing else."""
    if len(pairs) <= ctx.policy.few_own_writes:
        return
    ended = [pair for pair in pairs if pair.is_free and pair.outcome in (None, RECONCILED)]
    left = [(pair.entry.value, pair.opportunity) for pair in ended]
    marked = [one for one in left if _shows_mark(ctx, *one)]
    kept = own_writes_of(marked, ctx.translation.rules, ctx.clock.now())
    if len(kept) > ctx.policy.few_own_writes:
        with suppress(CosellError):
            ctx.store.keep_own_writes(kept, ctx.clock.now())


def _shows_mark(ctx: Context, link: Link, opportunity: Opportunity | None) -> bool:
    """Whether the name has its mark. A record may be too young for that write; then the next look makes it."""
    name = opportunity.name if opportunity is not None else None
    return name is None or with_mark(name, link.due_mark, ctx.translation.signs) == name


def without_own_writes[T](
    ctx: Context, listed: Mapping[str, T], knows: Callable[[Mapping[str, str], T], bool]
) -> Mapping[str, T]:
    """What the poll lists by opportunity id, without the deals that are as a push has left them.

    `knows` says whether stamps are all that is listed of a deal. Few are looked at as ever: the read of the kept rows
    would cost as much. Raises errors of the store.
    """
    if len(listed) <= ctx.policy.few_own_writes:
        return listed
    writes = ctx.store.own_writes(ctx.clock.now())
    kept = _one_of_each(one for one in writes if (seen := listed.get(one.opportunity_id)) and knows(one.stamps, seen))
    young = {key: write for key, write in kept.items() if not write.is_settled}
    same = {key: write for key, write in _looked_at_again(ctx, young) if knows(write.stamps, listed[key])}
    if settled := [write for write in same.values() if write.is_settled]:
        with suppress(CosellError):
            ctx.store.keep_own_writes(settled, ctx.clock.now())
    dropped = {*same, *(key for key in kept if key not in young)}
    return {key: seen for key, seen in listed.items() if key not in dropped}


def _one_of_each(writes: Iterable[OwnWrite]) -> dict[str, OwnWrite]:
    """The own write of each deal, the settled one first; none where two runs have left a deal in two ways."""
    kept, unclear = dict[str, OwnWrite](), set[str]()
    for write in writes:
        known = kept.setdefault(write.opportunity_id, write)
        if known.digest != write.digest:
            unclear.add(write.opportunity_id)
        elif write.is_settled:
            kept[write.opportunity_id] = write
    return {key: write for key, write in kept.items() if key not in unclear}


def _looked_at_again(ctx: Context, young: Mapping[str, OwnWrite]) -> Iterator[tuple[str, OwnWrite]]:
    """The deals that hold the agreed values still, read in full batches. A failed read leaves its deals listed."""
    for ids in batched(young, ctx.policy.batch, strict=False):
        try:
            answer = ctx.salesforce.opportunities(ids, *ctx.translation.read_items)
        except CosellError:
            return  # the look that follows meets it again, and pauses the side where it must
        records = [record for page in answer.pages for record in page.records]
        for key, read in ctx.translation.opportunities(records, answer.at).items():
            again = looked_at_again(young[key], read, ctx.translation.rules) if isinstance(read, Opportunity) else None
            if again is not None:
                yield key, again
