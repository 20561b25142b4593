"""Reports what waits and what is wrong, from the table alone: no call to either side, and no secret.

What a person must look at is grouped by its cause, each group with one deal as an example, the remedy, and the command
that goes on with it. Source: docs/reference/commands.md#cosell-status.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta

from msgspec import Struct

from shared.app import App
from shared.domain.counted_changes import MASS_CHANGE
from shared.domain.deal import Side
from shared.domain.link import REFUSED_BY_FAR_SIDE, Difference, Link
from shared.domain.link_states import State
from shared.domain.sighting import Sighting
from shared.mapping.outbound import label_of
from shared.operations.ask_app import ANSWER_DUE
from shared.operations.compare import MANUAL_DONE
from shared.operations.credentials import CREDENTIALS_DONE, ENDS
from shared.operations.health import health_report
from shared.operations.noted_links import Notes
from shared.operations.queue_texts import is_approved, is_late, late_text, reason_of
from shared.operations.refused_columns import REFUSED_COLUMNS, column_remedy, refusal_text
from shared.operations.remedy_choices import how_to_answer, with_choices
from shared.operations.waiting_list import Waiting, queued_entries, waiting_list
from shared.store.link_store import LinkStore
from shared.store.stored_values import OPERATOR, RetryEntry

RUNS = {
    "push": "push_done", "sweep": "sweep_done", "compare": "compare_done", "manual_compare": MANUAL_DONE,
    "credentials": CREDENTIALS_DONE,
}  # fmt: skip
"""The runs, and the cursor that each moves when it ends."""
ANSWER_SOON = timedelta(days=3)
HELD, PARKED, COLUMNS, INBOX, ANSWER, STOPPED, LATE = (
    "held", "parked", "columns", "inbox", "answer", "stopped", "late",
)  # fmt: skip
"""The kinds of groups."""
IN_INBOX = (
    "Correct what refuses the deal: a value in Partner Center, or a rule or right in Salesforce. The tab Co-sell Inbox "
    "says which, and so does"
)
SHOWN_OF_INBOX = 20
"""So many deals of the inbox are named: each has its own reason, which the table does not hold."""
AUDIT_SAYS = "The Audit of the opportunity has the reason and the remedy."
APPROVE = (
    "Look at the deals with `cosell approve --dry-run`. If the changes are right, let them go; if they are wrong, take "
    "them back where they were made."
)


class Queue(Struct, frozen=True):
    """One side's retry queue: how many pairs wait, how many failed or are late, since when, and the next try."""

    side: Side
    count: int
    failed: int
    late: int
    oldest: datetime | None
    next_try: datetime | None


class Group(Struct, frozen=True):
    """Deals with one cause. `example` is the id of one of them and has the `reason`; `command` goes on with all.

    field    the name of the field in the mapping file, the columns that are refused, or None
    label    the same as people know it: the label of the field
    name     the name of the example, if the table has it
    oldest   None where an earlier build stored no time
    """

    kind: str
    code: str
    field: str | None
    count: int
    oldest: datetime | None
    example: str
    reason: str
    remedy: str
    command: str
    label: str | None = None
    name: str | None = None


class SideReport(Struct, frozen=True):
    """A side: until when and why it is paused."""

    side: Side
    paused_until: datetime | None
    reason: str | None


class Request(Struct, frozen=True):
    """A deal that an operator has asked for, or approved, and the app has not worked yet.

    `operator` is None for a backfill, and `name` where the table has none.
    """

    key: str
    operator: str | None
    at: datetime | None
    is_approved: bool = False
    name: str | None = None


class StatusReport(Struct, frozen=True):
    """Everything that `cosell status` prints. `links` counts the links by state, and `waiting` the entries by cause."""

    health: Mapping[str, object]
    runs: Mapping[str, datetime | None]
    sides: Sequence[SideReport]
    queues: Sequence[Queue]
    links: Mapping[str, int]
    groups: Sequence[Group]
    ends: Mapping[str, datetime]
    asked: Sequence[Request] = ()
    waiting: Sequence[Waiting] = ()


class _One(Struct, frozen=True):
    """One deal of a group."""

    kind: str
    code: str
    field: str | None
    since: datetime | None
    key: str
    remedy: str
    command: str
    reason: str = ""


