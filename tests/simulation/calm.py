"""The calm after a storm: people and faults stop. Then rounds, until one writes nothing, and the judgement.

Three rounds at most may write, as docs/protocol.md#rule-3-convergence-and-quiescence grants.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from shared.operations.compare import Places, run_compare
from tests.simulation.accounts import judge_accounts, with_customer
from tests.simulation.acts import new_run
from tests.simulation.bad_records import judge_differences, keep_rules, without_refused
from tests.simulation.events import Event
from tests.simulation.faulty import kinds
from tests.simulation.foreign import judge_foreign_referrals
from tests.simulation.leaving import LEAVING, bring_back
from tests.simulation.line_items import judge_computed, without_ignored
from tests.simulation.lists import IN_ROWS, judge_lists, save_after_removals, with_lists
from tests.simulation.mass_stop import MASS, MORE_ROUNDS, approve, waits
from tests.simulation.microsoft import NEWS, judge_news
from tests.simulation.names import judge_name_marks, takes_names
from tests.simulation.oracle import Left, judge
from tests.simulation.owners import judge_owners
from tests.simulation.staging import judge_staging, run_staging
from tests.simulation.told_lines import judge_lines
from tests.simulation.unreadable_rows import judge_unreadable_rows, make_readable
from tests.unit.sync.harness import HOUR, Instance

if TYPE_CHECKING:
    from tests.simulation.driver import Simulation

ROUNDS = 3
NIGHT = 20 * HOUR + 100
POLLS = 5
"""So many pushes ask for every source of changes: the rarer ones take turns."""


def calm(simulation: "Simulation") -> Iterator[str]:
    """Bring everything to rest, and find the promises that are broken then.

    What Microsoft says may be heard a round after it is found, so there two rounds write nothing.
    """
    end_storm(simulation)
    yield from _rest_and_judge(simulation)
    if make_readable(simulation.people):
        simulation.tell("the row can be read again")
        yield from _rest_and_judge(simulation)
    simulation.judged = len(simulation.people.edits)


def _rest_and_judge(simulation: "Simulation") -> Iterator[str]:
    yield from rest(simulation, quiet=2 if NEWS in simulation.world.traits else 1)
    yield from judge_unreadable_rows(simulation.people, judgements(simulation))


def end_storm(simulation: "Simulation") -> None:
    """The runs that are under way end or crash; then most deals are ticked again."""
    simulation.places.clear()
    while simulation.runs:
        run = simulation.runs[0]
        if simulation.chance.random() < 0.3:
            run.crash()
            simulation.effects.see(kinds.CRASH_BEFORE if run.is_before else kinds.CRASH_AFTER)
        else:
            run.resume()
        simulation.collect(run)
    simulation.is_calm = True
    bring_back(simulation.people)
    save_after_removals(simulation.people)
    keep_rules(simulation.people)
    simulation.queue_events(simulation.watch.changed_referrals())


def rest(simulation: "Simulation", *, quiet: int) -> Iterator[str]:
    """Run rounds until so many write nothing. What is written after the rounds that may write is a finding."""
    worker = simulation.new_instance()
    if LEAVING in simulation.world.traits:
        _pass_a_night(simulation, worker)
    written = list[list[str]]()
    rounds = ROUNDS + (MORE_ROUNDS if MASS in simulation.world.traits else 0)
    for number in range(rounds + quiet):
        before = len(simulation.writes.writes)
        _round(simulation, worker, number + 1)
        written = without_refused(simulation.people, simulation.writes.writes[before:])
        written = without_ignored(simulation.people, written)
        quiet -= not written and not waits(simulation.people)
        if quiet == 0:
            break
    yield from (f"restless: {write[0]} {write[1]}" for write in written)


def _pass_a_night(simulation: "Simulation", worker: Instance) -> None:
    """The daily compare queues what no push can find, such as an edit of a deal that was hidden until now."""
    simulation.harness.advance_time(NIGHT)
    simulation.tell("the daily compare runs")
    run_compare(worker.ctx, cast("Places", worker.ctx.store), sample=0)


def _round(simulation: "Simulation", worker: Instance, number: int) -> None:
    """The clock passes every wait; then the push, all queued events, the sweep and the retry queue."""
    simulation.harness.advance_time(HOUR + 100)
    simulation.tell(f"round {number} begins")
    if MASS in simulation.world.traits and approve(simulation.people):
        simulation.tell("operator approves")
    pushes = (("push", None),) * (POLLS if {IN_ROWS, LEAVING} & simulation.world.traits else 1)
    work = (*pushes, *(("event", event) for event in simulation.events), ("sweep", None), ("push", None))
    simulation.events = []
    for kind, event in work:
        run_through(simulation, kind, worker, event)
    run_staging(simulation.people)
    simulation.queue_events(simulation.watch.changed_referrals())


def run_through(simulation: "Simulation", kind: str, worker: Instance, event: Event | None = None) -> None:
    """One run from start to end."""
    simulation.harness.advance_time(1.0)
    simulation.tell(f"{kind} runs from start to end")
    run = new_run(kind, worker, event)
    run.resume()
    simulation.look_at(run)


def judgements(simulation: "Simulation") -> Iterator[str]:
    """Each broken promise of both sides at rest."""
    people = simulation.people
    yield from judge_computed(people, judge_differences(people, judge(left_by(simulation))))
    yield from judge_foreign_referrals(people)
    yield from judge_staging(people)
    yield from judge_news(people) if NEWS in simulation.world.traits else ()
    yield from judge_lists(people)
    yield from judge_name_marks(people, simulation.writes.unmarked)
    yield from judge_owners(people)
    yield from judge_accounts(people)
    yield from judge_lines(people)


def left_by(simulation: "Simulation") -> Left:
    """All records of both systems, and the log of edits."""
    salesforce, people = simulation.harness.salesforce, simulation.people
    opportunities, accounts, contacts = map(salesforce.records, ("Opportunity", "Account", "Contact"))
    opportunities = [with_customer(people, with_lists(people, record)) for record in opportunities]
    referrals = [{**one, "touched": one["id"] in simulation.places.touched} for one in people.referrals()]
    known = (opportunities, referrals, accounts, contacts, people.edits, simulation.judged, people.unasked)
    return Left(*known, people.asked(), takes_names(simulation.harness))
