"""Reads many changed referrals from pages of the list, in place of one call for each.

The stamps of a list name the pairs. The pages are asked for after the rows of these pairs were read, so that what they
show counts as read under the lock, as a single referral does. Whatever a page does not tell is read by itself.

Source: docs/protocol.md#lists-as-reads.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain, islice

from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.list_rows import (
    AGREED,
    DIFFERED,
    Trust,
    counts_as_read,
    differing_fields,
    may_be_listed,
    trust_in_lists,
)
from shared.domain.records import Referral
from shared.foundation.errors import CosellError, NotFound, Unavailable
from shared.sync.ports import Context, Json
from shared.sync.retry_queue import pausing_on_failure

type Stamps = Mapping[str, datetime | None]
"""When a list said that a referral has changed, by its id in lower case."""
type Rows = dict[str, Referral]
"""What counts as read, by the referral's id."""


def read_from_lists(ctx: Context, links: Iterable[Link], stamps: Stamps) -> Rows:
    """The referrals of free links that a list has just named, as far as its pages tell them; none after a failure.

    For few of them no page is read. The first time in a day, some rows are compared with the referrals read by
    themselves, and none is used if they differ.
    """
    with suppress(CosellError), pausing_on_failure(ctx, Side.PARTNER_CENTER):
        return _read(ctx, links, stamps)
    return {}


def _read(ctx: Context, links: Iterable[Link], stamps: Stamps) -> Rows:
    dated = {key: at for key, at in stamps.items() if at is not None}
    by_id = {link.referral_id: link for link in links if link.referral_id in dated}
    known = {key: link for key, link in by_id.items() if key and may_be_listed(link, dated[key], ctx.policy)}
    pages = len(known) // ctx.policy.pairs_of_page
    trust = trust_in_lists(ctx.store.cursors(), ctx.clock.now()) if pages else Trust.OFF
    if trust is Trust.OFF:
        return {}
    rows = _read_pages(ctx, known, {key: dated[key] for key in known}, pages)
    return rows if trust is Trust.TESTED else _compare(ctx, rows)


def _read_pages(ctx: Context, known: Mapping[str, Link], stamps: Mapping[str, datetime], most: int) -> Rows:
    """What counts as read on so many pages at most; of a referral that is listed twice, the newest."""
    found: Rows = {}
    pages = ctx.partner_center.changed_between(min(stamps.values()), max(stamps.values()))
    for row in chain.from_iterable(islice(pages, most)):
        key = str(row["id"]).lower()
        referral = _referral(ctx, row) if key in known else None
        if referral is None or not counts_as_read(referral, known[key], stamps[key], ctx.policy):
            continue
        if key not in found or found[key].updated < referral.updated:
            found[key] = referral
        if len(found) == len(known):
            break
    return found


def _referral(ctx: Context, row: Json) -> Referral | None:
    """The referral of a row; None if only a read of its own can tell what is wrong with it."""
    with suppress(Unavailable):
        return ctx.translation.referral(row, is_listed=True)
    return None


def _compare(ctx: Context, rows: Rows) -> Rows:
    """Read some of the referrals by themselves. The other rows count only if one of these is the same as its row.

    What differs in one version is stored and told: no list is used then.
    """
    chosen = list(rows)[:: max(1, len(rows) // ctx.policy.list_sample)][: ctx.policy.list_sample]
    answers = ctx.map(partial(_read_alone, ctx), chosen, to=Side.PARTNER_CENTER)
    read = {key: referral for key, referral in zip(chosen, answers, strict=True) if referral is not None}
    compared = {key: differing_fields(rows[key], referral) for key, referral in read.items()}
    if differing := {key: fields for key, fields in compared.items() if fields}:
        ctx.store.move_cursor(DIFFERED, ctx.clock.now())
        fields = sorted({name for names in differing.values() for name in names})
        ctx.log("lists_differ", correlation_id=ctx.correlation_id, referral_ids=list(differing), fields=fields)
    elif () in compared.values():
        ctx.store.move_cursor(AGREED, ctx.clock.now())
        return rows | read
    return read


def _read_alone(ctx: Context, key: str) -> Referral | None:
    with suppress(NotFound):
        return ctx.translation.referral(ctx.partner_center.get(key))
    return None
