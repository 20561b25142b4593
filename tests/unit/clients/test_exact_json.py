import json
from collections import deque
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.exact_json import json_bytes, json_text

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.text() | NUMBERS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_an_encoded_value_is_read_back_to_the_last_digit(value: object) -> None:
    assert json.loads(json_text(value), parse_float=Decimal, parse_int=Decimal) == value


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
    encoded = json_text(value)
    assert '"amount":1234567890123456.78' in encoded
    assert '"large":1000' in encoded
    assert json.loads(encoded, parse_float=Decimal) == {
        **value,
        "list": ["ü", 1, Decimal("2.5")],
        "day": "2026-01-02",
        "at": "2026-01-02T08:00:00+00:00",
    }


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), float("inf"), {"a": [float("nan")]}])
def test_a_number_that_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|JSON compliant"):
        json_text(value)


@pytest.mark.parametrize("value", [b"bytes", bytearray(b"x"), {1, 2}, object(), {"a": b""}])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_text(value)


class Word(StrEnum):
    FIRST = "first"
    SECOND = "zwölf"


NAMES = st.text() | st.integers() | st.none() | st.sampled_from(Word)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters(exclude_categories=()))  # with half surrogate pairs
    | st.sampled_from(Word)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.binary(max_size=2)
    | st.just({1})
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.lists(inner).map(deque)
        | st.dictionaries(NAMES, inner)
        | st.dictionaries(NAMES, inner).map(MappingProxyType)
    ),
    max_leaves=8,
)


def document_or_error(encode: Callable[[], str | bytes]) -> object:
    try:
        return json.loads(encode(), parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        return ValueError
    except TypeError:
        return TypeError


@given(ANYTHING)
def test_both_encoders_write_the_same_document(value: object) -> None:
    assert document_or_error(lambda: json_bytes(value)) == document_or_error(lambda: json_text(value))
