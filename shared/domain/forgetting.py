"""What is left of a link and of an audit line once a person is forgotten. Pure.

A deal that is at rest loses the person for ever. One that may still be merged keeps the fingerprint of what it loses:
without it, the merge would take a contact whom somebody has just removed on one side for one whom somebody has added on
the other. The next look at both sides recognises the value by it, where it still stands there.

Source: docs/protocol.md#personal-data.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import replace

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Deal, Person, Side, Status, Value, fingerprint
from shared.domain.erasure import HARMLESS, erased_cause, reported_code, without_people
from shared.domain.guard_texts import ERASED
from shared.domain.link import Difference, Link
from shared.domain.link_states import State
from shared.domain.member_sets import Member, as_value, key_of, members_of
from shared.domain.traces import Traces


def deals_of(link: Link) -> Iterator[Deal]:
    """The base, and the values that an intent sets and displaces."""
    yield link.base
    for effect in link.intent.effects if link.intent else ():
        yield from (effect.values, effect.displaced)


def fields_with(link: Link, traces: Traces) -> tuple[str, ...]:
    """The fields of a link that hold a trace, also those that an intent is about to write."""
    found = (name for deal in deals_of(link) for name, value in deal.items() if traces.are_in(value))
    return tuple(dict.fromkeys(found))


def texts_with(link: Link, traces: Traces) -> bool:
    """Whether a text about the pair, which is no value of the deal, holds a trace."""
    effects = link.intent.effects if link.intent else ()
    causes = (link.cause, link.unshown.cause if link.unshown else None, *(effect.cause for effect in effects))
    lines = (line for effect in effects for line in effect.lines)
    is_named = any(map(traces.are_in_text, link.reported)) or any(_is_named(cause, traces) for cause in causes)
    return is_named or any(line_without(traces, line) != line for line in lines)


def _is_named(cause: Cause | None, traces: Traces) -> bool:
    return cause is not None and traces.are_in_text(f"{cause.reason} {cause.remedy}")


# --- a link


def without_person(link: Link, traces: Traces) -> Link:
    """The link without a person."""
    names = [name for name, value in link.base.items() if traces.are_in(value)]
    left = [_left(link, name, value, traces) for name, value in link.base.items()]
    unshown = link.unshown and replace(link.unshown, cause=_cause_without(link.unshown.cause, traces))
    forgotten = replace(
        link,
        base=Deal({name: value for one in left for name, value in one.items()}),
        reported=tuple(reported_code(key) if traces.are_in_text(key) else key for key in link.reported),
        cause=_cause_without(link.cause, traces),
        unshown=unshown,
        repeats=None if names else link.repeats,
    )
    if is_at_rest(link):
        has_heard = link.microsoft is not None and any(map(traces.are_of, people_of(link)))
        heard = without_people(link.microsoft) if has_heard else link.microsoft
        return replace(forgotten, refused=_without_marks(link.refused, names), microsoft=heard, repeats=None)
    marks = {name: _marks_of(link.base[name], traces) for name in names}
    erased = {name: (*link.erased.get(name, ()), *marks[name]) for name in names if marks[name]}
    return replace(forgotten, agreed=False, erased={**link.erased, **erased}) if names else forgotten


def _cause_without(cause: Cause | None, traces: Traces) -> Cause | None:
    return erased_cause(cause) if _is_named(cause, traces) else cause


def people_of(link: Link) -> Iterator[Person]:
    """The people of a link."""
    for deal in deals_of(link):
        for value in deal.values():
            yield from (one for one in (value if isinstance(value, tuple) else ()) if isinstance(one, Person))


def is_at_rest(link: Link) -> bool:
    """Whether nothing of the deal is merged any more. One that has just been closed may still have edits to carry."""
    return link.state is State.CLOSED


def _left(link: Link, name: str, value: Value | None, traces: Traces) -> dict[str, Value | None]:
    """What is left of a value: a list without the person, a status without its reason, nothing of any other.

    At rest, a list that lacks somebody would look like one that was edited: it goes as a whole, and is unknown.
    """
    if not traces.are_in(value):
        return {name: value}
    if isinstance(value, Status):
        return {name: replace(value, reason=None)}
    if isinstance(value, tuple) and not is_at_rest(link):
        return {name: as_value({key: one for key, one in members_of(value).items() if not _is_trace(one, traces)})}
    return {}


def _is_trace(member: Member, traces: Traces) -> bool:
    return traces.are_of(member) if isinstance(member, Person) else traces.are_in_text(member)


def _without_marks(known: Mapping[str, Difference], names: Sequence[str]) -> dict[str, Difference]:
    """The differences, of these fields without the fingerprints of values and members."""
    prefixes = tuple(f"{side}.{name}" for side in Side for name in names)
    return {key: replace(one, value="", told=()) if key.startswith(prefixes) else one for key, one in known.items()}


# --- what a deal that may be merged recognises


def _marks_of(value: Value | None, traces: Traces) -> tuple[str, ...]:
    """The fingerprint of a value; of a list, of the key and of the whole of each member that goes."""
    if isinstance(value, Status):
        return ()  # it is left, without the reason, which is not compared
    if isinstance(value, tuple):
        return tuple(_mark_of(one) for one in members_of(value).values() if _is_trace(one, traces))
    return (fingerprint(value),)


def _mark_of(member: Member) -> str:
    return fingerprint(key_of(member)) + fingerprint(repr(member))


def expects(link: Link, email: str) -> bool:
    """Whether a deal that may be merged has lost the person with this address, whom its two sides may still hold."""
    key = fingerprint(email.strip().casefold())
    return any(mark.startswith(key) for marks in link.erased.values() for mark in marks)


def recognised(link: Link, salesforce: Deal, partner_center: Deal) -> Link:
    """The link with what the two sides still hold of that which was erased; what neither holds is forgotten.

    What one side does not hold is expected until the other side can be read.
    """
    base, expected = dict(link.base), dict[str, tuple[str, ...]]()
    for name, marks in link.erased.items():
        sides = [deal[name] for deal in (salesforce, partner_center) if name in deal]
        if any(isinstance(value, tuple) for value in sides):
            base[name] = _recognised_list(base.get(name), marks, sides)
        elif name not in base and (found := [value for value in sides if fingerprint(value) in marks]):
            base[name] = found[0]
        if len(sides) < len(Side) and (left := _unfound(marks, base.get(name))):
            expected[name] = left
    return replace(link, base=Deal(base), erased=expected)


def _unfound(marks: Sequence[str], known: Value | None) -> tuple[str, ...]:
    """The fingerprints of what is not in the base again; where it holds another single value, none matters any more."""
    if not isinstance(known, tuple | None):
        return ()
    keys = [fingerprint(key) for key in members_of(known)]
    return tuple(mark for mark in marks if not mark.startswith(tuple(keys)))


def _recognised_list(known: Value | None, marks: Sequence[str], sides: Sequence[Value | None]) -> Value | None:
    """A list with the members that a side still holds: as they were, or else as Partner Center, the last, has them.

    So an edit of a person's details in Salesforce is still an edit.
    """
    members = dict(members_of(known))
    held = [members_of(value) for value in sides]
    for mark in marks:
        key = next((key for one in held for key in one if mark.startswith(fingerprint(key))), None)
        found = [one[key] for one in held if key is not None and key in one]
        if key is not None and key not in members:
            members[key] = next((one for one in found if _mark_of(one) == mark), found[-1])
    return as_value(members)


# --- an audit line


def line_without(traces: Traces, line: Line) -> Line:
    """The line with `value erased` in place of each value that names a person."""
    before, after = (_erased_text(text, traces) for text in (line.before, line.after))
    values = {name: ERASED for name, text in line.values.items() if name not in HARMLESS and traces.are_in_text(text)}
    return replace(line, before=before, after=after, values={**line.values, **values})


def _erased_text(text: str | None, traces: Traces) -> str | None:
    return ERASED if text is not None and traces.are_in_text(text) else text
