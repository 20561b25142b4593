"""The traces of one person in values and texts: an e-mail address, a name, a phone number. Pure.

A trace is kept as a hash with a key, so that a person who was forgotten can be found again in an old copy of the store,
and nowhere be read. It is looked for word by word: an address is one word, a phone number is its digits. So a name is
found in any letter case, and `jane@x.example` is not found in `mary.jane@x.example`.

Source: docs/protocol.md#personal-data.
"""

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from shared.domain.deal import Company, Person, Status, Value

_WORD = re.compile(r"[^\s,;:<>()\"'|=]+@[^\s,;:<>()\"'|=]+|\+?\d[\d ().\-/]{4,}\d|\w+")
"""An e-mail address, a phone number, or a word."""
_NUMBER = re.compile(r"\+?\d[\d ().\-/]*")
_LEAST_WORDS_OF_A_NAME = 2
"""A name of one word, such as `May`, is no trace: other texts have it too."""


class Traces(Struct, frozen=True):
    """The hashes of the traces of persons, each with the number of its words; `salt` is the key of the hashes."""

    salt: str
    words: Mapping[str, int] = {}

    def of_text(self, text: str) -> Iterator[tuple[str, int]]:
        """The hash of a text that is a trace, and the number of its words; nothing for a text without words."""
        if words := _words_of(text):
            yield self._hash(" ".join(words)), len(words)

    def are_in_text(self, text: str) -> bool:
        """Whether a text has a trace."""
        words = _words_of(text)
        lengths = {length for length in self.words.values() if length <= len(words)}
        return any(
            self._hash(" ".join(words[start : start + length])) in self.words
            for length in lengths
            for start in range(len(words) - length + 1)
        )

    def are_of(self, person: Person) -> bool:
        """Whether a member of a list is the person: by the address, or, without one, by the name."""
        return self.are_in_text(person.email) if person.email else self.are_in_text(str(person))

    def are_in(self, value: Value | None) -> bool:
        """Whether a value has a trace."""
        match value:
            case str():
                return self.are_in_text(value)
            case Status():
                return self.are_in_text(value.reason or "")
            case Company():
                return any(self.are_in_text(part) for part in _parts(value))
            case tuple():
                return any(self.are_of(one) if isinstance(one, Person) else self.are_in_text(one) for one in value)
        return False

    def with_persons(self, email: str, people: Iterable[Person], further: Iterable[str] = ()) -> "Traces":
        """These and those of an address, of the people who have it, and further texts that an operator names."""
        texts = [email, *further]
        for person in people:
            texts += [person.phone or "", *_names(person)]
        return Traces(self.salt, {**self.words, **dict(one for text in texts for one in self.of_text(text))})

    def _hash(self, text: str) -> str:
        return hmac.digest(self.salt.encode(), text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]


def has_address(person: Person, email: str) -> bool:
    """Whether a person has this e-mail address, in any letter case."""
    return (person.email or "").strip().casefold() == email.strip().casefold()


def _names(person: Person) -> Iterator[str]:
    """The name in both orders."""
    if len(_words_of(str(person))) >= _LEAST_WORDS_OF_A_NAME:
        yield str(person)
        yield f"{person.last_name} {person.first_name}"


def _parts(company: Company) -> Iterator[str]:
    return (part for name in company.__struct_fields__ if (part := getattr(company, name)))


def _words_of(text: str) -> list[str]:
    return [_normal(word) for word in _WORD.findall(text.casefold())]


def _normal(word: str) -> str:
    """An address without the full stop of its sentence; a phone number as its digits."""
    if "@" in word:
        return word.strip(".!?")
    return "".join(sign for sign in word if sign.isdigit()) if _NUMBER.fullmatch(word) else word
