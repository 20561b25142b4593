"""Many deals in one store, edited on both sides, while calls fail: `make simulate LINKS=10000 EDITS=100000 FAULTS=0.2`.

The edits come in rounds. A round works until most of its edits have arrived on the other side; then people and faults
stop, and everything must come to rest. Printed are the time, the memory, the faults, and the calls beside the least
calls that the work needs (docs/protocol.md#call-floors).

FAULTS is the share of calls that fail. What counts as one fault: each call that met one, so a try of a call again that
fails too is a fault of its own; a refused or lost sign-in, a failure of the store, a list or a record that is answered
wrongly; and a crash. A pause is none: it is what one answer 429 costs, however many deals wait. One lost call that
carries 24 deals is one fault too. With faults, up to three instances work at once, processes crash, and people
edit while runs are under way. Without, one instance works alone: then nothing but the work itself costs calls.
"""

import logging
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from local.in_process_transport import EmulatorService
from shared.domain.deal import Side
from shared.sync.ports import Policy
from tests.no_waits import no_waits
from tests.simulation.faulty.trouble import Places
from tests.simulation.held_values import PARTNER_CENTER
from tests.simulation.oracle import Left
from tests.simulation.scale_calls import Calls, Floor
from tests.simulation.scale_deals import Deals
from tests.simulation.scale_faults import Storm
from tests.simulation.scale_judge import judge_all
from tests.simulation.scale_runs import Crew
from tests.unit.sync.harness import HOUR, MINUTE, PARTNER_CENTER_URL, Harness

SEED = 1
ARRIVING = 0.1
"""The share of the deals that Microsoft sends."""
A_ROUND = 0.5
"""Edits of a round, as a share of the deals."""
MOSTLY = 0.1
"""A round ends when no more than this share of its edits still has to travel."""
MOST_PHASES, MOST_PUSHES = 30, 100
LATE_SAVES = 0.02
"""The share of a seller's saves that others see late."""
AT_ONCE = 0.2
"""The share of the phases in which three instances work at once. Where two meet, a deal waits, which costs calls."""
EVENTS = 0.1
"""The share of a colleague's edits of which an event comes. The sweep finds the others."""
ROUNDS_OF_THE_CALM = 3
MOST_SHOWN = 20
MOST_WITHOUT_FAULTS, MOST_FOR_A_FAULT = 1.05, 2.0
"""Calls, as a multiple of the floor, and calls above the floor for each fault."""
MOST_MEMORY, MOST_SECONDS = 1000, 1800
"""Megabytes, and seconds of both cores together."""
MEGABYTE = 1024
"""Kilobytes."""


