"""Find what the store knows of one deal, by an opportunity id or a referral id, as an operator types or pastes it."""

import re

from msgspec import Struct

from shared.domain.deal import Side
from shared.domain.link import Link, Pointer
from shared.domain.scope import CHECKSUM, OPPORTUNITY_ID, SHORT_ID, long_id
from shared.domain.sighting import RELATED, Sighting
from shared.foundation.errors import ConfigurationError
from shared.store.link_store import LinkStore
from shared.store.stored_values import Entry, RetryEntry

REFERRAL_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FORMS = (
    "an opportunity id has 15 or 18 characters and begins with 006 (006AA00000000012), and a referral id has 32 "
    "hexadecimal digits with hyphens (0a1b2c3d-0000-4000-8000-000000000001)"
)
CASE = (
    "In an id of 15 characters, capital and small letters are different: copy it again as Salesforce shows it, or give "
    "the id of 18 characters, in which they do not count"
)
POD = slice(3, 6)
"""The characters of a Salesforce id that tell where its organisation was when the record was created."""


class FoundPair(Struct, frozen=True):
    """What the store has of one deal.

    side, key        the id that was asked for, as the store writes it
    link             None while a referral has no opportunity, or while an opportunity only waits in the retry queue
    pointer          that of the referral
    retry_entry      when the deal is tried again; the entry of the opportunity goes before that of the referral. An
                     id that names no deal of ours may be that of another party's record: then its entry
    """

    side: Side
    key: str
    link: Entry[Link] | None = None
    pointer: Entry[Pointer] | None = None
    retry_entry: RetryEntry | None = None

    @property
    def is_of_other_party(self) -> bool:
        """Whether the id is that of another party's record, which the app is to hear of."""
        return self.retry_entry is not None and self.retry_entry.key.startswith(RELATED)

    @property
    def opportunity_id(self) -> str | None:
        """The opportunity of the deal, if it has one."""
        if self.link is not None:
            return self.link.value.opportunity_id
        return self.key if self.side is Side.SALESFORCE else None

    @property
    def referral_id(self) -> str | None:
        """The referral of the deal, if it has one."""
        if self.link is not None:
            return self.link.value.referral_id
        return self.key if self.side is Side.PARTNER_CENTER else None


def read_id(text: str) -> tuple[Side, str]:
    """Return the side of an id, and the id as the store writes it. Raises ConfigurationError that names both forms.

    The mark in the key of a retry entry of another party's record is no part of the id.
    """
    typed = text.strip().removeprefix(RELATED).strip("{}")
    if OPPORTUNITY_ID.fullmatch(typed):
        return Side.SALESFORCE, long_id(typed)
    if REFERRAL_ID.fullmatch(typed.lower()):
        return Side.PARTNER_CENTER, typed.lower()
    raise ConfigurationError(f"ID: {typed[:60]!r} is no id of a deal: {FORMS}")


def find_pair(store: LinkStore, text: str) -> Entry[Link]:
    """Return the link of a deal by either id.

    Raises ConfigurationError for another text, for an id that this environment does not know, and for a deal without a
    link.
    """
    found = find_deal(store, text)
    if found.link is None:
        raise ConfigurationError(f"ID: {found.key} has no {_missing_side(found.side)} yet, so there is no pair")
    return found.link


def find_deal(store: LinkStore, text: str) -> FoundPair:
    """Return what the store has of a deal, with at most four reads. Raises ConfigurationError as `find_pair`."""
    side, key = read_id(text)
    other = with_letter_case(key) if side is Side.SALESFORCE else None
    for each in dict.fromkeys((key, other or key)):
        found = _known_deal(store, side, each)
        if found.link or found.pointer or found.retry_entry:
            return found
    is_short = len(text.strip()) == SHORT_ID
    raise ConfigurationError(f"{_unknown(store, side, key)}{f'. {CASE}' if is_short else ''}")


def _known_deal(store: LinkStore, side: Side, key: str) -> FoundPair:
    if side is Side.SALESFORCE:
        link, pointer = store.link(key), None
    else:
        pointer = store.pointer(key)
        opportunity = pointer.value.opportunity_id if pointer else None
        link = store.link(opportunity) if opportunity else None
    found = FoundPair(side, key, link, pointer)
    return FoundPair(side, key, link, pointer, _retry_entry(store, found))


def with_letter_case(key: str) -> str | None:
    """An opportunity id of 18 characters with the letter case that its last three tell; None if they do not fit it.

    Case counts in the first 15 characters. Spreadsheets and some tools change it
    (docs/reference/salesforce.md#record-ids).
    """
    groups = (key[start : start + 5] for start in range(0, SHORT_ID, 5))
    marks = [CHECKSUM.find(mark) for mark in key[SHORT_ID:].upper()]
    letters = [
        letter.upper() if mark >> place & 1 else letter.lower()
        for group, mark in zip(groups, marks, strict=True)
        for place, letter in enumerate(group)
    ]
    bare = "".join(letters)
    return long_id(bare) if long_id(bare)[SHORT_ID:] == key[SHORT_ID:].upper() else None


def _retry_entry(store: LinkStore, found: FoundPair) -> RetryEntry | None:
    opportunity, referral = found.opportunity_id, found.referral_id
    entry = store.retry_entry(Side.SALESFORCE, opportunity) if opportunity else None
    entry = entry or (store.retry_entry(Side.PARTNER_CENTER, referral.lower()) if referral else None)
    if entry is not None or referral is None or found.link or found.pointer:
        return entry
    return store.retry_entry(Side.PARTNER_CENTER, Sighting(referral).key)


def _missing_side(side: Side) -> str:
    return "referral" if side is Side.SALESFORCE else "opportunity"


def _unknown(store: LinkStore, side: Side, key: str) -> str:
    """Say why the store may not know an id."""
    if side is Side.PARTNER_CENTER:
        return (
            f"ID: this environment knows no referral {key}. It belongs to another environment (--env), to another "
            "organisation, or it is from before SYNC_FROM"
        )
    if (owner := store.known_owner()) and owner[POD].casefold() != key[POD].casefold():
        return (
            f"ID: this environment knows no opportunity {key}. Its characters 4 to 6 are not those of the organisation "
            f"{owner}, so it probably belongs to another environment (--env)"
        )
    if with_letter_case(key) != key:
        return (
            f"ID: this environment knows no opportunity {key}. Its last three characters do not fit the others: it was "
            "mistyped or changed, so copy it again"
        )
    return (
        f"ID: this environment knows no opportunity {key}. Either its Sync with Partner Center is not ticked, or it "
        "belongs to another environment (--env)"
    )
