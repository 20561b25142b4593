"""The intent to create an opportunity keeps what its run tells; earlier builds lack those keys, and ignore them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.link import Difference, Effect, EffectKind, Intent, Pointer
from shared.store.link_json import pointer_to_json
from shared.store.link_store import LinkStore
from shared.store.row_codec import pack, unpack
from shared.store.rows import Put
from shared.store.sqlite_rows import SqliteRows

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
EARLIER = pointer_to_json(Pointer(intent=Intent((Effect(EffectKind.CREATE_OPPORTUNITY, decided=NOW),))))
"""A claim as builds stored it that keep less."""


@pytest.fixture
def rows() -> Iterator[SqliteRows]:
    with SqliteRows(":memory:") as opened:
        yield opened


def stored_effect(rows: SqliteRows) -> dict[str, Any]:
    row = rows.get("R|r1", "pointer")
    assert row is not None
    effect: dict[str, Any] = unpack(row.data)["intent"][0]
    return effect


CREATION = {
    "lines": [{"at": "2026-11-22T10:00:00Z", "code": "created_opportunity"}],
    "refused": {"salesforce.name": ["f1", "set_at_creation", NOW.isoformat()]},
    "cause": {"code": "code", "field": None, "reason": "reason", "remedy": "remedy"},
}
"""What an intent to create an opportunity says of it, in keys that intents of earlier builds lack."""


def intended(rows: SqliteRows, **keys: object) -> Effect:
    """The intent to create an opportunity that a pointer of another build holds."""
    store = LinkStore(rows)
    rows.write("R|r1", [Put("pointer", pack({**EARLIER, "intent": [{**EARLIER["intent"][0], **keys}]}))])
    pointer = store.pointer("R1")
    assert pointer is not None
    store.replace_pointer("R1", pointer, pointer.value)
    assert pointer.value.intended_opportunity is not None
    return pointer.value.intended_opportunity


def test_what_a_creation_tells_is_stored_in_keys_that_earlier_builds_ignore(rows: SqliteRows) -> None:
    effect = intended(rows, **CREATION)
    assert effect.lines == (Line(NOW, "created_opportunity"),)
    assert effect.refused == {"salesforce.name": Difference("f1", "set_at_creation", NOW)}
    assert effect.cause == Cause("code", None, "reason", "remedy")
    assert stored_effect(rows).items() >= CREATION.items()


def test_an_intent_of_an_earlier_build_tells_nothing_of_the_creation(rows: SqliteRows) -> None:
    effect = intended(rows)
    assert (effect.lines, effect.refused, effect.cause) == ((), {}, None)
    assert not stored_effect(rows).keys() & CREATION.keys()


def test_a_line_of_a_later_build_in_an_intent_stops_no_pair(rows: SqliteRows) -> None:
    effect = intended(rows, lines=[{"at": "2026-11-22T10:00:00Z", "code": "from a later build"}])
    assert effect.lines == (Line(NOW, "unreadable_line"),)
