"""Finds the values of one person in the store, and erases them under the lock of each pair.

What Salesforce and Partner Center hold is not edited here. A deal that is open there goes on to hold the person: the
next look at it stores them again. The operator is told which deals those are.

step     what is done                                                            after a crash
find     all links, pointers and audit lines are read                            nothing has changed
note     the hashes of the traces are stored                                     the next run finds all of them
erase    each link, each pointer, with its lines, under its ETag                 the next run erases the rest

Source: docs/protocol.md#personal-data.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import replace
from datetime import timedelta
from functools import partial
from itertools import chain

from msgspec import Struct

from shared.domain.deal import Person, Side, fingerprint
from shared.domain.erasure import purged_lead
from shared.domain.forgetting import (
    expects,
    fields_with,
    is_at_rest,
    line_without,
    people_of,
    texts_with,
    without_person,
)
from shared.domain.link import Link, Pointer
from shared.domain.traces import Traces, has_address
from shared.foundation.errors import StoreConflict, UnreadableRow
from shared.operations.erase_deal import changed_lines, erase_in_deal, erase_in_lead
from shared.store.erasure_rows import StoredLine
from shared.sync.erasure_ports import ErasureStore
from shared.sync.ports import WAITING, Context, Outcome, Result, Store
from shared.sync.retry_queue import queue_pair

INTENT, TEXTS, LEAD = "intent", "texts", "lead"
"""Places besides the fields: what is about to be created, the texts about a pair, and what is known of a lead."""


class Place(Struct, frozen=True):
    """A deal, or a lead, of which the store holds something of the person.

    `key` is the opportunity's id, or the referral's where `is_lead`. `fields` are where the person is in the row, and
    `lines` is how many audit lines name them. `is_open` says that the two sides may hold the person too. `is_busy` says
    that a worker has the pair, so nothing can be erased now.
    """

    key: str
    fields: tuple[str, ...] = ()
    lines: int = 0
    is_lead: bool = False
    is_open: bool = False
    is_busy: bool = False


class Search(Struct, frozen=True):
    """The traces of one person, the hash of their address, and where they were found."""

    traces: Traces
    person: str
    places: Sequence[Place]


# --- finding


def find_person(
    store: Store, email: str, further: Sequence[str] = (), report_progress: Callable[[int], None] = lambda _done: None
) -> Search:
    """Find a person by the address, the names and numbers that go with it, and `further` texts of the operator.

    Raises errors of the store.
    """
    empty = Traces(store.salt())
    person = next(iter(dict(empty.of_text(email))), "")
    known = Traces(empty.salt, store.forgotten().get(empty.salt, {}).get(person, {}))
    traces = known.with_persons(email, _people(store, email), further)
    places: list[Place] = []
    for number, place in enumerate(_places(store, traces, email)):
        report_progress(number)
        places += [place] if place else []
    return Search(traces, person, places)


def _people(store: Store, email: str) -> Iterator[Person]:
    linked = (entry.value for entry in store.links())
    intended = (Link("", intent=entry.value.intent) for _, entry in store.pointers())
    return (one for link in chain(linked, intended) for one in people_of(link) if has_address(one, email))


def _places(store: Store, traces: Traces, email: str) -> Iterator[Place | None]:
    for entry in store.links():
        yield _place_of(store, entry.value, traces, email)
    for referral_id, pointer in store.pointers():
        yield _place_of_pointer(store, referral_id, pointer.value, traces, email)


def _place_of(store: ErasureStore, link: Link, traces: Traces, email: str) -> Place | None:
    lines = len(_lines(store.stored_lines(link.opportunity_id), traces))
    fields = (*fields_with(link, traces), *((TEXTS,) if texts_with(link, traces) else ()))
    is_expected = expects(link, email)
    if not (fields or lines or is_expected):
        return None
    is_open = not is_at_rest(link) and (is_expected or any(field != TEXTS for field in fields))
    return Place(link.opportunity_id, fields, lines, is_open=is_open, is_busy=link.intent is not None)


def _place_of_pointer(
    store: ErasureStore, referral_id: str, pointer: Pointer, traces: Traces, email: str
) -> Place | None:
    if pointer.intent is None and pointer.lead is None:
        return None
    intended, lines = Link("", intent=pointer.intent), len(_lines(store.stored_lines_of_lead(referral_id), traces))
    is_intended = bool(fields_with(intended, traces)) or texts_with(intended, traces)
    fields = ((LEAD,) if _is_known_of_lead(pointer, email) else ()) + ((INTENT,) if is_intended else ())
    place = Place(referral_id, fields, lines, is_lead=True, is_busy=pointer.intent is not None)
    return place if fields or lines else None


def _is_known_of_lead(pointer: Pointer, email: str) -> bool:
    """Whether a column of the lead was written with this address: only its fingerprint is known."""
    marks = {fingerprint(email), fingerprint(email.casefold())}
    return pointer.lead is not None and not marks.isdisjoint(pointer.lead.written.values())


def _lines(stored: Sequence[StoredLine], traces: Traces) -> Sequence[StoredLine]:
    return changed_lines(stored, partial(line_without, traces))


# --- erasing


def forget_person(
    ctx: Context, search: Search, report_progress: Callable[[int], None] = lambda _done: None
) -> Sequence[Place]:
    """Erase a person where they were found; returns the places that a worker has. Raises StoreUnavailable."""
    ctx.store.keep_forgotten(search.traces.salt, search.person, search.traces.words)
    busy: list[Place] = []
    for number, place in enumerate(search.places):
        report_progress(number)
        try:
            is_erased = (_forget_in_lead if place.is_lead else _forget_in_deal)(ctx, place, search.traces)
        except (StoreConflict, UnreadableRow):
            is_erased = False
        busy += [] if is_erased else [place]
    ctx.store.forget_own_writes(timedelta())  # their hashes cover values that are erased now
    return busy


def _forget_in_deal(ctx: Context, place: Place, traces: Traces) -> bool:
    """Erase the person in one deal, unless its link has an intent; returns whether nothing of them is left."""
    entry = ctx.store.link(place.key)
    if entry is None:
        return True
    if entry.value.intent is not None:
        return False
    if erase_in_deal(ctx.store, entry, without_person(entry.value, traces), partial(line_without, traces)):
        queue_pair(ctx, Side.SALESFORCE, place.key, Outcome(Result.RETRY, WAITING, ctx.clock.now()))
    return True


def _forget_in_lead(ctx: Context, place: Place, traces: Traces) -> bool:
    """The same for the pointer of a referral, and for the audit lines of its lead."""
    entry = ctx.store.pointer(place.key)
    if entry is None:
        return True
    if entry.value.intent is not None:
        return False
    pointer = entry.value
    erased = replace(pointer, lead=purged_lead(pointer.lead)) if pointer.lead and LEAD in place.fields else pointer
    erase_in_lead(ctx.store, place.key, entry, erased, partial(line_without, traces))
    return True