@dataclass
class Scale:
    """One run while it lasts."""

    harness: Harness
    faults: float
    told: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - a run that repeats

    def __post_init__(self) -> None:
        let_sellers_give_reasons(self.harness)
        self.calls, self.floor, self.places = Calls(self.harness), Floor(self.harness), Places(self.harness)
        self.storm = Storm(self.faults, self.places, self.calls, self.chance)
        self.crew = Crew(self.harness, self.chance, self.places)
        self.deals = Deals(self.harness, self.chance, LATE_SAVES if self.faults else 0.0)
        self.places.touched = self.deals.crowd.touched
        salesforce = self.calls.around(Side.SALESFORCE, self.harness.salesforce, self.storm.before_call)
        partner_center = self.calls.around(Side.PARTNER_CENTER, self.harness.partner_center, self.storm.before_call)
        self.harness._adapter.answer_by(salesforce)
        self.harness._service = EmulatorService(partner_center, PARTNER_CENTER_URL)

    # --- the deals, and their edits

    def link(self, count: int) -> None:
        """Bring so many deals into the store, of both origins, and answer those that Microsoft sent."""
        received = int(count * ARRIVING)
        self.deals.make(count - received)
        self.deals.receive(received)
        self._rest()
        self.deals.find_linked()
        self.deals.answer()
        self._rest()
        self.deals.newly_edited()

    def edit(self, count: int) -> None:
        """One round: people edit, and runs follow until most edits have arrived."""
        until = len(self.deals.edits) + count
        self.deals.edit(count // 2 if self.faults else count)
        for _ in range(MOST_PHASES):
            self.harness.advance_time(self.chance.randint(1, 20) * MINUTE)
            self.floor.add_edits(self.deals.newly_edited())
            if self.faults:
                self._work_in_a_storm(until)
            else:
                self._work_in_order()
            if len(self.deals.edits) >= until and self.deals.waiting() <= count * MOSTLY:
                return

    def _work_in_order(self) -> None:
        """The pull comes first, so that an edit of both sides is known before it is sent."""
        self.floor.add_sweep()
        self.crew.sweep()
        self.harness.advance_time(MINUTE)
        self.floor.add_push()
        self.crew.push()
        self.calls.empty_journals()

    def _work_in_a_storm(self, until: int) -> None:
        """Runs while calls fail; in some phases three instances work at once, and people go on."""
        events = list(self._events())
        self.floor.add_sweep()
        self.floor.add_push()
        self.floor.add_events(len(events))
        self.storm.is_on = True
        at_once = 3 if self.chance.random() < AT_ONCE else 1
        self.crew.work_together(events, lambda: self._edit_meanwhile(until), at_once)
        self.storm.is_on = False
        self.storm.pass_over()
        self.calls.empty_journals()

    def _events(self) -> Iterator[str]:
        """The referrals that messages name: some of those that were edited since the last time, a few of them twice."""
        begin, self.told = self.told, len(self.deals.edits)
        for edit in self.deals.edits[begin:]:
            if edit.side == PARTNER_CENTER and self.chance.random() < EVENTS:
                yield from [edit.record] * self.chance.choice((1, 1, 1, 2))

    def _edit_meanwhile(self, until: int) -> None:
        self.deals.edit(min(self.chance.choice((0, 0, 1, 2, 20)), max(0, until - len(self.deals.edits))))

    # --- the end

    def calm(self) -> Iterator[str]:
        """Rounds without people and faults. What the last one writes is a finding."""
        yield from self.crew.findings
        written = 0
        for _ in range(ROUNDS_OF_THE_CALM + 1):
            before = self.calls.writes()
            self.floor.add_edits(self.deals.newly_edited())
            self.harness.advance_time(HOUR + 100)
            self._rest(self.floor)
            written = self.calls.writes() - before
            if not written:
                break
        if written:
            yield f"restless: the last round made {written} writes"

    def _rest(self, floor: Floor | None = None) -> None:
        """A sweep, and pushes until nothing is due."""
        floor = floor or Floor(self.harness)
        self.harness.advance_time(MINUTE)
        floor.add_sweep()
        self.crew.sweep()
        for _ in range(MOST_PUSHES):
            self.harness.advance_time(MINUTE)
            floor.add_push()
            self.crew.push()
            if not self._has_due():
                return

    def _has_due(self) -> bool:
        store, until = self.harness.store, self.harness.now() + timedelta(seconds=3 * MINUTE)
        return any(store.retry_entries(side, until, 1) for side in Side)

    def left(self) -> Left:
        """All records of both systems, and the log of edits."""
        names = ("Opportunity", "Account", "Contact")
        opportunities, accounts, contacts = map(self.harness.salesforce.records, names)
        referrals = [{**one, "touched": one["id"] in self.places.touched} for one in self.harness.our_referrals()]
        return Left(opportunities, referrals, accounts, contacts, self.deals.edits)


def let_sellers_give_reasons(harness: Harness) -> None:
    """Nobody forgets the reason of a decline: what waits for one would differ for ever."""
    fields = harness.salesforce.org.model.get("Opportunity").fields
    fields["closing_reason__c"] = replace(fields["closing_reason__c"], default="Others")


def run(links: int, edits: int, faults: float, most_memory: int | None = None) -> int:
    """Run it and print the report. The exit code is 1 if a promise was broken, or too much was used.

    The memory is that of the whole process, so it is judged only where nothing else runs in it.
    """
    began = time.monotonic()
    policy = Policy(hold_win=timedelta(), mass_change_limit=10 * (links + edits))
    with no_waits(), Harness(policy=policy) as harness:
        scale = Scale(harness, faults)
        scale.link(links)
        say(f"{len(scale.deals.linked)} deals linked, {scale.calls.total} calls, {time.monotonic() - began:.0f} s")
        scale.calls.forget()  # the share of faults is that of the calls from now on
        done, number = 0, 0
        while done < edits:
            number += 1
            count = min(edits - done, max(20, int(links * A_ROUND)))
            scale.edit(count)
            done += count
            above, met = scale.calls.total - scale.floor.total, scale.storm.injected + scale.crew.crashes
            say(f"round {number}: {done} edits, {scale.calls.total} calls, {above} above the floor, {met} faults")
        findings = [*scale.calm(), *judge_all(scale.left())]
        broken = report(scale, findings, time.monotonic() - began)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    say(f"{time.process_time():.0f} s of CPU (at most {MOST_SECONDS}), {memory:.0f} MB (at most {MOST_MEMORY})")
    if most_memory is not None and memory > most_memory:
        broken.append(f"too much memory: {memory:.0f} MB")
    for limit in broken:
        say(f"WRONG: {limit}")
    return 1 if findings or broken else 0


def report(scale: Scale, findings: list[str], seconds: float) -> list[str]:
    """Print the result. Returns the limits of calls that are broken; the time depends on the machine."""
    scale.floor.leave_out_unlisted(scale.calls.kinds["partner_center.list"])
    made, floor, faults = scale.calls.total, scale.floor.total, scale.storm.injected + scale.crew.crashes
    for title, counts in (
        ("calls", scale.calls.kinds),
        ("the floor", scale.floor.calls),
        ("faults that took effect", scale.storm.effective),
    ):
        say(f"{title}:")
        for kind, count in sorted(counts.items()):
            say(f"  {count:8d} {kind}")
    for finding in findings[:MOST_SHOWN]:
        say(f"WRONG: {finding}")
    say(f"{len(findings)} findings, {scale.crew.crashes} crashes, {seconds:.0f} s")
    say(f"calls {made}, floor {floor}, faults {faults}: {faults / max(1, made):.1%} of the calls")
    above, most = (made - floor) / max(1, faults), MOST_FOR_A_FAULT
    if not faults:
        above, most = made / max(1, floor), MOST_WITHOUT_FAULTS
    say(f"{above:.3f} {'calls above the floor for each fault' if faults else 'times the floor'} (at most {most})")
    return [f"too many calls: {above:.3f}"] if above > most else []


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    LINKS, EDITS, FAULTS = sys.argv[1:]
    logging.disable()  # the clients log each repeated read
    raise SystemExit(run(int(LINKS), int(EDITS), float(FAULTS), MOST_MEMORY))
