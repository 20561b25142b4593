"""Writes the plans' changes to Salesforce. A plan that adds or removes members which are rows is written by itself.

One Composite of queries finds what the new rows need, for the pairs of a batch together. Then one Composite for each
pair writes opportunity and rows, all or nothing. A member whose row Salesforce does not take is left out and told, so
that it stops nothing else. Source: docs/protocol.md#writing-rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import batched
from operator import call
from string import digits

from msgspec import Struct

from shared.domain.audit import cause_line
from shared.domain.cause import Cause
from shared.domain.deal import Change, Side
from shared.domain.left_members import told_members
from shared.domain.listed_texts import listed
from shared.domain.member_sets import Left, Member, key_of, members_of
from shared.domain.row_records import without_left
from shared.domain.sentences import LineDirection, cause
from shared.domain.untaken_codes import REFUSED_ROW
from shared.foundation.errors import CosellError, Rejected
from shared.mapping.creation_draft import DUPLICATES
from shared.mapping.customer_lookup import QUERIES_OF_A_CALL
from shared.mapping.new_records import completed_rows
from shared.mapping.related_list import NEW_CONTACT, Found, RelatedList, RowSteps, Target, joined_steps, tags_of
from shared.mapping.stamps import MAX_COMMIT_TIME, SECOND
from shared.sync.pair_lease import Pair, call_salesforce, open_pairs, run_step
from shared.sync.ports import Context, Json, Node, Outcome, Result, Write, Written
from shared.sync.record_ports import Removal
from shared.sync.retry_queue import outcome_of_error, pausing_on_failure, retry_once_rested
from shared.sync.write_opportunity import (
    CONDITIONAL,
    keep_first_writes,
    must_be_written_singly,
    prepare_write,
    take_answer,
    write_opportunities,
)

_WITHOUT_DIGITS = str.maketrans("", "", digits)
KEEPS_CHANGING = Outcome(Result.RETRY, "opportunity_kept_changing")
type FoundByField = Mapping[str, Found]


def write_changes(ctx: Context, pairs: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Carry the plans' changes to Salesforce. Yields pairs that the caller reads and plans again.

    A person may change a record before it is written (412).
    """
    pairs, written = _open_with_writes(pairs), dict[str, datetime]()
    values = (len(pair.plan.to_salesforce) for pair in pairs if pair.plan)
    for _ in range(max(ctx.policy.tries, 0, *values)):  # values that were refused together are written one by one
        for pair in pairs:
            if (left := _rests_in(pair, written)) and pair.outcome is None:
                pair.end(retry_once_rested(ctx, left))
        pairs = _open_with_writes(pairs)
        if not pairs:
            return
        changed = ctx.map(call, writes_of(ctx, pairs), to=Side.SALESFORCE)
        pairs = [pair for chunk in changed for pair in chunk]
        if not pairs:
            return
        written = {pair.id: pair.opportunity.modified for pair in pairs if pair.opportunity}
        if any(pair.opportunity.rests_in for pair in pairs if pair.opportunity):
            ctx.clock.sleep(SECOND)
        yield pairs
        pairs = _open_with_writes(pairs)
    for pair in open_pairs(pairs):
        pair.end(KEEPS_CHANGING)


def _open_with_writes(pairs: Sequence[Pair]) -> list[Pair]:
    return [pair for pair in open_pairs(pairs) if pair.plan and pair.plan.to_salesforce]


def _rests_in(pair: Pair, written: Mapping[str, datetime]) -> timedelta:
    """How long the pair's record must not be written yet, because of a save that may still be committed.

    A record that this run has just `written` and that shows no other save waits for the end of its second only.
    """
    if (opportunity := pair.opportunity) is None:
        return timedelta()
    is_own = written.get(pair.id) == opportunity.modified and opportunity.rests_in <= MAX_COMMIT_TIME
    return timedelta() if is_own else opportunity.rests_in


def writes_of(ctx: Context, pairs: Sequence[Pair]) -> list[partial[list[Pair]]]:
    """The calls that write the plans' changes, each for a batch of pairs; each returns the pairs to plan again."""
    with_rows = {pair.id for pair in pairs if any(_is_of_rows(ctx, change) for change in _changes(pair))}
    plain = pairs if not with_rows else [pair for pair in pairs if pair.id not in with_rows]
    listed = [pair for pair in pairs if pair.id in with_rows] if with_rows else []
    return [
        *(partial(write_opportunities, ctx, list(some)) for some in batched(plain, CONDITIONAL, strict=False)),
        *(partial(write_related, ctx, list(some)) for some in batched(listed, CONDITIONAL, strict=False)),
    ]


def write_related(ctx: Context, pairs: Sequence[Pair]) -> list[Pair]:
    """Write pairs with rows; returns the pairs to plan again (`write_opportunities`)."""
    found, again = _look_up(ctx, pairs), list[Pair]()
    coming = [(pair, _Trial(found, _told_of(pair))) for pair in open_pairs(pairs)]
    while coming:
        pair, trial = coming.pop(0)
        answers: Sequence[Written] = ()
        if ready := run_step(ctx, pair, _prepare, trial):
            answers = call_salesforce(ctx, [pair], _call(ctx, ready.steps), [ready.write])
        following = run_step(ctx, pair, _take, trial, ready, answers)
        if isinstance(following, _Trial) and pair.outcome is None:
            coming.append((pair, following))
        elif following is True:
            again.append(pair)
    return again


