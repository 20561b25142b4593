"""Merges lists as sets: solutions by id, people by e-mail address. Pure.

A list is merged member by member, so that both sides can change it at the same time:

held by      base      result
both         any       stays
one side     without   was added there, and is added on the other side
one side     with      was removed on the other side, and is removed
neither      any       is gone

A member that one side holds and the other does not take is left out of the merge, and told. The order of members means
nothing. Of a person on both sides, later edits of the details travel from Salesforce only, where many deals share a
contact or a user. A person without a usable e-mail address has their name as a key: both sides may hold them, and
neither gets them from the other.

Source: docs/protocol.md#lists-merge-as-sets.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import replace

from msgspec import Struct

from shared.domain.deal import Person, Side, Value

type Member = str | Person
type Members = Mapping[str, Member]
"""Members by key, in the order of their list."""

STAYS, DETAILS_STAY = "member_stays", "details_stay"
DOES_NOT_FIT, NO_ADDRESS, SAME_ADDRESS = "member_does_not_fit", "member_no_address", "member_same_address"
INCOMPLETE, INACTIVE, TOO_MANY = "member_incomplete", "member_inactive", "member_too_many"
OF_MICROSOFT = "member_of_microsoft"
REFUSED_MEMBER, UNSEEN_MEMBER = "member_refused", "member_unseen"
"""Codes of members that are left out of a merge, which choose the sentence for sellers."""
DETAILS = ("first_name", "last_name", "phone", "title")
"""The parts of a person that are no key."""
E_MAIL_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
"""The form without which no e-mail address is one."""


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
    not get a member, by key, and `at_most` is how many it takes. `fixed` are the keys of members that Salesforce has by
    another field, such as the owner: a removal in Partner Center is undone.
    """

    owners: frozenset[Side] = frozenset(Side)
    fits: Callable[[Iterable[Member]], bool] | None = None
    unsendable: Mapping[str, str] = {}
    fixed: frozenset[str] = frozenset()
    at_most: int | None = None


# --- members


def has_address(member: object) -> bool:
    """Whether a member can be found on the other side: a person needs a usable e-mail address."""
    return not isinstance(member, Person) or E_MAIL_ADDRESS.fullmatch((member.email or "").strip()) is not None


def key_of(member: object) -> str:
    """The key of a member, without letter case: of a person the e-mail address, or else the name."""
    if not isinstance(member, Person):
        return str(member).strip().casefold()
    return (member.email or "").strip().casefold() if has_address(member) else f"name:{member}".casefold()


def members_of(value: object) -> Members:
    """The members of a list by key. Of several with one key the first counts."""
    found: dict[str, Member] = {}
    for member in value if isinstance(value, tuple) else ():
        if key := key_of(member):
            found.setdefault(key, member)
    return found


def keys_of(*values: object) -> tuple[str, ...]:
    """The keys of all members of these lists, sorted."""
    listed = (member for value in values if isinstance(value, tuple) for member in value)
    return tuple(sorted({key_of(member) for member in listed}))


def repeated(value: object) -> Iterator[Member]:
    """The people of a list who have the address of another one before them: they do not count."""
    first = members_of(value)
    for member in value if isinstance(value, tuple) else ():
        if isinstance(member, Person) and first[key_of(member)] != member:
            yield member


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


def lacks_details(one: Member, other: Member) -> bool:
    """Whether `other` says something of a person that `one` does not say."""
    return any(getattr(other, part, None) and not getattr(one, part, None) for part in DETAILS)


def _plain(text: str) -> str:
    """A text as it is compared: without case, spaces, and the marks between the digits of a phone number."""
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def needs_replacement(value: object, old: object) -> bool:
    """Whether the whole list must be sent, because a member was removed or its details changed."""
    after, before = members_of(value), members_of(old)
    return any(after.get(key) != before[key] for key in before)


def without_details(value: object) -> Value | None:
    """The list with nothing but the keys of its people: what else the other side says of them is not known yet."""
    return as_value(
        {
            key: Person("", email=one.email) if isinstance(one, Person) and has_address(one) else one
            for key, one in members_of(value).items()
        }
    )


def without_members(value: object, keys: Iterable[str]) -> Value | None:
    """The list without the members with these keys."""
    left = frozenset(keys)
    return as_value({key: one for key, one in members_of(value).items() if key not in left})


def agreed_members(base: object, salesforce: object, partner_center: object) -> Value | None:
    """The base of a list after a look at both sides: what both hold is in it, what neither holds is not.

    What one side holds stays as it was in the base, because that edit still has to travel. Of a person the base keeps
    what Salesforce says, so that a later edit there is noticed.
    """
    ours, theirs = members_of(salesforce), members_of(partner_center)
    both = {key: member for key, member in ours.items() if key in theirs}
    pending = {key: one for key, one in members_of(base).items() if (key in ours) != (key in theirs)}
    return as_value({**both, **pending})


