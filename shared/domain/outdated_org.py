"""Decides when a refusal by Salesforce may mean that the org has changed since it was asked.

An org can turn its state and country picklists on or off under a running app, or hide a column. Source:
docs/protocol.md#what-the-org-has.
"""

from datetime import datetime, timedelta

ASK_SOON = timedelta(minutes=5)
"""How old an answer may be after such a refusal."""
TELLING_CODES = frozenset({"INVALID_FIELD", "FIELD_INTEGRITY_EXCEPTION"})
"""The codes of refusals of a column, or of a value that its list lacks."""


def may_be_outdated(code: str, asked: datetime | None, now: datetime) -> bool:
    """Whether a refusal with this code may be due to an answer that was given at the time `asked`."""
    return code in TELLING_CODES and asked is not None and not asked <= now < asked + ASK_SOON
