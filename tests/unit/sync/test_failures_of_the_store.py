"""The store, or a defect, fails at an awkward moment: what was begun is ended, and what was found is told."""

from collections.abc import Callable, Iterator, Mapping
from copy import replace
from datetime import datetime
from typing import Any

import pytest

from shared.domain.deal import Side
from shared.foundation.errors import StoreUnavailable, Throttled
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal, opportunity_of


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness


class FailingPort:
    """A port whose method `name` fails at its first call, or is replaced."""

    def __init__(self, port: Any, name: str, call: Callable[..., Any]) -> None:  # noqa: ANN401 - any port
        self._port, self._name, self._call = port, name, call

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method of the port
        return self._call if name == self._name else getattr(self._port, name)


def failing_once(call: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    errors = [error]

    def failing(*arguments: object) -> object:
        if errors:
            raise errors.pop()
        return call(*arguments)

    return failing


def test_a_lease_is_released_although_the_store_fails_while_a_side_is_paused(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=777)
    ctx = harness.first.ctx
    read = failing_once(ctx.salesforce.opportunities, Throttled("slow down", after=5))
    write = failing_once(ctx.store.write_side_state, StoreUnavailable("away"))
    harness.first.ctx = replace(
        ctx,
        salesforce=FailingPort(ctx.salesforce, "opportunities", read),
        store=FailingPort(ctx.store, "write_side_state", write),
    )
    harness.push()
    assert harness.stored_link(deal).intent is None
    assert [entry.key for entry in harness.retry_entries(Side.SALESFORCE)] == [deal]


def test_a_note_that_the_store_does_not_take_is_told_at_the_next_try(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    harness.run_rounds(2)
    deal, store = opportunity_of(harness, referral)["Id"], harness.first.ctx.store
    harness.seller_edits(deal, Products__c="SOL-1;SOL-2;SOL-3")
    errors = [StoreUnavailable("away")]

    def replace_link(entry: Any, link: Any, lines: Any = (), correlation_id: Any = None) -> Any:  # noqa: ANN401 - as the port
        if lines and errors:
            raise errors.pop()
        return store.replace_link(entry, link, lines, correlation_id)

    harness.first.ctx = replace(harness.first.ctx, store=FailingPort(store, "replace_link", replace_link))
    harness.push(after=HOUR)
    assert not errors
    harness.push(after=HOUR)
    assert harness.count_in_audit(deal, "was not sent: the deal is not accepted yet") == 1


def test_a_page_that_breaks_the_program_holds_back_no_page_before_it(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=555)
    partner_center = harness.first.ctx.partner_center

    def broken_list(*arguments: Any) -> Iterator[Any]:  # noqa: ANN401 - as the port
        yield from partner_center.changed_since(*arguments)
        raise KeyError("id")

    port = FailingPort(partner_center, "changed_since", broken_list)
    harness.first.ctx = replace(harness.first.ctx, partner_center=port)
    with pytest.raises(KeyError):
        harness.sweep()
    assert harness.opportunity(deal)["Amount"] == 555


def test_the_backlog_is_logged_although_the_heartbeat_cannot_be_written(harness: Harness) -> None:
    store = harness.first.ctx.store

    def move(to: Mapping[str, datetime]) -> None:
        if "push_done" in to:
            raise StoreUnavailable("away")
        store.move_cursors(to)

    harness.first.ctx = replace(harness.first.ctx, store=FailingPort(store, "move_cursors", move))
    with pytest.raises(StoreUnavailable):
        harness.push()
    assert len(harness.first.log.fields_of("unsynced")) == 1


def test_a_record_that_a_person_made_equal_meanwhile_is_read_once_more(harness: Harness) -> None:
    """Salesforce answers 412, and the new values are the wanted ones: nothing more is written."""
    deal = harness.shared_deal()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-03-03T00:00:00Z")
    harness.forget_calls()

    def enter_the_same_date() -> None:
        harness.advance_time(5.0)
        harness.seller_edits(deal, CloseDate="2027-03-03")

    harness.first.process.interrupt_at("salesforce.update_unmodified", enter_the_same_date)
    harness.sweep()
    calls = harness.new_calls()
    assert (calls["salesforce.query"], calls["salesforce.conditional"]) == (2, 1)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
