"""The queries of a list of referrals by a date, and what its answers say of the next page and of the time.

Source: docs/reference/partner-center.md#listing-referrals.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from shared.foundation.errors import Unavailable

STAMP_FIELDS = (
    "id", "eTag", "organizationId", "engagementId", "createdDateTime", "updatedDateTime", "externalReferenceId",
    "target",
)  # fmt: skip
"""The properties that a list returns: enough to drop referrals that are not ours or not new.

Source: docs/protocol.md#the-sweep.
"""


def list_query(field: str, bound: str = "", fields: Sequence[str] = STAMP_FIELDS) -> str:
    """The query of a list by a date, newest first; with a filter that bounds the date, if one is given.

    Without `fields`, the referrals are whole.
    """
    bounds, selected = {"$filter": bound} if bound else {}, {"$select": ",".join(fields)} if fields else {}
    return str(httpx.QueryParams({**bounds, "$orderby": f"{field} desc", **selected}))


def literal(at: datetime) -> str:
    """A time in a filter, in whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact_literal(at: datetime) -> str:
    """A time in a filter, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def query_of_link(link: str, followed: Collection[str]) -> str:
    """The query of a nextLink. The rest of the link is not used: it has the scheme http and a wrong path.

    Raises Unavailable if there is none, or if it was `followed` before.
    Source: docs/reference/partner-center.md#list-pages.
    """
    query = urlsplit(link).query
    if not query:
        raise Unavailable("GET referrals: the nextLink has no query")
    if query in followed:
        raise Unavailable("GET referrals: the nextLink repeats a page")
    return query


def is_younger(value: object, until: datetime | None) -> bool:
    """Whether a date is younger than `until`, if there is one. A date that cannot be read does not count as younger."""
    try:
        return until is not None and datetime.fromisoformat(str(value)) > until
    except (ValueError, TypeError):
        return False


def is_older(value: object, since: datetime) -> bool:
    """Whether a date is older than `since`. A date that cannot be read does not count as older."""
    try:
        return datetime.fromisoformat(str(value)) < since
    except (ValueError, TypeError):
        return False
