"""Log lines as the rows of `AppTraces`, which become visible up to five minutes after they were logged."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.alerts.kusto_query import SharedRows
from tests.alerts.kusto_values import Row

LATEST = timedelta(minutes=5)
"""From the logging of a line to the time at which a query sees it, at most."""


class LogLine(NamedTuple):
    """A line, when it was logged, and by which function of the app."""

    at: datetime
    message: str
    function: str


class Ingestion(NamedTuple):
    """How late rows are visible, and when in its period a rule runs: nobody can choose either in Azure.

    `name` is also the column with the time at which a row becomes visible; no query can name it. `phase` is a share of
    the rule's period.
    """

    name: str
    delay: Callable[[LogLine], timedelta]
    phase: float


def _mixed(line: LogLine) -> timedelta:
    return LATEST * (line.at.timestamp() * 37 % 100) / 100


INGESTIONS: Sequence[Ingestion] = (
    Ingestion("at once", lambda _: timedelta(), 0.37),
    Ingestion("five minutes late", lambda _: LATEST, 0.0),
    Ingestion("up to five minutes late", _mixed, 0.71),
)
EXTREMES = INGESTIONS[:2]
"""Those that the default tests play."""


class Log:
    """The lines of some days, which several rules read."""

    def __init__(self, lines: Iterable[LogLine]) -> None:
        self.rows = SharedRows([_row_of(line) for line in sorted(lines)])

    def table_since(self, ingestion: Ingestion) -> datetime | None:
        """When the table begins to exist: with the first visible row. None: there is no row."""
        return min((row[ingestion.name] for row in self.rows.rows), default=None)


def _row_of(line: LogLine) -> Row:
    seen = {each.name: line.at + each.delay(line) for each in INGESTIONS}
    return {"TimeGenerated": line.at, "Message": line.message, "OperationName": line.function, **seen}
