"""Find who else may sign in with an app that admits the integration user.

Whoever holds the app's key can sign in as every user whom the app admits. Which app that is shows no record of the org,
so all apps that admit the integration user are taken. Reading this needs *View Setup and Configuration*, which an
administrator has and the integration user has not (docs/reference/salesforce.md#whom-an-app-admits).
"""

from collections.abc import Iterable

from msgspec import Struct

from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.soql_literals import in_list, text_literal
from shared.foundation.errors import Rejected

MOST_USERS = 200
"""The users of a permission set that are read. More are as many as nobody wants to read."""
_APP_TYPES = ("ConnectedApplication", "ExternalClientApplication")
_EVERYBODY = "AllSelfAuthorized"


class AppAdmission(Struct, frozen=True):
    """An app that admits the integration user: the user names of the others, and whether it admits everybody."""

    app: str
    others: tuple[str, ...] = ()
    everybody: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether the app admits the integration user alone."""
        return not self.others and not self.everybody


def find_admissions(salesforce: SalesforceClient, username: str) -> list[AppAdmission]:
    """Return the apps that admit the user with this name. Raises Rejected if the signed-in user may not read it."""
    own = _rows(
        salesforce,
        "SELECT PermissionSetId FROM PermissionSetAssignment "  # noqa: S608 - a SOQL literal
        f"WHERE Assignee.Username = {text_literal(username)} LIMIT {MOST_USERS}",
    )
    apps = _grants(salesforce, "ParentId", (row["PermissionSetId"] for row in own))
    grants = _grants(salesforce, "SetupEntityId", (row["SetupEntityId"] for row in apps))
    users = _users_by_permission_set(salesforce, {str(row["ParentId"]) for row in grants})
    admitted: dict[str, set[str]] = {}
    for row in grants:
        admitted.setdefault(str(row["SetupEntityId"]), set()).update(users.get(str(row["ParentId"]), ()))
    labels, open_apps = _labels(salesforce, admitted), _open_apps(salesforce)
    return [
        AppAdmission(labels.get(app, app), _others(names, username), app in open_apps)
        for app, names in sorted(admitted.items())
    ]


def _others(names: Iterable[str], username: str) -> tuple[str, ...]:
    return tuple(sorted(name for name in names if name.casefold() != username.casefold()))


def _grants(salesforce: SalesforceClient, column: str, ids: Iterable[object]) -> tuple[Json, ...]:
    """Return the rows that open an app to a permission set or a profile, where `column` is one of the ids."""
    wanted = sorted({str(each) for each in ids})
    if not wanted:
        return ()
    soql = (
        "SELECT SetupEntityId, ParentId FROM SetupEntityAccess "  # noqa: S608 - SOQL literals
        f"WHERE SetupEntityType IN {in_list(_APP_TYPES)} AND {column} IN {in_list(wanted)}"
    )
    return _rows(salesforce, soql)


def _users_by_permission_set(salesforce: SalesforceClient, ids: set[str]) -> dict[str, set[str]]:
    if not ids:
        return {}
    users: dict[str, set[str]] = {}
    soql = (
        "SELECT PermissionSetId, Assignee.Username FROM PermissionSetAssignment "  # noqa: S608 - SOQL literals
        f"WHERE Assignee.IsActive = true AND PermissionSetId IN {in_list(sorted(ids))} LIMIT {MOST_USERS}"
    )
    for row in _rows(salesforce, soql):
        users.setdefault(str(row["PermissionSetId"]), set()).add(str(row["Assignee"]["Username"]))
    return users


def _labels(salesforce: SalesforceClient, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of External Client Apps by id. Without them, a person knows an app by its id in Setup."""
    rows = _optional_rows(salesforce, "SELECT Id, MasterLabel FROM ExternalClientApplication")
    wanted = set(ids)
    return {str(row["Id"]): str(row["MasterLabel"]) for row in rows if row["Id"] in wanted and row["MasterLabel"]}


def _open_apps(salesforce: SalesforceClient) -> set[str]:
    """Return the ids of the External Client Apps with which every user may sign in."""
    soql = "SELECT ExternalClientApplicationId, PermittedUsersPolicyType FROM ExtlClntAppOauthPlcyCnfg"
    rows = _optional_rows(salesforce, soql)
    return {str(row["ExternalClientApplicationId"]) for row in rows if row["PermittedUsersPolicyType"] == _EVERYBODY}


def _optional_rows(salesforce: SalesforceClient, soql: str) -> tuple[Json, ...]:
    """Return the rows, or none from an org that does not have the object."""
    try:
        return _rows(salesforce, soql)
    except Rejected:
        return ()


def _rows(salesforce: SalesforceClient, soql: str) -> tuple[Json, ...]:
    return salesforce.query(soql).pages[0].records
