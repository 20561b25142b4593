"""Say why the table cannot be opened from a person's machine: network, role or login. One sentence each.

The errors of Table Storage: docs/reference/azure.md#behaviour-of-table-storage.
"""

from enum import StrEnum

from shared.foundation.errors import StoreError
from shared.store.azure_sign_in import LOG_IN
from shared.transport.proxy import describe_blocked_connections

MAY_NOT_READ = (
    "Your login has no role on the table. Ask for Storage Table Data Reader to look (`cosell status`, "
    "`cosell explain`), or for Storage Table Data Contributor for all else (docs/security.md#roles). It works after "
    "some minutes."
)
MAY_NOT_WRITE = (
    "Your login may not write to the table. Ask for the role Storage Table Data Contributor "
    "(docs/security.md#roles). It works after some minutes."
)
FIREWALL = (
    "The network rules of the storage account refuse your address. Run the command from an allowed network (with a "
    "private endpoint: inside its network), or have your address allowed (docs/security.md#endpoints)."
)
PRIVATE = (
    "The storage account cannot be reached from here. If it has a private endpoint, run the command inside its "
    "network, by VPN or on a machine there; otherwise check name and connection."
)
FORBIDDEN = 403
_OF_THE_NETWORK = frozenset({"AuthorizationFailure", "IpAuthorizationError"})
_NO_LOGIN = frozenset({"CredentialUnavailableError", "ClientAuthenticationError"})


class Refusal(StrEnum):
    """What keeps a person from the table."""

    REFUSED = "refused"
    NO_LOGIN = "no_login"
    NO_CONNECTION = "no_connection"


def access_refusal(error: StoreError) -> tuple[Refusal, str] | None:
    """Return what keeps a person from the table, and what they can do; None for an error with another reason."""
    cause = error.__cause__
    if cause is None:
        return None
    names = {kind.__name__ for kind in type(cause).__mro__}  # their modules are slow to import
    code, status = getattr(cause, "code", None), getattr(cause, "status", None)
    if code in _OF_THE_NETWORK:
        return Refusal.REFUSED, FIREWALL
    if status == FORBIDDEN:
        return Refusal.REFUSED, MAY_NOT_READ if getattr(cause, "method", "GET") == "GET" else MAY_NOT_WRITE
    if names & _NO_LOGIN:
        return Refusal.NO_LOGIN, f"The login of the Azure CLI is missing or has ended. {LOG_IN}"
    if "NoAnswer" in names:
        return Refusal.NO_CONNECTION, f"{PRIVATE} {describe_blocked_connections()}".rstrip()
    return None
