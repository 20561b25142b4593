"""Compare two values by the fuzzy matching methods of the standard rules: what a person would take for the same.

The methods, and which of their thresholds are inferred: docs/reference/salesforce.md#how-values-are-compared. An empty
value matches nothing.
"""

import re
import unicodedata
from collections.abc import Callable

type Method = Callable[[str, str], bool]

_LEGAL_FORMS = frozenset({
    "ab", "ag", "aps", "as", "asa", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg",
    "kk", "limited", "llc", "llp", "ltd", "nv", "oy", "plc", "pte", "pty", "sa", "sarl", "sas", "se", "sl", "spa",
    "srl",
})  # fmt: skip
_FILLERS = frozenset({"and", "the"})
_STREET_WORDS = {
    "avenue": "ave", "boulevard": "blvd", "drive": "dr", "highway": "hwy", "lane": "ln", "place": "pl", "road": "rd",
    "square": "sq", "strasse": "str", "street": "st", "suite": "ste", "east": "e", "north": "n", "south": "s",
    "west": "w",
}  # fmt: skip
_COMPANY_THRESHOLD, _CITY_THRESHOLD = 0.70, 0.85
_KEY_WORDS, _KEY_LETTERS = 2, 5  # of a company name, in the key that both records must share
_NORTH_AMERICAN = re.compile(r"(\+?1)?(?P<area_and_exchange>\d{6})\d{4}")
_ACCENTS = re.compile("[\N{COMBINING GRAVE ACCENT}-\N{COMBINING LATIN SMALL LETTER X}]")
_US_ZIP = re.compile(r"\d{5}(-?\d{4})?")


def words(text: str) -> list[str]:
    """The words of a text without case, accents and punctuation; `S.A.` and `L'Oreal` are one word each."""
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    plain = unicodedata.normalize("NFC", apart).casefold().replace("&", " and ")
    return re.findall(r"\w+", re.sub(r"[.'\N{RIGHT SINGLE QUOTATION MARK}]", "", plain))


def exact(left: str, right: str) -> bool:
    """Whether two texts are equal without case."""
    return left.strip().casefold() == right.strip().casefold()


def same_text(left: str, right: str) -> bool:
    """Whether two texts have the same words."""
    return words(left) == words(right) != []


def same_company(left: str, right: str) -> bool:
    """Whether two names are those of one company: legal forms, articles and a typing error make no difference."""
    one, other = _company_words(left), _company_words(right)
    has_key = bool(one) and _company_key(one) == _company_key(other)
    return has_key and _similarity(" ".join(one), " ".join(other)) >= _COMPANY_THRESHOLD


def _company_words(name: str) -> list[str]:
    found = words(name)
    return [each for each in found if each not in _LEGAL_FORMS | _FILLERS] or found


def _company_key(name: list[str]) -> list[str]:
    return [each[:_KEY_LETTERS] for each in name[:_KEY_WORDS]]


def same_street(left: str, right: str) -> bool:
    """Whether two streets are one: `Main Street` is `Main St.`; another house number is another street."""
    return _street_words(left) == _street_words(right) != []


def _street_words(street: str) -> list[str]:
    found = (re.sub(r"(?<=.)strasse$", "str", each) for each in words(street))
    return [_STREET_WORDS.get(each, each) for each in found]


def same_city(left: str, right: str) -> bool:
    """Whether two cities are one, with a typing error in one of them."""
    one, other = "".join(words(left)), "".join(words(right))
    return bool(one and other) and _similarity(one, other) >= _CITY_THRESHOLD


def same_zip(left: str, right: str) -> bool:
    """Whether two postal codes of the United States share their first five digits. Others are not compared."""
    both = _US_ZIP.fullmatch(left.strip()) and _US_ZIP.fullmatch(right.strip())
    return bool(both) and left.strip()[:5] == right.strip()[:5]


def same_phone(left: str, right: str) -> bool:
    """Whether two numbers are one. In North America the last four digits weigh too little to make a difference."""
    one, other = (_NORTH_AMERICAN.fullmatch(re.sub(r"[^\d+]", "", each)) for each in (left, right))
    if one and other:
        return one["area_and_exchange"] == other["area_and_exchange"]
    return re.sub(r"\D", "", left) == re.sub(r"\D", "", right) != ""


def same_first_name(left: str, right: str) -> bool:
    """Whether two first names are one, or one is the initial of the other."""
    one, other = "".join(words(left)), "".join(words(right))
    if 1 in {len(one), len(other)}:
        return one[:1] == other[:1]
    return one == other != ""


def _similarity(left: str, right: str) -> float:
    """How much of the longer text the edit distance leaves: 1 for the same text."""
    longest = max(len(left), len(right))
    return 1.0 if longest == 0 else 1 - _edit_distance(left, right) / longest


def _edit_distance(left: str, right: str) -> int:
    """The number of letters to add, remove or replace (Levenshtein)."""
    row = list(range(len(right) + 1))
    for place, letter in enumerate(left, 1):
        before, row[0] = row[0], place
        for column, other in enumerate(right, 1):
            step = min(row[column] + 1, row[column - 1] + 1, before + (letter != other))
            before, row[column] = row[column], step
    return row[-1]
