"""Puts members that Salesforce does not take as rows on record: told once, and tried again later. Pure.

There is no user with the address, or Salesforce refuses the row. Such a member is in no base, so each merge would add
it again. While its record holds, the plan does not see it. Source: docs/protocol.md#writing-rows.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import replace
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.deal import Change, Deal, Side, Value
from shared.domain.field_rules import Rule, Rules
from shared.domain.left_members import extra_members, left_key, left_records, mark_of
from shared.domain.link import TRY_AGAIN, Difference, Link
from shared.domain.member_sets import NO_ADDRESS, Left, as_value, key_of, members_of
from shared.domain.merge import EditTimes
from shared.domain.planned import Plan
from shared.domain.records import Referral
from shared.domain.untaken_codes import UNTAKEN


def without_untaken(
    link: Link, opportunity: Deal, referral: Referral, rules: Rules, edited: EditTimes, now: datetime
) -> tuple[Referral, dict[str, Difference]]:
    """The referral without the members that Salesforce did not take, unless they are tried again, and their records."""
    values, records = dict[str, Value | None](), dict[str, Difference]()
    changed = max(edited.salesforce, edited.partner_center)
    for rule in rules.updatable:
        key = left_key(Side.SALESFORCE, rule.field)
        known = link.refused.get(key)
        if known is None or known.code not in UNTAKEN or rule.field not in referral.deal:
            continue
        held = {*members_of(link.base.get(rule.field)), *members_of(opportunity.get(rule.field))}
        value = referral.deal[rule.field]
        if known.value != mark_of(extra_members(value, held)):
            continue
        records[key] = known
        if now - known.since < TRY_AGAIN and changed <= known.since:
            values[rule.field] = as_value({name: one for name, one in members_of(value).items() if name in held})
    return (replace(referral, deal=referral.deal.with_values(values)) if values else referral), records


def without_left(
    plan: Plan, told: Collection[str], rule: Rule, theirs: object, left: Sequence[Left], now: datetime
) -> tuple[Plan, tuple[Line, ...]]:
    """The plan that does not add these members to Salesforce, and the lines that tell them, if they are new.

    `told` has the marks of those that were told before (`told_members`), and `theirs` is what Partner Center holds.
    """
    key, refused = left_key(Side.SALESFORCE, rule.field), dict(plan.refused)
    gone = {key_of(one.member): one for one in left}
    changes = tuple(filter(None, (_without(change, rule, gone) for change in plan.to_salesforce)))
    kept = {*members_of(plan.base.get(rule.field)), *_members_after(changes, rule, plan)}
    others = [one for one in extra_members(theirs, kept) if key_of(one) not in gone]
    if not left:
        record = refused.pop(key, None)
        if record is not None and (others or record.code not in UNTAKEN):
            is_same = record.code not in UNTAKEN or record.value == mark_of(others)
            refused[key] = record if is_same else Difference(mark_of(others), NO_ADDRESS, now)
        return replace(plan, refused=refused), ()
    whole = [*left, *(Left(Side.PARTNER_CENTER, NO_ADDRESS, one) for one in others)]
    lines: tuple[Line, ...] = ()
    for name, record, new in left_records(rule, whole, now, told):
        refused[name] = record
        lines += tuple(line for line in new if line.code in UNTAKEN)
    due = min(filter(None, (plan.due, now + TRY_AGAIN)))
    return replace(plan, to_salesforce=changes, refused=refused, due=due), lines


def _without(change: Change, rule: Rule, gone: Mapping[str, Left]) -> Change | None:
    if change.field != rule.field:
        return change
    after = {key: one for key, one in members_of(change.new).items() if key not in gone}
    return None if after.keys() == members_of(change.old).keys() else replace(change, new=as_value(after))


def _members_after(changes: Sequence[Change], rule: Rule, plan: Plan) -> set[str]:
    """The keys that Salesforce is to hold: those of the change, or else those that it has."""
    planned = [change.new for change in changes if change.field == rule.field]
    before = [change.old for change in plan.to_salesforce if change.field == rule.field]
    return {*members_of(next(iter((*planned, *before)), None))}
