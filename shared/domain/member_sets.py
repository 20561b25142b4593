"""Merges lists as sets: solutions by id, people by e-mail address. Pure.

A list is merged member by member, so that both sides can change it at the same time:

held by      base      result
both         any       stays
one side     without   was added there, and is added on the other side
one side     with      was removed on the other side, and is removed
neither      any       is gone

A member that one side holds and the other does not take is left out of the merge, and told. The order of members means
nothing. Of a person on both sides, later edits of the details travel from Salesforce only, where many deals share a
contact or a user.

Source: docs/protocol.md#lists-merge-as-sets.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import replace

from msgspec import Struct

from shared.domain.deal import Person, Side, Value

type Member = str | Person
type Members = Mapping[str, Member]
"""Members by key, in the order of their list."""

STAYS, DETAILS_STAY = "member_stays", "details_stay"
DOES_NOT_FIT, NO_ADDRESS = "member_does_not_fit", "member_no_address"
"""Codes of members that are left out of a merge, which choose the sentence for sellers."""
DETAILS = ("first_name", "last_name", "phone", "title")
"""The parts of a person that are no key."""


class Left(Struct, frozen=True):
    """A member that `side` holds and the other does not take; `values` are for the sentence about it."""

    side: Side
    code: str
    member: Member
    values: Mapping[str, str] = {}


class MergedSet(Struct, frozen=True):
    """The merged list, and what each side holds of it: the same value where nothing is to be written there.

    `edited` are the sides whose edits travel or are put back.
    """

    value: Value | None
    salesforce: Value | None
    partner_center: Value | None
    left: tuple[Left, ...] = ()
    edited: frozenset[Side] = frozenset()


class SetRule(Struct, frozen=True):
    """How a list travels: `owners` are the sides whose edits do.

    `fits` says whether Salesforce can hold these members together. `unsendable` has the code of why Partner Center does
    not get a member, by key.
    """

    owners: frozenset[Side] = frozenset(Side)
    fits: Callable[[Iterable[Member]], bool] | None = None
    unsendable: Mapping[str, str] = {}


# --- members


def key_of(member: object) -> str:
    """The key of a member, without letter case; empty for a person without an e-mail address, who has none."""
    text = (member.email or "") if isinstance(member, Person) else str(member)
    return text.strip().casefold()


def members_of(value: object) -> Members:
    """The members of a list by key. Of several with one key the first counts; those without a key are left out."""
    found: dict[str, Member] = {}
    for member in value if isinstance(value, tuple) else ():
        if key := key_of(member):
            found.setdefault(key, member)
    return found


def keys_of(*values: object) -> tuple[str, ...]:
    """The keys of all members of these lists, sorted; of a person without one, the name."""
    listed = (member for value in values if isinstance(value, tuple) for member in value)
    return tuple(sorted({key_of(member) or str(member) for member in listed}))


def as_value(members: Members) -> Value | None:
    """The list of these members; None if there is none."""
    return tuple(members.values()) or None  # type: ignore[return-value]  # a list holds texts or people, never both


def has_same_members(one: object, other: object) -> bool:
    """Whether two lists have the same members, in any order and with any details."""
    return members_of(one).keys() == members_of(other).keys()


def has_same_details(one: Member, other: Member) -> bool:
    """Whether two members with one key say the same of a person; what only one of them says is no difference."""
    if not (isinstance(one, Person) and isinstance(other, Person)):
        return True
    pairs = ((getattr(one, part), getattr(other, part)) for part in DETAILS)
    return all(_plain(ours) == _plain(theirs) for ours, theirs in pairs if ours and theirs)


def _plain(text: str) -> str:
    """A text as it is compared: without case, spaces, and the marks between the digits of a phone number."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def needs_replacement(value: object, old: object) -> bool:
    """Whether the whole list must be sent, because a member was removed or its details changed."""
    after, before = members_of(value), members_of(old)
    if before.keys() - after.keys():
        return True
    return any(not has_same_details(after[key], before[key]) for key in before)


def without_details(value: object) -> Value | None:
    """The list with nothing but the keys of its people: what else the other side says of them is not known yet."""
    return as_value(
        {key: Person("", email=one.email) if isinstance(one, Person) else one for key, one in members_of(value).items()}
    )


def agreed_members(base: object, salesforce: object, partner_center: object) -> Value | None:
    """The base of a list after a look at both sides: what both hold is in it, what neither holds is not.

    What one side holds stays as it was in the base, because that edit still has to travel. Of a person the base keeps
    what Salesforce says, so that a later edit there is noticed.
    """
    ours, theirs = members_of(salesforce), members_of(partner_center)
    both = {key: member for key, member in ours.items() if key in theirs}
    pending = {key: one for key, one in members_of(base).items() if (key in ours) != (key in theirs)}
    return as_value({**both, **pending})


