"""Which records a user may read, edit and delete: org-wide defaults, owners, and sharing rules for groups.

The rules: docs/reference/salesforce.md#sharing-and-edit-rights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.data.tables import Tables

CONTROLLED_BY_PARENT = "ControlledByParent"
"""The model of contacts in a new org: who may do something with the account may do it with its contacts."""
MODELS = ("Private", "Read", "ReadWrite", CONTROLLED_BY_PARENT)
ORGANIZATION_VALUES = {
    "Private": "None", "Read": "Read", "ReadWrite": "Edit", CONTROLLED_BY_PARENT: CONTROLLED_BY_PARENT,
}  # fmt: skip
"""The models as the columns of Organization name them."""


class Access(IntEnum):
    """What a user may do with a record. Sharing gives EDIT at most; only FULL deletes."""

    NONE = 0
    READ = 1
    EDIT = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class SharingRule:
    """Shares records with the members of a group: those whose owner is in `owned_by`, and that meet the criteria.

    The criteria are `values` that a record holds, and columns that are `filled`: all of them, or with `any_of` one.
    """

    sobject: str
    group: str
    edit: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    filled: tuple[str, ...] = ()
    any_of: bool = False
    owned_by: str = ""

    def fits(self, record: Record) -> bool:
        """Whether the record meets the criteria; without any, every record does."""
        met = [record.get(name) == value for name, value in self.values.items()]
        met += [record.get(name) is not None for name in self.filled]
        return any(met) if self.any_of else all(met)


@dataclass(slots=True)
class Sharing:
    """The org-wide defaults by object, and the rules. Objects without a default are open to all, as before."""

    models: dict[str, str] = field(default_factory=dict)
    rules: dict[str, SharingRule] = field(default_factory=dict)
    administrators: set[str] = field(default_factory=set)

    def is_open(self, sobject: str) -> bool:
        """Whether every user may edit every record of the object, so that it takes no sharing rules."""
        return self.models.get(sobject, "ReadWrite") == "ReadWrite"

    def follows(self, child: str, parent: str) -> bool:
        """Whether the access to the account decides on its contacts."""
        return (child, parent) == ("Contact", "Account") and self.models.get(child) == CONTROLLED_BY_PARENT

    def limits(self, sobject: SObject, user: str) -> bool:
        """Whether any record of the object may be closed to this user; an empty `user` is the service itself."""
        if not user or not self.models or user in self.administrators:
            return False
        return (sobject.master.refers if sobject.master else sobject.name) in self.models

    def access(self, tables: Tables, view: SObject, record: Record, user: str) -> Access:
        """The user's access to a record that has no master; `view` is its object with the user's rights."""
        if not self.limits(view, user) or view.modify_all:
            return Access.FULL
        sobject = view.name
        if self.models[sobject] == CONTROLLED_BY_PARENT:
            return self._access_by_account(tables, view, record, user)
        if record["OwnerId"] == user:
            return Access.FULL
        found = {"Private": Access.NONE, "Read": Access.READ, "ReadWrite": Access.EDIT}[self.models[sobject]]
        if view.view_all:
            found = max(found, Access.READ)
        for rule in self.rules.values():
            if rule.sobject == sobject and self._is_shared(tables, rule, record, user):
                found = max(found, Access.EDIT if rule.edit else Access.READ)
        if found is Access.NONE and sobject == "Account" and self._reads_a_child(tables, view, record, user):
            return Access.READ
        return found

    def _access_by_account(self, tables: Tables, view: SObject, contact: Record, user: str) -> Access:
        """The access to a contact by its account; without an account it is its owner's alone."""
        account = tables.stored_record("Account", contact["AccountId"]) if contact["AccountId"] else None
        if account is None:
            return Access.FULL if contact["OwnerId"] == user else Access.NONE
        found = self.access(tables, tables.model.get("Account"), account, user)
        return max(found, Access.READ) if view.view_all else found

    def _is_shared(self, tables: Tables, rule: SharingRule, record: Record, user: str) -> bool:
        if user not in group_members(tables, rule.group):
            return False
        if rule.owned_by and record["OwnerId"] not in group_members(tables, rule.owned_by):
            return False
        return rule.fits(record)

    def _reads_a_child(self, tables: Tables, view: SObject, account: Record, user: str) -> bool:
        """Whether the user reads a deal or a contact of the account, and with it the account."""
        del view
        return any(
            self.access(tables, tables.model.get(child), record, user) > Access.NONE
            for child in ("Opportunity", "Contact")
            if not self.follows(child, "Account")
            for record in tables.records_by_value(child, "AccountId", account["Id"])
        )


def group_names(tables: Tables) -> set[str]:
    """The developer names of the public groups that are not deleted."""
    return {str(each["DeveloperName"]) for each in tables.stored_records("Group") if not each["IsDeleted"]}


def group_members(tables: Tables, group: str) -> set[str]:
    """The ids of the users in a public group, by its developer name."""
    ids = {each["Id"] for each in tables.stored_records("Group") if each["DeveloperName"] == group}
    members = (each for each in tables.stored_records("GroupMember") if not each["IsDeleted"])
    return {each["UserOrGroupId"] for each in members if each["GroupId"] in ids}
