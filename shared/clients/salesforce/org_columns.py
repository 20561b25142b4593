"""Find mapped columns, and the features of an org, in what `describe` says of its objects.

`describe` under the integration user leaves out what field-level security hides
(docs/reference/salesforce.md#what-differs-between-orgs).
"""

from collections.abc import Callable, Collection, Iterator, Mapping

from shared.clients.salesforce.records import Json
from shared.domain.org_shape import Column, RecordType

OBJECTS = ("Opportunity", "Account", "Contact", "User")
"""The objects of the mapped columns. A path through another parent asks once more, with that parent."""
ROWS_WITH_PARENTS: Mapping[str, tuple[str, ...]] = {
    "Cosell_Solution__c": (),
    "Cosell_Deal_Solution__c": ("Cosell_Solution__c",),
    "OpportunityContactRole": (),
    "OpportunityTeamMember": (),
    "Lead": (),
}
"""The objects, besides the opportunity, where a path can begin, each with the parents that are asked about with it."""
MAX_PARENTS = 5
"""The most parents in a path that SOQL allows."""
WITH_RECORD_TYPES = ("Opportunity", "Account")
NUMBERS = frozenset({"double", "percent", "int", "currency"})
"""The types of columns that hold a number, as `describe` names them."""

type Descriptions = Mapping[str, Json]
"""What `describe` says of each object, by name. An object that the user may not see is absent."""
type _Fields = Mapping[str, Mapping[str, Json]]
"""The fields by name in lower case, of each object by its name."""


def describe_paths(describe: Callable[..., Descriptions], paths: Collection[str]) -> Descriptions:
    """Return the descriptions of all objects that the paths lead through; `describe` is one call."""
    first = (*OBJECTS, *_objects_of_rows(paths))
    known = dict(describe(*first))
    asked = set(first)
    for _ in range(MAX_PARENTS):
        fields = _fields_by_object(known)
        further = {target for path in paths for target, _ in _steps(path, fields)} - asked
        if not further:
            break
        known |= describe(*sorted(further))
        asked |= further
    return known


def _objects_of_rows(paths: Collection[str]) -> list[str]:
    """Return the objects where the paths begin, if not at the opportunity, with the parents that belong to them."""
    begun = [name for path in paths if (name := _object_of_rows(path.partition(".")[0]))]
    return sorted({*begun, *(parent for name in begun for parent in ROWS_WITH_PARENTS[name])} - set(OBJECTS))


def _object_of_rows(name: str) -> str | None:
    """Return the object that a path begins with; None if it begins at the opportunity."""
    return next((each for each in ROWS_WITH_PARENTS if each.casefold() == name.casefold()), None)


def columns_at(paths: Collection[str], known: Descriptions) -> dict[str, Column]:
    """Return the columns at these paths, by path in lower case; a column that the user does not see is absent."""
    fields = _fields_by_object(known)
    found = {path.casefold(): _column_at(path, fields) for path in paths}
    return {path: column for path, column in found.items() if column}


def fields_of(description: Json | None) -> dict[str, Json]:
    """Return the fields of an object by name in lower case."""
    return {str(field.get("name")).casefold(): field for field in (description or {}).get("fields") or ()}


def record_types_in(description: Json | None, persons: Collection[str]) -> tuple[RecordType, ...]:
    """Return the record types that the user may give to a record of this object; `persons` are ids."""
    infos = (description or {}).get("recordTypeInfos") or ()
    usable = (info for info in infos if info.get("available") and info.get("active") and not info.get("master"))
    return tuple(
        RecordType(
            str(info.get("developerName") or info.get("name")),
            str(info.get("recordTypeId")),
            bool(info.get("defaultRecordTypeMapping")),
            info.get("recordTypeId") in persons,
        )
        for info in usable
    )


def required_columns(known: Descriptions) -> dict[str, str | bool | float]:
    """Return an example of a value for each custom column that a new record must have, by path in lower case."""
    return {
        f"{prefix}{name}": _example(field)
        for sobject, prefix in (("Opportunity", ""), ("Account", "account."), ("Contact", "contact."))
        for name, field in fields_of(known.get(sobject)).items()
        if field.get("custom") and field.get("createable")
        if not (field.get("nillable") or field.get("defaultedOnCreate"))
    }


def active_values(column: Json) -> tuple[str, ...]:
    """Return the active values of a picklist, as `describe` lists them."""
    return tuple(str(each.get("value")) for each in column.get("picklistValues") or () if each.get("active"))


def _example(field: Json) -> str | bool | float:
    """Return a value that the column takes: of a picklist, the first one."""
    by_type: Mapping[str, str | bool | float] = {
        "double": 1.0, "currency": 1.0, "percent": 1.0, "int": 1.0, "boolean": True, "date": "2027-01-31",
        "email": "name@example.com", "url": "https://example.com", "phone": "+45 50 00 00 00",
    }  # fmt: skip
    return next(iter(active_values(field)), by_type.get(str(field.get("type")), "text"))


def _fields_by_object(known: Descriptions) -> _Fields:
    return {name: fields_of(description) for name, description in known.items()}


def _column_at(path: str, known: _Fields) -> Column | None:
    *parents, name = path.split(".")
    steps = list(_steps(path, known))
    if len(steps) != len(parents):
        return None
    sobject = steps[-1][0] if steps else OBJECTS[0]
    field = known.get(sobject, {}).get(name.casefold())
    if field is None:
        return None
    spelled = ".".join((*(relationship for _, relationship in steps), str(field["name"])))
    is_number = str(field.get("type")) in NUMBERS
    return Column(spelled, bool(field.get("createable")), bool(field.get("updateable")), is_number)


def _steps(path: str, known: _Fields) -> Iterator[tuple[str, str]]:
    """Yield each parent object on the path, with its relationship as the org spells it, as far as they are known."""
    sobject = OBJECTS[0]
    for position, parent in enumerate(path.split(".")[:-1]):
        if position == 0 and parent.casefold() == "contact":
            step: tuple[str, str] | None = ("Contact", "Contact")  # the contact of a contact role
        elif position == 0 and (rows := _object_of_rows(parent)):
            step = (rows, rows)
        else:
            step = _parent_of(known.get(sobject, {}), parent)
        if step is None:
            return
        yield step
        sobject = step[0]


def _parent_of(fields: Mapping[str, Json], name: str) -> tuple[str, str] | None:
    """Return the object that a relationship leads to; an owner can be a user or a queue, and the sync reads users."""
    for field in fields.values():
        relationship, targets = str(field.get("relationshipName") or ""), field.get("referenceTo") or ()
        if targets and relationship.casefold() == name.casefold():
            return ("User" if "User" in targets else str(targets[0])), relationship
    return None
