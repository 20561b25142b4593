"""Three-way merge of one deal, field by field (docs/protocol.md#merge).

    Salesforce vs base   Partner Center vs base   result
    same                 same                     nothing
    changed              same                     write to Partner Center, if direction and latches allow
    same                 changed                  write to Salesforce, if direction allows
    changed              changed, equal           adopt
    changed              changed, different       conflict: final beats open, notes keep both, else the rule's winner

A list is merged member by member (`member_sets`).

A field without a base counts as changed on every side that holds a value, and an empty side never erases that value: a
direction decides who owns later edits. A value that only the other side owns is put back. The latches are checked
later, by the plan.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from shared.domain.deal import Change, Deal, Side, Status, Value
from shared.domain.field_rules import Rule, Rules
from shared.domain.html_entities import decode_entities
from shared.domain.joined_texts import join_texts
from shared.domain.member_sets import DETAILS_STAY, Left, SetRule, keys_of, members_of, merge_sets
from shared.domain.records import Row

MISSING = object()


class Decision(StrEnum):
    """Why one of two values was kept. Audit lines store it as their rule (docs/protocol.md#audit-lines)."""

    OWNER = "owner"
    BOTH_TEXTS = "both_texts"
    TEXT_OVER_EMPTY = "text_over_empty"
    FINAL_OVER_OPEN = "final_over_open"
    WINNER = "winner"


class Merged(Struct, frozen=True):
    """The outcome for one field: the value to agree on, and what each side holds now.

    `edited` is the side whose edit won; None if both sides already hold the value. `decision` is why it won against
    the other side's value; None if the other side was not edited and may take the value. Of a list, the sides hold
    what is merged; `left` is what they hold beside it, and `whole` their whole lists, in the order of `Side`.
    """

    rule: Rule
    value: Value | None
    salesforce: Value | None
    partner_center: Value | None
    edited: Side | None = None
    conflict: bool = False
    decision: Decision | None = None
    left: tuple[Left, ...] = ()
    whole: tuple[Value | None, Value | None] | None = None

    def wanted_on(self, side: Side) -> Value | None:
        """The value whose fingerprint a refusal on `side` keeps: of a list, the keys that the other side then holds."""
        if self.whole is None:
            return self.value
        return keys_of(self.value, tuple(one.member for one in self.left if one.side is side.other))

    def change_on(self, side: Side) -> Change:
        """The write to `side`: of a list also what it holds beside the merged one, which stays there."""
        kept = tuple(one.member for one in self.left if one.side is side and one.code != DETAILS_STAY)
        old, new = self.held_by(side), self.value
        if kept:
            old, new = ((*(held if isinstance(held, tuple) else ()), *kept) for held in (old, new))
        return Change(self.rule.field, self.rule.label, old, new)

    def differs_on(self, side: Side) -> bool:
        """Whether `side` holds another value than the merged one."""
        return self.held_by(side) != self.value

    def held_by(self, side: Side) -> Value | None:
        """The value that `side` holds now."""
        return self.salesforce if side is Side.SALESFORCE else self.partner_center

    @property
    def keeps_both(self) -> bool:
        """Whether two different texts were joined, so that neither is lost."""
        texts = (self.salesforce, self.partner_center)
        return self.conflict and all(
            isinstance(text, str) and isinstance(self.value, str) and text in self.value for text in texts
        )

    @property
    def is_put_back(self) -> bool:
        """Whether an edit is undone, because its side does not own the field."""
        return self.edited is not None and not self.conflict and self.held_by(self.edited) != self.value


class EditTimes(Struct, frozen=True):
    """The times of the last change on each side, by its own clock.

    Joined notes have the later text below the earlier one.
    """

    salesforce: datetime
    partner_center: datetime


def merge(
    base: Deal,
    salesforce: Deal,
    partner_center: Deal,
    rules: Rules,
    edited: EditTimes,
    unsendable: Mapping[str, Mapping[str, str]] = {},
    rows: Mapping[str, tuple[Row, ...]] = {},
) -> tuple[Merged, ...]:
    """Merge every field that both sides could read and that travels after creation.

    `unsendable` has by field the members that Partner Center does not get, as in `SetRule`. `rows` has by field those
    that are rows of a related list.
    """
    return tuple(
        _merge_list(rule, base.get(rule.field), salesforce[rule.field], partner_center[rule.field], unsendable, rows)
        if rule.is_set
        else _merge_field(
            rule, base.get(rule.field, MISSING), salesforce[rule.field], partner_center[rule.field], edited
        )
        for rule in rules.updatable
        if rule.field in salesforce and rule.field in partner_center
    )


def _merge_list(
    rule: Rule,
    base: Value | None,
    salesforce: Value | None,
    partner_center: Value | None,
    unsendable: Mapping[str, Mapping[str, str]],
    rows: Mapping[str, tuple[Row, ...]],
) -> Merged:
    """Merge a list member by member. It has an edited side only if all that is written comes from that side."""
    if salesforce == partner_center == base:
        return Merged(rule, base, salesforce, partner_center)
    listed = rows.get(rule.field)
    keys = members_of(salesforce).keys() if listed is not None else ()
    fixed = frozenset(keys).difference(row.key for row in listed or ())
    how = SetRule(rule.owners, rule.fits, unsendable.get(rule.field, {}), fixed, rule.at_most)
    merged = merge_sets(how, base, salesforce, partner_center)
    edited = next(iter(merged.edited)) if len(merged.edited) == 1 else None
    decision = Decision.OWNER if edited is not None and edited not in rule.owners else None
    held, whole = (merged.salesforce, merged.partner_center), (partner_center, salesforce)
    return Merged(rule, merged.value, *held, edited, decision=decision, left=merged.left, whole=whole)


def _merge_field(
    rule: Rule, base: object, salesforce: Value | None, partner_center: Value | None, edited: EditTimes
) -> Merged:
    if salesforce == partner_center:
        return Merged(rule, salesforce, salesforce, partner_center)
    if base is MISSING and None in (salesforce, partner_center):
        return _fill_empty(rule, salesforce, partner_center)
    if _is_unchanged(partner_center, base):
        return _merge_one_edit(rule, Side.SALESFORCE, salesforce, partner_center)
    if _is_unchanged(salesforce, base):
        return _merge_one_edit(rule, Side.PARTNER_CENTER, salesforce, partner_center)
    return _merge_conflict(rule, salesforce, partner_center, edited)


def _is_unchanged(value: Value | None, base: object) -> bool:
    """Whether this side still holds the base value.

    The base of an older release can hold HTML entities, which are no edit of either side.
    """
    if isinstance(base, str):
        return value in (base, decode_entities(base))
    return value == base


def _fill_empty(rule: Rule, salesforce: Value | None, partner_center: Value | None) -> Merged:
    """Take the value of the side that holds one. The plan carries it over only where that side owns the field."""
    if salesforce is None:
        return Merged(rule, partner_center, salesforce, partner_center, Side.PARTNER_CENTER)
    return Merged(rule, salesforce, salesforce, partner_center, Side.SALESFORCE)


def _merge_one_edit(rule: Rule, side: Side, salesforce: Value | None, partner_center: Value | None) -> Merged:
    """Take the edit where its side owns the field, else put the other side's value back."""
    is_taken = rule.direction.owns(side)
    value = salesforce if is_taken == (side is Side.SALESFORCE) else partner_center
    decision = None if is_taken else Decision.OWNER
    return Merged(rule, value, salesforce, partner_center, side, decision=decision)


def _merge_conflict(rule: Rule, salesforce: Value | None, partner_center: Value | None, edited: EditTimes) -> Merged:
    if rule.merges_text and isinstance(salesforce, str) and isinstance(partner_center, str) and _is_owned_by_both(rule):
        text = join_texts(salesforce, partner_center, edited.salesforce, edited.partner_center)
        if rule.length is None or len(text) <= rule.length:
            both = Decision.BOTH_TEXTS
            return Merged(rule, text, salesforce, partner_center, rule.winner, conflict=True, decision=both)
    winner, decision = _winning_side(rule, salesforce, partner_center)
    value = salesforce if winner is Side.SALESFORCE else partner_center
    return Merged(rule, value, salesforce, partner_center, winner, conflict=True, decision=decision)


def _is_owned_by_both(rule: Rule) -> bool:
    return all(rule.direction.owns(side) for side in Side)


def _winning_side(rule: Rule, salesforce: Value | None, partner_center: Value | None) -> tuple[Side, Decision]:
    if not _is_owned_by_both(rule):
        return next(side for side in Side if rule.direction.owns(side)), Decision.OWNER
    if None in (salesforce, partner_center):
        holder = Side.PARTNER_CENTER if salesforce is None else Side.SALESFORCE
        if rule.merges_text or holder not in rule.clearable:  # an emptiness that cannot be written must not win
            return holder, Decision.TEXT_OVER_EMPTY
    if isinstance(salesforce, Status) and isinstance(partner_center, Status):
        if partner_center.is_final:
            return Side.PARTNER_CENTER, Decision.FINAL_OVER_OPEN  # a closed referral cannot be reopened
        if salesforce.is_final:
            return Side.SALESFORCE, Decision.FINAL_OVER_OPEN
    return rule.winner, Decision.WINNER
