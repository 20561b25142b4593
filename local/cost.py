"""What the connector uses in a day, counted on the emulators: the table of docs/cost.md.

    python -m local.cost

The load is simulated for part of a day (`SPANS`) and extended to a whole one. No money stands
anywhere: prices are the reader's own.
"""

import sys
from collections.abc import Iterator, Mapping

from local.cost_simulation import DAY, counted

SPANS: Mapping[int, int] = {100: 300, 1_000: 75, 10_000: 15}
"""Changes a day, and the minutes that are simulated."""
LINE_BYTES, EXECUTION_BYTES = 700, 1_500
"""What Application Insights is taken to add to a line of ours, and to write of an execution."""
FUNCTIONS = ("push_opportunities", "sweep_referrals", "keep_credentials", "receive_event", "apply_event")
MEGABYTE = 1_000_000


def a_day(changes: int, minutes: int) -> dict[str, float]:
    """Every measure of a day with so many changes, from the count of some minutes."""
    counts = counted(changes, minutes)
    day = {name: count * DAY / minutes for name, count in counts.items()}
    day["keep_credentials"] = 1.0
    executions = sum(day.get(name, 0.0) for name in FUNCTIONS)
    lines = day["log bytes"] + LINE_BYTES * day["log lines"]
    return {
        **{f"`{name}`": day.get(name, 0.0) for name in FUNCTIONS},
        "executions": executions,
        "GB-seconds": day["thousandths of a GB-second"] / 1000,
        "Salesforce calls": day["Salesforce calls"],
        "Partner Center calls": day["Partner Center calls"],
        "table operations": day["table operations"],
        "queue operations": day.get("queue operations", 0.0),
        "log lines": day["log lines"],
        "log megabytes": (lines + EXECUTION_BYTES * executions) / MEGABYTE,
    }


def rows(days: Mapping[int, Mapping[str, float]]) -> Iterator[str]:
    """The table as Markdown."""
    yield "| a day | " + " | ".join(f"{changes:,} changes" for changes in days) + " |"
    yield "| --- |" + " ---: |" * len(days)
    for name in next(iter(days.values())):
        yield f"| {name} | " + " | ".join(_number(day[name]) for day in days.values()) + " |"


def _number(value: float) -> str:
    """Two digits that count: more would claim what a simulation does not know."""
    rough = len(str(round(value))) - 2
    return f"{round(value, -rough):,.0f}" if rough >= 0 else f"{value:.0f}"


def main() -> int:
    """Print the table."""
    print("\n".join(rows({changes: a_day(changes, minutes) for changes, minutes in SPANS.items()})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
