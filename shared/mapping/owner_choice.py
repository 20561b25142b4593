"""Find the users whom the owner rules name, and say why one of them cannot own a deal. A deal never waits for an owner.

A user is named by user name, which is unique in Salesforce, or by an e-mail address that exactly one active user has.
Source: docs/mapping.md#owners.
"""

from collections.abc import Iterator, Sequence
from copy import replace

from shared.clients.salesforce.records import Json, Node
from shared.clients.salesforce.soql_literals import in_list
from shared.domain.arrival import Arrival
from shared.domain.customer_match import Candidate
from shared.domain.owner import Choice, Owner, User, owner_of, without_owner
from shared.domain.sentences import cause
from shared.foundation.errors import Rejected
from shared.mapping.owner_rules import Wanted

OWNER_COLUMNS = ("OwnerId", "Owner.Name", "Owner.IsActive", "Owner.UserType")
"""The columns of an account that tell of its owner."""
PERSON = "Standard"
"""The type of users who are people of the org. Others, such as portal users and the org's own, own no deals here."""
OWNER_CODES = frozenset({"INACTIVE_OWNER_OR_USER", "OP_WITH_INVALID_USER_TYPE_EXCEPTION", "TRANSFER_REQUIRES_READ"})
"""Refusals of an owner, whatever field they name (docs/reference/salesforce.md#owners-and-notifications)."""
_HANDED_OVER = ("account", "contact", "opportunity")


def users_query(wanted: Sequence[Wanted]) -> dict[str, str]:
    """Return the query for the users whom the rules name, by its name; empty if they name none."""
    named = list(dict.fromkeys(each.user for each in wanted if each.user))
    if not named:
        return {}
    names, columns = in_list(named), "Id, Name, Username, Email, IsActive, UserType"
    return {"users": f"SELECT {columns} FROM User WHERE Username IN {names} OR Email IN {names}"}  # noqa: S608 - literals escape


def user_in(record: Json) -> User:
    """Return the user in a record of User."""
    is_person = record.get("UserType", PERSON) == PERSON
    return User(str(record["Id"]), str(record.get("Name") or ""), bool(record.get("IsActive", True)), is_person)


def with_owners(
    arrival: Arrival, wanted: Sequence[Wanted], users: Sequence[Json], account: Candidate | None, own_id: str
) -> Arrival:
    """Return the arrival with the users who may own the deal, and why some are passed over.

    `account` is the account of the deal, if it exists; `own_id` is the user of the sync, whom nobody reads.
    """
    owner = account.owner if account else None
    choices = (choice for each in wanted for choice in _choices(each, users, owner, own_id))
    return replace(arrival, owners=(*choices, cause("no_owner")))


def _choices(wanted: Wanted, users: Sequence[Json], owner: User | None, own_id: str) -> Iterator[Choice]:
    if wanted.state is not None:
        yield cause("owner_no_state", rule=wanted.rule, state=wanted.state)
    elif wanted.user is not None:
        yield choice_of(wanted.rule, wanted.user, users, own_id)
    elif owner is not None:
        yield _choice(wanted.rule, owner.name or owner.id, [owner], own_id)


def choice_of(rule: str, name: str, users: Sequence[Json], own_id: str) -> Choice:
    """Return the user of this name among the users, or why they cannot own a deal."""
    return _choice(rule, name, [user_in(user) for user in _named(users, name)], own_id)


def _named(users: Sequence[Json], name: str) -> list[Json]:
    """Return the users with this user name, or else the active ones with this address, or else the others with it."""
    by_name = [user for user in users if _is(user, "Username", name)]
    by_address = [user for user in users if _is(user, "Email", name)]
    return by_name or [user for user in by_address if user.get("IsActive")] or by_address


def _is(user: Json, column: str, name: str) -> bool:
    return str(user.get(column) or "").casefold() == name.casefold()


def _choice(rule: str, name: str, found: Sequence[User], own_id: str) -> Choice:
    if not found:
        return cause("owner_unknown", rule=rule, user=name)
    if not any(user.is_active for user in found):
        return cause("owner_inactive", rule=rule, user=name)
    if len(found) > 1:
        return cause("owner_ambiguous", rule=rule, user=name)
    [user] = found
    if not user.is_person or user.id == own_id:
        return cause("owner_unfit", rule=rule, user=name)
    return Owner(user.id, user.name or name, rule)


# --- the owner in the graph of a creation


def owned(nodes: Sequence[Node], arrival: Arrival) -> list[Node]:
    """Return the steps of a graph that also give what is new to the owner: account, contacts and opportunity.

    Where sharing stops the sync from adding to records of somebody else, the last steps hand them over.
    """
    owner = owner_of(arrival.owners)
    if owner is None:
        return list(nodes)
    own = {"OwnerId": owner.id}
    given = [node for node in nodes if node.name.rstrip("0123456789") in _HANDED_OVER]
    if arrival.is_handed_over:
        steps = [Node(f"owner_{node.name}", node.sobject, own, record=f"@{{{node.name}.id}}") for node in given]
        return [*nodes, *reversed(steps)]  # the account last: who may edit it may edit its contacts
    return [replace(node, values={**node.values, **own}) if node in given else node for node in nodes]


def without_refused_owner(arrival: Arrival, error: Rejected) -> Arrival | None:
    """Return the arrival with the next owner after a refusal of this one; None if something else was refused.

    If the sync may not add to what belongs to the owner, the owner gets it at the end.
    """
    if owner_of(arrival.owners) is None:
        return None
    found = error.cause
    is_owner = found.code in OWNER_CODES or (found.field or "").casefold() == "ownerid"
    if is_owner or (error.step or "").startswith("owner_"):
        return replace(arrival, owners=without_owner(arrival.owners, found))
    if found.code.startswith("INSUFFICIENT_ACCESS") and not arrival.is_handed_over:
        return replace(arrival, is_handed_over=True)
    return None
