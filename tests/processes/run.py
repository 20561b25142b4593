"""The long run of processes: two hosts on one store carry deals both ways while one after the other is killed."""

import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulators.base.server import Server
from local.azurite import start_azurite
from local.compare import list_writes
from local.systems import REST_SECONDS, Systems, start_systems
from tests.processes.hosts import FrontEnd, HostProcess, started
from tests.processes.judge import judge
from tests.processes.kills import Kills, Moment
from tests.processes.people import People

HURRIED_SETTINGS = {
    "PUSH_SCHEDULE": "* * * * * *", "SWEEP_SCHEDULE": "*/4 * * * * *",
    "DEADLINE_SECONDS": "5", "LEASE_SECONDS": "11", "SETTLE_SECONDS": "3",
}  # fmt: skip
"""A kill leaves an intent behind, which waits for the end of its lease."""
NAMES = ("first", "second")
RESTS = 4
"""So often in the run half a minute passes in Salesforce. More would make an assertion of the sign-in too old."""
WAIT_SECONDS, CALM_SECONDS, QUIET_SECONDS = 10.0, 240.0, 16.0
"""The longest wait for a kill before people do more, for the end, and the time in which nothing is written then."""


@dataclass(frozen=True)
class Report:
    """What a run did and found."""

    findings: list[str]
    kills: Counter[tuple[Moment, str]]
    deals: int
    edits: int
    questions: int
    seconds: float

    def describe(self) -> str:
        """The report for people, with a line for each finding."""
        lines = [f"{number:4} kills {moment} of {side}" for (moment, side), number in sorted(self.kills.items())]
        lines.append(f"{self.deals} deals, {self.edits} edits, {self.kills.total()} kills in {self.seconds:.0f} s")
        lines.append(f"{self.questions} sellers were asked whether they had chosen a stage")
        return "\n".join([*lines, *(self.findings or ["Nothing is lost, and nothing is doubled."])])


@dataclass
class LongRun:
    """A run while it lasts."""

    systems: Systems
    people: People
    kills: Kills
    hosts: list[HostProcess]

    def run(self, count: int) -> list[str]:
        """Let people act until `count` hosts were killed, wait for the end, and judge."""
        acts = self.people.first_acts()
        for number in range(count):
            for act in acts[len(acts) * number // count : len(acts) * (number + 1) // count]:
                act()
                time.sleep(0.02)
            if number % (count // RESTS + 1) == 0:
                self.systems.salesforce.clock.advance(REST_SECONDS)
            self._wait_for_kill(number + 1)
        return [*self._wait_for_the_end(), *self._defects()]

    def _wait_for_kill(self, number: int) -> None:
        """Wait until so many hosts were killed. People edit on where nothing else makes a host write."""
        until = time.monotonic() + WAIT_SECONDS
        while self.kills.count < number:
            time.sleep(0.1)
            self.people.answer_questions()
            if time.monotonic() > until:
                self.people.somebody_edits()
                until = time.monotonic() + 1

    def _wait_for_the_end(self) -> list[str]:
        """What is wrong once nobody writes any more; else what is wrong after the longest time."""
        deadline, quiet_since, writes = time.monotonic() + CALM_SECONDS, time.monotonic(), self._count_writes()
        while time.monotonic() < deadline:
            time.sleep(0.5)
            self.people.answer_questions()
            before, writes = writes, self._count_writes()
            quiet_since = time.monotonic() if writes != before else quiet_since
            if time.monotonic() - quiet_since > QUIET_SECONDS and not judge(self.people):
                return []
        return judge(self.people) or ["the hosts still write"]

    def _count_writes(self) -> int:
        return len(list_writes(self.systems.salesforce.journal, self.systems.partner_center.journal))

    def _defects(self) -> list[str]:
        """The stack traces that the hosts printed."""
        printed = "".join(host.output() for host in self.hosts)
        return [f"a host printed: {trace}" for trace in re.findall(r"Traceback[^\n]*(?:\n[^\n]*){12}", printed)[:3]]


def run_processes(deals: int, kills: int, *, seed: int = 0, on_azurite: bool = False) -> Report:
    """Run `deals` deals each way, and kill a host `kills` times.

    Raises:
        ConfigurationError: Azurite cannot run on this machine.
    """
    began, chance = time.monotonic(), random.Random(seed)  # noqa: S311 - a seed repeats what people do
    with tempfile.TemporaryDirectory(prefix="cosell-kills-") as name:
        folder = Path(name)
        with start_systems(folder, seed=seed) as systems, _store_settings(folder, on_azurite=on_azurite) as store:
            plan, people = Kills(kills, chance), People(systems, deals, random.Random(seed))  # noqa: S311 - as above
            settings = {**systems.environ, **HURRIED_SETTINGS, **store}
            with _started_hosts(systems, folder, settings, plan, chance) as hosts:
                findings = LongRun(systems, people, plan, hosts).run(kills)
            number = len(people.opportunities) + len(people.referrals)
            return Report(
                findings, plan.done, number, len(people.edits), len(people.questions), time.monotonic() - began
            )


@contextmanager
def _store_settings(folder: Path, *, on_azurite: bool) -> Iterator[Mapping[str, str]]:
    if not on_azurite:
        yield {}
        return
    with start_azurite(folder) as azurite:
        yield {"STORE_FILE": "", "STORE_CONNECTION_STRING": azurite.connection_string}


@contextmanager
def _started_hosts(
    systems: Systems, folder: Path, settings: Mapping[str, str], kills: Kills, chance: random.Random
) -> Iterator[list[HostProcess]]:
    """Two hosts that serve; each reaches both sides through addresses of its own."""
    with ExitStack() as stack:
        hosts = [HostProcess(name, folder, dict(settings)) for name in NAMES]
        for host in hosts:
            host.environ = {**settings, **_own_addresses(stack, systems, host, kills)}
        stack.enter_context(started(hosts))
        front = Server(FrontEnd(hosts, chance).handle, tls=systems.authority.server_context())
        systems.partner_center.register_events(f"{stack.enter_context(front).url}/api/events")
        stack.callback(systems.partner_center.close)  # stops sending events before the hosts stop
        yield hosts


def _own_addresses(stack: ExitStack, systems: Systems, host: HostProcess, kills: Kills) -> dict[str, str]:
    tls = systems.authority.server_context()
    salesforce = Server(kills.gate("Salesforce", host, systems.salesforce.handle), tls=tls)
    partner_center = Server(kills.gate("Partner Center", host, systems.partner_center.handle), tls=tls)
    urls = stack.enter_context(salesforce).url, stack.enter_context(partner_center).url
    return {"SALESFORCE_URL": urls[0], "PARTNER_CENTER_URL": f"{urls[1]}/v1.0/engagements"}
