"""What a user may do with objects and fields by permission sets: the part of the schema that they see and may write.

The rules: docs/reference/salesforce.md#integration-user and docs/reference/salesforce.md#permission-sets-in-metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from emulators.salesforce.data.schema import Field, Model, SObject

GOVERNED_BY = {"OpportunityContactRole": "Opportunity", "OpportunityTeamMember": "Opportunity"}
"""Objects without rights of their own, and the object whose rights count. Changing one is an edit of that object."""
_NEVER_HIDDEN = frozenset(
    {"Name", "OwnerId", "CurrencyIsoCode", "RecordTypeId", "FirstName", "LastName", "ForecastCategoryName"}
)
_ADDRESS_PARTS = ("Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")


@dataclass(frozen=True, slots=True)
class ObjectRights:
    """The rights to one object."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False
    modify_all: bool = False

    def united(self, other: "ObjectRights") -> "ObjectRights":
        """The rights that either gives."""
        return ObjectRights(*(getattr(self, name) or getattr(other, name) for name in self.__slots__))


type _Split = tuple[tuple[Field, ...], dict[str, Field], dict[str, Field]]
"""The fields of an object, and which of them a user sees and does not see, by lower-case name."""


@dataclass(frozen=True, slots=True)
class Rights:
    """All rights of a user, by lower-case names; `fields` tells for `object.field` whether it is editable.

    `record_types` are those that the user may choose, as `object.name`.
    `users` are the names of the permissions that belong to no object, such as `SendCustomNotifications`.
    """

    objects: Mapping[str, ObjectRights] = field(default_factory=dict)
    fields: Mapping[str, bool] = field(default_factory=dict)
    record_types: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    _splits: dict[tuple[str, bool], _Split] = field(default_factory=dict, compare=False, repr=False)

    def split_fields(self, sobject: SObject) -> tuple[dict[str, Field], dict[str, Field]]:
        """The fields that a user with these rights sees, and those that are hidden from them, by lower-case name.

        Each call needs all of them, so they are computed again only after the fields of the object have changed.
        """
        columns, key = tuple(sobject.fields.values()), (sobject.name, sobject.setup)
        known = self._splits.get(key)
        if known is None or known[0] != columns:
            fields = {name: _visible_field(sobject, each, self) for name, each in sobject.fields.items()}
            shown = {name: each for name, each in fields.items() if each is not None}
            hidden = {name: sobject.fields[name] for name in fields if name not in shown}
            known = self._splits[key] = columns, shown, hidden
        return dict(known[1]), dict(known[2])

    def on_object(self, name: str) -> ObjectRights:
        """The rights to an object; those of the governing object if it has none of its own."""
        governing = GOVERNED_BY.get(name)
        if governing is None:
            return self.objects.get(name.lower(), ObjectRights())
        rights = self.objects.get(governing.lower(), ObjectRights())
        return replace(rights, create=rights.edit, delete=rights.edit)

    def on_field(self, sobject: str, name: str) -> bool | None:
        """Whether a field is editable; None if it is hidden. An address has one right for all its parts.

        A field of a person account has the right of the contact's field.
        """
        if sobject == "Account" and name.startswith("Person"):
            return self.on_field("Contact", name.removeprefix("Person"))
        for part in _ADDRESS_PARTS:
            if name.endswith(part) and f"{sobject}.{name.removesuffix(part)}Address".lower() in self.fields:
                return self.fields[f"{sobject}.{name.removesuffix(part)}Address".lower()]
        return self.fields.get(f"{sobject}.{name}".lower())


def is_permissionable(sobject: SObject, column: Field) -> bool:
    """Whether permission sets decide on the field. They do not on required fields and on those of the system."""
    if sobject.setup or sobject.name in GOVERNED_BY or column.required or column.name in _NEVER_HIDDEN:
        return False
    return column.is_custom or column.writable or column.name == "ExpectedRevenue"


def visible_model(model: Model, rights: Rights) -> Model:
    """The objects and fields that a user with these rights sees; what they may not write is not writable in it."""
    visible = {each.name: _visible_object(each, rights) for each in model if _is_visible(each, rights)}
    for sobject in visible.values():
        sobject.children = {
            name: (child, field)
            for name, (child, field) in sobject.children.items()
            if child in visible and visible[child].find_field(field)
        }
    return Model(visible)


def _is_visible(sobject: SObject, rights: Rights) -> bool:
    return sobject.setup or rights.on_object(sobject.name).read


def _visible_object(sobject: SObject, rights: Rights) -> SObject:
    own = rights.on_object(sobject.name)
    shown, hidden = rights.split_fields(sobject)
    return replace(
        sobject, fields=shown, hidden=hidden,
        createable=own.create, updateable=own.edit, deletable=own.delete,
        view_all=own.view_all or own.modify_all, modify_all=own.modify_all,
    )  # fmt: skip


def _visible_field(sobject: SObject, column: Field, rights: Rights) -> Field | None:
    if not is_permissionable(sobject, column):
        return column
    editable = rights.on_field(sobject.name, column.name)
    if editable is None:
        return None
    return column if editable else replace(column, writable=False)
