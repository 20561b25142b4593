"""A batched write that fails: what its pairs wait for, and which record a gateway refuses."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.foundation.errors import Ambiguous, SignInFailed, UnreadableRefusal
from shared.sync.acquire_pair import acquire
from shared.sync.pair_lease import Pair, call_salesforce
from shared.sync.ports import Outcome, Policy, Result, SideState, Write, Written
from tests.unit.sync.harness import START, Harness

POLICY = Policy()


def pairs_of(harness: Harness, *ids: str) -> list[Pair]:
    return [pair for key in ids if isinstance(pair := acquire(harness.first.ctx, key), Pair)]


class Gateway:
    """A call that a gateway answers with a page, if it holds one of the `refused` records."""

    def __init__(self, *refused: str) -> None:
        self.refused, self.calls = refused, list[tuple[str, ...]]()

    def __call__(self, writes: Sequence[Write], columns: Sequence[str]) -> list[Written]:
        del columns
        self.calls.append(tuple(write.id for write in writes))
        if set(self.refused).intersection(self.calls[-1]):
            raise UnreadableRefusal("a page")
        return [Written(write.id, None, START) for write in writes]


def written_by(harness: Harness, pairs: Sequence[Pair], call: Callable[..., list[Written]]) -> list[Written]:
    return [*call_salesforce(harness.first.ctx, pairs, call, [Write(pair.id, {}) for pair in pairs])]


def test_halves_find_the_record_that_a_gateway_refuses(harness: Harness) -> None:
    pairs, gateway = pairs_of(harness, "a", "b", "c", "d"), Gateway("c")
    assert [one.id for one in written_by(harness, pairs, gateway)] == ["a", "b", "d"]
    assert gateway.calls == [("a", "b", "c", "d"), ("a", "b"), ("c", "d"), ("c",), ("d",)]
    assert [pair.id for pair in pairs if pair.outcome] == ["c"]
    assert pairs[2].outcome == Outcome(Result.RETRY, "UnreadableRefusal", harness.now() + POLICY.lease, unsure=True)
    assert harness.stored_link("c").repeats is not None


def test_a_record_that_is_refused_for_long_is_parked_with_a_cause(harness: Harness) -> None:
    (pair,), gateway = pairs_of(harness, "a"), Gateway("a")
    found: list[Written] = []
    for _ in range(20):
        harness.advance_time(600.0)
        found = found or written_by(harness, [pair], gateway)
    assert [(one.id, one.refused and one.refused.code) for one in found] == [("a", "unreadable_refusal")]


@pytest.mark.parametrize("error", [Ambiguous("lost"), ValueError("a defect")])
def test_all_pairs_of_a_call_that_fails_are_queued(harness: Harness, error: Exception) -> None:
    def fail(*_: object) -> list[Written]:
        raise error

    pairs = pairs_of(harness, "a", "b")
    assert written_by(harness, pairs, fail) == []
    assert [pair.outcome and (pair.outcome.result, pair.outcome.unsure) for pair in pairs] == [(Result.RETRY, True)] * 2
    assert len(harness.first.log.fields_of("pair_failed")) == 2


def test_a_paused_side_is_not_called_and_its_pairs_wait_for_the_end_of_the_pause(harness: Harness) -> None:
    until = START + timedelta(minutes=5)
    harness.store.write_side_state(Side.SALESFORCE, SideState(paused_until=until))
    pairs, gateway = pairs_of(harness, "a"), Gateway()
    assert (written_by(harness, pairs, gateway), gateway.calls) == ([], [])
    assert pairs[0].outcome == Outcome(Result.RETRY, "side_paused", until)


def test_a_sign_in_that_fails_pauses_the_side(harness: Harness) -> None:
    def fail(*_: object) -> list[Written]:
        raise SignInFailed("no", code="invalid_grant", remedy="Sign in.")

    pairs = pairs_of(harness, "a")
    assert written_by(harness, pairs, fail) == []
    assert harness.store.side_state(Side.SALESFORCE, fresh=True).reason == "sign_in"
