"""Decides whether a new opportunity is a copy of another one: it was created with the tick, and says the same. Pure.

A clone, by button, import or flow, keeps the tick and loses the id of the referral. Nobody may have meant a second
referral, so a person is asked. Source: docs/protocol.md#clones.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.html_entities import decode_entities
from shared.domain.link import Link
from shared.domain.name_mark import without_mark
from shared.domain.records import Opportunity
from shared.domain.sentences import LineDirection, cause
from shared.domain.transitions import Transition

CLONE, ANSWERED = "clone", "clone_answered"
"""The code of the question, and the key under which a link remembers that a person has cleared the tick."""
TICKED_LATER = timedelta(minutes=2)
"""A save so long after the creation may be the tick: such an opportunity is not asked about."""
LOOK_AGAIN, ASKED_LONG_AGO = timedelta(minutes=10), timedelta(days=1)


class Twin(Struct, frozen=True):
    """What is compared of an opportunity: the name as it is shown. `is_linked` says that it has a referral's id."""

    id: str
    name: str
    account: str | None
    amount: float | None
    created: datetime
    saved: datetime
    is_linked: bool = False

    @property
    def says(self) -> tuple[str, str | None, float | None]:
        """What a copy has in common with its original."""
        return without_mark(decode_entities(self.name)).strip(), self.account, self.amount

    def is_original_of(self, new: "Twin") -> bool:
        """Whether the new one, which says the same, may be a copy of this one: it is linked, or will be first."""
        is_first = self.is_linked or (self.created, self.id) < (new.created, new.id)
        return self.id != new.id and is_first

    @property
    def is_saved_later(self) -> bool:
        """Whether it was saved long after its creation: to set the tick is a save, too."""
        return self.saved - self.created > TICKED_LATER


class Twins(Struct, frozen=True, dict=True):
    """Opportunities, found by id and by what they say: a batch has thousands, and each new one is compared."""

    all: Sequence[Twin] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Twin]:
        """Each by its id."""
        return {one.id: one for one in self.all}

    @cached_property
    def by_words(self) -> Mapping[tuple[str, str | None, float | None], Sequence[Twin]]:
        """Those that say the same, together."""
        found = dict[tuple[str, str | None, float | None], list[Twin]]()
        for one in self.all:
            found.setdefault(one.says, []).append(one)
        return found

    def originals_of(self, new: Twin) -> list[Twin]:
        """Those that a new one may be a copy of."""
        return [one for one in self.by_words.get(new.says, ()) if one.is_original_of(new)]


def is_asked(link: Link) -> bool:
    """Whether a person was asked, and has not answered."""
    return any(key.startswith(f"{CLONE}:") for key in link.reported)


def original_of(opportunity: Opportunity, link: Link, twins: Twins, own_user: Callable[[], str]) -> str | None:
    """The id of the opportunity that this one may be a copy of; of several a linked one, and the oldest of those.

    A save by the `own_user`, the connector's, sets no tick: it is the question, of which a lost store knows nothing.
    """
    new = twins.by_id.get(opportunity.id)
    may_be_ticked_later = new is not None and new.is_saved_later and opportunity.modified_by != own_user()
    if new is None or (may_be_ticked_later and not is_asked(link)):
        return None
    originals = twins.originals_of(new)
    return min(originals, key=_rank).id if originals else None


def _rank(one: Twin) -> tuple[bool, datetime, str]:
    return not one.is_linked, one.created, one.id


def clone_cause(original: str) -> Cause:
    """The question, as a cause that holds the opportunity."""
    return cause(CLONE, "name", original=original)


def unticked(link: Link, now: datetime) -> Transition | None:
    """Note that a person has cleared the tick of an opportunity that was asked about: set again, it is their answer."""
    if link.referral_id is not None or not is_asked(link):
        return None
    kept = (*(key for key in link.reported if not key.startswith(f"{CLONE}:")), ANSWERED)
    line = Line(now, "clone_unticked", LineDirection.NOTE, Side.SALESFORCE)
    return Transition(replace(link, reported=kept, unwritten=True), (line,))


def next_look(link: Link, opportunity: Opportunity | None, now: datetime) -> datetime | None:
    """When a held opportunity is looked at again: soon while somebody may be answering, else hourly (None)."""
    is_fresh = opportunity is not None and now - opportunity.modified < ASKED_LONG_AGO
    return now + LOOK_AGAIN if is_fresh and is_asked(link) else None
