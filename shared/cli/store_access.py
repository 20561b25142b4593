"""Say why the table cannot be opened from a person's machine: network, role or login. One sentence each.

The errors of Table Storage: docs/reference/azure.md#behaviour-of-table-storage.
"""

from shared.cli.exit_codes import Exit
from shared.cli.operator import LOG_IN
from shared.foundation.errors import StoreError
from shared.transport.proxy import describe_blocked_connections

ROLES = (
    "Your login lacks a role on the table: Storage Table Data Reader to look (`cosell status`, `cosell explain`), "
    "Storage Table Data Contributor for all else. Ask for it (docs/security.md#roles). It works after some minutes."
)
FIREWALL = (
    "The network rules of the storage account refuse your address. Run the command from an allowed network (with a "
    "private endpoint: inside its network), or have your address allowed (docs/security.md#endpoints)."
)
PRIVATE = (
    "The storage account cannot be reached from here. If it has a private endpoint, run the command inside its "
    "network, by VPN or on a machine there; otherwise check name and connection."
)
_CODES = {"AuthorizationPermissionMismatch": ROLES, "AuthorizationFailure": FIREWALL, "IpAuthorizationError": FIREWALL}
_NO_CONNECTION = frozenset({"ServiceRequestError", "ServiceResponseError", "ServiceRequestTimeoutError"})
_NO_LOGIN = frozenset({"CredentialUnavailableError", "ClientAuthenticationError"})
FORBIDDEN = 403


def explain_refusal(error: StoreError) -> tuple[str, Exit] | None:
    """Return what a person can do, and the exit code; None for an error with another reason."""
    cause = error.__cause__
    if cause is None:
        return None
    code = str(getattr(getattr(cause, "error_code", None), "value", getattr(cause, "error_code", None)))
    status = getattr(cause, "status_code", None)
    names = {kind.__name__ for kind in type(cause).__mro__}
    if code in _CODES or status == FORBIDDEN:
        return _CODES.get(code, ROLES), Exit.REFUSED
    if status is None and names & _NO_LOGIN:
        return f"The login of the Azure CLI is missing or has ended. {LOG_IN}", Exit.SIGN_IN
    if names & _NO_CONNECTION:
        return f"{PRIVATE} {describe_blocked_connections()}".rstrip(), Exit.RETRY
    return None
