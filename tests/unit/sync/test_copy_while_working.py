"""A copy that is read while the app works is no snapshot, and an import of it still doubles and loses nothing."""

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest

from shared.store import sqlite_rows
from shared.store.rows import Row
from shared.store.store_copy import write_copy
from tests.unit.sync.copied_store import ORGANIZATION, lose_store
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal

OBJECTS = ("Opportunity", "Account", "Contact")


class WatchedRows:
    """The rows of a harness; something is done once this number of them has been read."""

    def __init__(self, harness: Harness, number: int, action: Callable[[], object]) -> None:
        self._rows, self._left, self._action = harness.rows, number, action

    def __getattr__(self, name: str) -> object:
        return getattr(self._rows, name)

    def walk(self, first: str, end: str) -> Iterator[Row]:
        for row in self._rows.walk(first, end):
            if self._left == 0:
                self._action()
            self._left -= 1
            yield row


def work(harness: Harness) -> None:
    """The app links what is new on both sides, and carries an edit over."""
    harness.push()
    harness.sweep()
    harness.push()


def copy_during_work(harness: Harness, number: int) -> bytes:
    harness.store.owner(ORGANIZATION)
    out = BytesIO()
    rows = WatchedRows(harness, number, lambda: work(harness))
    write_copy(rows, out, began=harness.now(), build="0.8.0")  # type: ignore[arg-type]  # it passes every call on
    return out.getvalue()


@pytest.mark.slow
def test_a_copy_that_is_read_while_the_app_works_doubles_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_rows, "_SCAN_PAGE", 1)
    for number in range(0, 24, 2):
        with Harness() as harness:
            edited = harness.shared_deal()
            harness.seller_edits(edited, Amount=777)
            harness.seller_creates(Name="New")
            microsoft_sends_deal(harness)
            copy = copy_during_work(harness, number)
            work(harness)
            before = [len(harness.our_referrals()), *(len(harness.salesforce.records(name)) for name in OBJECTS)]

            lose_store(harness, copy)
            harness.run_rounds()

            after = [len(harness.our_referrals()), *(len(harness.salesforce.records(name)) for name in OBJECTS)]
            deals = [record["Id"] for record in harness.salesforce.records("Opportunity")]
            assert (after, [harness.differences(deal) for deal in deals]) == (before, [[]] * 3), number
            assert harness.referral_of(edited)["details"]["dealValue"] == 777
            assert_quiet(harness)
