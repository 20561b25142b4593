"""The org's schema: objects, fields and what the service checks about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from emulators.salesforce.data.formula import Formula

type Record = dict[str, Any]


class Kind(StrEnum):
    """Field types by their describe names."""

    ID = "id"
    STRING = "string"
    TEXTAREA = "textarea"
    PICKLIST = "picklist"
    BOOLEAN = "boolean"
    CURRENCY = "currency"
    DOUBLE = "double"
    PERCENT = "percent"
    INT = "int"
    DATE = "date"
    DATETIME = "datetime"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    REFERENCE = "reference"


NUMBERS = {Kind.CURRENCY, Kind.DOUBLE, Kind.PERCENT, Kind.INT}
TEXTS = {Kind.STRING, Kind.TEXTAREA, Kind.PICKLIST, Kind.EMAIL, Kind.PHONE, Kind.URL}
LONGEST_SHORT_TEXT = 255


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `writable` False: the service or a formula fills it; `fixed`: settable on create only."""

    name: str
    kind: Kind
    label: str = ""
    length: int = 0
    precision: int = 18
    scale: int = 0
    required: bool = False
    writable: bool = True
    fixed: bool = False
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    default: Any = None
    values: tuple[tuple[str, str], ...] = ()  # picklist: (API value, label)
    values_from: str = ""  # picklist whose values are the active rows of this object
    restricted: bool = False
    refers: str = ""  # reference: the parent's object
    relationship: str = ""  # reference: the name by which a path reaches the parent
    cascade: bool = False  # reference: deleting the parent deletes this row
    formula: Formula | None = None
    help: str = ""

    @property
    def custom(self) -> bool:
        """Whether it came from metadata."""
        return self.name.endswith("__c")

    @property
    def long(self) -> bool:
        """A long text area can be neither filtered nor sorted (reference/salesforce.md 2.5)."""
        return self.kind is Kind.TEXTAREA and self.length > LONGEST_SHORT_TEXT

    @property
    def indexed(self) -> bool:
        """Whether rows are found by its value without a scan."""
        return self.unique or self.external_id or self.kind is Kind.REFERENCE

    def key(self, value: Any) -> str:  # noqa: ANN401 - any stored value
        """The value as an index knows it: text is compared without case unless the field says so."""
        text = str(value)
        return text if self.case_sensitive or self.kind in {Kind.REFERENCE, Kind.ID} else text.casefold()


@dataclass(slots=True)
class SObject:
    """One object; `setup`: changed by administrators only; `children`: relationship to (object, field)."""

    name: str
    prefix: str
    label: str
    plural: str
    fields: dict[str, Field] = field(default_factory=dict)
    children: dict[str, tuple[str, str]] = field(default_factory=dict)
    setup: bool = False
    hard_delete: bool = False

    def find(self, name: str) -> Field | None:
        """A field by its name in any case."""
        return self.fields.get(name.lower())

    def add(self, *fields: Field) -> None:
        """Add or replace fields."""
        for each in fields:
            self.fields[each.name.lower()] = each

    def parent(self, relationship: str) -> Field | None:
        """The reference field behind a path's first step."""
        folded = relationship.lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == folded), None)


class Model:
    """All objects of the org."""

    def __init__(self, sobjects: Mapping[str, SObject]) -> None:
        """Keys are ignored but for the order."""
        self._by_name = {s.name.lower(): s for s in sobjects.values()}

    def __iter__(self) -> Iterator[SObject]:
        """The objects in order."""
        return iter(self._by_name.values())

    def find(self, name: str) -> SObject | None:
        """An object by its name in any case."""
        return self._by_name.get(name.lower())

    def get(self, name: str) -> SObject:
        """An object that is known to be there. Raises KeyError."""
        return self._by_name[name.lower()]

    def of_id(self, record_id: str) -> SObject | None:
        """The object whose key prefix an id bears."""
        return next((s for s in self if s.prefix == record_id[:3]), None)
