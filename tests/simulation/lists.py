"""Lists that both sides change member by member: solutions, and the customer's contacts.

lost      a member that a person added is on both sides, unless somebody removed it
kept      a member that a person removed is on no side, unless somebody added it
differs   both sides have the same members once the deal is accepted, unless they are locked: then the mark says it
doubled   no side has a member twice
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulators.partner_center.referral_shape import is_visible_to_microsoft
from emulators.partner_center.service_errors import ServiceError
from emulators.salesforce.data.errors import ApiError
from tests.simulation.held_values import OPEN, Record, belongs_to, of_opportunity, of_referral
from tests.simulation.moves import TICK, Move
from tests.simulation.people import People
from tests.simulation.solution_rows import add_row, ids_in_rows, remove_row

LISTS, CONTACTS, IN_ROWS = "people who change solutions", "people who change contacts", "people who change rows"
HERE, THERE = "Salesforce", "Partner Center"


@dataclass(frozen=True)
class ListEdit:
    """A member that a person added to a list of one side, or removed there."""

    name: str
    side: str
    record: str
    member: str
    is_added: bool


@dataclass(frozen=True)
class List:
    """One list: how the raw records of both sides hold it, and how people add and remove a member."""

    name: str
    ours: Callable[[People, Record], list[str]]
    theirs: Callable[[Record], list[str]]
    add_here: Callable[[People, Record, str], bool]
    remove_here: Callable[[People, Record, str], bool]
    add_there: Callable[[People, Record, str], bool]
    remove_there: Callable[[People, Record, str], bool]
    new_member: Callable[[People], str]
    least: int


# --- solutions: a text here, tags there


def _ids_of(_: People, record: Record) -> list[str]:
    return [part for part in str(record["Products__c"] or "").replace(";", " ").split() if part]


def _tags(record: Record) -> list[Record]:
    return list(record["details"]["requirements"]["solutions"])


def _save_ids(people: People, record: Record, ids: Sequence[str]) -> bool:
    return people.save_opportunity(record, {"Products__c": "; ".join(ids)})


def _save_tags(people: People, record: Record, tags: Sequence[Record]) -> bool:
    return people.save_referral(record, {"details_requirements_solutions": list(tags)})


SOLUTIONS = List(
    "solutions",
    _ids_of,
    lambda record: [tag["id"] for tag in _tags(record)],
    lambda people, record, member: _save_ids(people, record, [*_ids_of(people, record), member]),
    lambda people, record, member: _save_ids(people, record, [one for one in _ids_of(people, record) if one != member]),
    lambda people, record, member: _save_tags(people, record, [*_tags(record), {"id": member, "type": "Name"}]),
    lambda people, record, member: _save_tags(people, record, [tag for tag in _tags(record) if tag["id"] != member]),
    lambda people: f"SOL-{people.chance.choice((people.chance.randint(1, 6), next(people.numbers) + 100))}",
    1,
)
SOLUTION_ROWS = replace(
    SOLUTIONS,
    name="rows of solutions",
    ours=lambda people, record: ids_in_rows(people.harness, record),
    add_here=lambda people, record, member: add_row(people.harness, record, member),
    remove_here=lambda people, record, member: remove_row(people.harness, record, member),
)


# --- contacts: roles here, members there


def _roles(people: People, record: Record) -> list[Record]:
    roles = people.harness.salesforce.records("OpportunityContactRole")
    return [role for role in roles if role["OpportunityId"] == record["Id"]]


def _address(people: People, role: Record) -> str:
    return str(people.harness.salesforce.record("Contact", role["ContactId"])["Email"])


def _add_role(people: People, record: Record, member: str) -> bool:
    salesforce = people.harness.salesforce
    known = [one["Id"] for one in salesforce.records("Contact") if one["Email"] == member]
    values = {"FirstName": "Ada", "LastName": "Lind", "Email": member, "Phone": "+12065550100"}
    try:
        contact = known[0] if known else salesforce.insert("Contact", {**values, "AccountId": record["AccountId"]})
        salesforce.insert("OpportunityContactRole", {"OpportunityId": record["Id"], "ContactId": contact})
    except ApiError:
        return False
    return True


def _remove_role(people: People, record: Record, member: str) -> bool:
    found = [role for role in _roles(people, record) if _address(people, role) == member]
    for role in found:
        people.harness.salesforce.delete("OpportunityContactRole", role["Id"])
    return bool(found)


def _members(record: Record) -> list[Record]:
    return list(record["customerProfile"]["team"] or ())


def _save_members(people: People, record: Record, members: Sequence[Record]) -> bool:
    return people.save_referral(record, {"customerProfile_team": list(members)})


def _new_member(member: str) -> Record:
    return {"firstName": "Ada", "lastName": "Lind", "email": member, "phoneNumber": "+12065550100"}


CUSTOMERS_CONTACTS = List(
    "contacts",
    lambda people, record: [_address(people, role) for role in _roles(people, record)],
    lambda record: [one["email"] for one in _members(record)],
    _add_role,
    _remove_role,
    lambda people, record, member: _save_members(people, record, [*_members(record), _new_member(member)]),
    lambda people, record, member: _save_members(
        people, record, [one for one in _members(record) if one["email"] != member]
    ),
    lambda people: f"person{next(people.numbers)}@northwind.example",
    0,
)
BY_CAUSE = {LISTS: SOLUTIONS, CONTACTS: CUSTOMERS_CONTACTS, IN_ROWS: SOLUTION_ROWS}


# --- what people do


def _change_here(one: List, *, adds: bool) -> Callable[[People], bool]:
    def act(people: People) -> bool:
        record = people.choose(people.opportunities())
        if record is None:
            return False
        held = one.ours(people, record)
        member = one.new_member(people) if adds else _chosen(people, held, one.least)
        if member is None or (adds and member in held):
            return False
        is_done = (one.add_here if adds else one.remove_here)(people, record, member)
        people.list_edits += [ListEdit(one.name, HERE, str(record["Id"]), member, adds)] if is_done else []
        return is_done

    return act


def _change_there(one: List, *, adds: bool) -> Callable[[People], bool]:
    def act(people: People) -> bool:
        record = people.choose([record for record in people.referrals() if record["status"] == "Active"])
        if record is None:
            return False
        held = one.theirs(record)
        member = one.new_member(people) if adds else _chosen(people, held, one.least)
        if member is None or (adds and member in held):
            return False
        try:
            is_done = (one.add_there if adds else one.remove_there)(people, record, member)
        except ServiceError:
            return False
        people.list_edits += [ListEdit(one.name, THERE, str(record["id"]), member, adds)] if is_done else []
        return is_done

    return act


def _chosen(people: People, held: Sequence[str], least: int) -> str | None:
    return people.chance.choice(list(held)) if len(held) > least else None


LIST_MOVES = tuple(
    move
    for cause, one in BY_CAUSE.items()
    for move in (
        Move(f"seller adds to {one.name}", 25, _change_here(one, adds=True), also=cause),
        Move(f"seller removes from {one.name}", 15, _change_here(one, adds=False), also=cause),
        Move(f"colleague adds to {one.name}", 25, _change_there(one, adds=True), also=cause),
        Move(f"colleague removes from {one.name}", 15, _change_there(one, adds=False), also=cause),
    )
)


def save_after_removals(people: People) -> None:
    """Sellers save each deal of which they removed a contact: a removed role leaves nothing that a query shows."""
    removed = {edit.record for edit in people.list_edits if edit.side == HERE and not edit.is_added}
    for record in people.opportunities() if CONTACTS in people.also else ():
        if record["Id"] in removed:
            people.save_opportunity(record, {"NextStep": f"Step {next(people.numbers)}"})


# --- what must hold


def with_lists(people: People, record: Record) -> dict[str, Any]:
    """The deal with what its lists hold: in place of the text that shows ids, and as a further key."""
    ids = {"Products__c": ";".join(ids_in_rows(people.harness, record))} if IN_ROWS in people.also else {}
    contacts = {"contacts": CUSTOMERS_CONTACTS.ours(people, record)} if CONTACTS in people.also else {}
    return {**record, **ids, **contacts}


def judge_lists(people: People) -> Iterator[str]:
    """Every broken promise about lists, as a sentence."""
    for opportunity in people.opportunities():
        for referral in people.referrals():
            if not belongs_to(opportunity, referral) or not opportunity[TICK]:
                continue
            for cause, one in BY_CAUSE.items():
                if cause in people.also:
                    yield from _judge_list(people, one, opportunity, referral)


def was_put_back(opportunity: Record, member: str) -> bool:
    """Whether the sides had removed all that the other one held, and the Audit names both whole lists."""
    for line in (opportunity["Audit__c"] or "").splitlines():
        for change in line.rstrip(".").split("; ") if "From Partner Center" in line else ():
            before, _, after = change.partition(" \u2192 ")
            listed = set(after.split(", "))
            if member in listed and not listed & set(before.replace(",", "").split()):
                return True
    return False


def _judge_list(people: People, one: List, opportunity: Record, referral: Record) -> Iterator[str]:
    ours, theirs = one.ours(people, opportunity), one.theirs(referral)
    where = f"{one.name} of {opportunity['Id']}: {sorted(ours)} and {sorted(theirs)}"
    if len(set(ours)) != len(ours) or len(set(theirs)) != len(theirs):
        yield f"doubled: {where}"
    is_open = of_opportunity(opportunity)["status"] == of_referral(referral)["status"] == OPEN
    is_locked = one is CUSTOMERS_CONTACTS and (is_visible_to_microsoft(referral) or not ours)  # the last one stays
    if not is_open or is_locked:
        if set(ours) != set(theirs) and opportunity["Sync_Status__c"] == "Synced":
            yield f"marked: {where} differ under a tick"
        return
    if set(ours) != set(theirs):
        yield f"differs: {where}"
    ids = (opportunity["Id"], referral["id"])
    edits = [edit for edit in people.list_edits if edit.record in ids and edit.name == one.name]
    for edit in edits:
        is_contested = any(other.member == edit.member and other.is_added != edit.is_added for other in edits)
        if edit.is_added and not is_contested and edit.member not in ours:
            yield f"lost: {edit.side} added {edit.member}: {where}"
        stays = theirs == [edit.member] or was_put_back(opportunity, edit.member)  # Partner Center needs one
        if not edit.is_added and not is_contested and edit.member in ours and not stays:
            yield f"kept: {edit.side} removed {edit.member}: {where}"
