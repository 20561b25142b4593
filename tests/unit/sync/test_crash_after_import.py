"""A process crashes at a call of the first runs after an import, and another goes on: nothing is made twice."""

import pytest

from tests.unit.sync.copied_store import copy_of, lose_store
from tests.unit.sync.crash_points import crash_instance_at, crash_points, every_nth
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, recover_after_lease

OBJECTS = ("Opportunity", "Account", "Contact")


def arrange(harness: Harness) -> None:
    """A copy, then an edit, a deal that arrived, and a create that only Partner Center knows of; then the import."""
    edited = harness.shared_deal()
    copy = copy_of(harness)
    harness.seller_edits(edited, Amount=777)
    harness.pull_event(microsoft_sends_deal(harness))
    harness.push()
    harness.seller_creates(Name="Forgotten")
    instance = harness.new_instance()
    instance.process.interrupt_at("partner_center.create", instance.process.crash, after=True)
    assert instance.crashes_during(Instance.push)
    lose_store(harness, copy)


def first_runs(instance: Instance) -> None:
    instance.push()
    instance.sweep()


def counts(harness: Harness) -> list[int]:
    return [len(harness.our_referrals()), *(len(harness.salesforce.records(name)) for name in OBJECTS)]


@pytest.mark.slow
def test_a_crash_at_any_call_after_an_import_doubles_nothing() -> None:
    points, calls = crash_points(arrange, first_runs)
    assert calls > len(points) > 10
    for number in every_nth(points, 4):
        with Harness() as harness:
            arrange(harness)
            before, crashing = counts(harness), harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(first_runs)
            recover_after_lease(harness)
            assert counts(harness) == before, number
            deals = [record["Id"] for record in harness.salesforce.records("Opportunity")]
            assert [harness.differences(deal) for deal in deals] == [[]] * 3, number
            assert_quiet(harness)
