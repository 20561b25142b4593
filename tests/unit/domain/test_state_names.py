"""The names of states by country (docs/mapping.md#owners)."""

import pytest

from shared.domain.state_names import state_code
from tests.unit.domain.state_list import FILE, file_text


def test_the_file_is_that_of_iso_3166_2() -> None:
    """After a new release: `python -m tests.unit.domain.state_list`."""
    assert FILE.read_text(encoding="utf-8") == file_text()


@pytest.mark.parametrize(
    ("country", "name", "code"),
    [
        ("US", "washington", "WA"),
        ("DE", "Baden-Württemberg", "BW"),
        ("AU", "Victoria", "VIC"),
        ("DE", "Washington", None),
    ],
)
def test_a_name_stands_for_a_state_of_its_country_only(country: str, name: str, code: str | None) -> None:
    assert state_code(country, name) == code
