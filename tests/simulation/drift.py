"""Compares all links at the end of a seed: where everything is agreed or on file, the compare must find nothing.

This tests the compare, which is a part of the product: it is asked only where the judges have found nothing. They judge
each end state without it, from the raw records (oracle.py, calm.judgements).

Source: docs/protocol.md#the-daily-compare.
"""

from typing import cast

from shared.domain.compared import GRACE, Finding, FindingKind
from shared.operations.compare import Places, compare_all, queue_finding
from tests.simulation.judges.owned import IDENTIFIER
from tests.simulation.moves import TICK
from tests.unit.sync.harness import Harness, Instance

EVERY_LINK = 1_000
"""As many referrals are read as a sample as no seed has."""


def judge_drift(harness: Harness) -> list[str]:
    """What the compare finds once every change is old enough to count.

    News of other parties is no finding: in most seeds, no event tells it. Nor is a run that stopped at a deal which was
    un-ticked before it had a referral: no poll lists such a deal, and both sides say what they should. The daily
    compare returns to it, and must find nothing after that.
    """
    harness.clear_faults()
    harness.advance_time(2 * GRACE.total_seconds())
    worker = harness.new_instance()
    findings = compared(worker)
    if left := [one for one in findings if _is_left_unticked(harness, one)]:
        for one in left:
            queue_finding(worker.ctx, one)
        worker.push()
        harness.advance_time(2 * GRACE.total_seconds())
        findings = [*(one for one in findings if one not in left), *compared(worker)]
    return list(
        dict.fromkeys(
            f"{one.kind}: {one.opportunity_id} {[each.field for each in one.drift]}"
            for one in findings
            if one.kind is not FindingKind.NEWS
        )
    )


def compared(instance: Instance) -> list[Finding]:
    """What one compare of everything finds."""
    findings = list[Finding]()
    compare_all(instance.ctx, cast("Places", instance.ctx.store), EVERY_LINK, findings.append, repair=False)
    return findings


def _is_left_unticked(harness: Harness, finding: Finding) -> bool:
    if finding.kind is not FindingKind.INTERRUPTED or finding.referral_id is not None:
        return False
    records = harness.salesforce.records("Opportunity")
    return any(one["Id"] == finding.opportunity_id and not one[TICK] and not one[IDENTIFIER] for one in records)