def with_edits(base: object, old: object, new: object, held: object) -> Value | None:
    """The base after a write that was to turn the list `old` into `new`, of which a side now holds `held`.

    The other side had each of its edits already, so what took effect is in the base.
    """
    before, after, now = members_of(old), members_of(new), members_of(held)
    added = {key: one for key, one in after.items() if key not in before and key in now}
    removed = {key for key in before if key not in after and key not in now}
    kept = {key: one for key, one in members_of(base).items() if key not in removed}
    return as_value({**kept, **added})


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
    if not kept and ours and theirs:  # both sides have removed all that the other holds, and a list needs one
        kept = {key: one for key, one in theirs.items() if has_address(one)}
    renewed, told = set[str](), set[str]()
    for key in ours.keys() & theirs.keys():
        kept[key] = _renewed(rule, known.get(key), ours[key], theirs[key])
        renewed |= {key} if kept[key] != theirs[key] else set()
        told |= set() if has_same_details(ours[key], kept[key]) else {key}
    left += [Left(Side.PARTNER_CENTER, DETAILS_STAY, theirs[key]) for key in sorted(told)]
    removed = (ours.keys() | theirs.keys()) - kept.keys()  # with all who have that address
    twins = ((side, one) for side, listed in _lists(salesforce, partner_center) for one in listed)
    left += [Left(side, SAME_ADDRESS, one) for side, one in twins if key_of(one) not in removed]
    value, is_renewed = as_value(kept), bool(renewed)
    return MergedSet(
        value,
        value if ours.keys() == kept.keys() else as_value({key: kept.get(key, one) for key, one in ours.items()}),
        value if theirs.keys() == kept.keys() and not is_renewed else as_value(theirs),
        tuple(left),
        _edited_sides(known, ours, theirs, is_renewed=is_renewed),
    )


def _lists(salesforce: object, partner_center: object) -> Iterator[tuple[Side, Iterable[Member]]]:
    yield Side.SALESFORCE, repeated(salesforce)
    yield Side.PARTNER_CENTER, repeated(partner_center)


def _left_of_salesforce(rule: SetRule, known: Members, ours: Members, theirs: Members) -> list[Left]:
    """What was added in Salesforce and does not travel."""
    added = {key: one for key, one in ours.items() if key not in theirs and key not in known}
    owns = Side.SALESFORCE in rule.owners
    codes = {key: rule.unsendable.get(key) or (None if owns else STAYS) for key in added}
    codes |= {key: NO_ADDRESS for key, one in added.items() if not has_address(one)}
    left = [Left(Side.SALESFORCE, code, added[key]) for key, code in codes.items() if code]
    coming = [key for key, code in codes.items() if not code]
    if rule.at_most is None or len(theirs) + len(coming) <= rule.at_most:
        return left
    staying = sum(key in ours or key not in known or not owns for key in theirs)
    excess = coming[max(rule.at_most - staying, 0) :]
    return [*left, *(Left(Side.SALESFORCE, TOO_MANY, added[key]) for key in excess)]


def _left_of_partner_center(rule: SetRule, known: Members, ours: Members, theirs: Members) -> list[Left]:
    """What was added in Partner Center, and Salesforce does not own, cannot find, or cannot hold beside what it has."""
    added = [one for key, one in theirs.items() if key not in ours and key not in known]
    if Side.PARTNER_CENTER not in rule.owners:
        return [Left(Side.PARTNER_CENTER, STAYS, one) for one in added]
    held = [one for key, one in ours.items() if _stays(rule, key, known, ours, theirs)]
    left = list[Left]()
    for one in added:
        if not has_address(one):
            left.append(Left(Side.PARTNER_CENTER, NO_ADDRESS, one))
        elif rule.fits is None or rule.fits([*held, one]):
            held.append(one)
        else:
            left.append(Left(Side.PARTNER_CENTER, DOES_NOT_FIT, one))
    return left


def _without(members: Members, left: Iterable[Left], side: Side) -> Members:
    keys = {key_of(one.member) for one in left if one.side is side}
    return {key: one for key, one in members.items() if key not in keys} if keys else members


def _stays(rule: SetRule, key: str, known: Members, ours: Members, theirs: Members) -> bool:
    """Whether a member is in the merged list: a removal counts only on a side that owns the list."""
    if (key in ours) == (key in theirs) or key not in known:
        return True
    remover = Side.PARTNER_CENTER if key in ours else Side.SALESFORCE
    return remover not in rule.owners or (key in ours and key in rule.fixed)


def _renewed(rule: SetRule, base: Member | None, ours: Member, theirs: Member) -> Member:
    """Partner Center's member, with those details of the person that were edited in Salesforce.

    What a base without a name says of a person is not known.
    """
    if not (isinstance(base, Person) and isinstance(ours, Person) and isinstance(theirs, Person)):
        return theirs
    if not base.last_name or Side.SALESFORCE not in rule.owners:
        return theirs
    pairs = {part: (getattr(ours, part) or "", getattr(base, part) or "") for part in DETAILS}
    edited = {part: now for part, (now, before) in pairs.items() if now and _plain(now) != _plain(before)}
    others = {part: now for part, now in edited.items() if _plain(now) != _plain(getattr(theirs, part) or "")}
    return replace(theirs, **others) if others else theirs


def _edited_sides(known: Members, ours: Members, theirs: Members, *, is_renewed: bool) -> frozenset[Side]:
    changed = {Side.SALESFORCE: ours.keys() ^ known.keys(), Side.PARTNER_CENTER: theirs.keys() ^ known.keys()}
    one_sided = ours.keys() ^ theirs.keys()
    edited = {side for side, keys in changed.items() if keys & one_sided}
    return frozenset(edited | ({Side.SALESFORCE} if is_renewed else set()))