def _changes(pair: Pair) -> tuple[Change, ...]:
    return pair.plan.to_salesforce if pair.plan else ()


def _is_of_rows(ctx: Context, change: Change) -> bool:
    """Whether a change adds or removes rows."""
    is_list = isinstance(change.new, tuple) or isinstance(change.old, tuple)
    return is_list and _related(ctx, change.field) is not None


def _related(ctx: Context, name: str) -> RelatedList | None:
    field = ctx.translation.fields[name]
    return field if isinstance(field, RelatedList) and field.related_list else None


# --- what must be found first


def _look_up(ctx: Context, pairs: Sequence[Pair]) -> FoundByField:
    """Find what the new rows of all pairs need, in as few calls as possible. A failure ends the work on the pairs."""
    queries = dict[tuple[str, str], str]()
    for name in dict.fromkeys(change.field for pair in pairs for change in _changes(pair)):
        if (field := _related(ctx, name)) is not None:
            adding = {pair.id: added for pair in pairs if (added := _added(pair, name))}
            members = {key_of(one): one for added in adding.values() for one in added}
            asked = field.lookup(list(members.values()), list(adding)) if members else {}
            queries |= {(name, query): soql for query, soql in asked.items()}
    found: dict[str, dict[str, Sequence[Json]]] = {}
    try:
        with pausing_on_failure(ctx, Side.SALESFORCE):
            for some in batched(queries.items(), QUERIES_OF_A_CALL, strict=False):
                pages = ctx.salesforce.query(*(soql for _, soql in some)).pages
                for ((name, query), _), page in zip(some, pages, strict=True):
                    found.setdefault(name, {})[query] = page.records
    except CosellError as error:
        for pair in pairs:
            pair.end(outcome_of_error(ctx, error, pair.id))
    return found


def _added(pair: Pair, name: str) -> list[Member]:
    changes = (change for change in _changes(pair) if change.field == name)
    return [
        member
        for change in changes
        for key, member in members_of(change.new).items()
        if key not in members_of(change.old)
    ]


# --- one pair


class _Trial(Struct, frozen=True):
    """What the tries to write one pair have shown, by field and key.

    `allowed` are the members whose contact is saved although it resembles others, and `left` the members whose row
    Salesforce refused. `taken` has the kinds of steps, and the members, of which another record had a unique value.
    `told` has the marks of those that the link had on record. `is_alone` says that the first value is written without
    the others and without our own fields; `is_last` that there are no others.
    """

    found: FoundByField
    told: frozenset[str]
    allowed: frozenset[tuple[str, str]] = frozenset()
    left: Mapping[tuple[str, str], Left] = {}
    taken: frozenset[tuple[str, str]] = frozenset()
    is_alone: bool = False
    is_last: bool = True


class _Ready(Struct, frozen=True):
    """A write of an opportunity with the steps of its rows, and field and key of each step's member."""

    write: Write
    steps: Sequence[Node | Removal]
    keys: Mapping[str, tuple[str, str]]


def _call(ctx: Context, steps: Sequence[Node | Removal]) -> partial[Sequence[Written]]:
    """The call that writes one pair, as `call_salesforce` makes it."""
    items, optional = ctx.translation.read_items
    return partial(ctx.salesforce.update_with_rows, steps=steps, further=items, optional=optional)


def _told_of(pair: Pair) -> frozenset[str]:
    """The marks of the members that the link and the plan that is not stored yet have on record."""
    planned = pair.plan.refused.values() if pair.plan else ()
    return told_members([*pair.entry.value.refused.values(), *planned])


def _prepare(ctx: Context, pair: Pair, trial: _Trial) -> _Ready | None:
    """Store what is about to be written, and return it; None if nothing is left to write."""
    steps, keys = _plan_rows(ctx, pair, trial)
    if not _changes(pair):
        pair.put_plan_into_link(ctx.translation.rules)
        return None
    write = prepare_write(ctx, pair, is_shown=not trial.is_alone)
    return None if write is None else _Ready(write, steps, keys)


def _take(ctx: Context, pair: Pair, trial: _Trial, ready: _Ready | None, answers: Sequence[Written]) -> _Trial | bool:
    """Take the answer. Returns the next trial, or else whether the pair must be planned again.

    Values that Salesforce refuses together are written one by one, the first one now, without our own fields.
    """
    for written in answers if ready is not None else ():
        member = ready.keys.get(written.step or "") if ready is not None else None
        if written.refused and member is not None:
            return _learned(ctx, pair, trial, member, written)
        if written.changed:
            return True
        if not trial.is_alone and must_be_written_singly(ctx, pair, written):
            is_last = len(_changes(pair)) == 1
            keep_first_writes(pair, 1)
            return replace(trial, is_alone=True, is_last=is_last)
        is_shown = not trial.is_alone and pair.link.unshown is None
        take_answer(ctx, pair, written, is_shown=is_shown, is_last=trial.is_last)
    return trial.is_alone and not trial.is_last and pair.outcome is None


