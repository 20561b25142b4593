"""Turn the cause of a refusal, and the columns of ours that Salesforce refused, into plain JSON and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.link import Unshown

Json = Mapping[str, Any]


class CauseRow(Struct):
    """The stored shape of a cause. A build keeps the keys that it does not know."""

    code: str
    field: str | None
    reason: str
    remedy: str


class UnshownRow(Struct, array_like=True):
    """The stored shape of the refused columns of ours. Builds up to 0.9.0 store no cause, and ignore it."""

    columns: tuple[str, ...]
    since: datetime
    cause: CauseRow | None = None


def cause_to_json(cause: Cause | None) -> Json | None:
    """Return a cause as JSON."""
    if cause is None:
        return None
    known = {"code": cause.code, "field": cause.field, "reason": cause.reason, "remedy": cause.remedy}
    return {**cause.unknown, **known}


def cause_from(row: CauseRow | None, stored: Json) -> Cause | None:
    """Return the cause that was read; `stored` is how it is stored."""
    if row is None:
        return None
    unknown = {key: stored[key] for key in stored.keys() - row.__struct_fields__}
    return Cause(row.code, row.field, row.reason, row.remedy, unknown)


def unshown_to_json(unshown: Unshown | None) -> Json:
    """Return the key of a link for the refused columns; none where Salesforce took all."""
    if unshown is None:
        return {}
    cause = [] if unshown.cause is None else [cause_to_json(unshown.cause)]
    return {"unshown": [list(unshown.columns), unshown.since.isoformat(), *cause]}


def unshown_from(row: UnshownRow | None, stored: Json) -> Unshown | None:
    """Return the refused columns of a link that was read; `stored` is the link as it is stored."""
    if row is None:
        return None
    cause = cause_from(row.cause, stored["unshown"][2]) if row.cause else None
    return Unshown(row.columns, row.since, cause)
