"""Leaves entries in the retry queue for an operator, and says what keeps the app from working on them.

This module writes rows of the store only: the app works each pair under its lease, within a minute. An entry of a
failed pair keeps its age and its attempts.

Source: docs/protocol.md#the-retry-queue.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import replace
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from shared.app import App
from shared.domain.deal import Side
from shared.domain.link import REFUSED_BY_FAR_SIDE, Link
from shared.domain.policy import PULL, PUSH
from shared.domain.sentences import system_name
from shared.operations.find_pair import FoundPair
from shared.store.stored_values import OPERATOR, WAITING, Entry, RetryEntry
from shared.sync.ports import Context
from shared.sync.retry_queue import paused_directions

SILENT = timedelta(minutes=5)
"""A push that ended longer ago says that the app does not run, or that a run takes long, up to its time."""
LONGEST_QUEUE = 100_000
APPROVAL = frozenset({"mass_change", "mapping_change"})
"""Causes that wait for `cosell approve`."""
REFUSED_COLUMNS = "refused_columns"
"""The cause of a deal on which columns of ours cannot be written."""
NOT_TRIED = APPROVAL | {WAITING}
"""Causes of entries that no retry helps: they wait for an approval, or for a set time."""


class Asked(Struct, frozen=True):
    """A deal that the app is asked to work on.

    causes     why it is held, parked or waits
    is_busy    whether the app works on it now
    """

    side: Side
    key: str
    causes: tuple[str, ...] = ()
    is_busy: bool = False

    @property
    def needs_approval(self) -> bool:
        """Whether it waits for an approval alone."""
        return bool(self.causes) and APPROVAL.issuperset(self.causes)


def asked_of(ctx: Context, found: FoundPair) -> Asked:
    """What the app is asked for, where an operator names a deal. One without an opportunity is pulled."""
    causes = (found.retry_entry.cause,) if found.retry_entry else ()
    if found.link is None:
        key = found.retry_entry.key if found.retry_entry and found.is_of_other_party else found.key
        return Asked(found.side, key, causes)
    link = found.link.value
    return Asked(Side.SALESFORCE, link.opportunity_id, (*_causes_of(link), *causes), _is_busy(ctx, found.link))


def find_failed(ctx: Context, cause: str | None, report: Callable[[int], None] = lambda _done: None) -> Sequence[Asked]:
    """The deals that are held, parked or failed; with `cause`, those of one code. Raises the errors of the store."""
    found: dict[tuple[Side, str], Asked] = {}
    for number, entry in enumerate(ctx.store.links()):
        report(number)
        if causes := _causes_of(entry.value):
            key = (Side.SALESFORCE, entry.value.opportunity_id)
            found[key] = Asked(*key, causes, _is_busy(ctx, entry))
    for one in _waiting_entries(ctx):
        known = found.get((one.side, one.key), Asked(one.side, one.key))
        found[one.side, one.key] = replace(known, causes=(*known.causes, one.cause))
    chosen = (one for one in found.values() if not one.needs_approval)
    return [one for one in chosen if cause is None or cause in one.causes]


def ask(ctx: Context, asked: Asked) -> None:
    """Let the app work on a deal at its next run."""
    now, known = ctx.clock.now(), ctx.store.retry_entry(asked.side, asked.key)
    since = (known.since if known else None) or now
    entry = known or RetryEntry(asked.side, asked.key, now, OPERATOR)
    cause = OPERATOR if asked.side is Side.SALESFORCE else entry.cause  # a pull knows nothing that it must forget
    ctx.store.put_retry_entry(replace(entry, at=now, cause=cause, since=since))


def why_it_waits(app: App, *directions: str) -> Sequence[str]:
    """Why the app does not work on what it is asked for within a minute, as sentences; empty if it does."""
    return [*_why_it_waits(app, directions or (PUSH, PULL))]


def _why_it_waits(app: App, directions: Sequence[str]) -> Iterator[str]:
    ctx = app.local
    if (mode := app.settings.sync.sync) != "on":
        yield f"SYNC is {mode}, so the app does nothing with it: run `cosell turn-on`."
        return
    for direction in sorted(paused_directions(ctx).intersection(directions)):
        yield f"The {direction} is paused, so it waits until `cosell resume {direction}`."
    now, paused = ctx.clock.now(), False
    for side in Side:
        until = ctx.store.side_state(side).paused_until
        if until is not None and now < until:
            paused = True
            yield f"The app has paused {system_name(side)} until {until:%H:%M} UTC, so it waits until then."
    ended = ctx.store.cursor("push_done")
    if not paused and (ended is None or now - ended > SILENT):
        since = f"since {ended.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if ended else "yet"
        if ended is None or now - ended > SILENT + ctx.policy.run_time:
            yield f"The app does not run: no push has ended {since}. It does the work once it runs again."
        else:
            yield f"No push has ended {since}: a run takes long, or the app does not run. The work comes after that."


def _causes_of(link: Link) -> tuple[str, ...]:
    codes = [link.cause.code] if link.cause else []
    codes += [one.code for one in link.refused.values() if one.code.startswith(REFUSED_BY_FAR_SIDE)]
    codes += [REFUSED_COLUMNS] if link.unshown else []
    return tuple(dict.fromkeys(codes))


def _is_busy(ctx: Context, entry: Entry[Link]) -> bool:
    return entry.value.intent is not None and entry.age < ctx.policy.lease


def _waiting_entries(ctx: Context) -> Iterator[RetryEntry]:
    for side in Side:
        entries = ctx.store.retry_entries(side, datetime.max.replace(tzinfo=UTC), LONGEST_QUEUE)
        yield from (entry for entry in entries if entry.cause not in NOT_TRIED)
