"""Decides when a refusal by Salesforce may mean that the org has changed since it was asked.

An org can turn its state and country picklists or its teams on or off under a running app, or hide a column.
Source: docs/protocol.md#what-the-org-has.
"""

from datetime import datetime, timedelta

from shared.domain.org_shape import OrgShape

type DatedShape = tuple[OrgShape, datetime]
"""The last answer of the org, and its time."""

ASK_SOON = timedelta(minutes=5)
"""How old an answer may be after such a refusal."""
JUST_ASKED = timedelta(seconds=30)
"""A refusal so soon after the answer is no sign of a change: a deal never waits for a second answer."""
TELLING_CODES = frozenset({"INVALID_FIELD", "INVALID_TYPE", "FIELD_INTEGRITY_EXCEPTION"})
"""The codes of refusals of a column, of an object, or of a value that its list lacks."""


def may_be_outdated(code: str, known: DatedShape | None, used: OrgShape | None, now: datetime) -> bool:
    """Whether a refusal with this code may be due to what was known of the org.

    `known` is its last answer with the time; `used` is the answer that the refused values were made of.
    """
    if code not in TELLING_CODES or known is None:
        return False
    shape, asked = known
    return shape != used or not asked <= now < asked + JUST_ASKED


def asked_again_at(known: DatedShape | None, now: datetime) -> datetime | None:
    """When a deal that waits for a new answer is tried again: the org is not asked more often. None: at once."""
    soonest = known[1] + ASK_SOON if known else now
    return soonest if now < soonest <= now + ASK_SOON else None
