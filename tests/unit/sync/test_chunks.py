"""A push reads a batch together, and locks, sends, shows and releases one chunk after the other.

Source: docs/protocol.md#chunks-of-a-push.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.domain.policy import PUSH
from shared.sync.ports import Policy
from tests.unit.sync.harness import MINUTE, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease
from tests.unit.sync.outbound_deals import assert_linked

CREATE, UPDATE = "partner_center.create", "salesforce.update"


@pytest.fixture
def chunked() -> Iterator[Harness]:
    """A harness whose pushes work two pairs in a chunk."""
    with Harness(policy=Policy(hold_win=timedelta(), chunk=2, mass_change_limit=1000)) as harness:
        yield harness


def new_deals(harness: Harness, count: int = 5) -> list[str]:
    return [harness.seller_creates(Name=f"Deal {number}") for number in range(count)]


def shown(harness: Harness, deals: list[str]) -> int:
    return sum(harness.opportunity(deal)["Referral_Identifier__c"] is not None for deal in deals)


def locked(harness: Harness, deals: list[str]) -> int:
    links = [entry.value for deal in deals if (entry := harness.store.link(deal))]
    return sum(link.intent is not None for link in links)


def test_a_chunk_shows_its_ids_before_the_next_is_sent_and_all_are_read_in_one_call(chunked: Harness) -> None:
    deals, seen = new_deals(chunked), list[tuple[int, int]]()
    for skip in range(5):
        chunked.first.process.interrupt_at(
            CREATE, lambda: seen.append((shown(chunked, deals), locked(chunked, deals))), skip=skip
        )
    chunked.push()
    assert seen == [(0, 2), (0, 2), (2, 2), (2, 2), (4, 1)]
    assert chunked.first.process.calls.count("salesforce.opportunities") == 1
    assert chunked.new_calls()["salesforce.write_back"] == 3


@pytest.mark.parametrize("call", [CREATE, UPDATE, "store.replace_link", "store.insert_link"])
@pytest.mark.parametrize("after", [True, False])
def test_a_kill_in_the_middle_of_a_chunk_leaves_the_locks_of_that_chunk_only(
    chunked: Harness, call: str, *, after: bool
) -> None:
    deals, process = new_deals(chunked), chunked.first.process
    process.interrupt_at(CREATE, lambda: process.interrupt_at(call, process.crash, after=after), skip=2)
    assert chunked.first.crashes_during(Instance.push)
    assert shown(chunked, deals) >= 2
    assert locked(chunked, deals) <= 2
    other = chunked.new_instance()
    other.push(after=MINUTE)
    assert shown(chunked, deals) >= 3, "what no chunk had begun is not kept waiting for the lease"
    recover_after_lease(chunked)
    for deal in deals:
        assert_linked(chunked, deal)
    assert len(chunked.our_referrals()) == 5
    assert_quiet(chunked)


def test_a_run_whose_time_is_up_leaves_the_next_chunks_as_they_were(chunked: Harness) -> None:
    deals = new_deals(chunked)
    chunked.first.process.interrupt_at(CREATE, lambda: chunked.advance_time(480.0), after=True)
    chunked.push()
    assert (shown(chunked, deals), locked(chunked, deals)) == (2, 0)
    assert chunked.retry_entries(Side.SALESFORCE) == []
    chunked.push()
    assert shown(chunked, deals) == 5


def test_a_pause_of_the_push_leaves_the_next_chunks_as_they_were(chunked: Harness) -> None:
    deals = new_deals(chunked)

    def pause() -> None:
        chunked.store.pause_direction(PUSH, chunked.now(), "operator")
        chunked.advance_time(6)

    chunked.first.process.interrupt_at(CREATE, pause, skip=1, after=True)
    chunked.push()
    assert (shown(chunked, deals), len(chunked.our_referrals())) == (2, 2)
    assert chunked.retry_entries(Side.SALESFORCE) == []
    chunked.store.resume_direction(PUSH)
    chunked.push()
    assert shown(chunked, deals) == 5


def test_a_row_that_another_instance_has_had_since_the_read_is_read_anew(chunked: Harness) -> None:
    deals = new_deals(chunked)
    other = chunked.new_instance()
    chunked.first.process.interrupt_at(CREATE, lambda: other.push(after=0.0))
    chunked.push()
    chunked.push()
    recover_after_lease(chunked)
    assert len(chunked.our_referrals()) == 5
    for deal in deals:
        assert_linked(chunked, deal)
    assert_quiet(chunked)


def test_the_mass_change_stop_lets_go_as_many_in_chunks_as_at_once() -> None:
    with Harness(policy=Policy(chunk=2, mass_change_limit=3)) as harness:
        deals = new_deals(harness, 7)
        harness.push()
        assert (len(harness.our_referrals()), shown(harness, deals)) == (3, 3)
        assert [entry.cause for entry in harness.retry_entries(Side.SALESFORCE)] == ["mass_change"] * 4
