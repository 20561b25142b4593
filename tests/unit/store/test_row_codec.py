import json
import zlib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.foundation.errors import StoreError
from shared.store.row_codec import FORMAT_VERSION, pack, unpack

# With half surrogate pairs too: notes hold them after a remote system cut the text.
texts = st.text(st.characters(exclude_categories=[]), max_size=20)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_a_packed_value_is_unpacked_unchanged(value: Any) -> None:  # noqa: ANN401 - JSON of any shape
    assert unpack(pack(value)) == value


@given(st.dictionaries(texts, plain, max_size=5))
def test_the_order_of_keys_does_not_change_the_bytes(value: dict[str, Any]) -> None:
    assert pack(dict(reversed(value.items()))) == pack(value)


def test_the_format_is_a_version_and_compressed_canonical_json() -> None:
    data = pack({"b": [1, 2.5, None], "a": "é"})
    assert data[0] == FORMAT_VERSION
    assert zlib.decompress(data[1:]).decode() == '{"a":"é","b":[1,2.5,null]}'


def test_the_largest_notes_become_a_small_row() -> None:
    assert len(pack({"notes": "The customer asks for a proposal by Friday. " * 728})) < 2_000


@pytest.mark.parametrize("value", [Decimal(1), date(2026, 3, 1), (1, 2), {1: "x"}, {"a": [{"b": {1, 2}}]}, b"x"])
def test_a_value_that_json_would_change_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        pack(value)


@pytest.mark.parametrize("value", [float("nan"), [float("inf")]])
def test_a_number_that_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        pack(value)


GOOD = pack({"name": "Contoso"})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD[:1],
        GOOD + b"x",
        GOOD[:1] + b"{}",
        bytes([FORMAT_VERSION]) + zlib.compress(b'{"name":'),
        bytes([FORMAT_VERSION]) + zlib.compress(b"\xff\xfe"),
        bytes([0]) + GOOD[1:],
        json.dumps({}).encode(),
    ],
)
def test_damaged_data_raises_an_error_with_a_remedy(data: bytes) -> None:
    with pytest.raises(StoreError, match=r"restore|deploy") as caught:
        unpack(data)
    assert "Contoso" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_data_of_a_newer_program_is_refused() -> None:
    with pytest.raises(StoreError, match=f"version {FORMAT_VERSION + 1}.*deploy the newer program"):
        unpack(bytes([FORMAT_VERSION + 1]) + GOOD[1:])
