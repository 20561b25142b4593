import json
from collections import deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.exact_json import json_bytes
from shared.domain.deal import Side

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=()))  # with halves of surrogate pairs
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.dictionaries(st.text(), inner).map(MappingProxyType)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_an_encoded_value_is_read_back_to_the_last_digit(value: object) -> None:
    assert json.loads(json_bytes(value), parse_float=Decimal, parse_int=Decimal) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_read_back_unchanged(number: float) -> None:
    assert json.loads(json_bytes([number])) == [number]


@given(st.datetimes(timezones=st.none() | st.timezones()) | st.dates())
def test_a_date_or_a_time_is_written_as_python_writes_it(value: date) -> None:
    assert json.loads(json_bytes(value)) == value.isoformat()


def test_decimals_are_exact_and_times_are_in_iso_form() -> None:
    taipei = timedelta(hours=8)
    value = {
        "amount": Decimal("1234567890123456.78"),
        "large": Decimal("1E+3"),
        "empty": None,
        "flag": True,
        "list": ("ü", 1, 2.5),
        "day": date(2026, 1, 2),
        "at": datetime(2026, 1, 2, tzinfo=UTC) + taipei,
    }
    encoded = json_bytes(value)
    assert b'"amount":1234567890123456.78' in encoded
    assert b'"large":1000' in encoded
    assert json.loads(encoded, parse_float=Decimal) == {
        **value,
        "list": ["ü", 1, Decimal("2.5")],
        "day": "2026-01-02",
        "at": "2026-01-02T08:00:00+00:00",
    }


def test_a_mapping_and_a_sequence_of_any_kind_are_written() -> None:
    value = MappingProxyType({7: Side.SALESFORCE, Side.PARTNER_CENTER: deque([range(2), (None,)])})
    assert json_bytes(value) == b'{"7":"salesforce","partner_center":[[0,1],[null]]}'


@pytest.mark.parametrize(
    "value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), float("inf"), {"a": [float("nan")]}]
)
def test_a_number_that_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON has finite numbers only"):
        json_bytes(value)


@pytest.mark.parametrize("value", [b"bytes", bytearray(b"x"), {1, 2}, object(), time(1), timedelta(1), {"a": b""}])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_bytes(value)
