"""Makes `shared/domain/country_names.txt` from Unicode CLDR and ISO 3166-1, and everyday names.

`python -m tests.unit.domain.country_list` writes the file anew, after a new release of one of the lists.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycountry
from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages

from shared.domain import country_names
from shared.domain.country_names import plain_name
from shared.domain.iso_codes import COUNTRIES

FILE = Path(country_names.__file__).with_name("country_names.txt")
LANGUAGES = (
    *("da", "de", "es", "fi", "fr", "it", "ja", "ko", "nb", "nl", "pt", "pt_PT", "ru", "sv", "th", "zh", "zh_Hant"),
    *("cs", "el", "hu", "pl", "ro", "tr"),
)
"""The languages in which a name of any country is understood: those of Salesforce's pages, and more of Europe's."""
WRITTEN = {
    "CD": "Democratic Republic of the Congo",
    "CG": "Congo",
    "HK": "Hong Kong",
    "MM": "Myanmar",
    "MO": "Macao",
}
"""Names to write where the name of CLDR is no everyday name. Everywhere else, its English name is written."""
EVERYDAY = {
    "AE": ("UAE",),
    "AT": ("Oesterreich",),
    "BA": ("Bosnia",),
    "CD": ("DR Congo", "DRC"),
    "CN": ("PRC",),
    "CI": ("Ivory Coast",),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic", "Tschechische Republik"),
    "GB": (
        *("UK", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland"),
        *("Großbritannien", "Grande-Bretagne", "Gran Bretaña", "Gran Bretagna", "Groot-Brittannië"),
    ),
    "HK": ("Hong Kong SAR",),
    "IE": ("Republic of Ireland",),
    "KR": ("Republic of Korea",),
    "MK": ("Macedonia",),
    "MM": ("Burma",),
    "MO": ("Macau",),
    "NL": ("Holland", "Hollande", "Holanda", "Olanda"),
    "PS": ("Palestine",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor",),
    "TR": ("Turkey",),
    "TT": ("Trinidad",),
    "US": (
        "U.S.",
        *("Vereinigte Staaten von Amerika", "États-Unis d'Amérique", "Estados Unidos de América"),
        *("Stati Uniti d'America", "Verenigde Staten van Amerika", "Estados Unidos da América"),
    ),
    "VA": ("Vatican", "Holy See"),
}
"""Everyday and former names that neither list has."""


def file_text() -> str:
    """The text of the file: a line for each code, with its names behind it and bars between them.

    A name of several countries, such as Kongo, stands at none of them.
    """
    names = {code: _distinct(_names_of(code)) for code in sorted(COUNTRIES)}
    holders = defaultdict[str, set[str]](set)
    for code, listed in names.items():
        for plain in listed:
            holders[plain].add(code)
    kept = {code: [name for plain, name in names[code].items() if len(holders[plain]) == 1] for code in names}
    return "".join(f"{code} {'|'.join(listed)}\n" for code, listed in kept.items())


def _names_of(code: str) -> Iterator[str]:
    """Every name of a country; the one to write is the first."""
    english = str(Locale("en").territories[code])
    yield from (WRITTEN.get(code, english), english)
    country: Any = pycountry.countries.get(alpha_2=code)
    listed = (getattr(country, name, None) for name in ("name", "official_name", "common_name", "alpha_3"))
    yield from filter(None, listed)
    yield from EVERYDAY.get(code, ())
    own = get_official_languages(code, regional=True, de_facto=True)
    for language in (*LANGUAGES, *own):
        yield from _name_in(language, code)


def _name_in(language: str, code: str) -> Iterator[str]:
    try:
        name = Locale.parse(language).territories.get(code)
    except (UnknownLocaleError, ValueError):
        return  # CLDR has no translations into some official languages
    if name is not None:
        yield str(name)


def _distinct(names: Iterator[str]) -> dict[str, str]:
    """The names by their plain form; the first spelling of each."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(plain_name(name), name)
    return found


if __name__ == "__main__":
    FILE.write_text(file_text(), encoding="utf-8")
