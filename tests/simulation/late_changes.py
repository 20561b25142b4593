"""Changes that hide from whoever looks too early: saves in one second, referrals that no event and no list tells.

Sources: docs/protocol.md#writing-values-that-people-edit, docs/protocol.md#the-sweep.

These happen in other seeds too, but seldom where they matter: right before a write, and right behind a cursor.
"""

import random

from shared.domain.list_rows import AGREED
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People

TWICE = "sellers who save twice within a second"
UNTOLD = "events that are lost, and lists that lack what has just changed"
PAGES = "sweeps that read referrals from lists, which may show them as they were"
GAPS = (600.0, 1200.0)
"""Seconds, within the overlap of the sweep."""
AGES = (0.0, 60.0, 600.0, 1200.0)
"""Seconds for which a list shows a changed referral as it was, within the same overlap."""
LATE_IDS = "02468ace"
"""First digits of the ids of the referrals that lists lack."""
LOST = 0.9
"""The share of the events that are lost in a seed of `UNTOLD` or `PAGES`."""


def _saves_twice(people: People) -> bool:
    """A colleague edits the amount, and a seller saves twice in one second: the amount, which others see late."""
    linked = [one for one in people.opportunities() if one[TICK] and one["Referral_Identifier__c"]]
    record = people.choose(linked)
    referral = people.referral_of(record) if record else None
    if record is None or referral is None or referral["status"] == "Closed":
        return False
    if not people.save_referral(referral, {"details_dealValue": people.amount()}):
        return False
    usual = people.late_saves
    people.late_saves = 0.0
    if people.save_opportunity(record, {"CloseDate": people.day()}):
        people.late_saves = 1.0
        (saved,) = [one for one in people.opportunities() if one["Id"] == record["Id"]]
        people.save_opportunity(saved, {"Amount": people.amount()})
    people.late_saves = usual
    return True


def _edits_two(people: People) -> bool:
    """A colleague edits two deals one after the other: lists lack the first one, and show the second."""
    open_ones = [one for one in people.referrals() if one["status"] == "Active"]
    late = [one for one in open_ones if one["id"][0] in LATE_IDS]
    prompt = [one for one in open_ones if one["id"][0] not in LATE_IDS]
    if not (late and prompt):
        return False
    for record in (people.chance.choice(late), people.chance.choice(prompt)):
        people.harness.advance_time(1.0)
        people.save_referral(record, {"details_dealValue": people.amount()})
    return True


def _edits_all(people: People) -> bool:
    """A colleague edits every open deal, so that a sweep finds several."""
    edited = [one for one in people.referrals() if one["status"] == "Active"]
    for record in edited:
        people.harness.advance_time(1.0)
        people.save_referral(record, {"details_dealValue": people.amount()})
    return bool(edited)


LATE_MOVES = (
    Move("seller saves twice in a second", 60, _saves_twice, "money", TWICE),
    Move("colleague edits two deals", 60, _edits_two, "", UNTOLD),
    Move("colleague edits all deals", 60, _edits_all, "", PAGES),
)


def begin_storm_with_gaps(people: People, chance: random.Random) -> None:
    """Let lists leave out some referrals that have changed within the last minutes, until the calm.

    Others that have changed later are listed: so the sweep's cursor passes what it has not seen.
    """
    switches = people.harness.partner_center.switches
    if PAGES in people.also:
        people.harness.store.move_cursor(AGREED, people.harness.now())
        switches.list_stale, switches.list_gap = chance.choice(AGES), chance.choice(AGES)
    if UNTOLD in people.also:
        switches.list_gap, switches.list_gap_of = chance.choice(GAPS), LATE_IDS


def is_untold(people: People, chance: random.Random) -> bool:
    """Whether an event is lost, beside those that are lost in any seed."""
    return not {UNTOLD, PAGES}.isdisjoint(people.also) and chance.random() < LOST
