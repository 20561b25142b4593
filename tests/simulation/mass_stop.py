"""A small limit of the mass-change stop, and the operator who approves what waits for it.

Source: docs/protocol.md#the-mass-change-stop.
"""

from collections.abc import Collection
from copy import replace
from datetime import timedelta

from shared.operations.stopped_changes import approve_stops, find_stops
from shared.sync.ports import Policy
from tests.simulation.late_changes import PAGES
from tests.simulation.moves import Move
from tests.simulation.people import People

MASS = "a small limit for unusually many changes"
LIMIT, DEALS = 2, 5
"""So many changes of a kind are let go in a day, and so many deals there may be."""
MORE_ROUNDS = 4
"""What is approved may be followed by a change of another kind, which waits for the next approval."""


def policy_of(traits: Collection[str]) -> Policy | None:
    """The settings of a seed; None for those of the harness."""
    if not {MASS, PAGES} & set(traits):
        return None
    policy = Policy(hold_win=timedelta(), mass_change_limit=LIMIT if MASS in traits else None)
    return replace(policy, clocks_differ=timedelta(), pairs_of_page=1, list_sample=1) if PAGES in traits else policy


def approve(people: People) -> bool:
    """The operator looks at what waits, and lets it go."""
    ctx = people.harness.new_instance().ctx
    stops = find_stops(ctx)
    approve_stops(ctx, stops, "local")
    people.approved += [(people.harness.now(), f"{stop.kind}|{stop.side}", len(stop.deals)) for stop in stops]
    return bool(stops)


def waits(people: People) -> bool:
    """Whether something waits for the operator, so that a round without a write is not the end."""
    return MASS in people.also and any(stop.deals for stop in find_stops(people.harness.new_instance().ctx))


MASS_MOVES = (Move("operator approves", 40, approve, "", MASS),)
