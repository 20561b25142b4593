"""Build the rows of a related list: what must be found in Salesforce first, and the steps that add members.

A member is a row of its own in Salesforce: a solution of the deal, a contact role, a member of the team. The contact,
the user and the record of the catalogue that a row names are shared with other deals: they are used as they are, made
where there are none, and never changed or deleted. Source: docs/protocol.md#writing-rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import ClassVar

from msgspec import Struct

from shared.clients.salesforce.records import ALLOW_DUPLICATE, Json, Node, Removal
from shared.clients.salesforce.soql_literals import full_id, in_list, is_id
from shared.domain.deal import Person, Side
from shared.domain.member_sets import Left, Member, key_of
from shared.domain.records import Row
from shared.domain.untaken_codes import FIXED_ADDRESS, INACTIVE_USER, NO_CONTACT, NO_USER, OWN_USER
from shared.mapping.known_contacts import age, known_contact
from shared.mapping.paths import in_referral
from shared.mapping.set_field import SetField

ADDRESSES_OF_A_QUERY, IDS_OF_A_QUERY = 20, 60
"""Values that fit into the address of one query, even if each character is escaped."""
CATALOGUE = "Cosell_Solution__c"
NEW_CONTACT = "_contact"
"""The end of the name of a step that makes a contact."""
_PERSON = "Standard"
_MOST_NAME, _MOST_PUBLISHER, _MOST_TYPE = 80, 255, 40

type Found = Mapping[str, Sequence[Json]]
"""The records that the queries of a list found, by the names of the queries."""


class Target(Struct, frozen=True):
    """The deal that gets rows in the list `field`.

    `tags` has what Partner Center says of its members, by key. `allowed` are the keys of the members whose contact is
    saved although it resembles others.
    """

    field: str
    opportunity_id: str
    tags: Mapping[str, Json] = {}
    allowed: frozenset[str] = frozenset()


class RowSteps(Struct, frozen=True):
    """The steps that add members, the key of the member of each, and the members for whom there can be no row."""

    nodes: tuple[Node, ...] = ()
    keys: Mapping[str, str] = {}
    left: tuple[Left, ...] = ()


def joined_steps(steps: Iterable[RowSteps]) -> RowSteps:
    """The steps of several members together."""
    listed = list(steps)
    keys = {name: key for one in listed for name, key in one.keys.items()}
    nodes = tuple(node for one in listed for node in one.nodes)
    return RowSteps(nodes, keys, tuple(left for one in listed for left in one.left))


class RelatedList:
    """A field whose members are rows of a related list."""

    row_object: ClassVar[str]

    @property
    def related_list(self) -> str | None:
        """The name of the list, if the members are rows of one."""
        raise NotImplementedError

    def lookup(self, members: Sequence[Member], opportunity_ids: Sequence[str]) -> dict[str, str]:
        """Return the queries that find what the rows of these members need, by name."""
        raise NotImplementedError

    def row_of(self, member: Member, target: Target, found: Found, number: int) -> RowSteps:
        """Return the steps that add one member, the `number`-th of the list."""
        raise NotImplementedError

    def rows_for(self, members: Sequence[Member], target: Target, found: Found) -> RowSteps:
        """Return the steps that add these members."""
        return joined_steps(self.row_of(member, target, found, number) for number, member in enumerate(members))

    def removals_of(self, keys: Iterable[str], name: str, rows: Sequence[Row]) -> list[Removal]:
        """Return the steps that delete all rows with these keys; a member without a row stays."""
        gone = frozenset(keys)
        ids = [row.id for row in rows if row.key in gone]
        return [Removal(f"{name}_removed{number}", self.row_object, row) for number, row in enumerate(ids)]


def _keyed(member: Member, *nodes: Node) -> RowSteps:
    return RowSteps(nodes, {node.name: key_of(member) for node in nodes})


def _left(member: Member, code: str) -> RowSteps:
    return RowSteps(left=(Left(Side.PARTNER_CENTER, code, member),))


# --- solutions


class SolutionRows(RelatedList):
    """The solutions of the deal, each a row that names a record of the catalogue."""

    row_object = "Cosell_Deal_Solution__c"

    def lookup(self, members: Sequence[Member], opportunity_ids: Sequence[str]) -> dict[str, str]:
        """Find the records of the catalogue, and the present rows of the deals."""
        columns = "Opportunity__c, Key__c, Solution__r.Solution_Id__c"
        return {
            f"catalogue{number}": f"SELECT Id, Solution_Id__c FROM {CATALOGUE} "  # noqa: S608 - literals escape
            f"WHERE Solution_Id__c IN {in_list(some)} AND IsDeleted = false"
            for number, some in enumerate(batched(map(str, members), IDS_OF_A_QUERY, strict=False))
        } | {
            f"present{number}": f"SELECT {columns} FROM {self.row_object} "  # noqa: S608 - ids and our own names
            f"WHERE Opportunity__c IN {in_list(some)} AND IsDeleted = false"
            for number, some in enumerate(batched(opportunity_ids, IDS_OF_A_QUERY, strict=False))
        }

    def described(self, member: Member) -> Json:  # noqa: ARG002 - for those that know more
        """Return the tag of a solution of which the referral says nothing."""
        return {}

    def row_of(self, member: Member, target: Target, found: Found, number: int) -> RowSteps:
        """Return the row, after the record of the catalogue where that lacks the solution.

        A seller may have given a row of ours another solution: then its key, which says the old one, is taken.
        """
        key, name = key_of(member), f"{target.field}{number}"
        own_key = f"{_full(target.opportunity_id)}|{member}"
        present = [each for each in _of(found, "present") if each["Opportunity__c"] == target.opportunity_id]
        if any(key_of((each.get("Solution__r") or {}).get("Solution_Id__c") or "") == key for each in present):
            return RowSteps()  # an interrupted run, or somebody, made it just now
        is_taken = any(key_of(each.get("Key__c") or "") == key_of(own_key) for each in present)
        known = next((each for each in _of(found, "catalogue") if key_of(each["Solution_Id__c"]) == key), None)
        values = {
            "Opportunity__c": target.opportunity_id,
            "Solution__c": known["Id"] if known else f"@{{{name}_catalogue.id}}",
            **({} if is_taken else {"Key__c": own_key}),
        }
        row = Node(name, self.row_object, values)
        if known:
            return _keyed(member, row)
        tag = target.tags.get(key) or self.described(member)
        return _keyed(member, Node(f"{name}_catalogue", CATALOGUE, _catalogue_values(str(member), tag)), row)


def _catalogue_values(solution_id: str, tag: Json) -> dict[str, object]:
    """The values of a new record of the catalogue, as the referral names the solution.

    Nobody has said that it is not co-sell ready, so it stops no request for help.
    """
    name = str(tag.get("name") or "").strip() or solution_id
    values = {
        "Name": name[:_MOST_NAME],
        "Solution_Id__c": solution_id,
        "Publisher__c": str(tag.get("publisherName") or "")[:_MOST_PUBLISHER],
        "Solution_Type__c": str(tag.get("solutionType") or "")[:_MOST_TYPE],
        "Co_sell_Ready__c": True,
    }
    return {column: value for column, value in values.items() if value}


# --- contacts


class ContactRows(RelatedList):
    """The contacts of the customer, each a contact role."""

    row_object = "OpportunityContactRole"

    def contact_values(self, value: Person) -> dict[str, object]:
        """Return the values of a new Contact."""
        raise NotImplementedError

    @property
    def _sees_accounts(self) -> bool:
        """Whether the account of a contact can be read."""
        return True

    @property
    def _has_person_accounts(self) -> bool:
        """Whether an account can be a person, below whom Salesforce allows no further contact."""
        return False

    @property
    def makes_contacts(self) -> bool:
        """Whether a new contact can have an address: without it, nobody would find the contact again."""
        return True

    def lookup(self, members: Sequence[Member], opportunity_ids: Sequence[str]) -> dict[str, str]:
        """Find the contacts by address, and the accounts and the present roles of the deals."""
        columns = ("Id", "Email", "CreatedDate", *(("AccountId",) if self._sees_accounts else ()))
        person = ", Account.IsPersonAccount" if self._has_person_accounts else ""
        roles = "(SELECT ContactId, IsPrimary FROM OpportunityContactRoles)"
        return {
            f"deals{number}": f"SELECT Id, AccountId{person}, {roles} FROM Opportunity WHERE Id IN {in_list(some)}"  # noqa: S608 - ids and our own names
            for number, some in enumerate(batched(opportunity_ids, IDS_OF_A_QUERY, strict=False))
        } | {
            f"contacts{number}": f"SELECT {', '.join(columns)} FROM Contact WHERE Email IN {in_list(some)} LIMIT 2000"  # noqa: S608 - literals escape
            for number, some in enumerate(_addresses(members))
        }

    def row_of(self, member: Member, target: Target, found: Found, number: int) -> RowSteps:
        """Return the role, after the contact where there is none. The first contact of a deal becomes the primary."""
        if not isinstance(member, Person):
            return RowSteps()
        key, name = key_of(member), f"{target.field}{number}"
        deal = next((each for each in _of(found, "deals") if each["Id"] == full_id(target.opportunity_id)), {})
        account, roles = deal.get("AccountId"), list((deal.get("OpportunityContactRoles") or {}).get("records") or ())
        contact = known_contact(_of(found, "contacts"), member, account)
        if contact and any(role["ContactId"] == contact for role in roles):
            return RowSteps()  # an interrupted run, or somebody, made it just now
        if contact is None and (deal.get("Account") or {}).get("IsPersonAccount"):
            return _left(member, NO_CONTACT)
        if contact is None and not self.makes_contacts:
            return _left(member, FIXED_ADDRESS)
        is_first = number == 0 and not any(role.get("IsPrimary") for role in roles)
        values = {"OpportunityId": target.opportunity_id, "ContactId": contact or f"@{{{name}{NEW_CONTACT}.id}}"}
        role = Node(name, self.row_object, {**values, "IsPrimary": is_first})
        if contact:
            return _keyed(member, role)
        of_account = {"AccountId": account} if account else {}
        headers = ALLOW_DUPLICATE if key in target.allowed else None
        created = Node(
            f"{name}{NEW_CONTACT}", "Contact", {**self.contact_values(member), **of_account}, headers=headers
        )
        return _keyed(member, created, role)


# --- team


class TeamRows(RelatedList):
    """Our team, each a member of the opportunity's team. The owner of the opportunity has no row."""

    row_object = "OpportunityTeamMember"

    def _is_own(self, user_id: object) -> bool:  # noqa: ARG002 - of the field, which knows the org
        """Whether this is the id of the connector's own user, who is no seller."""
        return False

    def lookup(self, members: Sequence[Member], opportunity_ids: Sequence[str]) -> dict[str, str]:  # noqa: ARG002 - of the base class
        """Find the users by address."""
        columns = "Id, Email, IsActive, UserType, CreatedDate"
        return {
            f"users{number}": f"SELECT {columns} FROM User WHERE Email IN {in_list(some)} LIMIT 2000"  # noqa: S608 - literals escape
            for number, some in enumerate(_addresses(members))
        }

    def row_of(self, member: Member, target: Target, found: Found, number: int) -> RowSteps:
        """Return the row of the active user with the address; of several, the one that was made first."""
        if not isinstance(member, Person):
            return RowSteps()
        address = key_of(member)
        users = [each for each in _of(found, "users") if key_of(each["Email"]) == address]
        people = [each for each in users if each.get("UserType") in (None, _PERSON)]
        active = [each for each in people if each.get("IsActive", True)]
        if not active:
            return _left(member, INACTIVE_USER if people else NO_USER)
        sellers = [each for each in active if not self._is_own(each["Id"])]
        if not sellers:
            return _left(member, OWN_USER)
        user = min(sellers, key=age)["Id"]
        values = {"OpportunityId": target.opportunity_id, "UserId": user}
        return _keyed(member, Node(f"{target.field}{number}", self.row_object, values))


def _addresses(members: Sequence[Member]) -> Iterator[tuple[str, ...]]:
    """The addresses of people, as many together as one query takes."""
    people = (one for one in members if isinstance(one, Person))
    addresses = dict.fromkeys(one.email for one in people if one.email and one.email.isascii())
    return batched(addresses, ADDRESSES_OF_A_QUERY, strict=False)


def tags_of(field: object, referral: Json | None) -> dict[str, Json]:
    """Return what Partner Center says of each member of a list, by key."""
    tags = in_referral(referral, field.referral) if referral is not None and isinstance(field, SetField) else None
    if not isinstance(field, SetField) or not isinstance(tags, list):
        return {}
    return {field.key_of_tag(tag): tag for tag in tags if isinstance(tag, dict)}


def _full(opportunity_id: str) -> str:
    """The 18 characters of an id; the reference to a record that is created by the same call stays as it is."""
    return full_id(opportunity_id) if is_id(opportunity_id) else opportunity_id


def _of(found: Found, name: str) -> list[Json]:
    """The records of all queries whose name is this one and a number."""
    return [record for query, records in found.items() if query.rstrip("0123456789") == name for record in records]
