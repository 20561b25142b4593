"""Keep secrets from Key Vault in memory for some minutes (docs/reference/azure.md#secrets-and-rotation).

    vault = open_vault("https://NAME.vault.azure.net", client_id="…", ca_bundle=certifi.where())
    key = vault.get("salesforce-key")
    key = vault.get_fresh("salesforce-key")      # once, after a service answered 401
    vault.set("partner-center-refresh-token", rotated)

Azure's libraries are not imported before the first secret is read. A secret never enters a message, a log or a `repr`
(docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs).
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from shared.clients.key_vault.secrets_port import SecretFacts, Secrets
from shared.foundation.errors import ConfigurationError
from shared.foundation.redacted import Redacted

CACHE_SECONDS = 600.0
CALL_SECONDS = 60.0  # one read or write, with its sign-in and its retries
REFERENCE_PREFIX = "@Microsoft.KeyVault("


def require_resolved(name: str, value: str) -> str:
    """`value` itself. Raises ConfigurationError if it is the text of a Key Vault reference that was not resolved.

    Source: docs/reference/azure.md#secrets-and-rotation.
    """
    if value.lstrip().lower().startswith(REFERENCE_PREFIX.lower()):
        raise ConfigurationError(
            f"{name} holds the text of a Key Vault reference, because the platform could not resolve it. "
            "Store the value itself in the vault, or correct the reference."
        )
    return value


class _CachedSecret(Redacted, frozen=True):
    value: str
    number: int  # of the fetch that read it
    valid_until: float


class Vault:
    """Secrets by name, kept for `keep` seconds. Threads that read the same name at once share one fetch.

    Raises NotFound, SignInFailed, Throttled, Unavailable, ConfigurationError.
    """

    def __init__(
        self,
        secrets: Secrets,
        *,
        keep: float = CACHE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        label: str = "vault",
    ) -> None:
        """`clock` is monotonic, in seconds; `repr` shows `label`."""
        self._secrets = secrets
        self._keep = keep
        self._clock = clock
        self._label = label
        self._cache: dict[str, _CachedSecret] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._numbers: Iterator[int] = itertools.count(1)

    def __repr__(self) -> str:
        return f"Vault({self._label!r}, keep={self._keep})"

    def get(self, name: str) -> str:
        """The secret's value, at most `keep` seconds old."""
        cached = self._valid_entry(name)
        return cached.value if cached else self._fetch_after(name, after=0)

    def get_fresh(self, name: str) -> str:
        """The value as the vault has it now, for one more try after a service refused the cached value."""
        after = next(self._numbers)
        self._cache.pop(name, None)
        return self._fetch_after(name, after=after)

    def read_facts(self, name: str) -> SecretFacts:
        """Return when the latest version was written and when it expires. Always reads from the vault."""
        return self._secrets.read_facts(name)

    def set(self, name: str, value: str, *, expires: datetime | None = None) -> None:
        """Make `value` the latest version. After an error the outcome is unknown; it is safe to set the value again.

        `expires` (with a time zone) is stored in the vault. The vault's alerts and `keep_credentials` read it.
        """
        with self._lock_of(name):
            self._cache.pop(name, None)
            self._secrets.write(name, value, expires)
            self._cache_value(name, value, next(self._numbers))

    def _fetch_after(self, name: str, *, after: int) -> str:
        """The value, read now unless another thread has read it in a fetch with a number above `after`."""
        with self._lock_of(name):
            cached = self._valid_entry(name)
            if cached and cached.number > after:
                return cached.value
            number = next(self._numbers)
            value = require_resolved(f"secret {name}", self._secrets.read(name))
            self._cache_value(name, value, number)
            return value

    def _valid_entry(self, name: str) -> _CachedSecret | None:
        cached = self._cache.get(name)
        return cached if cached and self._clock() < cached.valid_until else None

    def _cache_value(self, name: str, value: str, number: int) -> None:
        self._cache[name] = _CachedSecret(value, number, self._clock() + self._keep)

    def _lock_of(self, name: str) -> threading.Lock:
        return self._locks.setdefault(name, threading.Lock())


class _LazySecrets:
    """Opens the remote secrets at their first use, because their libraries take a quarter of a second to import."""

    def __init__(self, open_secrets: Callable[[], Secrets]) -> None:
        self._open = open_secrets
        self._opened: Secrets | None = None
        self._lock = threading.Lock()

    def read(self, name: str) -> str:
        return self._opened_secrets().read(name)

    def write(self, name: str, value: str, expires: datetime | None = None) -> None:
        self._opened_secrets().write(name, value, expires)

    def read_facts(self, name: str) -> SecretFacts:
        return self._opened_secrets().read_facts(name)

    def _opened_secrets(self) -> Secrets:
        with self._lock:
            self._opened = self._opened or self._open()
            return self._opened


def open_vault(
    url: str,
    *,
    client_id: str,
    ca_bundle: Path | str,
    timeout: float = CALL_SECONDS,
    keep: float = CACHE_SECONDS,
    credential: str = "managed",
) -> Vault:
    """The vault at `url`, read as the user-assigned managed identity `client_id`. Opens no connection yet.

    Args:
        url: `https://NAME.vault.azure.net`.
        client_id: the client id of the identity.
        ca_bundle: PEM file of the roots to trust; environment variables for it are ignored.
        timeout: seconds that one read or write may take in all.
        keep: seconds for which a value is kept.
        credential: `managed`, or `cli` for the login of the Azure CLI on a person's machine.

    Raises ConfigurationError if `url` is not the address of a vault.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.username:
        raise ConfigurationError(f"The vault's address must have the form https://NAME.vault.azure.net, not {url!r}.")

    def connect() -> Secrets:
        from shared.clients.key_vault.secrets_client import RemoteSecrets  # noqa: PLC0415 - imports Azure's libraries

        return RemoteSecrets(url, client_id=client_id, ca_bundle=ca_bundle, timeout=timeout, by_cli=credential == "cli")

    return Vault(_LazySecrets(connect), keep=keep, label=url)
