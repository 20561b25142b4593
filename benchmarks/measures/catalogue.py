"""Which measure measures which rows. A measure runs once for a build, whichever of its rows are wanted."""

from collections.abc import Mapping

from benchmarks.measures import (
    bursts,
    calls,
    changed_referrals,
    cold_start,
    creates,
    operations,
    pairs,
    story,
    updates,
    webhook,
)
from benchmarks.measures.measure import Measure

MEASURES: Mapping[tuple[str, ...], Measure] = {
    ("create", "update", "echo", "changed"): pairs.measure_pairs,
    ("create-operations", "update-operations", "echo-operations", "idle-operations"): operations.measure_operations,
    ("webhook",): webhook.measure_webhook,
    ("partner-center-call", "salesforce-call"): calls.measure_calls,
    ("start-first", "start-all", "start-answer"): cold_start.measure_start,
    ("latency",): creates.measure_latency,
    ("parallel",): creates.measure_parallel,
    ("story",): story.measure_story,
    ("naive-embedded", "batched-embedded"): updates.measure_embedded,
    ("naive-tables", "batched-tables"): updates.measure_tables,
    ("swept-calls", "swept-time"): changed_referrals.measure_sweep,
    ("burst", "single"): changed_referrals.measure_burst,
    ("first-id",): creates.measure_first_id,
    ("own-writes",): bursts.measure_own_writes,
    ("quiet-calls", "quiet-operations"): bursts.measure_quiet_sweep,
}
"""The short ones first, so that a run that is interrupted has shown most."""