def status_report(app: App) -> StatusReport:
    """Read the whole table once. Raises the errors of the store."""
    store, cursors = app.store, app.store.cursors()
    queued = queued_entries(store)
    queues = {side: [entry for entry in queued if entry.side is side] for side in Side}
    by_key = {entry.key: entry for entry in queued}
    links, found, notes, now = dict[str, int](), list[_One](), Notes(queued), app.clock.now()
    for entry in store.links():
        links[str(entry.value.state)] = links.get(str(entry.value.state), 0) + 1
        of_link = [*_of_link(entry.value, by_key.get(entry.value.opportunity_id), now)]
        notes.take_link(entry.value, is_listed=bool(of_link))
        found += of_link
    found += _of_referrals(store, queues[Side.PARTNER_CENTER], notes)
    told = {one.key for one in found}
    run_time = timedelta(seconds=app.settings.sync.run_seconds)
    late = [entry for entry in queued if is_late(entry, now, run_time)]
    found += [_late(entry) for entry in late if entry.key not in told]
    return StatusReport(
        health_report(app),
        {run: cursors.get(cursor) for run, cursor in RUNS.items()},
        [_side_report(store, side, now) for side in Side],
        [_queue(side, entries, late) for side, entries in queues.items()],
        links,
        [replace(_told(group, app), name=notes.names.get(group.example)) for group in _grouped(found)],
        {name.removeprefix(ENDS): at for name, at in sorted(cursors.items()) if name.startswith(ENDS)},
        [_request(entry, notes.names) for entry in queued if entry.asked or entry.cause == OPERATOR],
        [replace(one, name=notes.names.get(one.example)) for one in waiting_list(queued)],
    )


def _queue(side: Side, entries: Sequence[RetryEntry], late: Sequence[RetryEntry]) -> Queue:
    oldest = min((entry.since for entry in entries if entry.since), default=None)
    failed, next_try = sum(entry.is_failure for entry in entries), min((entry.at for entry in entries), default=None)
    return Queue(side, len(entries), failed, sum(entry.side is side for entry in late), oldest, next_try)


def _request(entry: RetryEntry, names: Mapping[str, str]) -> Request:
    key, asked = Sighting.of(entry.key).referral_id, entry.asked
    operator, at = (asked.operator, asked.at) if asked else (None, entry.since)
    return Request(key, operator, at, is_approved(entry), names.get(key))


def _side_report(store: LinkStore, side: Side, now: datetime) -> SideReport:
    state = store.side_state(side)
    is_paused = state.paused_until is not None and now < state.paused_until
    return SideReport(side, state.paused_until if is_paused else None, state.reason if is_paused else None)


# --- what a person must look at


def _of_link(link: Link, entry: RetryEntry | None, now: datetime) -> Iterator[_One]:
    """What is wrong with a linked deal, of which `entry` is the retry entry: one line for each thing."""
    key, cause, since = link.opportunity_id, link.cause, entry.since if entry else None
    if link.state is State.PARKED or link.has_refused_value:
        yield _parked(link, since)
    elif cause is not None and not link.inbox:  # an unanswered deal, and one in step, can have a cause too
        command = _retry(cause.code)
        yield _One(HELD, cause.code, cause.field, since, key, cause.remedy, command, cause.reason)
    if link.unshown is not None:
        columns, refusal = ", ".join(link.unshown.columns), link.unshown.cause
        texts = column_remedy(refusal), _retry(REFUSED_COLUMNS), refusal_text(refusal)
        yield _One(COLUMNS, REFUSED_COLUMNS, columns, link.unshown.since, key, *texts)
    if link.inbox:
        reason = cause.reason if cause else ""
        yield _One(INBOX, cause.code if cause else INBOX, None, since, key, IN_INBOX, f"cosell status {key}", reason)
    if link.answer_by is not None and link.state is State.ON_HOLD and link.answer_by.until - now <= ANSWER_SOON:
        yield _One(ANSWER, ANSWER_DUE, None, link.answer_by.until, key, "", f"cosell status {key}")
    stopped = [record.since for record in link.waiting.values() if record.code == MASS_CHANGE]
    if stopped and not (entry and is_approved(entry)):
        yield _One(STOPPED, MASS_CHANGE, None, min(stopped), key, APPROVE, "cosell approve")


