"""Leaves a column of ours alone that another automation clears at each save: the write-back would set it off again.

These two are compared with what the opportunity shows, so each look would write them: the referral's id, and until when
Microsoft awaits an answer. Source: docs/protocol.md#the-ping-pong-guard.
"""

from collections.abc import Mapping
from copy import replace

from shared.domain.deal import Change, Side, Value
from shared.domain.ping_pong import is_set_back, with_writes
from shared.sync.pair_lease import Pair
from shared.sync.ports import Context


def count_put_back(ctx: Context, pair: Pair, values: Mapping[str, object]) -> None:
    """Note that columns were written which the opportunity showed before; the log says which are left alone now."""
    now, columns = ctx.clock.now(), (ctx.translation.file.ours.identifier, ctx.translation.answer_column)
    changes = [Change(one, one, None, _text(values[one])) for one in columns if one is not None and one in values]
    link = replace(pair.link, repeats=with_writes(pair.link.repeats, Side.SALESFORCE, changes, now))
    pair.take_link(link)
    for one in changes:
        if link.repeats and is_set_back(link.repeats, f"{Side.SALESFORCE}.{one.field}", one.new, now):
            ids = {"correlation_id": ctx.correlation_id, "opportunity_id": pair.id}
            ctx.log("own_column_set_back", **ids, field=one.field)


def are_left_alone(ctx: Context, pair: Pair, identity: str | None, *, is_answered: bool) -> bool:
    """Whether each of the two that is not shown was written so often that it is not written now.

    `identity` is the id that is not shown, and `is_answered` says that the time to answer is.
    """
    repeats, now = pair.link.repeats, ctx.clock.now()
    values = {} if identity is None else {ctx.translation.file.ours.identifier: identity}
    values |= {} if is_answered else ctx.translation.shown_answer(pair.answer_until)
    named = ((f"{Side.SALESFORCE}.{column}", _text(value)) for column, value in values.items())
    return repeats is not None and all(is_set_back(repeats, key, value, now) for key, value in named)


def _text(value: object) -> Value | None:
    return None if value is None else str(value)
