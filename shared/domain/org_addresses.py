"""How an org writes countries and states: with codes from its picklists, or as text, in codes or in names.

Source: docs/mapping.md#countries-and-states.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from shared.domain.country_names import country_code, country_name, plain_name
from shared.domain.iso_codes import COUNTRIES


class AddressLists(Struct, frozen=True):
    """The picklists of an org: the codes of its countries, and for each of them its states, as names by code."""

    countries: frozenset[str]
    states: Mapping[str, Mapping[str, str]] = {}

    def state_code(self, country: str, text: str) -> str | None:
        """Return the code of the country's state that a text names by its name or code (WA or US-WA); else None."""
        states = self.states.get(country, {})
        code, name = text.upper().removeprefix(f"{country}-"), plain_name(text)
        by_code = {each.upper(): each for each in states}
        return by_code.get(code) or next((each for each in states if plain_name(states[each]) == name), None)


class CountrySpelling(Struct, frozen=True):
    """How the accounts of an org without picklists write countries. `names` are the org's own names, by code."""

    has_names: bool = False
    names: Mapping[str, str] = {}

    def text(self, code: str) -> str:
        """Return what an account of this org holds for the country with this code."""
        return self.names.get(code) or country_name(code) if self.has_names else code


class OrgAddresses(Struct, frozen=True):
    """How an org writes addresses; `lists` is None where they are text, and `spelling` where it is not known."""

    lists: AddressLists | None = None
    spelling: CountrySpelling | None = None


def spelling_in(texts: Iterable[str]) -> CountrySpelling:
    """Return the spelling that most of these texts have; codes if there are as many of them, or nothing is known."""
    counts = Counter(filter(None, map(str.strip, texts)))
    names = {text: count for text, count in counts.items() if text.upper() not in COUNTRIES and country_code(text)}
    codes = sum(count for text, count in counts.items() if text.upper() in COUNTRIES)
    by_code: dict[str, str] = {}
    for text in sorted(names, key=lambda text: (-names[text], text)):
        by_code.setdefault(country_code(text) or "", text)
    return CountrySpelling(sum(names.values()) > codes, by_code)
