"""The secrets of one vault: versions, attributes, soft delete. No HTTP here."""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

RETENTION = timedelta(days=90)
MAX_VALUE = 25 * 1024  # bytes, the service's limit
MAX_TAGS = 15
NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
KNOWN_ATTRIBUTES = ("enabled", "nbf", "exp")


class VaultError(Exception):
    """A refusal in the service's shape: status, `error.code`, `error.innererror.code`, message."""

    def __init__(self, status: HTTPStatus, code: str, message: str, inner: str | None = None) -> None:
        """Keep what the answer's body shows."""
        super().__init__(message)
        self.status, self.code, self.message, self.inner = status, code, message, inner


@dataclass(slots=True)
class Version:
    """One version of a secret; `attributes` are those a caller sets: enabled, nbf, exp (epoch seconds)."""

    id: str
    value: str = field(repr=False)
    created: datetime
    updated: datetime
    content_type: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=lambda: {"enabled": True})


@dataclass(slots=True)
class Secret:
    """A name with its versions, oldest first; `deleted` is set while it is soft-deleted."""

    name: str
    versions: list[Version] = field(default_factory=list)
    deleted: datetime | None = None

    @property
    def latest(self) -> Version:
        """The version that a read without one gets."""
        return self.versions[-1]

    def version(self, version_id: str) -> Version:
        """The version of that id, the latest for an empty one. Raises VaultError."""
        found = next((v for v in self.versions if version_id in ("", v.id)), None)
        if found is None:
            raise not_found(f"{self.name}/{version_id}")
        return found if version_id else self.latest


def not_found(name: str) -> VaultError:
    """The answer to a name or version that is not there."""
    text = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may "
        "be able to recover it using the correct recovery command."
    )
    return VaultError(HTTPStatus.NOT_FOUND, "SecretNotFound", text)


def bad(message: str) -> VaultError:
    """The answer to a request that breaks a rule of form."""
    return VaultError(HTTPStatus.BAD_REQUEST, "BadParameter", message)


class Shelf:
    """All secrets of a vault; names are case-blind, as in the service. Raises VaultError."""

    def __init__(self, now: Callable[[], datetime], seed: int) -> None:
        """`now` dates versions; `seed` makes their ids repeatable."""
        self._now = now
        self._ids = random.Random(seed)
        self._secrets: dict[str, Secret] = {}

    def live(self) -> Iterable[Secret]:
        """Secrets that are not deleted, by name."""
        return [secret for _, secret in sorted(self._kept().items()) if secret.deleted is None]

    def deleted(self) -> Iterable[Secret]:
        """Secrets that can be recovered, by name."""
        return [secret for _, secret in sorted(self._kept().items()) if secret.deleted is not None]

    def find(self, name: str) -> Secret:
        """A secret that is not deleted."""
        secret = self._kept().get(_checked(name).lower())
        if secret is None or secret.deleted is not None:
            raise not_found(name)
        return secret

    def find_deleted(self, name: str) -> Secret:
        """A soft-deleted secret."""
        secret = self._kept().get(_checked(name).lower())
        if secret is None or secret.deleted is None:
            raise not_found(name)
        return secret

    def put(self, name: str, body: object) -> Version:
        """A new version, which becomes the latest."""
        secret = self._kept().get(_checked(name).lower()) or Secret(name)
        if secret.deleted is not None:
            text = f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused."
            raise VaultError(HTTPStatus.CONFLICT, "Conflict", text, "ObjectIsDeletedButRecoverable")
        version = Version(f"{self._ids.getrandbits(128):032x}", _value(body), self._now(), self._now())
        _amend(version, body)
        secret.versions.append(version)
        self._secrets[name.lower()] = secret
        return version

    def amend(self, name: str, version_id: str, body: object) -> Version:
        """Change attributes, content type or tags of a version in place; the value stays."""
        version = self.find(name).version(version_id)
        _amend(version, body)
        version.updated = self._now()
        return version

    def delete(self, name: str) -> Secret:
        """Soft-delete: the name is blocked until it is recovered, purged, or the retention is over."""
        secret = self.find(name)
        secret.deleted = self._now()
        return secret

    def recover(self, name: str) -> Secret:
        """Undo a deletion."""
        secret = self.find_deleted(name)
        secret.deleted = None
        return secret

    def purge(self, name: str) -> None:
        """Forget a soft-deleted secret for good."""
        key = self.find_deleted(name).name.lower()
        del self._secrets[key]

    def _kept(self) -> dict[str, Secret]:
        """All secrets, less those whose retention is over."""
        over = self._now() - RETENTION
        self._secrets = {k: s for k, s in self._secrets.items() if s.deleted is None or s.deleted > over}
        return self._secrets


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise bad(f"The request URI contains an invalid name: {name}")
    return name


def _value(body: object) -> str:
    value = body.get("value") if isinstance(body, Mapping) else None
    if not isinstance(value, str):
        raise bad("Property  value is required.")
    if len(value.encode()) > MAX_VALUE:
        raise bad(f"The secret value is larger than {MAX_VALUE} bytes.")
    return value


def _amend(version: Version, body: object) -> None:
    if not isinstance(body, Mapping):
        raise bad("The request body must be a JSON object.")
    attributes, tags = body.get("attributes") or {}, body.get("tags")
    if not isinstance(attributes, Mapping) or not isinstance(tags, Mapping | None):
        raise bad("attributes and tags must be JSON objects.")
    if tags is not None and len(tags) > MAX_TAGS:
        raise bad(f"A secret has at most {MAX_TAGS} tags.")
    version.attributes |= {k: attributes[k] for k in KNOWN_ATTRIBUTES if attributes.get(k) is not None}
    version.tags = version.tags if tags is None else tags
    version.content_type = body.get("contentType") or version.content_type