def _plan_rows(ctx: Context, pair: Pair, trial: _Trial) -> tuple[list[Node | Removal], Mapping[str, tuple[str, str]]]:
    """The steps of the plan's changes, and field and key of each step's member; others leave the plan."""
    steps, keys = list[Node | Removal](), dict[str, tuple[str, str]]()
    for change in _changes(pair):
        field = _related(ctx, change.field) if _is_of_rows(ctx, change) else None
        if field is None:
            continue
        rows = _rows_of(ctx, pair, field, change.field, trial)
        _leave_out(ctx, pair, change.field, rows.left, trial.told)
        steps += rows.nodes
        keys |= {name: (change.field, key) for name, key in rows.keys.items()}
        gone = members_of(change.old).keys() - members_of(change.new).keys()
        if pair.opportunity is not None:
            steps += field.removals_of(gone, change.field, pair.opportunity.rows.get(change.field, ()))
    return steps, keys


def _rows_of(ctx: Context, pair: Pair, field: RelatedList, name: str, trial: _Trial) -> RowSteps:
    """The steps that add the members of one list whom Salesforce has not refused."""
    allowed = frozenset(key for of, key in trial.allowed if of == name)
    refused = {key: left for (of, key), left in trial.left.items() if of == name}
    raw = pair.referral.raw if pair.referral is not None else None
    target = Target(name, pair.id, tags_of(field, raw), allowed)
    coming = [member for member in _added(pair, name) if key_of(member) not in refused]
    added, left = field.rows_for(coming, target, trial.found.get(name, {})), RowSteps(left=tuple(refused.values()))
    try:
        nodes = completed_rows(added.nodes, ctx.translation.file.new, ctx.translation.org)
    except Rejected as error:  # the record type that the mapping file names is gone
        return joined_steps([left, RowSteps(left=tuple(one for _, one in _refused(name, coming, error.cause)))])
    return joined_steps([replace(added, nodes=tuple(nodes)), left])


def _leave_out(ctx: Context, pair: Pair, name: str, left: Sequence[Left], told: frozenset[str]) -> None:
    """Let the plan go without these members, and tell those that no try before has told."""
    if pair.plan is None:
        return
    theirs = pair.referral.deal.get(name) if pair.referral is not None else None
    plan, lines = without_left(
        pair.plan, told | _told_of(pair), ctx.translation.rules[name], theirs, left, ctx.clock.now()
    )
    if plan != pair.plan:
        pair.narrow_plan(plan, lines)


# --- what a refusal shows


def _learned(ctx: Context, pair: Pair, trial: _Trial, member: tuple[str, str], written: Written) -> _Trial:
    """The trial after Salesforce refused the row of a member, or a new contact because of a duplicate rule.

    Where a unique value is taken, somebody may have made the row just now: a second look shows it. A contact with
    another address cannot stand for the member, so the new one is saved all the same, and told.
    """
    (name, key), refusal = member, written.refused
    if refusal is None:
        return trial
    taken = (_kind(written.step), key)
    if written.changed and taken not in trial.taken:  # else it is not the row itself
        return replace(trial, found=_look_up(ctx, [pair]), taken=trial.taken | {taken})
    coming = {key_of(one): one for one in _added(pair, name)}
    if refusal.code == DUPLICATES and (written.step or "").endswith(NEW_CONTACT) and member not in trial.allowed:
        _tell_similar(ctx, pair, coming[key], refusal)
        return replace(trial, allowed=trial.allowed | {member})
    is_limit = sum(of == name for of, _ in trial.left) + 1 >= ctx.policy.singly
    refused = coming.values() if is_limit else [coming[key]]
    return replace(trial, left={**trial.left, **dict(_refused(name, refused, refusal))})


def _kind(step: str | None) -> str:
    """The kind of a step: its name without the number of its member."""
    return (step or "").translate(_WITHOUT_DIGITS)


def _tell_similar(ctx: Context, pair: Pair, member: Member, refusal: Cause) -> None:
    """Tell that a contact is new, although there are similar ones."""
    found = cause("contact_allowed", "contacts", contact=member, matches=listed(refusal.matches))
    line = cause_line(ctx.clock.now(), Side.SALESFORCE, "contacts", found, LineDirection.FROM_PARTNER_CENTER)
    if pair.plan is not None:
        pair.narrow_plan(pair.plan, (line,))


def _refused(name: str, members: Iterable[Member], refusal: Cause) -> Iterator[tuple[tuple[str, str], Left]]:
    values = {"reason": refusal.reason.rstrip("."), "remedy": refusal.remedy}
    for member in members:
        yield (name, key_of(member)), Left(Side.PARTNER_CENTER, REFUSED_ROW, member, values)
