"""Answer the control requests that make the org as strict as real orgs are. All switches are off at first.

Each switch changes the org itself, so that describe and every write path follow it:

POST /save_rule {sobject, formula, message, field?}    refuse every save of a record for which the formula is true
POST /required {sobject, field, required?}             make a custom field required, at every save
POST /restrict {sobject, field, restricted?, values?}  restrict a picklist to its values, or to `values`
POST /record_type {sobject, developer_name, values?, active?, default?} -> {id}
                                                       make a record type; `values` are what it offers, by field
POST /address_picklists {names?}                       turn on state and country picklists; `names` sets integration
                                                       values of countries by code
POST /duplicate_rules {blocks?}                        turn on the standard duplicate rules, as shipped; those of the
                                                       objects `blocks` have the action block
POST /permission_sets {username, names}                limit a user to the rights of these deployed permission sets
POST /org_kind {kind, activates_flows?}                make the org a `production` or `sandbox` org
POST /activate_flow {name}                             activate the latest version of a flow, as a person does in Setup
POST /apex_tests {total, failing?, coverage?}          set the Apex tests of the org, which a deployment may run
POST /person_accounts {default?} -> {business, person}  turn on person accounts; the ids are those of record types;
                                                       with `default`, new accounts are people
POST /sharing {sobject, model}                         set the org-wide default: Private, Read or ReadWrite
POST /group {name, members}                            make a public group of users, by user name
POST /team_selling {on?}                               give opportunities teams, or take them away with all members
POST /convert_lead {id, deal?, account?} -> {account, contact, deal}
                                                       convert a lead as a person does; `deal` names the opportunity
                                                       (null: none), `account` is the id of one that exists
POST /sharing_rule {name, sobject, group, edit?, values?, owned_by?}
                                                       share records that hold the values, or of owners in a group

The first day of the org, which begins again after a reset, has none of them.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from emulators.base.control_body import convert_strictly
from emulators.salesforce.data.address_picklists import standard_picklists
from emulators.salesforce.data.duplicate_rules import DuplicateRules
from emulators.salesforce.data.sharing import SharingRule
from emulators.salesforce.emulated_org import EmulatedOrg
from emulators.salesforce.lead_conversion import convert_lead
from emulators.salesforce.metadata.apex_tests import ApexTests
from emulators.salesforce.metadata.component_xml import rule_of_formula
from emulators.salesforce.org_switches import (
    RecordTypeWish,
    check_sharing_rule,
    find_column,
    make_group,
    make_record_type,
    require_column,
    restrict_picklist,
    set_sharing_model,
    switch_team_selling,
    turn_on_person_accounts,
)

type Body = dict[str, Any]
type Control = Callable[[Body], Any]


def switch_controls(emulated: EmulatedOrg) -> dict[str, Control]:
    """The functions that answer the requests, by the name of the request."""
    return {
        "save_rule": lambda body: _add_save_rule(emulated, body),
        "required": lambda body: _require(emulated, body),
        "restrict": lambda body: _restrict(emulated, body),
        "address_picklists": lambda body: _turn_on_address_picklists(emulated, body),
        "duplicate_rules": lambda body: emulated.org.put_switch(convert_strictly(DuplicateRules, body)),
        "permission_sets": lambda body: _assign_permission_sets(emulated, body),
        "org_kind": lambda body: _set_org_kind(emulated, body),
        "activate_flow": lambda body: emulated.deployments.activate_flow(str(body["name"])),
        "apex_tests": lambda body: _set_tests(emulated, body),
        "person_accounts": lambda body: _turn_on_person_accounts(emulated, body),
        "sharing": lambda body: set_sharing_model(emulated.org, body["sobject"], body["model"]),
        "group": lambda body: _make_group(emulated, body),
        "sharing_rule": lambda body: _add_sharing_rule(emulated, body),
        "team_selling": lambda body: switch_team_selling(emulated.org, on=msgspec.convert(body.get("on", True), bool)),
        "convert_lead": lambda body: convert_lead(emulated, **body),
        "record_type": lambda body: _make_record_type(emulated, body),
    }


def _add_save_rule(emulated: EmulatedOrg, body: Body) -> None:
    definition = emulated.org.model.get(body["sobject"])
    rule = rule_of_formula(definition, str(body["formula"]), str(body["message"]), str(body.get("field") or ""))
    emulated.org.hooks.formula_rules.append(rule)


def _require(emulated: EmulatedOrg, body: Body) -> None:
    required = bool(body.get("required", True))
    require_column(emulated.org, body["sobject"], body["field"], required=required)
    if required:
        sobject, column = find_column(emulated.org, body["sobject"], body["field"])
        emulated.deployments.documents.require_on_layouts(sobject.name, column.name)


def _restrict(emulated: EmulatedOrg, body: Body) -> None:
    values = msgspec.convert(body.get("values"), list[str] | None)
    restricted = bool(body.get("restricted", True))
    restrict_picklist(emulated.org, body["sobject"], body["field"], restricted=restricted, values=values)


def _make_record_type(emulated: EmulatedOrg, body: Body) -> Body:
    wish = convert_strictly(RecordTypeWish, body)
    return {"id": make_record_type(emulated.org, wish, emulated.founding.administrator)}


def _turn_on_address_picklists(emulated: EmulatedOrg, body: Body) -> None:
    picklists = standard_picklists(msgspec.convert(body.get("names") or {}, dict[str, str]))
    picklists.switch_on(emulated.org)
    emulated.org.put_switch(picklists)


def _assign_permission_sets(emulated: EmulatedOrg, body: Body) -> None:
    names = msgspec.convert(body["names"], tuple[str, ...])
    known = emulated.deployments.documents.names("PermissionSet")
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no permission set has the name {unknown[0]}")
    emulated.org.schema_changed_at = emulated.org.now()
    emulated.permission_sets[user_id(emulated, body["username"])] = names


def _turn_on_person_accounts(emulated: EmulatedOrg, body: Body) -> Body:
    is_default = msgspec.convert(body.get("default", False), bool)
    return dict(turn_on_person_accounts(emulated.org, emulated.founding.administrator, is_default=is_default))


def _set_org_kind(emulated: EmulatedOrg, body: Body) -> None:
    if body["kind"] not in {"production", "sandbox"}:
        raise ValueError("kind must be production or sandbox")
    emulated.deployments.production = body["kind"] == "production"
    emulated.deployments.activates_flows = bool(body.get("activates_flows", False))
    emulated.set_sandbox(on=body["kind"] == "sandbox")


def _set_tests(emulated: EmulatedOrg, body: Body) -> None:
    emulated.deployments.tests = convert_strictly(ApexTests, body)


def _make_group(emulated: EmulatedOrg, body: Body) -> Body:
    members = [user_id(emulated, name) for name in body["members"]]
    return {"id": make_group(emulated.org, str(body["name"]), members, emulated.founding.administrator)}


def _add_sharing_rule(emulated: EmulatedOrg, body: Body) -> None:
    rule = msgspec.convert({"edit": False, **body}, SharingRule)
    check_sharing_rule(emulated.org, rule)
    emulated.org.sharing.rules[f"{rule.sobject}.{body['name']}"] = rule


def user_id(emulated: EmulatedOrg, username: str) -> str:
    """The id of the user with this name. Raises ValueError."""
    for user in emulated.records("User"):
        if user["Username"] == username:
            return str(user["Id"])
    raise ValueError("no user has this name")
