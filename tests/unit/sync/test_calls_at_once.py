"""A side that limits the calls gets fewer at once, and more again as it takes them (docs/protocol.md#calls-at-once)."""

from collections.abc import Callable, Iterable, Iterator
from copy import replace
from datetime import timedelta

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.clients.call_pace import Paces, Sign
from shared.domain.deal import Side
from shared.sync.ports import Policy
from tests.unit.sync.harness import HOUR, Harness, Instance
from tests.unit.sync.instances import SerialWorkers

THERE = Side.PARTNER_CENTER


class RoundWorkers(SerialWorkers):
    """Works in rounds: each item finds the calls of the others of its round under way, as in threads."""

    def __init__(self, paces: Paces) -> None:
        self._paces = paces

    def map[T, R](self, work: Callable[[T], R], items: Iterable[T], *, at_most: Callable[[], int]) -> list[R]:
        left, results = list(items), list[R]()
        while left:
            size = at_most()
            others = [(pace, pace.begin()) for pace in map(self._paces.of, Side) for _ in range(size - 1)]
            results += super().map(work, left[:size], at_most=at_most)
            for pace, (halvings, is_used) in others:
                pace.end(Sign.NOTHING, halvings, is_used=is_used)
            del left[:size]
        return results


def in_rounds(instance: Instance) -> Instance:
    paces = instance.ctx.paces
    instance.ctx = replace(instance.ctx, workers=RoundWorkers(paces))
    return instance


def calls_at_once(instance: Instance) -> int:
    return instance.ctx.paces.calls_at_once(THERE)


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness(policy=Policy(hold_win=timedelta(), mass_change_limit=1000)) as harness:
        yield harness


def test_a_side_that_limits_the_calls_slows_its_instance_and_recovers(harness: Harness) -> None:
    instance = in_rounds(harness.new_instance())
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(60)]
    assert calls_at_once(instance) == 8
    instance.push()
    fast = calls_at_once(instance)
    assert fast == 8 + 5, "8 + 9 + 10 + 11 + 12 of 60 creates"

    instance.push(HOUR)
    for deal in deals:
        harness.seller_edits(deal, Amount=777)
    headers = {"Retry-After": "120"}
    harness.inject_fault(THERE, Fault(FaultKind.ANSWER, method="PATCH", status=429, headers=headers))
    instance.push()
    assert calls_at_once(instance) == fast // 2
    assert calls_at_once(harness.new_instance()) == 8, "another process finds its own"

    harness.clear_faults()
    instance.push(HOUR)
    assert fast // 2 < calls_at_once(instance) < fast
    instance.push(HOUR)
    assert all(harness.referral_of(deal)["details"]["dealValue"] == 777 for deal in deals)


def test_a_limit_that_a_repeated_read_has_met_slows_too(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=12000)
    harness.inject_fault(THERE, Fault(FaultKind.ANSWER, path="/referrals/[^/]+$", status=503, body="{}"))
    harness.sweep()
    assert harness.opportunity(deal)["Amount"] == 12000, "the client has read again"
    assert calls_at_once(harness.first) == 4


def test_salesforces_limit_slows_salesforce_alone(harness: Harness) -> None:
    harness.seller_creates()
    body = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "ConcurrentPerOrgLongTxn Limit exceeded."}]'
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, status=403, body=body))
    harness.push()
    assert harness.first.ctx.paces.calls_at_once(Side.SALESFORCE) == 4
    assert calls_at_once(harness.first) == 8
