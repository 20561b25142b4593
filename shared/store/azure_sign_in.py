"""Sign in to Azure Storage: with the identity of the app, or on a person's machine with the login of the Azure CLI.

Azure's libraries are imported at their first use, because that takes long (docs/reference/azure.md#cold-start).
"""

import re
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from shared.foundation.errors import StoreUnavailable
from shared.transport.deadline import seconds_left

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.identity import AzureCliCredential, ManagedIdentityCredential

LOG_IN = "Run `az login`, choose the subscription with `az account set`, and try again."
SCOPE = "https://storage.azure.com/.default"
RENEW_SECONDS = 300.0
"""A token is renewed that long before it expires."""
LONGEST_WAIT_SECONDS = 60.0
"""How long a call without a deadline waits for the sign-in of another one."""

_TENANT = re.compile(r'authorization_uri="?https://[^/\s",]+/([0-9A-Za-z.-]+)')
# Besides its own errors, the library raises these for an answer that is HTML, empty or truncated.
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)


def storage_credential(
    *, client_id: str | None, by_cli: bool, seconds: float, ca_bundle: str | None
) -> "AzureCliCredential | ManagedIdentityCredential":
    """Return the credential. `client_id` names a user-assigned identity; None means the system-assigned one.

    `seconds` is the total time of one sign-in.
    """
    from azure.identity import AzureCliCredential, ManagedIdentityCredential  # noqa: PLC0415 - see the module docstring

    if by_cli:
        return AzureCliCredential(process_timeout=max(1, int(seconds)))
    return ManagedIdentityCredential(client_id=client_id, **_identity_options(seconds, ca_bundle))


def _identity_options(seconds: float, ca_bundle: str | None) -> dict[str, Any]:
    """Return keyword arguments for an identity: its transport, with the certificates it trusts, and its total time."""
    from azure.core.pipeline.transport import RequestsTransport  # noqa: PLC0415 - see the module's docstring

    from shared.transport.session import open_session  # noqa: PLC0415 - as above

    # Plain http is allowed, because the endpoint of managed identities uses it.
    session = open_session(ca_bundle, seconds=seconds, allow_http=True)
    return {"transport": RequestsTransport(session=session), "timeout": seconds}


class StorageToken:
    """A signer for `shared.store.table_client`: the token of an identity, kept until shortly before it expires.

    To ask the identity's library for each request would take longer than the rest of the request. Safe for many
    threads.
    """

    def __init__(self, credential: "TokenCredential", clock: Callable[[], float] = time.time) -> None:
        """`clock` returns the seconds since 1970."""
        self._credential, self._clock = credential, clock
        self._header, self._good_until = "", 0.0
        self._tenant: str | None = None
        self._lock = Lock()

    def authorization(self, method: str, path: str, content_type: str, date: str) -> str:
        """Return the header Authorization, which is the same for every request. Raises StoreUnavailable."""
        del method, path, content_type, date
        header = self._header
        return header if header and self._clock() < self._good_until else self._sign_in()

    def renew(self, challenge: str) -> bool:
        """Forget the token after a 401, so that the request can be sent again with another one.

        `challenge` is the header WWW-Authenticate. It names the tenant of the account, in which the login of a person
        may have to be asked for a token.
        """
        found = _TENANT.search(challenge)
        self._tenant = found[1] if found else None
        self._header = ""
        return True

    def close(self) -> None:
        """Close the connections of the identity."""
        close: Callable[[], object] = getattr(self._credential, "close", lambda: None)
        close()

    def _sign_in(self) -> str:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - see the module's docstring

        left = seconds_left()
        if not self._lock.acquire(timeout=LONGEST_WAIT_SECONDS if left is None else left):
            raise StoreUnavailable("Table Storage was not asked: another sign-in takes too long")
        try:
            if self._header and self._clock() < self._good_until:
                return self._header
            token = self._credential.get_token(SCOPE, tenant_id=self._tenant)
        except (AzureError, *_UNREADABLE) as error:
            raise StoreUnavailable(f"Table Storage was not asked, no token: {type(error).__name__}") from error
        else:
            self._header, self._good_until = f"Bearer {token.token}", token.expires_on - RENEW_SECONDS
            return self._header
        finally:
            self._lock.release()
