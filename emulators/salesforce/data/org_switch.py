"""What a switch of the org may do in a save (docs/reference/emulator-of-salesforce.md#switches-of-real-orgs)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from emulators.salesforce.data.schema import Record, SObject
from emulators.salesforce.data.tables import Tables


@dataclass(frozen=True, slots=True)
class Caller:
    """Who saves: a person, who sees an alert and saves all the same, or a call of the API with its headers."""

    allows_duplicates: bool = True
    version: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Save:
    """One save: the record before (None: it is new) and after, and the names of the fields that the caller wrote."""

    tables: Tables
    definition: SObject
    old: Record | None
    new: Record
    written: frozenset[str]
    user: str
    caller: Caller
    is_readable: Callable[[str, Record], bool]  # whether sharing lets the caller read a record of an object
    is_offered: Callable[[Record], bool]  # whether the caller may choose a record type


class Saver(Protocol):
    """The ways by which a switch saves other records in the same transaction."""

    def insert(self, sobject: str, values: Mapping[str, Any], user: str, *, system: bool = False) -> str:
        """Create a record and return its id."""

    def update(
        self, sobject: str, record_id: str, values: Mapping[str, Any], user: str, *, system: bool = False
    ) -> None:
        """Change a record."""

    def put(self, sobject: str, record_id: str, record: Record | None) -> None:
        """Store a record without any check."""


class OrgSwitch:
    """A feature of the org that takes part in every save, whatever path it came by."""

    def twin_of(self, tables: Tables, sobject: str, written: Mapping[str, Any]) -> str | None:
        """The id of the record that a creation changes instead, if there is one."""

    def complete(self, save: Save) -> None:
        """Fill in what the service derives, in `save.new`. Raises ApiError if it cannot."""

    def check(self, save: Save) -> None:
        """Raise ApiError if the record may not be saved; validation rules were checked before."""

    def check_deletion(self, sobject: str, record: Record) -> None:
        """Raise ApiError if the record may not be deleted."""

    def follow(self, save: Save, saver: Saver) -> None:
        """Save what follows from this save, which is stored now. Raises ApiError."""
