"""A process crashes while it writes rows: nothing doubles, and nothing is lost (docs/protocol.md#writing-rows)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of, recover_after_lease
from tests.unit.sync.solution_rows import (
    CATALOGUE,
    colleague_lists,
    deal_with,
    harness_with_rows,
    ids_in_partner_center,
    ids_in_salesforce,
    list_solution,
    reading_rows,
    rows_of,
    seller_adds,
)

pytestmark = pytest.mark.slow


def changed_on_both_sides(harness: Harness) -> tuple[str, str]:
    """A deal whose solutions a colleague replaces in part, while the seller adds one."""
    deal = deal_with(harness, "SOL-1", "SOL-2")
    referral = colleague_lists(harness, deal, "SOL-2", "SOL-3")
    seller_adds(harness, deal, "SOL-4")
    return deal, referral


def new_deal(harness: Harness) -> tuple[str, str]:
    list_solution(harness, "SOL-1")
    return "", microsoft_sends_deal(harness)


Arrange = Callable[[Harness], tuple[str, str]]


def pull_known(instance: Instance) -> object:
    [referral] = instance.harness.our_referrals()
    return instance.pull_event(referral["id"])


def crash_everywhere(folder: Path, arrange: Arrange) -> tuple[int, list[tuple[str, Harness]]]:
    points, _ = crash_points(arrange, pull_known, partial(harness_with_rows, folder))
    ended = []
    for point in points:
        harness = harness_with_rows(folder)
        deal, referral = arrange(harness)
        crashing = harness.new_instance()
        crash_instance_at(crashing, point)
        assert crashing.crashes_during(pull_known), f"no crash at {point}"
        recover_after_lease(harness)
        ended.append((deal or opportunity_of(harness, referral)["Id"], harness))
    return len(points), ended


@pytest.mark.parametrize(
    ("arrange", "expected"),
    [(changed_on_both_sides, ["SOL-2", "SOL-3", "SOL-4"]), (new_deal, ["SOL-1", "SOL-2"])],
    ids=["changed", "arrives"],
)
def test_a_crash_at_any_call_neither_doubles_nor_loses_a_row(
    tmp_path: Path, arrange: Arrange, expected: list[str]
) -> None:
    number, ended = crash_everywhere(tmp_path, arrange)
    assert number > 4
    for deal, harness in ended:
        with harness:
            assert ids_in_salesforce(harness, deal) == expected
            [referral] = harness.our_referrals()
            assert sorted(tag["id"] for tag in referral["details"]["requirements"]["solutions"]) == expected
            ids = [record["Solution_Id__c"] for record in harness.salesforce.records(CATALOGUE)]
            assert len(set(ids)) == len(ids)
            assert_quiet(harness)


@pytest.mark.parametrize("skip", [1, 2], ids=["look-up", "write"])
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.TRUNCATE])
def test_a_lost_reply_is_settled_by_looking(tmp_path: Path, kind: FaultKind, skip: int) -> None:
    with reading_rows(tmp_path) as harness:
        deal, referral = changed_on_both_sides(harness)
        harness.inject_fault(Side.SALESFORCE, Fault(kind, path="composite$", method="POST", skip=skip))
        harness.pull_event(referral)
        recover_after_lease(harness)
        assert ids_in_salesforce(harness, deal) == ids_in_partner_center(harness, deal) == ["SOL-2", "SOL-3", "SOL-4"]
        assert len(rows_of(harness, deal)) == 3
        assert_quiet(harness)


def test_a_list_that_a_colleague_changed_before_an_arrival_was_settled_keeps_the_removal(tmp_path: Path) -> None:
    with reading_rows(tmp_path) as harness:
        tags = [{"id": solution_id, "type": "Name"} for solution_id in ("SOL-1", "SOL-2")]
        referral = microsoft_sends_deal(harness, details={"requirements": {"solutions": tags}})
        harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.DROP_AFTER, path="graph$", method="POST"))
        harness.pull_event(referral)
        deal = str(opportunity_of(harness, referral)["Id"])
        changed = [{"id": solution_id, "type": "Name"} for solution_id in ("SOL-2", "SOL-9")]
        harness.partner_center.raw_patch(referral, {"/details/requirements/solutions": changed})
        recover_after_lease(harness)
        harness.run_rounds()
        assert ids_in_salesforce(harness, deal) == ["SOL-2", "SOL-9"]
        after = harness.partner_center.referral(referral)["details"]["requirements"]["solutions"]
        assert [tag["id"] for tag in after] == ["SOL-2", "SOL-9"]
        assert_quiet(harness)
