"""Define the field type for our own team: the owner of the opportunity, and its team where the org has one.

Source: docs/protocol.md#our-team.
"""

from collections.abc import Mapping
from copy import replace
from typing import Any, Literal, Self, override

from pydantic import PrivateAttr, SerializerFunctionWrapHandler, model_serializer

from shared.domain.cause import Cause
from shared.domain.deal import Person
from shared.domain.field_rules import Direction, Rule
from shared.domain.member_sets import INACTIVE, OF_MICROSOFT
from shared.domain.org_shape import OrgShape
from shared.domain.records import Row
from shared.domain.sentences import cause
from shared.mapping.field_base import MappingTable, SalesforcePath, UnreadableValue
from shared.mapping.paths import Json, has_item, normal_text, rows_in, value_in_record
from shared.mapping.people import CONTACT_FIELDS, PeopleField, person_from, person_key
from shared.mapping.polls import OWNER, STAMP, TEAM, TEAM_USER, PollQuery
from shared.mapping.related_list import TeamRows

MEMBERS = "OpportunityTeamMembers"
OWNER_ID = "OwnerId"
_USER = "OpportunityTeamMember.User."
_NEEDED = ("OpportunityTeamMember.UserId", f"{_USER}LastName", f"{_USER}Email")
_ACTIVE = f"{_USER}IsActive"
MICROSOFT = "@microsoft.com"
"""The end of the addresses of Microsoft's people, who are in no team of ours."""


