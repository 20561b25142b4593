"""Say who runs `cosell`, and record what they do: in the log, and in the store (`shared/store/operator_rows.py`).

The operator is the Entra object id in the token that opens the table: the login of the Azure CLI. In the local
environment, which has no sign-in, it is `local`.
"""

import base64
import json
import re
from typing import TYPE_CHECKING

from shared.foundation.errors import SignInFailed
from shared.foundation.logs import log
from shared.store.azure_sign_in import LOG_IN, storage_credential
from shared.store.operator_rows import Action, store_action

if TYPE_CHECKING:
    from shared.app import App

LOCAL, UNKNOWN = "local", "unknown"
STORAGE = "https://storage.azure.com/.default"
SECONDS = 60.0
_OBJECT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def record_action(app: "App", action: str, scope: str) -> str:
    """Log and store an action and its scope: ids, codes or `all`, never values of a deal. Returns the operator's id.

    Call it before the action, so that nothing is done without a trace. Raises StoreUnavailable and SignInFailed.
    """
    operator = operator_id(app)
    store_action(app.rows, Action(app.clock.now(), action, scope, operator))
    log("operator_action", action=action, scope=scope, operator=operator)
    return operator


def operator_id(app: "App") -> str:
    """Return the Entra object id of the person, or `local`. Raises SignInFailed if the Azure CLI is not logged in."""
    store = app.settings.store
    if store.file is not None or store.connection_string is not None:
        return LOCAL
    return object_id_in(_storage_token())


def _storage_token() -> str:
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415 - slow to import

    credential = storage_credential(client_id=None, by_cli=True, seconds=SECONDS, ca_bundle=None)
    try:
        token: str = credential.get_token(STORAGE).token
    except ClientAuthenticationError as error:
        raise SignInFailed(
            "the Azure CLI is not logged in, or its login has ended", code="azure_cli_login", remedy=LOG_IN
        ) from error
    finally:
        credential.close()
    return token


def object_id_in(token: str) -> str:
    """Return the claim `oid` of a token that Entra has just issued to us; `unknown` if it has none that can be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        found = str(claims["oid"]).lower()
    except (ValueError, LookupError, TypeError):
        return UNKNOWN
    return found if _OBJECT_ID.fullmatch(found) else UNKNOWN
