"""A process crashes at each call while it hears Microsoft, and another instance takes over after the lease."""

from collections.abc import Callable

import pytest

from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.heard_deals import accept, asked_deal, hear_event, heard_deal, microsofts, shown_news
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

pytestmark = pytest.mark.slow

NEWS = ("Accepted", "7-1", "Microsoft Seller", "We meet on Monday.")


def first_news(harness: Harness) -> str:
    """Microsoft accepts a deal before anything of it was heard."""
    deal = asked_deal(harness)
    accept(harness, deal, notes="We meet on Monday.")
    return deal


def further_news(harness: Harness) -> str:
    """Microsoft accepts a deal whose request was heard."""
    deal = heard_deal(harness)
    accept(harness, deal, notes="We meet on Monday.")
    return deal


def news_of_both_records(harness: Harness) -> str:
    """The same, and the CRM identifier stands in our own record."""
    harness.partner_center.switches.msx_id_on = "ours"
    return further_news(harness)


def by_event(instance: Instance, referral_id: str) -> object:
    return hear_event(instance, referral_id)


def by_sweep(instance: Instance, _: str) -> object:
    return instance.sweep()


@pytest.mark.parametrize("run", [by_event, by_sweep])
@pytest.mark.parametrize("arrange", [first_news, further_news, news_of_both_records])
def test_a_crash_at_any_call_of_a_hearing_loses_nothing_and_tells_nothing_twice(
    arrange: Callable[[Harness], str], run: Callable[[Instance, str], object]
) -> None:
    named: list[str] = []

    def arranged(harness: Harness) -> None:
        named.append(microsofts(harness, arrange(harness))["id"])

    points, calls = crash_points(arranged, lambda one: run(one, named[0]))
    assert calls > len(points) > 3
    for number in points:
        with Harness() as harness:
            deal = arrange(harness)
            theirs = microsofts(harness, deal)["id"]
            crashing = harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(lambda one, theirs=theirs: run(one, theirs))  # type: ignore[misc]  # binds this referral
            survivor = harness.new_instance()
            hear_event(survivor, theirs)  # the queue delivers the message to another instance
            recover_after_lease(harness, survivor)
            assert shown_news(harness, deal) == NEWS, crashing.process.calls[-1]
            for text in (
                "has accepted this deal",
                "Identifier is now 7-1",
                "see Microsoft Seller",
                "see Microsoft Notes",
            ):
                assert harness.count_in_audit(deal, text) == 1, (text, crashing.process.calls[-1])
            assert_quiet(harness, survivor)
