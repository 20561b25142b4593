"""Counts on the emulators what the connector uses in a day, and prints the table of docs/cost.md.

    python -m local.cost

It simulates part of a day (`SPANS`) and scales the counts to a whole day. It prints no prices, because each customer
has their own.
"""

import sys
from collections.abc import Iterator, Mapping

from local.cost_simulation import MINUTES_PER_DAY, count_operations

SPANS: Mapping[int, int] = {100: 300, 1_000: 75, 10_000: 15}
"""The number of changes a day, and for each the minutes to simulate."""
LINE_BYTES, EXECUTION_BYTES = 700, 1_500
"""Assumed bytes that Application Insights adds to each log line, and writes for each execution."""
COUNTED_FUNCTIONS = (
    "push_opportunities", "sweep_referrals", "keep_credentials", "compare_deals", "copy_store", "receive_event",
    "apply_event",
)  # fmt: skip
MEGABYTE = 1_000_000


def estimate_day(changes: int, minutes: int) -> dict[str, float]:
    """Every figure of a day with `changes` changes, scaled from a simulation of `minutes` minutes."""
    counts = count_operations(changes, minutes)
    day = {name: count * MINUTES_PER_DAY / minutes for name, count in counts.items()}
    day |= {"keep_credentials": 1.0, "compare_deals": 8.0, "copy_store": 1.0}
    executions = sum(day.get(name, 0.0) for name in COUNTED_FUNCTIONS)
    lines = day["log bytes"] + LINE_BYTES * day["log lines"]
    return {
        **{f"`{name}`": day.get(name, 0.0) for name in COUNTED_FUNCTIONS},
        "executions": executions,
        "GB-seconds": day["thousandths of a GB-second"] / 1000,
        "Salesforce calls": day["Salesforce calls"],
        "Partner Center calls": day["Partner Center calls"],
        "table operations": day["table operations"],
        "queue operations": day.get("queue operations", 0.0),
        "log lines": day["log lines"],
        "log megabytes": (lines + EXECUTION_BYTES * executions) / MEGABYTE,
    }


def table_lines(days: Mapping[int, Mapping[str, float]]) -> Iterator[str]:
    """The lines of the table in Markdown: one column for each load in `days`."""
    yield "| a day | " + " | ".join(f"{changes:,} changes" for changes in days) + " |"
    yield "| --- |" + " ---: |" * len(days)
    for name in next(iter(days.values())):
        yield f"| {name} | " + " | ".join(_round_for_table(day[name]) for day in days.values()) + " |"


def _round_for_table(value: float) -> str:
    """The value with two significant digits. A simulation is not precise enough for more."""
    digits_to_round = len(str(round(value))) - 2
    return f"{round(value, -digits_to_round):,.0f}" if digits_to_round >= 0 else f"{value:.0f}"


def main() -> int:
    """Print the table; returns 0."""
    print("\n".join(table_lines({changes: estimate_day(changes, minutes) for changes, minutes in SPANS.items()})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
