"""Resolve a path of a query, such as `Account.Owner.Name`, to a function that reads its value from a record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.salesforce.data.errors import NO_SUCH_COLUMN, ApiError
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.schema import Field, Record, SObject
from emulators.salesforce.data.values import field_reader
from emulators.salesforce.query.soql import Path
from emulators.salesforce.query.tokens import soql_error

MAX_LEVELS = 5
_NO_RELATIONSHIP = (
    "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be "
    "sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for "
    "the appropriate names."
)


@dataclass(frozen=True, slots=True)
class ResolvedPath:
    """The field at the end of a path. `get` reads its value, given a record of the object where the path begins."""

    field: Field
    get: Callable[[Record], Any]


def no_such_column(sobject: SObject, path: Path, text: str) -> ApiError:
    """The object has no such field, or the user may not see it."""
    message = NO_SUCH_COLUMN.format(name=path.names[-1], entity=sobject.name)
    return soql_error(text, path.at, message, "INVALID_FIELD")


def resolve_parent(org: Org, sobject: SObject, path: Path, text: str) -> tuple[Field, SObject]:
    """The reference field and the object behind the first name of a path of several names. Raises ApiError."""
    link = sobject.reference_field(path.names[0])
    parent = org.seen.find_object(link.refers) if link else None
    if link is None or parent is None or len(path.names) > MAX_LEVELS + 1:
        raise soql_error(text, path.at, _NO_RELATIONSHIP.format(name=path.names[0]), "INVALID_FIELD")
    return link, parent


def resolve_path(org: Org, sobject: SObject, path: Path, text: str) -> ResolvedPath:
    """Resolve a path that begins at this object; `text` is the query, for errors. Raises ApiError (INVALID_FIELD)."""
    if len(path.names) == 1:
        field = sobject.find_field(path.names[0])
        if field is None:
            raise no_such_column(sobject, path, text)
        return ResolvedPath(field, field_reader(sobject, field))
    link, parent = resolve_parent(org, sobject, path, text)
    rest = resolve_path(org, parent, Path(path.names[1:], path.at), text)

    def read_parent_value(record: Record) -> Any:  # noqa: ANN401 - any stored value
        above = parent_record(org, link, parent, record)
        return rest.get(above) if above else None

    return ResolvedPath(rest.field, read_parent_value)


def parent_record(org: Org, link: Field, parent: SObject, record: Record) -> Record | None:
    """The parent of a record; None if the reference is empty, or sharing hides the parent from the caller."""
    parent_id = record[link.name]
    found = org.stored_record(parent.name, parent_id) if parent_id else None
    return found if found and org.is_readable(parent.name, found) else None
