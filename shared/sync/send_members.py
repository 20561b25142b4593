"""Sends a list that Partner Center refuses member by member, so that only the guilty ones stay behind.

Source: docs/protocol.md#lists-merge-as-sets, docs/protocol.md#rejected-writes.
"""

from collections.abc import Sequence
from copy import replace

from shared.domain.deal import Change, Value
from shared.domain.link import EffectKind
from shared.domain.member_sets import Member, Members, as_value, key_of, members_of
from shared.domain.refused_members import with_refused_members
from shared.domain.repeats import UNREADABLE
from shared.foundation.errors import Rejected
from shared.sync.learned_paths import OF_A_PATH
from shared.sync.pair_lease import Pair, confirm_effect
from shared.sync.ports import Context
from shared.sync.write_referral import park_changes, patch_referral


def adds_members(change: Change, refusal: Rejected) -> bool:
    """Whether a refused change adds members, of which some may be the reason."""
    may_be_of_members = refusal.status in OF_A_PATH or refusal.cause.code == UNREADABLE
    return may_be_of_members and bool(members_of(change.new).keys() - members_of(change.old).keys())


def send_members(ctx: Context, pair: Pair, change: Change, refusal: Rejected) -> None:
    """Send a list that was refused whole again in parts, and put the members that are refused alone on record.

    After ten refusals, the others are sent together: the reason may lie in none of them.
    """
    before, after = members_of(change.old), members_of(change.new)
    held, stay = _send_removals(ctx, pair, change)
    waiting, refused = [[one] for key, one in after.items() if key not in before], 0
    while waiting:
        members = waiting.pop(0)
        part = replace(change, old=held, new=as_value({**stay, **{key_of(one): one for one in members}}))
        again = refusal if part == change else _send(ctx, pair, part)
        if again is None:
            held, stay = part.new, members_of(part.new)
            continue
        _record(ctx, pair, change, members, again)
        refused += 1
        if refused == ctx.policy.singly and waiting:
            waiting = [[one for some in waiting for one in some]]


def _send_removals(ctx: Context, pair: Pair, change: Change) -> tuple[Value | None, Members]:
    """Send the list without its additions; what Partner Center then holds, and what stays beside the additions.

    A list of which nothing stays goes with the first addition, because Partner Center may take no empty one.
    """
    before, after = members_of(change.old), members_of(change.new)
    kept = {key: after[key] for key in before if key in after}
    if not kept or kept == before:
        return change.old, kept
    part = replace(change, new=as_value(kept))
    if again := _send(ctx, pair, part):
        park_changes(ctx, pair, (part,), again.cause)
        return change.old, before
    return part.new, kept


def _send(ctx: Context, pair: Pair, part: Change) -> Rejected | None:
    return patch_referral(ctx, pair, pair.referral, (part,)) if pair.referral else None


def _record(ctx: Context, pair: Pair, change: Change, members: Sequence[Member], refusal: Rejected) -> None:
    """Put members that Partner Center refused on record, and tell them."""
    now = ctx.clock.now()
    link, lines = with_refused_members(pair.link, change, members, refusal.cause, now)
    lines = (*lines, *pair.pending.take_notes(now))
    confirm_effect(ctx, pair, EffectKind.PATCH_REFERRAL, link, lines)
