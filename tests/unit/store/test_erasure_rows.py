"""Audit lines are rewritten in as few transactions as the limits of a table allow."""

import random
from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.guard_texts import ERASED
from shared.domain.link import Link
from shared.operations.erase_deal import erase_in_deal
from shared.store.erasure_rows import LINES_TOGETHER
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
DEAL = "006000000000001AAA"


@pytest.mark.slow
def test_lines_that_are_too_long_for_one_transaction_are_rewritten_one_by_one() -> None:
    chance = random.Random(1)  # noqa: S311 - a text that cannot be compressed
    with SqliteRows(":memory:") as rows:
        store = LinkStore(rows)
        entry = store.insert_link(Link(DEAL))
        for number in range(LINES_TOGETHER - 19):
            line = Line(NOW, "changed", field=f"f{number}", before="Kim Berg", after=chance.randbytes(150_000).hex())
            entry = store.replace_link(entry, entry.value, [line])
        kept = {line.field: line.after for line in store.audit(DEAL)}
        assert erase_in_deal(store, entry, entry.value, lambda line: replace(line, before=ERASED)) == len(kept)
        assert {line.field: line.after for line in store.audit(DEAL)} == kept
        assert {line.before for line in store.audit(DEAL)} == {ERASED}
