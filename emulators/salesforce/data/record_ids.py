"""Record ids: three characters of key prefix, nine of instance and counter; 15 case-sensitive, 18 with checksum."""

import string

from emulators.salesforce.data.errors import ApiError

SHORT, LONG = 15, 18
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECK = string.ascii_uppercase + "012345"


def to18(short: str) -> str:
    """Append the checksum, which tells which of the 15 letters are upper case (reference/salesforce.md 2.15)."""
    chunks = (short[start : start + 5] for start in (0, 5, 10))
    return short + "".join(_CHECK[sum(1 << bit for bit, c in enumerate(chunk) if c.isupper())] for chunk in chunks)


def canonical(text: str) -> str | None:
    """The 18-character form of an id; None if it is none. A folded 18-character id is restored from its checksum."""
    if not text.isascii() or not text.isalnum():
        return None
    if len(text) == SHORT:
        return to18(text)
    if len(text) != LONG or any(c not in _CHECK for c in text[SHORT:].upper()):
        return None
    masks = [_CHECK.index(c) for c in text[SHORT:].upper()]
    restored = "".join(
        c.upper() if masks[place // 5] >> (place % 5) & 1 else c.lower() for place, c in enumerate(text[:SHORT])
    )
    return to18(restored)


def malformed_id(text: object) -> ApiError:
    """The error for what looks like no id at all."""
    return ApiError(400, "MALFORMED_ID", f"malformed id {text}", [])


class Ids:
    """Hands out ids in order, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        """`seed` also chooses the instance letters, so that two orgs never share an id."""
        self._instance = _DIGITS[10 + seed % 52] + _DIGITS[10 + seed // 52 % 52]
        # Not from zero: neighbours then differ in letters whose case matters, as real ids do.
        self._count = 62**4 + seed % 1000 * 62**3

    def next(self, prefix: str) -> str:
        """A new 18-character id."""
        self._count += 1
        number, digits = self._count, ""
        while number:
            number, digit = divmod(number, len(_DIGITS))
            digits = _DIGITS[digit] + digits
        return to18(prefix + self._instance + digits.rjust(SHORT - len(prefix) - 2, "0"))
