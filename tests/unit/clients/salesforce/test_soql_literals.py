import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.salesforce.soql_literals import full_id, in_list, is_id, text_literal, time_literal


@given(st.text())
def test_no_text_breaks_out_of_its_quotes(text: str) -> None:
    inside = text_literal(text)[1:-1]
    assert re.fullmatch(r"(?:[^'\"\\\n\r\t\b\f]|\\.)*", inside, re.DOTALL)
    plain = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
    assert re.sub(r"\\(.)", lambda match: plain.get(match[1], match[1]), inside) == text


def test_a_time_keeps_its_milliseconds_and_is_written_in_utc() -> None:
    taipei = timezone(timedelta(hours=8))
    assert time_literal(datetime(2026, 11, 22, 9, 2, 3, 45_678, tzinfo=taipei)) == "2026-11-22T01:02:03.045Z"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        text_literal(datetime(2026, 11, 22))  # noqa: DTZ001 - the point of the test


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (7, "7"),
        (Decimal("1E+3"), "1000"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22T00:00:00.000Z"),
        ("O'Neil", r"'O\'Neil'"),
    ],
)
def test_each_type_has_its_literal(value: Decimal | str | None, text: str) -> None:
    assert text_literal(value) == text


def test_a_number_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        text_literal(Decimal("NaN"))


def test_an_in_list_needs_a_value() -> None:
    assert in_list(["a", "b'"]) == r"('a','b\'')"
    with pytest.raises(ValueError, match="IN list"):
        in_list([])


@given(st.from_regex(r"[A-Za-z0-9]{15}", fullmatch=True))
def test_both_forms_of_an_id_have_one_full_form(short: str) -> None:
    assert len(full_id(short)) == 18
    assert full_id(full_id(short)) == full_id(short)


def test_known_ids_have_their_known_checksums() -> None:
    assert full_id("001D000000IRFma") == "001D000000IRFmaIAH"
    assert full_id("00530000009M943") == "00530000009M943AAC"


def test_anything_but_an_id_is_refused() -> None:
    assert not is_id("006' OR Name != '")
    with pytest.raises(ValueError, match="15 or 18"):
        full_id("006")
