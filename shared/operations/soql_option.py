"""Say what is wrong with a condition of SOQL that an operator has typed, instead of what is wrong with a record."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from shared.foundation.errors import ConfigurationError, Rejected

_PLACE = re.compile(r".*ERROR at Row:\d+:Column:\d+", re.DOTALL)


@contextmanager
def typed_condition(condition: str | None) -> Iterator[None]:
    """Name the option `--soql` where Salesforce refuses the query for its condition.

    Raises ConfigurationError then. What it refuses for a column that the condition does not name stays Rejected.
    """
    try:
        yield
    except Rejected as error:
        cause = error.cause
        if condition is None or (cause.field is not None and cause.field not in condition):
            raise
        reason = " ".join(_PLACE.sub("", cause.reason).split()).rstrip(".")
        said = cause.code if reason.startswith("SELECT") else f"{cause.code}: {reason}"  # else only the query was kept
        raise ConfigurationError(
            f"--soql: Salesforce cannot use the condition {condition[:200]!r}: {said}. Correct it "
            "(example: --soql \"Amount > 1000 AND StageName = 'Qualification'\")"
        ) from error