# --- the merge


def merge_sets(rule: SetRule, base: object, salesforce: object, partner_center: object) -> MergedSet:
    """Merge a list. A base that is unknown holds nothing, so that both lists are kept."""
    known, ours, theirs = members_of(base), members_of(salesforce), members_of(partner_center)
    left = [
        *_left_of_salesforce(rule, known, ours, theirs),
        *_left_of_partner_center(rule, known, ours, theirs),
    ]
    ours, theirs = _without(ours, left, Side.SALESFORCE), _without(theirs, left, Side.PARTNER_CENTER)
    kept = {key: one for key, one in {**theirs, **ours}.items() if _stays(rule, key, known, ours, theirs)}
    kept = {key: kept[key] for key in sorted(kept, key=list({**ours, **theirs}).index)}
    renewed = {key for key in ours.keys() & theirs.keys() if not has_same_details(ours[key], theirs[key])}
    told = {key for key in renewed if not _is_edited(rule, known.get(key), ours[key])}
    for key in ours.keys() & theirs.keys():
        kept[key] = _completed(ours[key], theirs[key]) if key in renewed - told else theirs[key]
    left += [Left(Side.PARTNER_CENTER, DETAILS_STAY, theirs[key]) for key in sorted(told)]
    left += _left_without_key(Side.SALESFORCE, salesforce) + _left_without_key(Side.PARTNER_CENTER, partner_center)
    value, is_renewed = as_value(kept), bool(renewed - told)
    return MergedSet(
        value,
        value if ours.keys() == kept.keys() else as_value({key: kept.get(key, one) for key, one in ours.items()}),
        value if theirs.keys() == kept.keys() and not is_renewed else as_value(theirs),
        tuple(left),
        _edited_sides(known, ours, theirs, is_renewed=is_renewed),
    )


def _left_of_salesforce(rule: SetRule, known: Members, ours: Members, theirs: Members) -> list[Left]:
    """What was added in Salesforce and does not travel."""
    added = {key: one for key, one in ours.items() if key not in theirs and key not in known}
    owns = Side.SALESFORCE in rule.owners
    codes = {key: rule.unsendable.get(key) or (None if owns else STAYS) for key in added}
    return [Left(Side.SALESFORCE, code, added[key]) for key, code in codes.items() if code]


def _left_of_partner_center(rule: SetRule, known: Members, ours: Members, theirs: Members) -> list[Left]:
    """What was added in Partner Center, and Salesforce does not own or cannot hold beside what it has."""
    added = {key: one for key, one in theirs.items() if key not in ours and key not in known}
    if Side.PARTNER_CENTER not in rule.owners:
        return [Left(Side.PARTNER_CENTER, STAYS, one) for one in added.values()]
    if rule.fits is None or not added:
        return []
    held, left = list(ours.values()), list[Left]()
    for one in added.values():
        if rule.fits([*held, one]):
            held.append(one)
        else:
            left.append(Left(Side.PARTNER_CENTER, DOES_NOT_FIT, one))
    return left


def _left_without_key(side: Side, value: object) -> list[Left]:
    listed = value if isinstance(value, tuple) else ()
    return [Left(side, NO_ADDRESS, member) for member in listed if not key_of(member)]


def _without(members: Members, left: Iterable[Left], side: Side) -> Members:
    keys = {key_of(one.member) for one in left if one.side is side}
    return {key: one for key, one in members.items() if key not in keys} if keys else members


def _stays(rule: SetRule, key: str, known: Members, ours: Members, theirs: Members) -> bool:
    """Whether a member is in the merged list: a removal counts only on a side that owns the list."""
    if (key in ours) == (key in theirs) or key not in known:
        return True
    remover = Side.PARTNER_CENTER if key in ours else Side.SALESFORCE
    return remover not in rule.owners


def _is_edited(rule: SetRule, base: Member | None, ours: Member) -> bool:
    """Whether the details of a person are an edit in Salesforce that travels."""
    return Side.SALESFORCE in rule.owners and base is not None and not has_same_details(base, ours)


def _completed(ours: Member, theirs: Member) -> Member:
    """Our person, with what only the other side says of them."""
    if not (isinstance(ours, Person) and isinstance(theirs, Person)):
        return ours
    return replace(ours, **{part: getattr(theirs, part) for part in DETAILS if not getattr(ours, part)})


def _edited_sides(known: Members, ours: Members, theirs: Members, *, is_renewed: bool) -> frozenset[Side]:
    changed = {Side.SALESFORCE: ours.keys() ^ known.keys(), Side.PARTNER_CENTER: theirs.keys() ^ known.keys()}
    one_sided = ours.keys() ^ theirs.keys()
    edited = {side for side, keys in changed.items() if keys & one_sided}
    return frozenset(edited | ({Side.SALESFORCE} if is_renewed else set()))
