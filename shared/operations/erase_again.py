"""Erases in an imported copy of the store what was purged or forgotten since the copy was made.

The app is paused and the copy is all in the table. An intent of a deal that was purged later was ended before the
purge, so nothing of it is open. What was erased is noted in the table, as it was in the one that is gone. A run that
stops is repeated.

Source: docs/protocol.md#personal-data.
"""

from copy import replace
from datetime import datetime
from functools import partial

from shared.domain.erasure import Erasures, erased_line, purged_lead, purged_link
from shared.domain.forgetting import line_without, without_person
from shared.domain.link import Effect, Intent, Link
from shared.domain.traces import Traces
from shared.operations.erase_deal import erase_in_deal, erase_in_lead
from shared.sync.ports import Store


def erase_again(store: Store, erasures: Erasures) -> None:
    """Erase what these name, and note them. Raises StoreUnavailable, StoreConflict, UnreadableRow."""
    for opportunity_id, at in erasures.deals.items():
        _purge_deal_again(store, opportunity_id, at)
    for referral_id, at in erasures.leads.items():
        _purge_lead_again(store, referral_id, at)
    for salt, persons in erasures.persons.items():
        for person, words in persons.items():
            store.keep_forgotten(salt, person, words)
        _forget_again(store, Traces(salt, dict(one for words in persons.values() for one in words.items())))


def _purge_deal_again(store: Store, opportunity_id: str, at: datetime) -> None:
    if (entry := store.link(opportunity_id)) is not None:
        erase_in_deal(store, entry, purged_link(replace(entry.value, intent=None)), erased_line, is_purge=True)
        store.note_purged_deal(opportunity_id, at)


def _purge_lead_again(store: Store, referral_id: str, at: datetime) -> None:
    entry = store.pointer(referral_id)
    if entry is not None and entry.value.lead is not None:
        erased = replace(entry.value, lead=purged_lead(entry.value.lead), intent=None)
        erase_in_lead(store, referral_id, entry, erased, erased_line, is_purge=True)
        store.note_purged_lead(referral_id, at)


def _forget_again(store: Store, traces: Traces) -> None:
    change = partial(line_without, traces)
    for entry in store.links():
        link = without_person(entry.value, traces)
        erase_in_deal(store, entry, replace(link, intent=_intent_without(link.intent, traces)), change)
    for referral_id, pointer in store.pointers():
        if pointer.value.intent is not None or pointer.value.lead is not None:
            erased = replace(pointer.value, intent=_intent_without(pointer.value.intent, traces))
            erase_in_lead(store, referral_id, pointer, erased, change)


def _intent_without(intent: Intent | None, traces: Traces) -> Intent | None:
    """The intent without the person: what it was to write is decided anew from what both sides hold."""
    return intent and Intent(tuple(_effect_without(effect, traces) for effect in intent.effects))


def _effect_without(effect: Effect, traces: Traces) -> Effect:
    values, displaced = (without_person(Link("", base=deal), traces).base for deal in (effect.values, effect.displaced))
    lines = tuple(line_without(traces, line) for line in effect.lines)
    return replace(effect, values=values, displaced=displaced, lines=lines)
