"""Decides what becomes of a link: each function returns the next link, and the audit lines that explain it. Pure.

Source: docs/protocol.md#states-of-a-link, docs/protocol.md#confirmed-means-seen.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from datetime import datetime

from msgspec import Struct

from shared.domain.arrival import (
    Arrival,
    arrival_lines,
    arriving,
    carried,
    intended_base,
    intended_records,
)
from shared.domain.audit import Line, cause_line, change_lines, refusal_lines
from shared.domain.audit import ignored_lines as lines_of_ignored
from shared.domain.cause import Cause
from shared.domain.creation_values import CONTACTS_LEFT_OUT, TEXT_CUT
from shared.domain.deal import VISIBILITY, Change, Deal, Side, Status, Value
from shared.domain.field_rules import Rules
from shared.domain.foreign_money import value_for_base
from shared.domain.joined_texts import refusal_mark
from shared.domain.known_versions import with_known_versions
from shared.domain.latches import FIXED_THERE
from shared.domain.left_members import details_of_added, is_same
from shared.domain.link import (
    REFUSED_BY_FAR_SIDE,
    UNREADABLY,
    WHOLE,
    Difference,
    Effect,
    EffectKind,
    Intent,
    Link,
)
from shared.domain.link_states import State
from shared.domain.member_sets import agreed_members
from shared.domain.ping_pong import with_writes
from shared.domain.planned import Plan
from shared.domain.question import UNSEEN_INSERT, without_questions
from shared.domain.records import Opportunity, Referral
from shared.domain.repeats import UNREADABLE, without_unreadable
from shared.domain.sentences import LineDirection, is_reported

CONTACTS_KEY = f"{Side.PARTNER_CENTER}.contacts"
"""The key of the contacts that were not sent with a new referral."""


class Transition(Struct, frozen=True):
    """The next link, and its new audit lines."""

    link: Link
    lines: tuple[Line, ...] = ()


# --- a pair that waits for a person


def kept_cause(link: Link, found: Cause) -> Cause:
    """The cause that the link has already, where it is the same: a later build may have stored more in it."""
    known = link.cause
    if known is None:
        return found
    is_same = (known.code, known.field, known.reason) == (found.code, found.field, found.reason)
    return replace(found, unknown=known.unknown) if is_same else found


def held(link: Link, causes: Mapping[str, Cause], now: datetime) -> Transition:
    """Hold a pair that cannot be sent; each cause, by field, is reported once. Its sharing waits anew afterwards."""
    new = {name: found for name, found in causes.items() if not is_reported(found, link.reported)}
    keys, first = tuple(found.key for found in causes.values()), kept_cause(link, next(iter(causes.values())))
    unwritten = link.unwritten or bool(new)
    next_link = replace(link, state=State.HELD, waiting={}, reported=keys, unwritten=unwritten, cause=first)
    return Transition(
        next_link, tuple(cause_line(now, Side.PARTNER_CENTER, name, found) for name, found in new.items())
    )


def parked(link: Link, changes: Sequence[Change], side: Side, cause: Cause, now: datetime) -> Transition:
    """Park a pair whose changes a side refused. A refusal that the seller has read is not reported again."""
    new = [change for change in changes if not link.knows_refusal(f"{side}.{change.field}", change.new, cause)]
    suffix = UNREADABLY if cause.code == UNREADABLE else ""
    refused = with_refused(link, changes, side, now, suffix=suffix)
    next_link = replace(refused, state=State.PARKED, cause=cause, unwritten=link.unwritten or bool(new))
    return Transition(next_link, refusal_lines(now, side, cause, new))


def parked_create(link: Link, mark: str, cause: Cause, now: datetime) -> Transition:
    """Park a deal that Partner Center refuses: it is sent again once anything in it, and so its `mark`, has changed."""
    suffix = UNREADABLY if cause.code == UNREADABLE else ""
    difference = Difference(mark, f"{REFUSED_BY_FAR_SIDE}{Side.PARTNER_CENTER}{suffix}", now)
    next_link = replace(link, state=State.PARKED, refused={WHOLE: difference}, cause=cause, unwritten=True)
    return Transition(next_link, (cause_line(now, Side.PARTNER_CENTER, None, cause),))


# --- a new pair


def adopted_opportunity(
    link: Link, referral: Referral, intended: Effect | None, rules: Rules, arrival: Arrival, now: datetime
) -> Transition:
    """Link an existing opportunity with its referral (docs/protocol.md#creating-an-opportunity).

    If an interrupted run intended to create the opportunity for this referral, it created this one. The values of its
    intent are then the base, so that an edit made since then survives, and the lines report the creation. A default
    among them stays a default. Another stage than the intended one is a question, because nothing was read back.
    """
    adopted = replace(
        link,
        referral_id=referral.id,
        engagement_id=referral.engagement_id,
        base=intended_base(intended, rules) if intended and not link.base else link.base,
        mapping=rules.mapping if intended and not link.base else link.mapping,
        sources=rules.sources if intended and not link.base else link.sources,
        state=State.LIVE,
        reported=(),
        cause=None,
        unwritten=True,
    )
    if intended:
        arrived, notice = arriving(referral, arrival, rules, now), 0 if arrival.notifies else None
        refused, reported = intended_records(intended, arrived, now), (UNSEEN_INSERT, *arrived.reported)
        state = State.PARKED if intended.cause else State.LIVE
        asking = replace(adopted, state=state, refused=refused, reported=reported, cause=intended.cause, notice=notice)
        return Transition(asking, intended.lines or arrival_lines(referral, arrival, rules, now))
    return Transition(adopted, (Line(now, "adopted_opportunity", LineDirection.FROM_PARTNER_CENTER),))


def created_opportunity(
    arrived: Link, opportunity: Opportunity, referral: Referral, ignored: Sequence[Change], rules: Rules, now: datetime
) -> Link:
    """The link of an opportunity that was created for a referral. Its base holds the values that its creation carries.

    If the record has another value, that value counts as an edit in Salesforce. If Salesforce left a value empty, the
    link notes it as refused. The base's stage is the one read back (docs/protocol.md#answers-that-nobody-gave), even if
    the referral's status cannot be read.
    """
    base = arrived.base.with_values({change.field: None for change in ignored})
    taken_over = carried(opportunity.deal, rules, Side.PARTNER_CENTER)
    read = {name: value for name, value in taken_over.items() if isinstance(value, Status)}
    is_unwritten = bool(ignored) or arrived.has_refused_value or arrived.unshown is not None
    link = replace(arrived, opportunity_id=opportunity.id, base=base.with_values(read), unwritten=is_unwritten)
    return with_known_versions(with_ignored(link, ignored, Side.SALESFORCE, now), opportunity, referral, rules)


def ignored_lines(changes: Sequence[Change], now: datetime) -> tuple[Line, ...]:
    """The lines of values that Salesforce left empty without an error when it created an opportunity."""
    return lines_of_ignored(now, Side.SALESFORCE, changes)


def unconfirmed_create(link: Link, until: datetime, now: datetime) -> Transition:
    """Note that the run that creates the referral has ended, and that nobody knows yet whether it was created."""
    effects = (link.intent or Intent()).effects
    ended = tuple(replace(one, ended=one.kind is EffectKind.CREATE_REFERRAL) for one in effects)
    direction, side = LineDirection.NOTE, Side.PARTNER_CENTER
    line = Line(now, "create_unconfirmed", direction, side, values={"until": f"{until:%H:%M}"})
    return Transition(replace(link, intent=Intent(ended), unwritten=True), (line,))


def linked_referral(
    link: Link, referral: Referral, sent: Deal, rules: Rules, *, is_adopted: bool, left_out: int, now: datetime
) -> Transition:
    """Link an opportunity with the referral that was created for it, by this run or by an earlier one.

    The base takes what the referral holds of the deal that was `sent`, without the `left_out` contacts.
    """
    next_link = replace(
        link,
        state=State.LIVE,
        referral_id=referral.id,
        engagement_id=referral.engagement_id,
        base=_held_by_both(sent, referral.deal, rules, is_adopted=is_adopted),
        mapping=rules.mapping,
        sources=rules.sources,
        refused={CONTACTS_KEY: Difference(str(left_out), CONTACTS_LEFT_OUT, now)} if left_out else {},
        reported=(),
        cause=None,
        unwritten=True,
    )
    direction, side = LineDirection.TO_PARTNER_CENTER, Side.PARTNER_CENTER
    lines = [Line(now, "adopted_referral" if is_adopted else "created_referral", direction, side)]
    if left_out:
        lines.append(Line(now, "contacts_left_out", direction, side, "contacts", values={"count": str(left_out)}))
    return Transition(next_link, tuple(lines))


def sent_deal(link: Link) -> Deal:
    """The deal that the link's intent to create a referral sends; empty without such an intent."""
    intended = (link.intent or Intent()).find(EffectKind.CREATE_REFERRAL)
    return intended.values if intended else Deal()


def _held_by_both(sent: Deal, current: Deal, rules: Rules, *, is_adopted: bool) -> Deal:
    """Return the values that both sides have held: those that were sent and that the answer confirms.

    A referral that is found later may have been edited since. Both sides held every value that it was created with,
    so a difference is an edit in Partner Center. The status is an exception: the service decides the status of a new
    referral, and that is no person's edit. So a deal that is won before it is shared is won, without a conflict. A deal
    that is visible because its seller asks for help is not ticked yet.
    """
    taken_over = carried(sent, rules, Side.SALESFORCE) if is_adopted else Deal()
    both = {
        name: value
        for name, value in sent.items()
        if name in current and (current[name] == value or (name in taken_over and not isinstance(value, Status)))
    }
    lists = {rule.field for rule in rules.updatable if rule.is_set and rule.field in sent and rule.field in current}
    both |= {name: sent[name] if is_adopted else agreed_members(None, sent[name], current[name]) for name in lists}
    decided = {name: value for name, value in current.items() if isinstance(value, Status) and not is_adopted}
    return Deal(both | decided).without(VISIBILITY)


# --- a confirmed write


def split_by_effect(changes: Sequence[Change], read_back: Deal) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """The changes that took effect, and those that the far side ignored: it still holds the old value.

    Another value after a successful write means that a person was faster. The base then takes the value that was
    sent, and the next look finds the other value as an edit.
    """
    ignored = tuple(
        change
        for change in changes
        if change.field in read_back
        if is_same(read_back[change.field], change.old) and not is_same(change.old, change.new)
    )
    return tuple(change for change in changes if change not in ignored), ignored


def patched(link: Link, changes: Sequence[Change], read_back: Deal, opportunity: Deal, now: datetime) -> Transition:
    """Confirm a PATCH by the referral that it returned; the base takes what the opportunity holds too.

    The version that was known is an old one now. The new one is known at the end of the work: a run that stops before
    leaves none, or the next one would take its write for somebody's.
    """
    effective, ignored = split_by_effect(changes, read_back)
    agreed = {one.field: one.new for one in effective if one.is_step or opportunity.get(one.field) == one.new}
    agreed |= _agreed_lists(link, effective, opportunity, read_back)
    refused = with_ignored(link, ignored, Side.PARTNER_CENTER, now)
    taken = {f"{Side.PARTNER_CENTER}.{change.field}" for change in effective}
    left = {key: one for key, one in refused.refused.items() if key not in taken or one.code != FIXED_THERE.code}
    repeats = with_writes(link.repeats, Side.PARTNER_CENTER, effective, now)
    agreed_base = refused.base.with_values(agreed)
    next_link = replace(refused, base=agreed_base, refused=left, unwritten=True, repeats=repeats, etag=None)
    return Transition(next_link, _lines_of_write(now, Side.PARTNER_CENTER, effective, ignored))


def without_refusals(link: Link, changes: Sequence[Change], plan: Plan) -> Link:
    """The link once Salesforce has taken `changes`, which it may have refused before."""
    keys = {f"{Side.SALESFORCE}.{change.field}" for change in changes}
    left = {key: known for key, known in link.refused.items() if key not in keys or known.code == TEXT_CUT}
    next_link = replace(link, refused=left)
    is_parked = next_link.state is State.PARKED and next_link.has_refused_value
    return next_link if is_parked else replace(next_link, state=plan.state, cause=plan.cause)


def written(
    link: Link, changes: Sequence[Change], read_back: Deal, referral: Deal, now: datetime, *, is_shown: bool = True
) -> Transition:
    """Confirm a write of an opportunity by the record that was read back; the base takes what both sides have held.

    Joined notes are an exception. If only Salesforce holds the joined text, the base takes the text that Partner Center
    still holds. Of a converted amount, the base takes what Salesforce holds. `is_shown` says whether the write carried
    the mark and the audit too.
    """
    effective, ignored = split_by_effect(changes, read_back)
    refused = with_ignored(link, ignored, Side.SALESFORCE, now)
    refused = without_questions(refused) if any(isinstance(one.new, Status) for one in effective) else refused
    agreed = {change.field: value_for_base(link, change, referral) for change in effective}
    agreed |= _agreed_lists(link, effective, read_back, referral)
    details = list(details_of_added(effective, read_back, referral, now))
    refused = replace(refused, refused={**refused.refused, **{key: record for key, record, _ in details}})
    mark = refused.due_mark if is_shown else refused.mark
    unwritten = bool(ignored or details) or not is_shown
    known = without_unreadable(link.repeats, Side.SALESFORCE) if is_shown and link.repeats else link.repeats
    repeats = with_writes(known, Side.SALESFORCE, effective, now)
    agreed_base = refused.base.with_values(agreed)
    next_link = replace(refused, base=agreed_base, mark=mark, unwritten=unwritten, repeats=repeats)
    told = tuple(line for _, _, lines in details for line in lines)
    return Transition(next_link, (*_lines_of_write(now, Side.SALESFORCE, effective, ignored), *told))


def _agreed_lists(link: Link, changes: Sequence[Change], opportunity: Deal, referral: Deal) -> dict[str, Value | None]:
    """The base of each changed list: a member that only one side holds is an edit that still has to travel."""
    fields = [change.field for change in changes if isinstance(change.new, tuple) or isinstance(change.old, tuple)]
    return {name: agreed_members(link.base.get(name), opportunity.get(name), referral.get(name)) for name in fields}


def _lines_of_write(
    now: datetime, side: Side, effective: tuple[Change, ...], ignored: tuple[Change, ...]
) -> tuple[Line, ...]:
    return (*change_lines(now, side, effective), *lines_of_ignored(now, side, ignored))


def with_ignored(link: Link, changes: Sequence[Change], side: Side, now: datetime) -> Link:
    """The link with values that a side accepted and did not take: only another value is written again.

    To write the same one again would change the record, and so change nothing but its date, each hour.
    """
    return with_refused(link, changes, side, now, suffix="_silently")


def with_refused(link: Link, changes: Sequence[Change], side: Side, now: datetime, *, suffix: str = "") -> Link:
    """The link with values noted as refused by a side: they are not pushed back."""
    refused = dict(link.refused)
    for change in changes:
        key, code = f"{side}.{change.field}", f"{REFUSED_BY_FAR_SIDE}{side}{suffix}"
        known, record = link.refused.get(key), Difference(refusal_mark(change.new), code, now)
        is_same = known is not None and known.code == code and link.refuses(key, change.new)
        refused[key] = replace(known, since=now) if known is not None and is_same else record
    return replace(link, refused=refused)
