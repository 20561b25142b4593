import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.salesforce.data.record_ids import Ids, canonical, to18

# Ids published in the vendor's own documentation.
REAL = ["001D000000IqhSLIAZ", "0015000000VALDtAAP", "005D0000001KyEIIA0", "a01D000000INjVeIAL"]


@pytest.mark.parametrize("record_id", REAL)
def test_the_checksum_is_the_services(record_id: str) -> None:
    assert to18(record_id[:15]) == record_id


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=15, max_size=15))
def test_a_folded_id_is_restored_from_its_checksum(short: str) -> None:
    whole = to18(short)
    assert canonical(short) == canonical(whole) == canonical(whole.lower()) == canonical(whole.upper()) == whole


@pytest.mark.parametrize("text", ["", "006", "006-0000001000M", "006AA000001000MYA!", "006AA000001000M999", "ü" * 15])
def test_what_is_no_id_has_no_canonical_form(text: str) -> None:
    assert canonical(text) is None


def test_ids_come_in_the_same_order_for_the_same_seed_and_never_twice() -> None:
    first, again, other = Ids(7), Ids(7), Ids(8)
    made = [first.next("006") for _ in range(500)]
    assert made == [again.next("006") for _ in range(500)]
    assert len(set(made)) == 500
    assert not set(made) & {other.next("006") for _ in range(500)}
    assert made == sorted(made)