class SellerColumns(MappingTable):
    """The columns of the owner's name, e-mail and phone, as paths from the opportunity, and the list of the team."""

    first_name: SalesforcePath
    last_name: SalesforcePath
    email: SalesforcePath
    phone: SalesforcePath
    members: Literal["OpportunityTeamMembers"] | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out a key of a later release that says nothing: the hash of the file must not change by it."""
        return {key: value for key, value in dump(self).items() if value is not None}


class SellerField(TeamRows, PeopleField):
    """Our own team: the owner of the opportunity first, then the opportunity team. The owner is never written.

    The connector's own user is no seller. Without a team in the org, nothing of it comes from Partner Center.
    """

    type: Literal["seller"]
    direction: Literal[Direction.TO_PARTNER_CENTER, Direction.BOTH, Direction.OFF] = Direction.TO_PARTNER_CENTER
    salesforce: SellerColumns
    new_keys = ("default_first_name",)
    _has_team: bool = PrivateAttr(default=False)
    _teams_since: str = PrivateAttr(default="")
    _own_user: str = PrivateAttr(default="")

    def for_org(self, org: OrgShape | None) -> Self:
        """Return this field as the org needs it: with a team only where the org has one."""
        wants_team = self.salesforce.members is not None and "update" in self.when
        has_team = wants_team and org is not None and org.has(*_NEEDED)
        is_narrowed = self.direction is Direction.BOTH and not has_team
        field = self.model_copy(update={"direction": Direction.TO_PARTNER_CENTER} if is_narrowed else None)
        field._has_team, field._teams_since = has_team, org.teams if org else ""  # noqa: SLF001 - of its own class
        field._own_user = org.user_id if org else ""  # noqa: SLF001 - as above
        return field

    @property
    @override
    def variant(self) -> str:
        return f"team{self._teams_since}" if self._has_team else ""

    @override
    def to_rule(self, name: str) -> Rule:
        rule = super().to_rule(name)
        label = f"{self.label} and Team" if self._has_team else self.label
        return replace(rule, label=label, source=rule.source + self.variant)

    @property
    @override
    def related_list(self) -> str | None:
        return MEMBERS if self._has_team else None

    # --- columns

    @override
    def select_items(self) -> tuple[str, ...]:
        own_id = (OWNER_ID,) if OWNER_ID in self._helpful else ()
        return (*self._owner_columns(), *own_id, *self.optional_items())

    @override
    def optional_items(self) -> tuple[str, ...]:
        """Return the subquery of the team: the org may switch team selling off at any time."""
        if not self._has_team:
            return ()
        columns = (path.removeprefix("OpportunityTeamMember.") for path in self._helpful if path.startswith(_USER))
        return (f"(SELECT Id, UserId, {', '.join(columns)} FROM {MEMBERS})",)  # noqa: S608 - our own names only

    def _owner_columns(self) -> tuple[str, ...]:
        return tuple(column for column in self.columns() if column not in self._hidden)

    @override
    def is_in(self, record: Json) -> bool:
        return all(has_item(record, item) for item in self._owner_columns())

    @override
    def is_partial_in(self, record: Json) -> bool:
        return self._has_team and (MEMBERS not in record or self.has_unseen_in(record))

    @override
    def has_unseen_in(self, record: Json) -> bool:
        return self._has_team and any(not row.get("User") for row in rows_in(record, MEMBERS))

    @override
    def columns(self) -> tuple[str, ...]:
        return (*self.needed_columns(), self.salesforce.phone)

    @override
    def needed_columns(self) -> tuple[str, ...]:
        columns = self.salesforce
        return (columns.first_name, columns.last_name, columns.email)

    @override
    def helpful_columns(self) -> tuple[str, ...]:
        if "update" not in self.when:
            return ()
        team = (*_NEEDED, _ACTIVE, f"{_USER}FirstName", f"{_USER}Phone") if self.salesforce.members else ()
        return (OWNER_ID, *team)

    @override
    def written_columns(self) -> tuple[str, ...]:
        return ()

    @override
    def polls(self) -> tuple[PollQuery, ...]:
        parent = self.salesforce.email.rpartition(".")[0]
        owner = (replace(OWNER, stamp=f"{parent}.{STAMP}"),) if parent else ()
        return (*owner, TEAM, TEAM_USER) if self.salesforce.members and "update" in self.when else owner

    # --- values

    @override
    def read_record(self, record: Json) -> tuple[Person, ...] | None:
        owner = self._owner(record)
        if "update" not in self.when and (lacking := self._lacking(owner)):
            raise UnreadableValue(lacking)
        people = ((owner,) if owner else ()) + tuple(filter(None, map(_user, self._members(record))))
        first: dict[str, Person] = {}
        for one in people:
            first.setdefault(person_key(one), one)
        return tuple(first.values()) or None

    def _members(self, record: Json) -> list[Json]:
        """Return the rows of the team, without the connector's own user."""
        return [row for row in rows_in(record, MEMBERS) if not self._is_own(row.get("UserId"))]

    @override
    def _is_own(self, user_id: object) -> bool:
        """Whether this is the id of the connector's own user, who is no seller."""
        return bool(self._own_user) and str(user_id or "")[:15] == self._own_user[:15]

    def _owner(self, record: Json) -> Person | None:
        """Return the owner; None for the connector's own user."""
        columns = self.salesforce
        last_name = normal_text(value_in_record(record, columns.last_name))
        if last_name is None or self._is_own(record.get(OWNER_ID)):
            return None
        parts = (columns.first_name, columns.email, columns.phone)
        first_name, email, phone = (normal_text(value_in_record(record, column)) for column in parts)
        return Person(last_name, first_name or "", email, phone)

    @override
    def lacking(self, record: Json) -> Cause | None:
        """Return what the owner lacks of what a new referral needs."""
        if self.read_record(record) is None and normal_text(value_in_record(record, self.salesforce.last_name)):
            return cause("integration_owner", OWNER_ID)
        owner = self._owner(record)
        if owner is not None and "update" in self.when and _is_of_microsoft(owner):
            return cause("microsoft_owner", self.salesforce.email)
        return self._lacking(owner)

    def _lacking(self, owner: Person | None) -> Cause | None:
        columns = self.salesforce
        if owner is None:
            return None
        if owner.email is None:
            return cause("missing_email", columns.email)
        has_phone = owner.phone or normal_text(self.default_phone)
        if not has_phone and columns.phone in self._hidden:
            return self.hidden_cause([columns.phone])
        if not has_phone:
            return cause("missing_phone", columns.phone)
        has_name = owner.first_name or normal_text(self.default_first_name)
        return None if has_name else cause("missing_first_name", columns.first_name)

    @override
    def read_rows(self, record: Json) -> tuple[Row, ...]:
        owner = self._owner(record)
        own = person_key(owner) if owner else None
        people = ((row, _user(row)) for row in self._members(record))
        keyed = ((str(row.get("Id")), person_key(one)) for row, one in people if one)
        return tuple(Row(row, key) for row, key in keyed if key != own)

    @override
    def read_unsendable(self, record: Json) -> Mapping[str, str]:
        owner = self._owner(record)
        own = person_key(owner) if owner else None
        left = [row for row in self._members(record) if (row.get("User") or {}).get("IsActive") is False]
        inactive = {person_key(one): INACTIVE for one in map(_user, left) if one and person_key(one) != own}
        return {**self.unsendable_people(self.read_record(record) or ()), **inactive}

    @override
    def read_referral(self, referral: Json) -> tuple[Person, ...] | None:
        """Return our people; those of Microsoft stay in the referral, and are no part of our team."""
        people = super().read_referral(referral) or ()
        return tuple(one for one in people if not _is_of_microsoft(one)) or None

    @override
    def _reason_to_leave_out(self, person: Person) -> str | None:
        return OF_MICROSOFT if _is_of_microsoft(person) else super()._reason_to_leave_out(person)


def _is_of_microsoft(person: Person) -> bool:
    return (person.email or "").casefold().endswith(MICROSOFT)


def _user(row: Json) -> Person | None:
    """Return the user of a row of the opportunity team."""
    return person_from(row.get("User") or {}, CONTACT_FIELDS)
