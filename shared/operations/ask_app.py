"""Leaves entries in the retry queue for an operator, and says what keeps the app from working on them.

This module writes rows of the store only: the app works each pair under its lease, within a minute. An entry of a
failed pair keeps its age and its attempts.

Source: docs/protocol.md#the-retry-queue.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import replace
from datetime import UTC, timedelta

from msgspec import Struct

from shared.app import App
from shared.domain.deal import Side
from shared.domain.link import REFUSED_BY_FAR_SIDE, Link
from shared.domain.policy import PAUSED, PULL, PUSH
from shared.domain.remedies import SALESFORCE_REMEDIES
from shared.domain.sentences import CAUSES, system_name
from shared.domain.sighting import Sighting
from shared.foundation.errors import ConfigurationError
from shared.mapping.violations import nearest
from shared.operations.find_pair import FoundPair
from shared.operations.queue_texts import APPROVAL, REASONS, is_approved, reason_of
from shared.operations.refused_columns import REFUSED_COLUMNS, refusal_text
from shared.operations.waiting_list import Waiting, is_next, queued_entries, waiting_list
from shared.store.stored_values import EVENT, OPERATOR, WAITING, Asker, Entry, RetryEntry
from shared.sync.ports import Context
from shared.sync.retry_queue import paused_directions

SILENT = timedelta(minutes=5)
"""A push that ended longer ago says that the app does not run, or that a run takes long, up to its time."""
HELD = "held"
ANSWER_DUE = "answer_due"
"""The code of the deals whose owner must answer."""
NOT_TRIED = APPROVAL | {WAITING, PAUSED, EVENT}
"""Causes that no retry helps: an approval, a set time, the end of a pause, or the next run, which works an event."""


class Asked(Struct, frozen=True):
    """A deal that the app is asked to work on.

    causes           the codes of why it is held, parked or waits
    reason           the first of them in words
    is_busy          whether the app works on it now
    is_well          whether nothing of it is held, parked or failed, so that there is nothing to try again
    has_opportunity  whether it has an opportunity: then the inbox has nothing of it
    typed            the id that the operator gave, as the store writes it: that of the other side, maybe
    name             the name of the deal; empty where the store does not know it
    """

    side: Side
    key: str
    causes: tuple[str, ...] = ()
    is_busy: bool = False
    is_well: bool = False
    has_opportunity: bool = False
    typed: str = ""
    name: str = ""
    reason: str = ""

    @property
    def id(self) -> str:
        """The id that a person knows it by."""
        return self.typed or Sighting.of(self.key).referral_id

    @property
    def needs_approval(self) -> bool:
        """Whether it waits for an approval alone."""
        return bool(self.causes) and APPROVAL.issuperset(self.causes)


def asked_of(ctx: Context, found: FoundPair) -> Asked:
    """What the app is asked for, where an operator names a deal. One without an opportunity is pulled."""
    causes = (found.retry_entry.cause,) if found.retry_entry and not is_approved(found.retry_entry) else ()
    queued = f"{reason_of(causes[0])}." if causes else ""
    if found.link is None:
        key = found.retry_entry.key if found.retry_entry and found.is_of_other_party else found.key
        asked = Asked(found.side, key, causes, has_opportunity=found.side is Side.SALESFORCE)
        return replace(asked, typed=found.key, reason=queued)
    link, known = found.link.value, _causes_of(found.link.value)
    is_well = not (known or link.inbox or link.intent or link.unwritten) and {WAITING}.issuperset(causes)
    asked = replace(_of_link(ctx, found.link), causes=(*known, *causes), is_well=is_well, typed=found.key)
    return replace(asked, reason=asked.reason or queued)


def _of_link(ctx: Context, entry: Entry[Link]) -> Asked:
    """A linked deal, with what its link has on file."""
    link, causes = entry.value, _causes_of(entry.value)
    asked = Asked(Side.SALESFORCE, link.opportunity_id, causes, _is_busy(ctx, entry), has_opportunity=True)
    return replace(asked, name=str(link.base.get("name") or ""), reason=_reason_of_link(link) if causes else "")


def find_failed(
    app: App, report: Callable[[int], None] = lambda _done: None, *, with_next: bool = True
) -> Sequence[Asked]:
    """The deals that are held, parked or failed. Raises the errors of the store.

    Without `with_next`, those are left out of which nothing is wrong and that the next run tries anyway.
    """
    ctx, found = app.local, dict[tuple[Side, str], Asked]()
    for number, entry in enumerate(ctx.store.links()):
        report(number)
        if _causes_of(entry.value):
            found[Side.SALESFORCE, entry.value.opportunity_id] = _of_link(ctx, entry)
    now, run_time = ctx.clock.now(), ctx.policy.run_time
    queued = [entry for entry in queued_entries(app.store) if entry.cause not in NOT_TRIED]
    entries = [entry for entry in queued if with_next or not is_next(entry, now, run_time)]
    linked = _linked_referrals(app, entries)
    for one in entries:
        if one.key in linked and one.cause == HELD:
            continue  # the opportunity is held, or nothing is any more: its link says so
        has_opportunity = one.side is Side.SALESFORCE or one.key in linked
        known = found.get((one.side, one.key), Asked(one.side, one.key, has_opportunity=has_opportunity))
        reason = known.reason or f"{reason_of(one.cause)}."
        found[one.side, one.key] = replace(known, causes=(*known.causes, one.cause), reason=reason)
    return [one for one in found.values() if not one.needs_approval]


def left_waiting(app: App, asked: Sequence[Asked]) -> Sequence[Waiting]:
    """What else is in the retry queues than these deals, by cause. Raises the errors of the store."""
    keys = {(one.side, one.key) for one in asked}
    return waiting_list(entry for entry in queued_entries(app.store) if (entry.side, entry.key) not in keys)


def _linked_referrals(app: App, entries: Sequence[RetryEntry]) -> frozenset[str]:
    """The referrals that have an opportunity. The store is read only where a referral waits."""
    if all(entry.side is Side.SALESFORCE for entry in entries):
        return frozenset()
    return frozenset(key for key, entry in app.store.pointers() if entry.value.opportunity_id)


def with_cause(found: Sequence[Asked], code: str, listed: Callable[[], Iterable[str]]) -> Sequence[Asked]:
    """Those of `find_failed` with one cause.

    Raises ConfigurationError for a cause that waits for an approval or an answer, and for one that no deal has and the
    app does not know: it names those that are `listed` now, by `cosell status`. A cause that the app knows may be
    mended everywhere.
    """
    if code == ANSWER_DUE:
        raise ConfigurationError(
            f"--cause: {code} waits for the owner's answer, which a retry does not replace: `cosell status` names the "
            "deals and the stages that answer"
        )
    if code in APPROVAL:
        raise ConfigurationError(f"--cause: {code} waits for an approval, which a retry does not replace: {_APPROVE}")
    chosen = [one for one in found if code in one.causes]
    if chosen or is_known_cause(code):
        return chosen
    present = sorted(set(listed()))
    meant = nearest(code, present)
    has_now = (
        f"Deals have these causes now: {', '.join(present)}. `cosell status` shows which"
        if present
        else "No deal has a cause now that a retry takes: `cosell status` shows what else waits"
    )
    guess = f" Did you mean {meant}?" if meant else ""
    raise ConfigurationError(f"--cause: {code[:60]!r} is no cause that a deal has or the app knows.{guess} {has_now}")


KNOWN_CAUSES = frozenset({*CAUSES, *REASONS, *SALESFORCE_REMEDIES, REFUSED_COLUMNS})
"""The causes that the app knows by name. Others are codes of a service, or classes of errors."""
_APPROVE = "run `cosell approve`"


def is_known_cause(code: str) -> bool:
    """Whether the app knows a cause, so that it is no mistake that no deal has it now."""
    return code in KNOWN_CAUSES or code.startswith(REFUSED_BY_FAR_SIDE)


def ask(ctx: Context, asked: Asked, operator: str) -> None:
    """Let the app work on a deal at its next run, on the word of an operator (their Entra object id)."""
    now, known = ctx.clock.now(), ctx.store.retry_entry(asked.side, asked.key)
    since = (known.since if known else None) or now
    entry = known or RetryEntry(asked.side, asked.key, now, OPERATOR)
    is_worked_whole = asked.side is not Side.SALESFORCE and not entry.is_event  # a pull has nothing to forget
    cause = entry.cause if is_worked_whole else OPERATOR
    ctx.store.put_retry_entry(replace(entry, at=now, cause=cause, since=since, asked=Asker(operator, now)))


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


def _reason_of_link(link: Link) -> str:
    """The first of its causes in words."""
    if link.cause is not None:
        return link.cause.reason
    if link.has_refused_value or link.unshown is None:
        return "A service refused a value of it."
    return refusal_text(link.unshown.cause) or "Salesforce refuses columns of it."


def _is_busy(ctx: Context, entry: Entry[Link]) -> bool:
    return entry.value.intent is not None and entry.age < ctx.policy.lease
