"""The faults of the simulation: each kind has a name, can take effect, and ends with the storm."""

import random
from collections.abc import Iterator

import pytest

from shared.foundation.errors import SignInFailed, StoreConflict, StoreUnavailable
from shared.store.rows import Insert, Replace
from shared.store.sqlite_rows import SqliteRows
from tests.simulation.faulty.kinds import KINDS, TROUBLES
from tests.simulation.faulty.row_faults import FaultyRows, RowFault, RowFaultKind
from tests.simulation.faulty.sign_in_faults import FaultyToken, SignInFault
from tests.simulation.faulty.trouble import Effects, Places, some_of
from tests.unit.sync.harness import Harness

BY_NAME = {trouble.name: trouble for trouble in TROUBLES}


@pytest.fixture
def rows() -> Iterator[SqliteRows]:
    with SqliteRows(":memory:") as rows:
        rows.write("O|1", [Insert("link", b"old")])
        yield rows


@pytest.fixture
def places() -> Iterator[Places]:
    with Harness() as harness:
        places = Places(harness)
        places.open_to(harness.first)
        yield places


def _etag(rows: SqliteRows) -> str:
    row = rows.get("O|1", "link")
    assert row is not None
    return row.etag


def _data(rows: SqliteRows) -> bytes:
    row = rows.get("O|1", "link")
    assert row is not None
    return row.data


def test_each_kind_has_a_name_of_its_own() -> None:
    assert len(set(KINDS)) == len(KINDS) >= 34


def test_a_lost_reply_of_the_store_leaves_the_write(rows: SqliteRows) -> None:
    faulty = FaultyRows(rows, [RowFault(RowFaultKind.LOST)])
    with pytest.raises(StoreUnavailable):
        faulty.write("O|1", [Replace("link", b"new", _etag(rows))])
    assert _data(rows) == b"new"


def test_an_outage_of_the_store_leaves_nothing(rows: SqliteRows) -> None:
    faulty = FaultyRows(rows, [RowFault(RowFaultKind.READ), RowFault(RowFaultKind.WRITE)])
    with pytest.raises(StoreUnavailable):
        faulty.get("O|1", "link")
    with pytest.raises(StoreUnavailable):
        faulty.write("O|1", [Replace("link", b"new", _etag(rows))])
    assert _data(rows) == b"old"


def test_a_row_that_another_instance_writes_first_is_a_conflict(rows: SqliteRows) -> None:
    faulty = FaultyRows(rows, [RowFault(RowFaultKind.CONFLICT)])
    with pytest.raises(StoreConflict):
        faulty.write("O|1", [Replace("link", b"new", _etag(rows))])
    assert _data(rows) == b"old"


def test_a_refused_sign_in_ends_after_its_times() -> None:
    token = FaultyToken(lambda _: "token", [SignInFault(is_refused=True)])
    with pytest.raises(SignInFailed):
        token(False)  # noqa: FBT003 - as the client calls it
    assert token(False) == "token"  # noqa: FBT003 - as above


@pytest.mark.parametrize(
    "name",
    [
        "salesforce changes a version",
        "salesforce fails one write",
        "salesforce forbids one write",
        "salesforce fails one read-back",
        "salesforce is slow",
        "partner_center is slow",
    ],
)
def test_a_fault_in_front_of_a_write_takes_effect_and_loses_no_edit(places: Places, name: str) -> None:
    harness, effects = places.harness, Effects()
    deal = harness.shared_deal()
    harness.advance_time(100)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=600)
    effects.begin(BY_NAME[name], places, random.Random(1))  # noqa: S311 - a test
    harness.sweep()
    assert effects.kinds() == {name}
    places.clear()
    harness.run_rounds(by=harness.new_instance(), after=3700.0)
    assert harness.opportunity(deal)["Amount"] == 600


def test_a_flow_that_rewrites_our_value_is_an_edit(places: Places) -> None:
    harness = places.harness
    deal = harness.shared_deal()
    BY_NAME["salesforce rewrites a value by a flow"].begin(places, random.Random(1))  # noqa: S311 - a test
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=601)
    harness.sweep()
    (edit,) = places.flow_edits
    assert (edit.field, edit.before, edit.after) == ("money", "601.00 USD", "610.00 USD")


def test_as_many_kinds_are_drawn_as_are_wanted() -> None:
    chance = random.Random(1)  # noqa: S311 - a test
    drawn = some_of(TROUBLES, chance, 10)
    assert len({trouble.name for trouble in drawn}) == 10
    assert list(some_of(TROUBLES, chance, 0)) == []
