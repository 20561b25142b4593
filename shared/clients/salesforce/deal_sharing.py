"""Open the deals of other owners to the integration user: a sharing rule, and a group with the user as its member.

The rule is a deployment of its own, because an org where everybody may edit every opportunity takes none
(docs/reference/salesforce.md#sharing-rules-in-metadata).
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.metadata_deploy import MetadataClient, Problem
from shared.clients.salesforce.request import Call
from shared.clients.salesforce.soql_literals import text_literal
from shared.clients.salesforce.source_format import Package, read_source
from shared.foundation.errors import NotFound, Rejected

FOLDER = "sharing"
"""The folder of the project that holds the rule."""
GROUP, GROUP_LABEL = "Cosell_Integration", "Co-sell Integration"
RULE = "Cosell_Deals"
OPEN = "Edit"
"""The org-wide default with which everybody may edit every record."""
OBJECTS = ("Opportunity", "Account", "Contact")
NEEDS_NO_RULE = "it's org wide default is"
"""Words of the refusal by an org that needs no rule, should it not show its org-wide default."""
_ADD_BY_HAND = f"add the integration user to the public group {GROUP_LABEL} in Setup"


class DealSharing(Struct, frozen=True):
    """What was done so that the integration user may edit the deals of other owners.

    `needed` is false where everybody may edit every opportunity. `problems` say what did not work, and what to do.
    """

    needed: bool
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the result in one line for a person to read."""
        if self.problems:
            return f"The deals of other owners are not open to the integration user yet: {'; '.join(self.problems)}."
        if not self.needed:
            return "Everybody may edit every opportunity of this org, so it needs no sharing rule."
        return f"The sharing rule {RULE} lets the integration user, now in the group {GROUP}, edit the co-sell deals."


def default_access(salesforce: SalesforceClient) -> Mapping[str, str]:
    """Return the org-wide default by object, such as `None`, `Read` or `Edit`; empty if the user may not see it."""
    columns = {name: f"Default{name}Access" for name in OBJECTS}
    try:
        [organization] = salesforce.query(f"SELECT {','.join(columns.values())} FROM Organization").pages[0].records  # noqa: S608 - fixed names
    except (Rejected, ValueError):
        return {}
    return {name: str(value) for name, column in columns.items() if (value := organization.get(column))}


def group_members(salesforce: SalesforceClient, user_id: str) -> tuple[str | None, bool]:
    """Return the id of the package's group, if the org has it, and whether the user is a member.

    A group in the group would count too, but the package makes none. Raises Rejected if this user may not see groups.
    """
    group = f"SELECT Id FROM Group WHERE DeveloperName = {text_literal(GROUP)} AND Type = 'Regular'"  # noqa: S608 - a SOQL literal
    found = [str(record["Id"]) for record in salesforce.query(group).pages[0].records]
    if not found:
        return None, False
    member = f"SELECT Id FROM GroupMember WHERE GroupId = '{found[0]}' AND UserOrGroupId = '{user_id}'"  # noqa: S608 - ids that the org answered
    return found[0], bool(salesforce.query(member).pages[0].records)


def with_rule(salesforce: SalesforceClient, package: Package, project: Path) -> Package:
    """Return the package with the rule, if this org surely takes one: what a check-only deployment validates."""
    if default_access(salesforce).get("Opportunity", OPEN) == OPEN:
        return package
    rule = read_source(project / FOLDER)
    return Package({**package.files, **rule.files}, {**package.members, **rule.members})


def share_deals(salesforce: SalesforceClient, project: Path, username: str) -> DealSharing:
    """Deploy the rule, if the org takes one, and add the user to the group. Needs an administrator's session.

    It does no harm to do it again. Raises what the clients raise, but no refusal.
    """
    if default_access(salesforce).get("Opportunity") == OPEN:
        return DealSharing(needed=False)
    deployment = MetadataClient(salesforce.connection).deploy(read_source(project / FOLDER))
    refusals = [] if deployment.success else [each for each in deployment.problems if not each.is_warning]
    if any(NEEDS_NO_RULE in each.text for each in refusals):
        return DealSharing(needed=False)
    problems = [_step_for(each) for each in refusals]
    if not deployment.success and not refusals:
        problems.append(f"the deployment {deployment.id} ended as {deployment.status}: run the command again")
    try:
        _add_member(salesforce, username)
    except (NotFound, Rejected) as error:
        problems.append(f"{error}: {_ADD_BY_HAND}")
    return DealSharing(needed=True, problems=tuple(problems))


def _step_for(refusal: Problem) -> str:
    step = "run the command again"
    if "in progress" in refusal.text:
        step = f"wait for the e-mail that says the calculation of sharing has ended, then {step}"
    return f"{refusal}: {step}"


def _add_member(salesforce: SalesforceClient, username: str) -> None:
    users = f"SELECT Id FROM User WHERE Username = {text_literal(username)} LIMIT 1"  # noqa: S608 - a SOQL literal
    found = [str(record["Id"]) for record in salesforce.query(users).pages[0].records]
    if not found:
        raise NotFound("the org has no user with the name in SALESFORCE_USERNAME")
    group, is_member = group_members(salesforce, found[0])
    if group is None:
        raise NotFound(f"the org has no public group {GROUP}")
    if not is_member:
        values = {"GroupId": group, "UserOrGroupId": found[0]}
        call = Call("a member of a group", "sobjects/GroupMember", "POST", values, keys=(found[0],))
        salesforce.connection.write(call, lambda _: None)
