"""Make and read record ids: a key prefix of three characters, two for the instance, ten for a counter.

The form with 15 characters depends on case; the form with 18 adds a checksum that restores it.
"""

import re
import string

from emulators.salesforce.data.errors import ApiError

SHORT, LONG = 15, 18
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKSUM_DIGITS = string.ascii_uppercase + "012345"
_PLACES = re.compile(r"\{(0+)\}")
_COUNTED_APART = frozenset({"00G"})
"""The prefixes of what a package brings: a new component in it does not change the ids of deals."""


def with_checksum(short: str) -> str:
    """The 18-character form of a 15-character id (docs/reference/salesforce.md#record-ids)."""
    chunks = (short[start : start + 5] for start in (0, 5, 10))
    masks = (sum(1 << bit for bit, character in enumerate(chunk) if character.isupper()) for chunk in chunks)
    return short + "".join(_CHECKSUM_DIGITS[mask] for mask in masks)


def canonical_id(text: str) -> str | None:
    """The 18-character form of an id, in the right case; None if the text is not an id."""
    if not text.isascii() or not text.isalnum():
        return None
    if len(text) == SHORT:
        return with_checksum(text)
    if len(text) != LONG or any(character not in _CHECKSUM_DIGITS for character in text[SHORT:].upper()):
        return None
    masks = [_CHECKSUM_DIGITS.index(character) for character in text[SHORT:].upper()]
    restored = "".join(
        character.upper() if masks[place // 5] >> (place % 5) & 1 else character.lower()
        for place, character in enumerate(text[:SHORT])
    )
    return with_checksum(restored)


def malformed_id(text: object) -> ApiError:
    """The text is not an id."""
    return ApiError(400, "MALFORMED_ID", f"malformed id {text}", [])


class RecordIds:
    """Hands out ids in ascending order, the same ids for the same seed."""

    def __init__(self, seed: int) -> None:
        """`seed` also chooses the two characters of the instance, so that the ids of two orgs differ."""
        self._instance = _DIGITS[10 + seed % 52] + _DIGITS[10 + seed // 52 % 52]
        # A count that starts high makes ids that differ in the case of a letter only, as real ids do.
        self._first = 62**4 + seed % 1000 * 62**3
        self._counts: dict[str, int] = {}
        self._numbers: dict[str, int] = {}

    def next_number(self, prefix: str, form: str) -> str:
        """The name of a record that the service numbers: `DS-{00000}` makes DS-00001."""
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return _PLACES.sub(lambda places: str(number).rjust(len(places[1]), "0"), form)

    def next_id(self, prefix: str) -> str:
        """A new 18-character id."""
        counter = prefix if prefix in _COUNTED_APART else ""
        number = self._counts[counter] = self._counts.get(counter, self._first) + 1
        digits = ""
        while number:
            number, digit = divmod(number, len(_DIGITS))
            digits = _DIGITS[digit] + digits
        return with_checksum(prefix + self._instance + digits.rjust(SHORT - len(prefix) - 2, "0"))
