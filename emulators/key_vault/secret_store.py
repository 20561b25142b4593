"""Keep the secrets of one vault in memory: versions, attributes and soft delete. This module has no HTTP."""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

RETENTION = timedelta(days=90)
MAX_VALUE = 25 * 1024  # bytes; the service's limit
MAX_TAGS = 15
NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
KNOWN_ATTRIBUTES = ("enabled", "nbf", "exp")


class VaultError(Exception):
    """A refusal in the service's shape: status, `error.code`, message, `error.innererror.code`."""

    def __init__(self, status: HTTPStatus, code: str, message: str, inner: str | None = None) -> None:
        """`inner` is the code in `error.innererror`, where the service sends one."""
        super().__init__(message)
        self.status, self.code, self.message, self.inner = status, code, message, inner


@dataclass(slots=True)
class Version:
    """One version of a secret; `attributes` are those that a caller may set: enabled, nbf and exp (epoch seconds)."""

    id: str
    value: str = field(repr=False)
    created: datetime
    updated: datetime
    content_type: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=lambda: {"enabled": True})


@dataclass(slots=True)
class Secret:
    """A name and its versions, oldest first; `deleted` is the time of a soft delete."""

    name: str
    versions: list[Version] = field(default_factory=list)
    deleted: datetime | None = None

    @property
    def latest(self) -> Version:
        """The version that a read without a version id returns."""
        return self.versions[-1]

    def find_version(self, version_id: str) -> Version:
        """Return the version with this id, or the latest for an empty id. Raises VaultError."""
        version = next((v for v in self.versions if version_id in ("", v.id)), None)
        if version is None:
            raise not_found(f"{self.name}/{version_id}")
        return version if version_id else self.latest


def not_found(name: str) -> VaultError:
    """Return the 404 for a name or version that does not exist."""
    text = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command."
    )
    return VaultError(HTTPStatus.NOT_FOUND, "SecretNotFound", text)


def bad_parameter(message: str) -> VaultError:
    """Return the 400 for a malformed request."""
    return VaultError(HTTPStatus.BAD_REQUEST, "BadParameter", message)


class SecretStore:
    """All secrets of a vault. Names ignore case, as in the service. The methods raise VaultError."""

    def __init__(self, now: Callable[[], datetime], seed: int) -> None:
        """`now` gives the time of each version; `seed` makes version ids repeatable."""
        self._now = now
        self._ids = random.Random(seed)
        self._secrets: dict[str, Secret] = {}

    def live_secrets(self) -> Iterable[Secret]:
        """Return the secrets that are not deleted, sorted by name."""
        return [secret for _, secret in sorted(self._within_retention().items()) if secret.deleted is None]

    def deleted_secrets(self) -> Iterable[Secret]:
        """Return the soft-deleted secrets, sorted by name."""
        return [secret for _, secret in sorted(self._within_retention().items()) if secret.deleted is not None]

    def find(self, name: str) -> Secret:
        """Return a secret that is not deleted."""
        secret = self._within_retention().get(_check_name(name).lower())
        if secret is None or secret.deleted is not None:
            raise not_found(name)
        return secret

    def find_deleted(self, name: str) -> Secret:
        """Return a soft-deleted secret."""
        secret = self._within_retention().get(_check_name(name).lower())
        if secret is None or secret.deleted is None:
            raise not_found(name)
        return secret

    def put(self, name: str, body: object) -> Version:
        """Add a version, which becomes the latest, and return it."""
        secret = self._within_retention().get(_check_name(name).lower()) or Secret(name)
        if secret.deleted is not None:
            text = f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused."
            raise VaultError(HTTPStatus.CONFLICT, "Conflict", text, "ObjectIsDeletedButRecoverable")
        version = Version(f"{self._ids.getrandbits(128):032x}", _read_value(body), self._now(), self._now())
        _apply_attributes(version, body)
        secret.versions.append(version)
        self._secrets[name.lower()] = secret
        return version

    def update(self, name: str, version_id: str, body: object) -> Version:
        """Change attributes, content type or tags of a version, and return it. The value stays."""
        version = self.find(name).find_version(version_id)
        _apply_attributes(version, body)
        version.updated = self._now()
        return version

    def delete(self, name: str) -> Secret:
        """Soft-delete a secret and return it. Its name is blocked until recovery, purge or the end of the retention."""
        secret = self.find(name)
        secret.deleted = self._now()
        return secret

    def recover(self, name: str) -> Secret:
        """Undo a soft delete and return the secret."""
        secret = self.find_deleted(name)
        secret.deleted = None
        return secret

    def purge(self, name: str) -> None:
        """Remove a soft-deleted secret for good."""
        key = self.find_deleted(name).name.lower()
        del self._secrets[key]

    def _within_retention(self) -> dict[str, Secret]:
        """Drop the soft-deleted secrets whose retention is over, and return all others by lower-case name."""
        retained_since = self._now() - RETENTION
        self._secrets = {k: s for k, s in self._secrets.items() if s.deleted is None or s.deleted > retained_since}
        return self._secrets


def _check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise bad_parameter(f"The request URI contains an invalid name: {name}")
    return name


def _read_value(body: object) -> str:
    value = body.get("value") if isinstance(body, Mapping) else None
    if not isinstance(value, str):
        raise bad_parameter("Property  value is required.")
    if len(value.encode()) > MAX_VALUE:
        raise bad_parameter(f"The secret value is larger than {MAX_VALUE} bytes.")
    return value


def _apply_attributes(version: Version, body: object) -> None:
    if not isinstance(body, Mapping):
        raise bad_parameter("The request body must be a JSON object.")
    attributes, tags = body.get("attributes") or {}, body.get("tags")
    if not isinstance(attributes, Mapping) or not isinstance(tags, Mapping | None):
        raise bad_parameter("attributes and tags must be JSON objects.")
    if tags is not None and len(tags) > MAX_TAGS:
        raise bad_parameter(f"A secret has at most {MAX_TAGS} tags.")
    version.attributes |= {k: attributes[k] for k in KNOWN_ATTRIBUTES if attributes.get(k) is not None}
    version.tags = version.tags if tags is None else tags
    version.content_type = body.get("contentType") or version.content_type
