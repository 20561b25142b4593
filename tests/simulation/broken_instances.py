"""Instances that break one rule each: by a number of the policy, by a port, or by a function of the product."""

from collections.abc import Callable
from copy import replace
from datetime import timedelta
from typing import Any

from shared.domain import transitions
from shared.domain.link import Link
from shared.domain.records import Opportunity, Referral
from shared.domain.transitions import Transition
from shared.sync import decide_pair, pair_lease, write_opportunity, write_related
from shared.sync.ports import Answer, Entry, Page
from tests.simulation.broken_stores import BrokenStore
from tests.simulation.sabotage import Sabotage
from tests.unit.sync.harness import Instance
from tests.unit.sync.instances import CrashableClock

AHEAD = {0.0: timedelta(), 0.5: timedelta(seconds=310), 0.99: timedelta(hours=-1)}
"""What the machine of an instance is ahead, by the random number that the instance always gets."""


def _with_policy(**numbers: Any) -> Sabotage:  # noqa: ANN401 - the numbers of the policy
    def breaks(instance: Instance) -> None:
        instance.ctx = replace(instance.ctx, policy=replace(instance.ctx.policy, **numbers))

    return Sabotage(breaks)


class OwnSaves:
    """Salesforce, where a poll lists no opportunity that the connector's own user saved last."""

    def __init__(self, salesforce: Any, is_own: Callable[[str], bool]) -> None:  # noqa: ANN401 - whatever has the methods of the port
        self.salesforce, self.is_own = salesforce, is_own

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for every method of the port
        return getattr(self.salesforce, name)

    def query(self, *soql: str, **options: Any) -> Answer:  # noqa: ANN401 - those of the port
        """The answer without the records that are taken for echoes."""
        answer: Answer = self.salesforce.query(*soql, **options)
        return replace(answer, pages=tuple(map(self._without_own, answer.pages)))

    def _without_own(self, page: Page) -> Page:
        return replace(page, records=tuple(one for one in page.records if not self.is_own(str(one.get("Id")))))


def _knows_echoes_by_user(instance: Instance) -> None:
    salesforce, own = instance.harness.salesforce, instance.harness.sign_in.user

    def is_own(key: str) -> bool:
        return any(one["Id"] == key and one["LastModifiedById"] == own for one in salesforce.records("Opportunity"))

    instance.ctx = replace(instance.ctx, salesforce=OwnSaves(instance.ctx.salesforce, is_own))


class AgesByOwnClock(BrokenStore):
    """The age of a link is that by the clock of the machine."""

    ahead = timedelta()

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        entry: Entry[Link] | None = self.store.link(opportunity_id)
        return replace(entry, age=entry.age + self.ahead) if entry is not None else None


def _judges_leases_by_own_clock(instance: Instance) -> None:
    store = AgesByOwnClock(instance.ctx.store)
    store.ahead = AHEAD[instance.ctx.chance()]
    instance.ctx = replace(instance.ctx, store=store)


def _trusts_own_clock(instance: Instance) -> None:
    harness, ahead = instance.harness, AHEAD[instance.ctx.chance()]
    clock = CrashableClock(lambda: harness.now() + ahead, harness.advance_time, instance.process)
    instance.ctx = replace(instance.ctx, clock=clock)


def _knows_every_version(link: Link, opportunity: Opportunity | None, referral: Referral | None, rules: object) -> Link:
    """The link, with the version of whatever was read as known."""
    del rules
    stamps = {**link.stamps, **opportunity.stamps} if opportunity else link.stamps
    etag, agreed = (referral.etag, True) if referral else (link.etag, link.agreed)
    return replace(link, stamps={name: stamp for name, stamp in stamps.items() if stamp}, etag=etag, agreed=agreed)


def _always(_: object, pair: pair_lease.Pair) -> bool:
    """Whether the opportunity was read: then it is written once more."""
    return pair.opportunity is not None


def _forget_refusal(link: Link, *_: object) -> Transition:
    """The link as it was before Salesforce refused a value, without a line."""
    return Transition(link)


BROKEN_INSTANCES = {
    "a close is sent at once": _with_policy(irreversible_wait=timedelta()),
    "the poll has no overlap": _with_policy(poll_overlap=timedelta()),
    "the sweep has no overlap": _with_policy(sweep_overlap=timedelta()),
    "an echo is known by its user": Sabotage(_knows_echoes_by_user),
    "a lease is judged by the own clock": Sabotage(_judges_leases_by_own_clock),
    "the own clock is never compared": Sabotage(_trusts_own_clock),
    "every version that was read is known": Sabotage(code=((pair_lease, "with_known_versions", _knows_every_version),)),
    "a save that may be open is not waited for": Sabotage(code=((write_related, "_rests_in", lambda *_: timedelta()),)),
    "each look writes mark and audit again": Sabotage(code=((write_opportunity, "_needs_write_back", _always),)),
    "a refused value is forgotten": Sabotage(code=((write_opportunity, "parked", _forget_refusal),)),
    "unusually many changes go": _with_policy(mass_change_limit=1_000_000),
    "a status code is a confirmation": Sabotage(
        code=((transitions, "split_by_effect", lambda changes, _: (tuple(changes), ())),)
    ),
    "automation answers Microsoft": Sabotage(code=((decide_pair, "is_question", lambda *_: False),)),
}
