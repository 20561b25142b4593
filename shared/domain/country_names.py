"""Names of countries, and the code of ISO 3166-1 alpha-2 that each stands for.

Sources of `country_names.txt`: Unicode CLDR (names in many languages), the names and three-letter codes of ISO 3166-1,
and everyday names such as UK and Holland. `tests/unit/domain/country_list.py` makes the file. A name that stands for
several countries, such as Korea, is left out.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

from shared.domain.iso_codes import COUNTRIES


def country_code(text: str) -> str | None:
    """Return the code of the country that a text means, as a code or as a name; None if it means no country."""
    code = text.strip().upper()
    return code if code in COUNTRIES else _codes_by_name().get(plain_name(text))


def country_name(code: str) -> str:
    """Return the English name of the country with this code."""
    return _names()[code][0]


@cache
def _names() -> dict[str, list[str]]:
    """Return the names by code, the English one first. The file is read at the first name, not at the start."""
    lines = Path(__file__).with_name("country_names.txt").read_text(encoding="utf-8").splitlines()
    return {code: names.split("|") for code, _, names in (line.partition(" ") for line in lines)}


@cache
def _codes_by_name() -> dict[str, str]:
    return {plain_name(name): code for code, names in _names().items() for name in names}


def plain_name(name: str) -> str:
    """Return a name without case, accents, marks and article, as people spell it differently."""
    letters = unicodedata.normalize("NFKD", name.replace("&", " and ")).casefold()
    plain = "".join(letter for letter in letters if letter not in _MARKS and unicodedata.category(letter) != "Mn")
    return " ".join(re.sub(r"\W+", " ", plain).split()).removeprefix("the ").removesuffix(" the")


_MARKS = frozenset(".'\u2019\u02bc")
"""Points of abbreviations, and apostrophes."""
