"""Make the org as strict as real orgs are: the actions behind `control_switches.py`.

Each changes the schema or the switches of the org, so that describe and every write path follow it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from emulators.salesforce.data.opportunity_teams import (
    TeamSelling,
    add_opportunity_teams,
    remove_opportunity_teams,
)
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.person_accounts import PersonAccounts, add_person_columns
from emulators.salesforce.data.record_types import OBJECT as RECORD_TYPE
from emulators.salesforce.data.record_types import add_record_type
from emulators.salesforce.data.schema import Field, Kind, SObject
from emulators.salesforce.data.setup_objects import DEFAULT_ACCESS
from emulators.salesforce.data.sharing import (
    CONTROLLED_BY_PARENT,
    MODELS,
    ORGANIZATION_VALUES,
    SharingRule,
    group_names,
)


@dataclass(frozen=True, slots=True)
class RecordTypeWish:
    """A record type to make. `values` holds the API values that it offers, by field."""

    sobject: str
    developer_name: str
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    active: bool = True
    default: bool = False


def find_column(org: Org, sobject: str, name: str) -> tuple[SObject, Field]:
    """An object and a field of it. Raises ValueError."""
    definition = org.model.get(sobject)
    column = definition.find_field(name)
    if column is None:
        raise ValueError(f"{definition.name} has no field {name}")
    return definition, column


def require_column(org: Org, sobject: str, name: str, *, required: bool) -> None:
    """Make a custom field required at every save, or not. Raises ValueError."""
    definition, column = find_column(org, sobject, name)
    if not column.is_custom or not column.writable or column.kind is Kind.BOOLEAN:
        raise ValueError("only a custom field that people write can be required, and no checkbox")
    org.put_field(definition.name, replace(column, required=required))


def restrict_picklist(org: Org, sobject: str, name: str, *, restricted: bool, values: Sequence[str] | None) -> None:
    """Restrict a picklist to its values, or to other `values`, or end that. Raises ValueError."""
    definition, column = find_column(org, sobject, name)
    if column.kind is not Kind.PICKLIST or (values is not None and column.values_from):
        raise ValueError("a picklist is needed; those of stages and currencies take their values from records")
    pairs = column.values if values is None else tuple((each, each) for each in values)
    org.put_field(definition.name, replace(column, restricted=restricted, values=pairs))


def turn_on_person_accounts(org: Org, user: str, *, is_default: bool = False) -> dict[str, str]:
    """Add person accounts; the accounts that exist are businesses. Returns the ids of the two record types.

    With `is_default`, a new account without a record type is a person.
    """
    add_person_columns(org)
    business = make_record_type(org, RecordTypeWish("Account", "Business_Account", default=not is_default), user)
    person = make_record_type(org, RecordTypeWish("Account", "PersonAccount", default=is_default), user)
    org.update(RECORD_TYPE, person, {"IsPersonType": True}, user)
    for account in list(org.stored_records("Account")):
        org.put("Account", account["Id"], account | {"RecordTypeId": business})
    org.put_switch(PersonAccounts())
    org.clear_undo_log()
    return {"business": business, "person": person}


def make_record_type(org: Org, wish: RecordTypeWish, user: str) -> str:
    """Make a record type, and the picklists that it limits restricted; returns its id. Raises ValueError."""
    definition = org.model.get(wish.sobject)
    columns = {find_column(org, wish.sobject, name)[1].name: tuple(each) for name, each in wish.values.items()}
    add_record_type(org, definition)
    for name in columns:
        restrict_picklist(org, definition.name, name, restricted=True, values=None)
    values = {"Name": wish.developer_name.replace("_", " "), "DeveloperName": wish.developer_name}
    values |= {"SobjectType": definition.name}
    made = org.insert(RECORD_TYPE, values | {"IsActive": wish.active}, user)
    org.record_types.values[made] = columns
    org.schema_changed_at = org.now()
    if wish.default:
        org.record_types.defaults.add(made)
    org.clear_undo_log()
    return made


def set_sharing_model(org: Org, sobject: str, model: str) -> None:
    """Set the org-wide default of an object whose records have owners. Raises ValueError."""
    definition = find_column(org, sobject, "OwnerId")[0]
    if model not in MODELS or (model == CONTROLLED_BY_PARENT and definition.name != "Contact"):
        raise ValueError(f"model must be one of {MODELS}; the last is for Contact only")
    org.sharing.models[definition.name] = model
    if definition.name in DEFAULT_ACCESS:
        organization = next(iter(org.stored_records("Organization")))
        shown = {DEFAULT_ACCESS[definition.name]: ORGANIZATION_VALUES[model]}
        org.put("Organization", organization["Id"], organization | shown)
        org.clear_undo_log()


def switch_team_selling(org: Org, *, on: bool) -> None:
    """Turn team selling on; or off, which removes the teams of all opportunities."""
    if on:
        add_opportunity_teams(org)
        org.put_switch(TeamSelling())
    else:
        remove_opportunity_teams(org)
        org.switches = [each for each in org.switches if not isinstance(each, TeamSelling)]


def make_group(org: Org, name: str, members: Sequence[str], user: str) -> str:
    """Make a public group of users; returns its id."""
    group = org.insert("Group", {"Name": name.replace("_", " "), "DeveloperName": name}, user)
    for member in members:
        org.insert("GroupMember", {"GroupId": group, "UserOrGroupId": member}, user)
    org.clear_undo_log()
    return group


def check_sharing_rule(org: Org, rule: SharingRule) -> None:
    """Raise ValueError unless the object, its fields and the groups exist."""
    groups = group_names(org)
    for name in rule.values:
        find_column(org, rule.sobject, name)
    if unknown := [name for name in (rule.group, rule.owned_by) if name and name not in groups]:
        raise ValueError(f"no group has the name {unknown[0]}")
