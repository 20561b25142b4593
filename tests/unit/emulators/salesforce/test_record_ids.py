"""Record ids and their checksum (docs/reference/salesforce.md#record-ids)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.salesforce.data.record_ids import RecordIds, canonical_id, with_checksum

# Ids that the documentation of the vendor shows.
REAL = ["001D000000IqhSLIAZ", "0015000000VALDtAAP", "005D0000001KyEIIA0", "a01D000000INjVeIAL"]


@pytest.mark.parametrize("record_id", REAL)
def test_the_checksum_agrees_with_published_ids(record_id: str) -> None:
    assert with_checksum(record_id[:15]) == record_id


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=15, max_size=15))
def test_an_id_in_wrong_case_is_restored_from_its_checksum(short: str) -> None:
    whole = with_checksum(short)
    assert (
        canonical_id(short)
        == canonical_id(whole)
        == canonical_id(whole.lower())
        == canonical_id(whole.upper())
        == whole
    )


@pytest.mark.parametrize("text", ["", "006", "006-0000001000M", "006AA000001000MYA!", "006AA000001000M999", "ü" * 15])
def test_a_text_that_is_not_an_id_has_no_canonical_form(text: str) -> None:
    assert canonical_id(text) is None


def test_ids_repeat_for_the_same_seed_and_are_unique_and_ascending() -> None:
    first, again, other = RecordIds(7), RecordIds(7), RecordIds(8)
    ids = [first.next_id("006") for _ in range(500)]
    assert ids == [again.next_id("006") for _ in range(500)]
    assert len(set(ids)) == 500
    assert not set(ids) & {other.next_id("006") for _ in range(500)}
    assert ids == sorted(ids)
