"""Read and write secrets through Azure's libraries, with our session, our retries and our errors.

The retries of the libraries are switched off. They wait for any `Retry-After`, however long, and repeat calls that
cannot succeed (docs/reference/azure.md#key-vault-requests). Instead, `shared.transport.retry` makes three tries with
short waits, within one total time.
"""

import datetime as dt
import os
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport
from azure.identity import AzureCliCredential, ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from shared.clients.key_vault.errors import (
    azure_cli_error,
    identity_error,
    identity_missing_error,
    unreadable_secret_error,
    vault_error,
)
from shared.clients.key_vault.secrets_port import SecretFacts
from shared.foundation.errors import SignInFailed
from shared.transport.deadline import call_deadline
from shared.transport.loopback import is_loopback
from shared.transport.retry import RetryPolicy
from shared.transport.session import open_session

RETRIES = RetryPolicy(tries=3, first_wait=0.3, longest_wait=1.0, longest_retry_after=5.0)
"""If the service asks for a longer wait, the caller has to come back later."""
NO_RETRIES: dict[str, Any] = {"retry_total": 0, "retry_connect": 0, "retry_read": 0, "retry_status": 0}
IDENTITY_VARIABLES = ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")  # the platform sets both if an identity is assigned


class RemoteSecrets:
    """Reads and writes the latest version of secrets; safe for threads."""

    def __init__(
        self, url: str, *, client_id: str, ca_bundle: Path | str, timeout: float, by_cli: bool = False
    ) -> None:
        """See `shared.clients.key_vault.vault.open_vault`. `by_cli` signs in with the login of the Azure CLI."""
        self._by_cli = by_cli
        self._url = url
        self._client_id = client_id
        self._timeout = timeout
        self._session = open_session(ca_bundle, seconds=timeout, allow_http=True)
        self._identity = _IdentityRequest()
        self._client: SecretClient | None = None

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def read(self, name: str) -> str:
        """The latest value. Raises errors of `shared.foundation.errors`."""

        def read_value(client: SecretClient) -> str:
            value = client.get_secret(name).value
            if value is None:
                raise unreadable_secret_error(name)
            return value

        return self._call_with_retries(name, read_value)

    def read_facts(self, name: str) -> SecretFacts:
        """The dates of the latest version. Raises the same errors as `read`."""

        def read_dates(client: SecretClient) -> SecretFacts:
            properties = client.get_secret(name).properties
            if properties.created_on is None:
                raise unreadable_secret_error(name)
            return SecretFacts(properties.created_on, properties.expires_on)

        return self._call_with_retries(name, read_dates)

    def write(self, name: str, value: str, expires: dt.datetime | None = None) -> None:
        """Add a version. A write is repeated like a read: a value written twice is harmless, a lost token is not."""
        self._call_with_retries(name, lambda client: client.set_secret(name, value, expires_on=expires))

    def _call_with_retries[T](self, name: str, call: Callable[[SecretClient], T]) -> T:
        with call_deadline(self._timeout) as deadline:
            for attempt in RETRIES.attempts(deadline):
                with attempt:
                    return self._call_with_new_credential(name, call)
        raise AssertionError("the last try returns or raises")

    def _call_with_new_credential[T](self, name: str, call: Callable[[SecretClient], T]) -> T:
        """Call again with a new credential if the vault refused the token: a credential keeps a refused token."""
        client = self._client
        try:
            return self._call_once(name, call)
        except SignInFailed:
            if client is None or self._client is client:
                raise  # the credential was new, or something other than the token was refused
        return self._call_once(name, call)

    def _call_once[T](self, name: str, call: Callable[[SecretClient], T]) -> T:
        self._identity.forget_answer()
        try:
            return call(self._current_client())
        except ClientAuthenticationError as error:
            self._client = None  # the credential repeats failures and refused tokens from its memory
            if self._by_cli and error.status_code is None:
                raise azure_cli_error(str(error)) from None
            if error.status_code is None or self._identity.has_failed:
                raise identity_error(self._identity.status, str(error)) from None
            raise vault_error(error, name) from None
        except (AzureError, ValueError, TypeError, AttributeError, KeyError) as error:
            # The other types: the libraries raise them if an answer is not the JSON that they expect.
            if self._identity.has_failed:
                self._client = None
                raise identity_error(self._identity.status, "") from None
            raise vault_error(error, name) from None

    def _current_client(self) -> SecretClient:
        client = self._client
        if client is None:
            client = self._client = self._make_client()
        return client

    def _make_credential(self) -> AzureCliCredential | ManagedIdentityCredential:
        if self._by_cli:
            return AzureCliCredential(process_timeout=max(1, int(self._timeout)))
        if not all(os.environ.get(name) for name in IDENTITY_VARIABLES):
            # Without these variables the credential would try a link-local address and variables of other platforms
            # (docs/reference/azure.md#managed-identity-endpoint).
            raise identity_missing_error()
        return ManagedIdentityCredential(
            client_id=self._client_id,
            transport=self._make_transport(),
            raw_response_hook=self._identity.note_response,
            raw_request_hook=self._identity.note_request,
            **NO_RETRIES,
        )

    def _make_client(self) -> SecretClient:
        local = is_loopback(urlsplit(self._url).hostname)
        return SecretClient(
            self._url,
            self._make_credential(),
            transport=self._make_transport(),
            verify_challenge_resource=not local,
            **NO_RETRIES,
        )

    def _make_transport(self) -> RequestsTransport:
        return RequestsTransport(session=self._session, session_owner=False)


class _IdentityRequest(threading.local):
    """The identity endpoint's answer in this thread's current call. The credential's errors do not contain it."""

    was_sent = False
    status: int | None = None

    def forget_answer(self) -> None:
        self.was_sent, self.status = False, None

    def note_request(self, _: object) -> None:
        self.was_sent, self.status = True, None

    def note_response(self, response: Any) -> None:  # noqa: ANN401 - a pipeline response, generic in two private types
        self.status = response.http_response.status_code

    @property
    def has_failed(self) -> bool:
        """Whether a request was sent, and no token came back."""
        return self.was_sent and (self.status is None or self.status >= HTTPStatus.BAD_REQUEST)
