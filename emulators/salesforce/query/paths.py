"""From a path in a query to a function that reads it from a row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.salesforce.data.errors import NO_SUCH_COLUMN, ApiError
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Field, Record, SObject
from emulators.salesforce.data.values import read
from emulators.salesforce.query.soql import Path, error

MAX_LEVELS = 5
_NO_RELATIONSHIP = (
    "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be "
    "sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for "
    "the appropriate names."
)


@dataclass(frozen=True, slots=True)
class Reached:
    """The field at the end of a path and how to read it from a row at its beginning."""

    field: Field
    get: Callable[[Record], Any]


def reader(sobject: SObject, field: Field) -> Callable[[Record], Any]:
    """A function that reads one of the object's own fields, formula or stored."""
    return read(field, {folded: f.name for folded, f in sobject.fields.items()})


def no_column(sobject: SObject, path: Path, text: str) -> ApiError:
    """The object has no such field, or this user does not see it."""
    message = NO_SUCH_COLUMN.format(name=path.names[-1], entity=sobject.name)
    return error(text, path.at, message, "INVALID_FIELD")


def step(org: Org, sobject: SObject, path: Path, text: str) -> tuple[Field, SObject]:
    """The reference field and the object behind the first name of a longer path. Raises ApiError."""
    link = sobject.parent(path.names[0])
    if link is None or len(path.names) > MAX_LEVELS + 1:
        raise error(text, path.at, _NO_RELATIONSHIP.format(name=path.names[0]), "INVALID_FIELD")
    return link, org.model.get(link.refers)


def reach(org: Org, sobject: SObject, path: Path, text: str) -> Reached:
    """Resolve a path. Raises ApiError (INVALID_FIELD)."""
    if len(path.names) == 1:
        field = sobject.find(path.names[0])
        if field is None:
            raise no_column(sobject, path, text)
        return Reached(field, reader(sobject, field))
    link, parent = step(org, sobject, path, text)
    rest = reach(org, parent, Path(path.names[1:], path.at), text)

    def get(row: Record) -> Any:  # noqa: ANN401 - any stored value
        above = parent_row(org, link, parent, row)
        return rest.get(above) if above else None

    return Reached(rest.field, get)


def parent_row(org: Org, link: Field, parent: SObject, row: Record) -> Record | None:
    """The parent's row, None where the reference is empty."""
    parent_id = row[link.name]
    return org.row(parent.name, parent_id) if parent_id else None
