"""Removes personal values from what the store keeps of a deal. Pure.

kept       states, ids, versions, times, codes, names of fields; of the values: status, money, dates and the visibility
removed    every other value: texts, people, companies, lists; and every fingerprint of a value, because an address, a
           name or a phone number can be guessed

What may hold a person's name is not known of a text, so no text is kept. A value that is absent from the base is
unknown, as it is where a field enters the mapping: nobody has emptied it.

Source: docs/protocol.md#personal-data.
"""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import date, datetime

from msgspec import Struct

from shared.domain.audit import CONFIRMED, RECOVERED, Line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, VISIBILITY, Deal, Money, Side, Status, Value
from shared.domain.guard_texts import ERASED
from shared.domain.help_request import HELP_KEY
from shared.domain.leads import KnownLead
from shared.domain.link import Difference, Link
from shared.domain.link_states import SUSPENDED, State
from shared.domain.microsoft_record import HeardRecord

HARMLESS = frozenset(
    {"all", "column", "columns", "count", "fitting", "help", "known", "label", "length", "owner", "rule", "sent"}
    | {"linked", "opportunity", "referral", "status", "system", "until"}
)
"""What a sentence names besides values of the deal: it stays in an erased line."""
REMEDY = "remedy"
"""Stands behind the reason, of which it may repeat a value."""
PERSONAL_NEWS = frozenset({"microsoft_seller", "microsoft_notes"})
"""The parts of Microsoft's record that are about people, or written by them."""


class Erasures(Struct, frozen=True):
    """What was erased so far. It is kept beside copies of the store, so that an imported copy is erased again.

    deals    the opportunities whose link was purged, and when
    leads    the referrals whose lead was purged, and when
    persons  by the key of the hashes, and the hash of a forgotten person's address, the hashes of their traces with the
             number of their words
    """

    deals: Mapping[str, datetime] = {}
    leads: Mapping[str, datetime] = {}
    persons: Mapping[str, Mapping[str, Mapping[str, int]]] = {}

    def joined(self, other: "Erasures") -> "Erasures":
        """These and the others: a list beside copies never gets shorter, also if the table was lost."""
        deals, leads, persons = {**self.deals, **other.deals}, {**self.leads, **other.leads}, dict(self.persons)
        for salt, known in other.persons.items():
            mine = persons.get(salt, {})
            persons[salt] = {**mine, **{one: {**mine.get(one, {}), **words} for one, words in known.items()}}
        return Erasures(deals, leads, persons)


# --- when a deal was closed


def closed_at(lines: Iterable[Line], changed: datetime) -> datetime:
    """When a closed deal was closed: the time of the line that says so, or else the last change of its row.

    A deal that both sides closed, or that arrived closed, has no such line.
    """
    times = [line.at for line in lines if _tells_close(line)]
    return max(times, default=changed)


def _tells_close(line: Line) -> bool:
    is_known = line.field == STATUS and line.rule in (CONFIRMED, RECOVERED)
    return is_known and (line.after or "").startswith("Closed/")


# --- what is left of them


def purged_link(link: Link) -> Link:
    """The link of a closed deal, without any personal value and without any fingerprint of one.

    It is at rest from now on: what a service refused until then is not tried again.
    """
    base = without_personal_values(link.base)
    return replace(
        link,
        state=link.state if link.state in SUSPENDED else State.CLOSED,
        base=base,
        agreed=False,
        refused=_without_fingerprints(link.refused, base),
        waiting=_without_fingerprints(link.waiting, base),
        reported=tuple(dict.fromkeys(map(reported_code, link.reported))),
        cause=erased_cause(link.cause),
        unshown=link.unshown and replace(link.unshown, cause=erased_cause(link.unshown.cause)),
        microsoft=without_people(link.microsoft),
        help=link.help and replace(link.help, notes=None),
        erased={},
        repeats=None,
    )


def without_personal_values(deal: Deal) -> Deal:
    """The values of which it is certain that they name nobody. What was empty is unknown, like what was removed.

    Otherwise a later edit of it, whose fingerprint goes too, would be told again.
    """
    return Deal({name: _harmless(value) for name, value in deal.items() if _is_harmless(name, value)})


def _is_harmless(name: str, value: Value | None) -> bool:
    return isinstance(value, Status | Money | date) or (name == VISIBILITY and value is not None)


def _harmless(value: Value | None) -> Value | None:
    """The value; of a status without the reason, which a person wrote."""
    return replace(value, reason=None) if isinstance(value, Status) else value


def _without_fingerprints(known: Mapping[str, Difference], base: Deal) -> dict[str, Difference]:
    """The same differences, so that the mark stays, without a trace of the values that are not in the `base`."""
    kept = {f"{side}.{name}" for side in Side for name in base} | {*base, HELP_KEY}
    return {key: one if key in kept else replace(one, value="", told=()) for key, one in known.items()}


def reported_code(key: str) -> str:
    """The key of a cause that was reported, without the reason, which may name a value."""
    code, colon, _ = key.partition(":")
    return f"{code}:{ERASED}" if colon else key


def erased_cause(cause: Cause | None) -> Cause | None:
    """The cause, by its code and its field alone."""
    return cause and replace(cause, reason=ERASED, remedy="", values=None)


def without_people(heard: HeardRecord | None) -> HeardRecord | None:
    """What was heard of Microsoft's record, without any trace of people and of what they wrote."""
    if heard is None:
        return None
    parts = {name: mark for name, mark in heard.parts.items() if name not in PERSONAL_NEWS}
    return replace(heard, parts=parts, echo=None, ours=())


def purged_lead(lead: KnownLead) -> KnownLead:
    """What is known of a lead that has ended, without any fingerprint of a value."""
    return replace(lead, written={})


def erased_line(line: Line) -> Line:
    """The line with its time, its field and its code, and with `value erased` in place of each value."""
    before, after = (None if text is None else ERASED for text in (line.before, line.after))
    return replace(line, before=before, after=after, values=_erased_values(line.values))


def _erased_values(values: Mapping[str, str]) -> dict[str, str]:
    erased = {name: text if name in HARMLESS else ERASED for name, text in values.items()}
    return {**erased, REMEDY: ""} if REMEDY in values else erased
