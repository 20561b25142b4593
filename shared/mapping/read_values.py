"""Read all fields of one record or referral: the values, and what cannot be read or does not fit."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from shared.domain.cause import Cause
from shared.domain.creation_values import TEXT_CUT
from shared.domain.deal import Deal, Value
from shared.mapping.field_base import FieldBase, UnreadableValue


class ReadValues(Struct, frozen=True):
    """The values that were read. Of an unreadable one, `problems` has the cause: such a field is left as it is.

    A field of which a rest can be read has both. `cut` has the fields whose text is longer than what is compared.
    """

    deal: Deal
    problems: dict[str, Cause]
    cut: frozenset[str] = frozenset()


def read_values(read: Callable[[FieldBase], Value | None], fields: Mapping[str, FieldBase]) -> ReadValues:
    """Return the values of these fields. Some fields are absent without a value."""
    values: dict[str, Value | None] = {}
    problems: dict[str, Cause] = {}
    cut: list[str] = []
    for name, field in fields.items():
        try:
            value = read(field)
            if value is not None or not field.is_absent_where_empty:
                values[name] = value
        except UnreadableValue as error:
            if error.cause.code == TEXT_CUT and "update" in field.when:
                cut.append(name)
            else:
                problems[name] = error.cause
            if error.rest is not None:
                values[name] = error.rest
    return ReadValues(Deal(values), problems, frozenset(cut))
