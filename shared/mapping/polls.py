"""Define the queries of the poll: whose stamps say that a deal may have changed.

A change of an account, a contact role, a contact or an owner does not touch the opportunity, and SOQL allows no
semi-join under OR. So each of them has a query, a cursor and a known stamp of its own
(docs/protocol.md#the-salesforce-poll).
"""

from collections.abc import Iterable
from copy import replace
from typing import Protocol

from msgspec import Struct

from shared.domain.org_shape import OrgShape

STAMP = "SystemModstamp"


class Marks(Protocol):
    """The columns of an opportunity that say whether it concerns the sync. Their values do not disappear."""

    @property
    def flag(self) -> str:
        """The column of the tick."""

    @property
    def identifier(self) -> str:
        """The column of the referral's id."""


class PollQuery(Struct, frozen=True):
    """One query of the poll.

    name          names its cursor, and its stamp in a link
    sobject       the object whose records it lists
    opportunity   the column of such a record that holds the id of the opportunity
    parent        the path from such a record to its opportunity, with the dot; empty for the opportunity itself
    stamp         the path of the stamp
    rows          the related list of the opportunity that shows these records; empty for the opportunity itself
    is_rare       it gives its place in the call away where there are more than five queries
    is_optional   an org can lack its object
    needs_link    it concerns deals with a link only
    only_open     it lists what belongs to open opportunities only
    sees_deleted  it lists the records in the recycle bin too
    is_deletion   it lists deleted opportunities only
    """

    name: str
    sobject: str = "Opportunity"
    opportunity: str = "Id"
    parent: str = ""
    stamp: str = STAMP
    rows: str = ""
    is_rare: bool = False
    is_optional: bool = False
    needs_link: bool = False
    only_open: bool = False
    sees_deleted: bool = False
    is_deletion: bool = False

    def soql(self, ours: Marks) -> str:
        """Return the SOQL: what concerns the sync and changed since a time, for which it has `%s`, oldest first.

        The order is by stamp and id, so that the last record of a page can be a cursor.
        """
        columns = (self.opportunity, self.stamp, *(("IsDeleted",) if self.sees_deleted else ()))
        concerns = f"({self.parent}{ours.flag} = true OR {self.parent}{ours.identifier} != null)"
        deleted = "IsDeleted = true AND " if self.is_deletion else ""
        is_open = f"{self.parent}IsClosed = false AND " if self.only_open else ""
        return (
            f"SELECT {', '.join(columns)} FROM {self.sobject} WHERE {deleted}{is_open}{concerns} "  # noqa: S608 - names from the checked mapping file
            f"AND {self.stamp} >= %s ORDER BY {self.stamp} ASC, Id ASC"
        )

    @property
    def path(self) -> str:
        """The path of the stamp as the org is asked about it (`OrgQuestion`)."""
        return f"{self.sobject}.{self.stamp}" if self.rows else self.stamp

    @property
    def deletion(self) -> str:
        """The key, among a link's stamps, of the time up to which its deletions are known."""
        return self.name if self.is_deletion else f"{self.name}_deleted"


OPPORTUNITY = PollQuery("opportunity")
ACCOUNT = PollQuery("account", stamp=f"Account.{STAMP}")
OWNER = PollQuery("owner", stamp=f"Owner.{STAMP}", is_rare=True, needs_link=True, only_open=True)
"""A user has many deals, also closed ones and such that nobody wants to sync: their edit concerns the others only."""
DELETED = PollQuery("deleted", is_rare=True, needs_link=True, sees_deleted=True, is_deletion=True)
ROLE = PollQuery("role", "OpportunityContactRole", "OpportunityId", "Opportunity.", rows="OpportunityContactRoles")
CONTACT = replace(ROLE, name="contact", stamp=f"Contact.{STAMP}", needs_link=True)
"""A contact can have roles in many deals, as a user."""
TEAM = PollQuery(
    "team",
    "OpportunityTeamMember",
    "OpportunityId",
    "Opportunity.",
    rows="OpportunityTeamMembers",
    is_rare=True,
    is_optional=True,
)
"""The org has teams only with team selling. A removed member leaves no record, as a removed contact role."""
TEAM_USER = replace(TEAM, name="team_user", stamp=f"User.{STAMP}", needs_link=True, only_open=True)
SOLUTION = PollQuery(
    "solution",
    "Cosell_Deal_Solution__c",
    "Opportunity__c",
    "Opportunity__r.",
    rows="Cosell_Solutions__r",
    is_rare=True,
    is_optional=True,
    sees_deleted=True,
)
"""A package of an earlier version has no such rows. A removed one is in the recycle bin."""


def polls_of(wanted: Iterable[PollQuery], org: OrgShape | None) -> tuple[PollQuery, ...]:
    """Return the queries of the poll: those of every deal, and those that the mapped fields want and the org allows."""
    listed = dict.fromkeys((OPPORTUNITY, ACCOUNT, *wanted, DELETED))
    return tuple(query for query in listed if _is_possible(query, org))


def _is_possible(query: PollQuery, org: OrgShape | None) -> bool:
    """Whether the org shows the stamp. An org that was not asked has what every org has."""
    if query.is_optional:
        return org is not None and org.has(query.path)
    return org is None or org.column(query.path) is not None
