"""Says what forbids writing one field to a side: a refusal of before, the direction, a latch, or an empty value. Pure.

Source: docs/protocol.md#when-a-write-is-not-allowed.
"""

from datetime import datetime

from msgspec import Struct

from shared.domain.deal import TEAM, VISIBILITY, Side, Status
from shared.domain.latches import CONTACTS_LOCKED, FIXED_THERE, NOT_ANSWERED, forbidding_latch
from shared.domain.link import (
    REFUSED_BY_FAR_SIDE,
    REFUSED_BY_SALESFORCE,
    REFUSED_UNREADABLY,
    TRY_AGAIN,
    Difference,
    Link,
)
from shared.domain.merge import Merged
from shared.domain.permission import visibility_latch
from shared.domain.ping_pong import PING_PONG, is_set_back
from shared.domain.policy import Policy


class ReferralState(Struct, frozen=True):
    """The state of a referral that decides what it takes: its status, and whether Microsoft sees the deal."""

    status: Status | None
    is_shared: bool = False


class Forbidden(Struct, frozen=True):
    """The code of why a write is forbidden, None if allowed; `kept` is a record that stays until it is written."""

    code: str | None = None
    kept: Difference | None = None


def forbidden_write(
    link: Link,
    merged: Merged,
    side: Side,
    referral: ReferralState,
    policy: Policy,
    changed: datetime,
    now: datetime,
) -> Forbidden:
    """What forbids writing the merged value to `side`. `changed` is the last change of either side."""
    record = link.refused.get(f"{side}.{merged.rule.field}")
    if record is not None and record.code.startswith(REFUSED_BY_FAR_SIDE) and _is_same_value(link, merged, side):
        if not _is_tried_again(record, changed, now):
            return Forbidden(record.code)
        return Forbidden(_code(merged, side, referral, policy), record)
    code = _code(merged, side, referral, policy)
    if code is None and link.repeats is not None and link.repeats.written:
        key = f"{side}.{merged.rule.field}"
        return Forbidden(PING_PONG if is_set_back(link.repeats, key, merged.change_on(side).new, now) else None)
    return Forbidden(code)


def _is_same_value(link: Link, merged: Merged, side: Side) -> bool:
    key = f"{side}.{merged.rule.field}"
    if link.refuses(key, merged.value):
        return True
    if merged.whole is None:
        return False
    return link.refuses(key, merged.wanted_on(side)) or link.refuses(key, merged.change_on(side).new)


def _is_tried_again(record: Difference, changed: datetime, now: datetime) -> bool:
    """Whether a refused value is written again (docs/protocol.md#rejected-writes)."""
    is_old = now - record.since >= TRY_AGAIN
    if record.code in REFUSED_UNREADABLY:
        return is_old
    return record.code == REFUSED_BY_SALESFORCE and (is_old or changed > record.since)


def _code(merged: Merged, side: Side, referral: ReferralState, policy: Policy) -> str | None:
    rule, status = merged.rule, referral.status
    if merged.edited is side.other and not rule.direction.owns(side.other):
        return "empty_at_owner"
    if side is Side.PARTNER_CENTER:
        latch = visibility_latch(status, merged.value, policy) if rule.field == VISIBILITY else None
        latch, is_locked = (
            latch or forbidding_latch(status, merged.value),
            rule.is_locked_by_sharing and referral.is_shared,
        )
        if latch and not (is_locked and latch is NOT_ANSWERED):  # an answer would not let them travel
            return latch.code
        if is_locked:
            return CONTACTS_LOCKED.code
        if rule.is_fixed:
            return FIXED_THERE.code
    if merged.value is not None or side in rule.clearable:
        return None
    return "seller_stays" if rule.field == TEAM and side is Side.PARTNER_CENTER else "not_clearable"