def _parked(link: Link, queued: datetime | None) -> _One:
    """A deal of which a service refuses something: the cause that it was told, or the code of the first refusal.

    `queued` is since when it waits in the retry queue: a record that is refused as a whole has no other time.
    """
    refused = {name: one for name, one in link.refused.items() if one.code.startswith(REFUSED_BY_FAR_SIDE)}
    since = min((one.since for one in refused.values()), default=queued)
    if link.cause is not None:
        code, field = link.cause.code, link.cause.field or _field_of(refused)
        remedy, reason = link.cause.remedy, link.cause.reason
        return _One(PARKED, code, field, since, link.opportunity_id, remedy, _retry(code), reason)
    code = next((one.code for one in refused.values()), PARKED)
    return _One(PARKED, code, _field_of(refused), since, link.opportunity_id, AUDIT_SAYS, _retry(code))


def _field_of(refused: Mapping[str, Difference]) -> str | None:
    """The field of the first refusal, whose key begins with the side that refuses it."""
    return next((name.partition(".")[2] for name in refused), None)


def _of_referrals(store: LinkStore, queue: Sequence[RetryEntry], notes: Notes) -> Iterator[_One]:
    """The referrals that make no opportunity, and that the inbox shows."""
    known = {entry.key: entry for entry in queue}
    for referral, entry in store.pointers():
        pointer, queued = entry.value, known.get(referral)
        notes.take_pointer(referral, pointer)
        if pointer.opportunity_id is None and pointer.inbox:
            since, code = (queued.since, queued.cause) if queued else (None, INBOX)
            reason = f"{reason_of(code)}." if queued else ""
            yield _One(INBOX, code, None, since, referral, IN_INBOX, f"cosell status {referral}", reason)


def retried_causes(app: App) -> Sequence[str]:
    """The causes that `cosell status` lists and a retry takes. Raises the errors of the store."""
    return [group.code for group in status_report(app).groups if group.kind in (HELD, PARKED, COLUMNS, INBOX, LATE)]


def _late(entry: RetryEntry) -> _One:
    """A pair that is late, and of which nothing else is known. Of a record of another party, the id is the example."""
    key, reason = Sighting.of(entry.key).referral_id, f"{reason_of(entry.cause)}."
    command = _retry_one(key) if entry.cause == OPERATOR else _retry(entry.cause)
    return _One(LATE, entry.cause, None, entry.since, key, late_text(entry.cause), command, reason)


def _retry(code: str) -> str:
    return f"cosell retry --cause {code}"


def _retry_one(key: str) -> str:
    return f"cosell retry {key}"


def _inbox_remedy(some: Sequence[_One]) -> str:
    """Lead to the reason of each deal of the inbox."""
    keys = sorted(one.key for one in some)[:SHOWN_OF_INBOX]
    return f"{IN_INBOX} {', '.join(f'`cosell status {key}`' for key in keys)}."


def _told(group: Group, app: App) -> Group:
    """The group with the label of its field, and with the stages that answer a deal or what its remedy lets choose."""
    if group.kind == ANSWER:
        return replace(group, remedy=how_to_answer(app.translation))
    remedy = with_choices(app.translation, group.code, group.remedy)
    label = label_of(app.translation.file, group.field) if group.field else None
    return replace(group, remedy=remedy, label=label)


def _grouped(found: Sequence[_One]) -> list[Group]:
    """The groups in the order of their kinds, the largest first. The oldest deal of a group is its example."""
    by_cause: dict[tuple[str, str, str | None, str], list[_One]] = {}
    for one in found:
        remedy = one.remedy if one.kind == COLUMNS else ""  # which depends on what Salesforce says
        by_cause.setdefault((one.kind, one.code, one.field, remedy), []).append(one)
    groups = []
    for (kind, code, field, _), some in by_cause.items():
        first = min(some, key=lambda one: (one.since is None, one.since, one.key))
        is_retried = len(some) > 1 and first.command.startswith("cosell retry")
        command = _retry(code) if is_retried else first.command
        texts = first.reason, _inbox_remedy(some) if kind == INBOX else first.remedy
        groups.append(Group(kind, code, field, len(some), first.since, first.key, *texts, command))
    order = (HELD, PARKED, COLUMNS, INBOX, ANSWER, STOPPED, LATE)
    return sorted(groups, key=lambda group: (order.index(group.kind), -group.count, group.code))
