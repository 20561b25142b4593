"""A country is understood by its code and by its English names."""

import pytest

from shared.domain import country_names
from shared.domain.country_names import country_code
from shared.domain.iso_codes import COUNTRIES


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
        ("UK", "GB"),
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
        ("Korea", None),
        ("Atlantis", None),
        ("XX", None),
        ("", None),
        ("---", None),
    ],
)
def test_a_country_is_understood(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_every_country_has_a_name_and_no_name_has_two_countries() -> None:
    entries = [" ".join(entry.split()).partition(" ") for entry in country_names._NAMES.split(";")]
    names = [country_names._plain(name) for _, _, listed in entries for name in listed.split("|")]
    assert {code for code, _, _ in entries} == COUNTRIES
    assert len(names) == len(set(names))
    assert all(names)
