"""Describe the org's schema: objects, and fields with everything that the service checks about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from emulators.salesforce.data.formula import Formula

type Record = dict[str, Any]


class Kind(StrEnum):
    """The types of fields, by the names that describe gives them."""

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


NUMBER_KINDS = {Kind.CURRENCY, Kind.DOUBLE, Kind.PERCENT, Kind.INT}
TEXT_KINDS = {Kind.STRING, Kind.TEXTAREA, Kind.PICKLIST, Kind.EMAIL, Kind.PHONE, Kind.URL}
LONGEST_SHORT_TEXT = 255


@dataclass(frozen=True, slots=True)
class Field:
    """One field. If `writable` is False, the service or a formula fills it; a `fixed` one is set on create only."""

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
    values_from: str = ""  # picklist: the object whose active records are the values
    restricted: bool = False  # picklist: other values are refused
    is_address_code: bool = False  # picklist: its values are checked together with the rest of the address
    controller: str = ""  # picklist: the field on which its values depend
    valid_for: tuple[str, ...] = ()  # picklist with a controller: for each value, the values of the controller as bits
    refers: str = ""  # reference: the parent's object
    relationship: str = ""  # reference: the name by which a path reaches the parent
    children: str = ""  # reference: the name by which a subquery of the parent reaches the records
    cascade: bool = False  # reference: deleting the parent deletes this record
    restricts: bool = False  # reference: the parent cannot be deleted while this record refers to it
    is_master: bool = False  # reference: the parent decides who may read and change this record
    formula: Formula | None = None
    help: str = ""

    @property
    def is_custom(self) -> bool:
        """Whether the field comes from deployed metadata."""
        return self.name.endswith("__c")

    @property
    def is_long(self) -> bool:
        """Whether it is a long text area, which can be neither filtered nor sorted.

        The rule: docs/reference/salesforce.md#soql-rules.
        """
        return self.kind is Kind.TEXTAREA and self.length > LONGEST_SHORT_TEXT

    @property
    def is_indexed(self) -> bool:
        """Whether `Tables.records_by_value` can look up a value of this field."""
        return self.unique or self.external_id or self.kind is Kind.REFERENCE

    def index_key(self, value: Any) -> str:  # noqa: ANN401 - any stored value
        """The key of a value in an index: text is compared without case, unless the field is case-sensitive."""
        text = str(value)
        return text if self.case_sensitive or self.kind in {Kind.REFERENCE, Kind.ID} else text.casefold()


@dataclass(slots=True)
class SObject:
    """One object. `setup`: only administrators change it; `children`: relationship name to (object, field).

    The last fields differ from their defaults in the view of a user with limited rights: `hidden` are the fields that
    they do not see, and the rest are their rights to the records.
    """

    name: str
    prefix: str
    label: str
    plural: str
    fields: dict[str, Field] = field(default_factory=dict)  # by lower-case name
    children: dict[str, tuple[str, str]] = field(default_factory=dict)
    master: Field | None = None  # the reference to the parent that decides who may read and change a record
    auto_number: str = ""  # the format of the name, if the service numbers the records, such as `DS-{00000}`
    setup: bool = False
    by_administrators: bool = False  # an object of Setup that administrators change by the API too
    hard_delete: bool = False
    needs_view_setup: bool = False  # only users with View Setup and Configuration see the object
    hidden: dict[str, Field] = field(default_factory=dict)
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    view_all: bool = False
    modify_all: bool = False

    def find_field(self, name: str) -> Field | None:
        """A field by its name in any case."""
        return self.fields.get(name.lower())

    def copy(self) -> "SObject":
        """An object of its own, whose fields another org can change."""
        return replace(self, fields=dict(self.fields), children=dict(self.children), hidden=dict(self.hidden))

    def add_fields(self, *fields: Field) -> None:
        """Add fields, or replace those of the same name."""
        for each in fields:
            self.fields[each.name.lower()] = each
            if each.is_master:
                self.master = each

    def reference_field(self, relationship: str) -> Field | None:
        """The reference field with this relationship name, such as `AccountId` for `Account`."""
        folded = relationship.lower()
        return next((f for f in self.fields.values() if f.relationship and f.relationship.lower() == folded), None)


class Model:
    """All objects of the org."""

    def __init__(self, sobjects: Mapping[str, SObject]) -> None:
        """Take the objects of a mapping, in its order."""
        self._by_name = {s.name.lower(): s for s in sobjects.values()}

    def __iter__(self) -> Iterator[SObject]:
        return iter(self._by_name.values())

    def copy(self) -> "Model":
        """A model of its own, which another org can change."""
        return Model({each.name: each.copy() for each in self})

    def add_object(self, sobject: SObject) -> None:
        """Add an object."""
        self._by_name[sobject.name.lower()] = sobject

    def remove_object(self, name: str) -> None:
        """Remove an object, and the subqueries that reach it."""
        del self._by_name[name.lower()]
        for each in self:
            each.children = {link: child for link, child in each.children.items() if child[0] != name}

    def link_to_parent(self, sobject: SObject, column: Field) -> None:
        """Let subqueries of the parent reach the object through its reference field, if that names a relationship."""
        parent = self.find_object(column.refers) if column.children else None
        if parent is not None:
            parent.children[column.children] = (sobject.name, column.name)

    def without_setup_views(self) -> "Model":
        """The model as users see it who lack *View Setup and Configuration*."""
        return Model({each.name: each for each in self if not each.needs_view_setup})

    def find_object(self, name: str) -> SObject | None:
        """An object by its name in any case."""
        return self._by_name.get(name.lower())

    def get(self, name: str) -> SObject:
        """An object by its name in any case. Raises KeyError."""
        return self._by_name[name.lower()]

    def object_of_id(self, record_id: str) -> SObject | None:
        """The object whose key prefix begins the id."""
        return next((s for s in self if s.prefix == record_id[:3]), None)
