"""Finds out whether a write took effect whose reply was lost, and whose values are as before.

A write of an opportunity carries the audit, which only the connector writes: a line of it that is not stored was never
confirmed. Of a referral, the time of the last save tells something.

Source: docs/protocol.md#recovery-of-interrupted-work.
"""

from collections.abc import Sequence

from shared.domain.audit import change_lines
from shared.domain.audit_text import audit_text
from shared.domain.deal import Change, Side
from shared.domain.link import Effect, EffectKind
from shared.domain.records import Referral
from shared.domain.set_back import Seen, values_as_before
from shared.mapping.money_field import COMPUTED, computed_in
from shared.sync.pair_lease import Pair
from shared.sync.ports import Context, Json


def seen_opportunity(ctx: Context, pair: Pair, seen: Seen) -> Seen:
    """The opportunity, with whether an interrupted write took effect. Costs a call only where nothing else tells it.

    What goes to Partner Center goes first: while that is open, nothing was written to Salesforce.
    """
    effect = pair.interrupted.find(EffectKind.WRITE_OPPORTUNITY)
    if effect is None:
        return seen
    if pair.interrupted.find(EffectKind.PATCH_REFERRAL):
        return Seen(seen.deal, seen.version, was_written=False)
    names = values_as_before(effect, Side.SALESFORCE, seen)
    if not names:
        return seen
    columns = (ctx.translation.file.ours.audit, COMPUTED)
    answer = ctx.salesforce.opportunities([pair.id], ("Id", *columns), columns)
    record = next((record for page in answer.pages for record in page.records), {})
    was_written = _is_shown(ctx, pair, effect, names, record)
    return Seen(seen.deal, seen.version, was_written, _ignored(ctx, pair, effect, names, record) if was_written else ())


def seen_referral(pair: Pair, referral: Referral) -> Seen:
    """The referral, with whether it was saved last before the interrupted run recorded what it was to write."""
    is_older = pair.intended_at is not None and referral.updated < pair.intended_at
    return Seen(referral.deal, referral.etag, is_older=is_older)


def _ignored(ctx: Context, pair: Pair, effect: Effect, names: Sequence[str], record: Json) -> tuple[str, ...]:
    """The fields that Salesforce did not take from a write which took effect, as nobody else has set them back.

    If our save is the last one, nobody has. If line items decide an amount, or did when the write was recorded,
    Salesforce ignored the write, so there was nothing to set back.
    """
    if pair.opportunity is not None and pair.opportunity.modified_by == ctx.salesforce.user_id():
        return tuple(names)
    computed = (*effect.computed, *computed_in(record, ctx.translation.fields))
    return tuple(name for name in names if name in computed)


def _is_shown(ctx: Context, pair: Pair, effect: Effect, names: Sequence[str], record: Json) -> bool | None:
    """Whether the audit of the opportunity has a line of the write; None if the audit cannot be read."""
    column, rules = ctx.translation.file.ours.audit, ctx.translation.rules
    if column not in record:
        return None
    stored = {*audit_text(ctx.store.audit(pair.id)).splitlines()}
    unconfirmed = [line for line in str(record[column] or "").splitlines() if line not in stored]
    changes = [Change(name, rules[name].label, effect.displaced.get(name), effect.values[name]) for name in names]
    told = [line.text for line in change_lines(ctx.clock.now(), Side.SALESFORCE, changes)]
    return any(text in line for text in told for line in unconfirmed)
