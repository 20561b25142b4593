"""Ask which organisation this is, and refuse one that the environment must not use.

A call for it is made once for each organisation, and for a trial each hour: the answer is in the store.
Source: docs/protocol.md#the-organisation-of-an-environment.
"""

from typing import Protocol

from shared.clients.salesforce.records import Answer
from shared.domain.own_organization import (
    Organization,
    OwnOrganization,
    WrongOrganization,
    other_store,
    wrong_organization,
)
from shared.foundation.errors import ConfigurationError, Rejected
from shared.foundation.logs import log

_COLUMNS = "IsSandbox, OrganizationType, TrialExpirationDate"


class Org(Protocol):
    """The calls of the client that the check needs."""

    def organization_id(self) -> str:
        """The id of the organisation, known from the sign-in without a data call."""

    def query(self, *soql: str, deleted: bool = False) -> Answer:
        """One Composite call of up to five queries."""


class Memory(Protocol):
    """Where the answer is kept, and which organisation owns it."""

    def owner(self, organization_id: str) -> str:
        """The organisation that owns the store: the one of the very first call."""

    def known_owner(self) -> str | None:
        """The organisation that owns the store; None before the first call of `owner`."""

    def organization(self) -> Organization | None:
        """The organisation that was asked last."""

    def keep_organization(self, organization: Organization) -> None:
        """Keep what an organisation says of itself."""


def check_organization(org: Org, memory: Memory, own: OwnOrganization) -> None:
    """Check the organisation. Raises ConfigurationError if environment or store must not be used with it.

    A store of another organisation is not written. One that nobody owns yet belongs to the organisation only once the
    environment may use it.
    """
    found = org.organization_id()
    owner = memory.known_owner()
    if owner not in (None, found):
        _refuse(other_store(str(owner), found), found)
    if wrong := wrong_organization(own, known_organization(org, memory)):
        _refuse(wrong, found)
    if owner is None and (first := memory.owner(found)) != found:
        _refuse(other_store(first, found), found)


def known_organization(org: Org, memory: Memory) -> Organization:
    """Return what the organisation says of itself; it is asked if the store does not have it."""
    known = memory.organization()
    if known is not None and known.id == org.organization_id() and known.is_settled:
        return known
    asked = ask_organization(org)
    if asked != known:
        memory.keep_organization(asked)
    return asked


def ask_organization(org: Org) -> Organization:
    """Return what the organisation says of itself, in one call; only its id if it refuses. Raises the other errors."""
    identifier = org.organization_id()
    try:
        records = org.query(f"SELECT {_COLUMNS} FROM Organization").pages[0].records  # noqa: S608 - fixed names
    except Rejected:
        return Organization(identifier)
    record = records[0] if records else {}
    is_sandbox, edition = record.get("IsSandbox"), record.get("OrganizationType")
    return Organization(
        identifier,
        is_sandbox if isinstance(is_sandbox, bool) else None,
        edition if isinstance(edition, str) else None,
        record.get("TrialExpirationDate") is not None,
    )


def _refuse(wrong: WrongOrganization, organization_id: str) -> None:
    log("wrong_organization", reason=wrong.reason, organization=organization_id)
    raise ConfigurationError(wrong.text)
