"""Opportunity teams, which an org has only while team selling is on.

The rules: docs/reference/salesforce.md#opportunityteammember.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulators.salesforce.data.field_shapes import new_object, picklist_field, reference_field, text_field
from emulators.salesforce.data.org_switch import OrgSwitch, Save
from emulators.salesforce.data.schema import SObject
from emulators.salesforce.data.tables import Tables

OBJECT = "OpportunityTeamMember"
SUBQUERY = "OpportunityTeamMembers"
TEAM_ROLES = (
    "Account Manager", "Channel Manager", "Executive Sponsor", "Lead Qualifier", "Pre-Sales Consultant",
    "Sales Manager", "Sales Rep",
)  # fmt: skip
_ACCESS = ("Read", "Edit", "All")


class TeamSelling(OrgSwitch):
    """Team selling: a user is at most once in the team of an opportunity."""

    def twin_of(self, tables: Tables, sobject: str, written: Mapping[str, Any]) -> str | None:
        """The member with the opportunity and the user of a new one: creating a member again changes it."""
        if sobject != OBJECT:
            return None
        members = tables.records_by_value(OBJECT, "OpportunityId", written.get("OpportunityId"))
        return next((str(each["Id"]) for each in members if each["UserId"] == written.get("UserId")), None)

    def complete(self, save: Save) -> None:
        """Copy the name of the user."""
        if save.definition.name != OBJECT:
            return
        user = save.tables.stored_record("User", save.new["UserId"] or "")
        save.new["Name"] = user["Name"] if user else None


def add_opportunity_teams(tables: Tables) -> None:
    """Make the object, without records."""
    if tables.model.find_object(OBJECT) is None:
        tables.add_object(_member_object())
        tables.model.get("Opportunity").children[SUBQUERY] = (OBJECT, "OpportunityId")


def remove_opportunity_teams(tables: Tables) -> None:
    """Remove the object and all teams, as turning team selling off does."""
    if tables.model.find_object(OBJECT) is not None:
        tables.remove_object(OBJECT)


def _member_object() -> SObject:
    return new_object(
        OBJECT,
        "00q",
        text_field("Name", 361, writable=False),
        reference_field("Opportunity", "Opportunity", required=True, fixed=True, cascade=True, master=True),
        reference_field("User", "User", required=True, fixed=True),
        picklist_field("TeamMemberRole", *TEAM_ROLES),
        replace(picklist_field("OpportunityAccessLevel", *_ACCESS), restricted=True, default="Read"),
        hard=True,
    )
