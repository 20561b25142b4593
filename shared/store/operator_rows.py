"""Store what operators did with `cosell`, as rows: the newest first.

partition   key                         row
operator    <newest first>|<random>     time, action, scope, and the Entra object id of the operator

A row is kept for a year.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct, ValidationError, convert, to_builtins

from shared.foundation.errors import UnreadableRow
from shared.store.limits import MAX_CHANGES
from shared.store.row_codec import pack, unpack
from shared.store.rows import Delete, Insert, Row, Rows

OPERATOR = "operator"
KEPT = timedelta(days=365)
_LAST_MILLISECOND = 9_999_999_999_999


class Action(Struct, frozen=True):
    """One action: when, what, on which deals or counts, and who (an Entra object id, or `local`)."""

    at: datetime
    action: str
    scope: str
    operator: str


def store_action(rows: Rows, action: Action) -> None:
    """Store an action, and remove those that are older than a year. Raises StoreUnavailable."""
    key = f"{_key_of(action.at)}|{secrets.token_hex(4)}"
    end = _key_of(action.at - KEPT)
    ended = [Delete(row.key, row.etag) for row in rows.list(OPERATOR) if row.key > end][: MAX_CHANGES - 1]
    rows.write(OPERATOR, [Insert(key, pack(to_builtins(action))), *ended])


def stored_actions(rows: Rows, limit: int = 100) -> Sequence[Action]:
    """Return the last actions, the newest first. What a later build stored in another shape is left out."""
    read = (_action_from(row) for row in rows.list(OPERATOR, limit=limit))
    return [action for action in read if action is not None]


def _key_of(at: datetime) -> str:
    return f"{_LAST_MILLISECOND - int(at.astimezone(UTC).timestamp() * 1000):013d}"


def _action_from(row: Row) -> Action | None:
    try:
        return convert(unpack(row.data), Action)
    except (UnreadableRow, ValidationError):
        return None
