"""Compares all links at the end of a seed: where everything is agreed or on file, the compare must find nothing.

This tests the compare, which is a part of the product: it is asked only where the judges have found nothing. They judge
each end state without it, from the raw records (oracle.py, calm.judgements).

Source: docs/protocol.md#the-daily-compare.
"""

from typing import cast

from shared.domain.compared import GRACE, Finding, FindingKind
from shared.operations.compare import Places, compare_all
from tests.unit.sync.harness import Harness

EVERY_LINK = 1_000
"""As many referrals are read as a sample as no seed has."""


def judge_drift(harness: Harness) -> list[str]:
    """What the compare finds once every change is old enough to count.

    News of other parties is no finding: in most seeds, no event tells it.
    """
    harness.clear_faults()
    harness.advance_time(2 * GRACE.total_seconds())
    ctx, findings = harness.new_instance().ctx, list[Finding]()
    compare_all(ctx, cast("Places", ctx.store), EVERY_LINK, findings.append, repair=False)
    return [
        f"{one.kind}: {one.opportunity_id} {[each.field for each in one.drift]}"
        for one in findings
        if one.kind is not FindingKind.NEWS
    ]
