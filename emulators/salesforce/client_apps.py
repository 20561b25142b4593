"""The External Client Apps of an org: what each may do, the users whom it admits, and the records that show it.

The rules: docs/reference/salesforce.md#external-client-app and docs/reference/salesforce.md#whom-an-app-admits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from emulators.salesforce.data.record_ids import RecordIds
from emulators.salesforce.data.tables import Tables

CALLBACK_OF_JWT_APPS = "https://login.salesforce.com/services/oauth2/success"


@dataclass(slots=True)
class App:
    """One app. `key` checks its assertions; without one, people sign in with it in the browser.

    `usernames` are the users whom it admits, its own user first. `callbacks` are the addresses to which the browser may
    return. The app needs no secret in the browser, but PKCE.
    """

    key: RSAPublicKey | None
    usernames: list[str]
    callbacks: tuple[str, ...] = field(default=(CALLBACK_OF_JWT_APPS,))
    name: str = "cosell"

    def admits(self, username: object) -> bool:
        """Whether this user may sign in with the app."""
        return username in self.usernames


def load_public_key(pem: str | bytes) -> RSAPublicKey:
    """The RSA public key of a certificate or of a key in PEM. Raises ValueError."""
    data = pem.encode() if isinstance(pem, str) else pem
    is_certificate = b"BEGIN CERTIFICATE" in data
    key = load_pem_x509_certificate(data).public_key() if is_certificate else load_pem_public_key(data)
    if not isinstance(key, RSAPublicKey):
        # Everything that is wrong with the PEM raises one kind of error.
        raise ValueError("the key must be an RSA key: assertions are signed with RS256")  # noqa: TRY004 - see above
    return key


class AppRecords:
    """Shows apps as records of Setup. One permission set each opens an app to the users whom it admits.

    The ids have a counter of their own, so that registering an app does not change the ids of other records.
    """

    def __init__(self, tables: Tables) -> None:
        """Begin without records."""
        self._tables, self._ids = tables, RecordIds(61)

    def show(self, app: App, user_ids: Mapping[str, str]) -> None:
        """Make the records of an app that are missing; `user_ids` holds the ids of its users by user name."""
        developer_name = app.name.replace(" ", "_")
        shown = self._keep("ExternalClientApplication", {"DeveloperName": developer_name, "MasterLabel": app.name})
        opener = self._keep("PermissionSet", {"Name": f"{developer_name}_users", "Label": f"{app.name} users"})
        access = {"ParentId": opener, "SetupEntityId": shown, "SetupEntityType": "ExternalClientApplication"}
        self._keep("SetupEntityAccess", access)
        if not self._find("ExtlClntAppOauthPlcyCnfg", {"ExternalClientApplicationId": shown}):
            policy = {"ExternalClientApplicationId": shown, "PermittedUsersPolicyType": "AdminApprovedPreAuthorized"}
            self._keep("ExtlClntAppOauthPlcyCnfg", policy)
        for user in user_ids.values():
            self._keep("PermissionSetAssignment", {"PermissionSetId": opener, "AssigneeId": user})

    def _keep(self, sobject: str, values: Mapping[str, Any]) -> str:
        """The id of the record with these values, which is made if there is none."""
        if known := self._find(sobject, values):
            return known
        definition = self._tables.model.get(sobject)
        new = {field.name: field.default for field in definition.fields.values()} | dict(values)
        new["Id"] = self._ids.next_id(definition.prefix)
        self._tables.put(sobject, new["Id"], new)
        return str(new["Id"])

    def _find(self, sobject: str, values: Mapping[str, Any]) -> str | None:
        records = self._tables.stored_records(sobject)
        return next((r["Id"] for r in records if all(r[name] == value for name, value in values.items())), None)
