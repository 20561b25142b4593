"""A country is understood by its code, and by its names in many languages."""

import pytest

from shared.domain.country_names import country_code, country_name, plain_name
from shared.domain.iso_codes import COUNTRIES
from tests.unit.domain.country_list import FILE, file_text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"),
        (" de ", "DE"),
        ("Germany", "DE"),
        ("GERMANY", "DE"),
        ("United States", "US"),
        ("United States of America", "US"),
        ("U.S.A.", "US"),
        ("U.S.", "US"),
        ("UK", "GB"),
        ("Bahamas, The", "BS"),
        ("Gambia (the)", "GM"),
        ("Republic of Korea", "KR"),
        ("Republic of Ireland", "IE"),
        ("The Netherlands", "NL"),
        ("Korea, Republic of", "KR"),
        ("Viet Nam", "VN"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Cote d\u2019Ivoire", "CI"),
        ("Côte d'Ivoire", "CI"),
        ("Saint Lucia", "LC"),
        ("St. Lucia", "LC"),
        ("Bosnia & Herzegovina", "BA"),
        ("Hong Kong", "HK"),
        ("deu", "DE"),
        ("Deutschland", "DE"),
        ("Vereinigte Staaten von Amerika", "US"),
        ("États-Unis", "US"),
        ("日本", "JP"),
        ("Österreich", "AT"),
        ("Polska", "PL"),
        ("台灣", "TW"),
        ("Korea", None),
        ("Kongo", None),
        ("Atlantis", None),
        ("XX", None),
        ("", None),
        ("---", None),
    ],
)
def test_a_country_is_understood(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_the_names_are_those_of_the_maintained_lists() -> None:
    """After a new release: `python -m tests.unit.domain.country_list`."""
    assert FILE.read_text("utf-8") == file_text()


def test_every_country_is_understood_by_the_name_that_is_written() -> None:
    assert [code for code in sorted(COUNTRIES) if country_code(country_name(code)) != code] == []


def test_every_name_in_the_list_is_understood() -> None:
    for line in FILE.read_text("utf-8").splitlines():
        code, _, names = line.partition(" ")
        assert {country_code(name) for name in names.split("|")} == {code}


def test_people_spell_and_as_a_sign() -> None:
    assert plain_name("Trinidad & Tobago") == plain_name("TRINIDAD&TOBAGO") == "trinidad and tobago"
