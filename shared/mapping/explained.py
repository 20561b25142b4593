"""Say in words what one field of a mapping file does: what it reads and sends, when, and who wins.

Source: docs/mapping.md#the-fields-of-the-default-file, docs/mapping.md#keys-of-every-field.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from shared.domain.deal import Side
from shared.domain.field_rules import Direction, Rule
from shared.domain.sentences import system_name
from shared.foundation.errors import ConfigurationError
from shared.mapping.effective import Effective, Key
from shared.mapping.field_base import FieldBase
from shared.mapping.field_types import StatusField
from shared.mapping.outbound import is_outbound
from shared.mapping.toml_writer import toml_text
from shared.mapping.violations import did_you_mean, nearest

TRAVELS: Mapping[Direction, str] = {
    Direction.BOTH: "both ways",
    Direction.TO_SALESFORCE: "to Salesforce; an edit in Salesforce is put back",
    Direction.TO_PARTNER_CENTER: "to Partner Center; an edit in Partner Center is put back",
    Direction.OFF: "nowhere: the field is ignored",
}
_SENT_ONCE = "sent with a new referral only"


class Explained(Struct, frozen=True):
    """One field: its name and type, what is to say of it, and its keys with their origins."""

    name: str
    type: str
    facts: tuple[tuple[str, str], ...]
    keys: tuple[Key, ...]


def explain_field(effective: Effective, text: str) -> Explained:
    """Return what the field does that a name, a label, a column or a path means. Raises ConfigurationError."""
    name = find_field(effective, text)
    field = effective.file.fields[name]
    keys = tuple(key for key in effective.keys if key.place[:2] == ("fields", name))
    return Explained(name, str(getattr(field, "type", "")), tuple(_facts(name, field)), keys)


def find_field(effective: Effective, text: str) -> str:
    """Return the name of the field. Raises ConfigurationError with what the file says of a text that means none."""
    wanted = text.strip().casefold()
    for name, field in effective.file.fields.items():
        if wanted in {each.casefold() for each in (name, field.label, *_columns(field), *_paths(field))}:
            return name
    for key in effective.removed:
        if wanted == str(key.place[-1]).casefold():
            raise ConfigurationError(f"{key.place[-1]} is no field: {key.origin.text} takes it out of the default")
    for role, column in effective.file.ours.by_role.items():
        if wanted in (role.casefold(), column.casefold(), f"ours.{role}".casefold()):
            raise ConfigurationError(
                f"{column} is the connector's own column ours.{role}: docs/mapping.md#ours says what it holds"
            )
    known = [*effective.file.fields]
    raise ConfigurationError(
        f"{toml_text(text)} is no field, label, column or path of {effective.name}; its fields are {', '.join(known)}."
        f"{did_you_mean(nearest(text, known))}"
    )


def _columns(field: FieldBase) -> tuple[str, ...]:
    return tuple(_texts_of(getattr(field, "salesforce", None)))


def _paths(field: FieldBase) -> tuple[str, ...]:
    return tuple(_texts_of(getattr(field, "referral", None)))


def _texts_of(mapped: object) -> Iterator[str]:
    """Yield the columns or paths of one side: one text, or a table of texts."""
    if isinstance(mapped, str):
        yield mapped
    elif isinstance(mapped, FieldBase) or hasattr(mapped, "model_dump"):
        parts: Mapping[str, Any] = mapped.model_dump()
        yield from (value for part, value in parts.items() if value and part != "fixed_currency")


def _facts(name: str, field: FieldBase) -> Iterator[tuple[str, str]]:
    rule = field.to_rule(name)
    yield "label", field.label
    yield "in Salesforce", ", ".join(_columns(field)) or "no column: only a constant is sent"
    yield "in Partner Center", ", ".join(_paths(field))
    yield "travels", f"{TRAVELS[field.direction]}{_when(field)}"
    if rule.on_update and field.direction is not Direction.OFF:
        yield "conflict", _conflict(rule)
    is_sent_once = is_outbound(name, field) and not field.direction.owns(Side.SALESFORCE)
    yield "latch", _SENT_ONCE if is_sent_once else _latch(rule, is_status=isinstance(field, StatusField))
    if field.direction is not Direction.OFF:
        yield "empty value", _empty(field)
    if field.optional:
        yield "optional", "where the org lacks the column, the field is off and nothing is told"


def _when(field: FieldBase) -> str:
    if field.direction is Direction.OFF:
        return ""
    if "update" not in field.when:
        return ", only when a deal is created; a later difference is told"
    return "" if "create" in field.when else ", but not when a deal is created"


def _conflict(rule: Rule) -> str:
    if rule.is_set:
        return "merged member by member: both sides' edits are kept"
    if rule.merges_text:
        return "both texts are kept"
    return f"the value of {system_name(rule.winner)} wins"


def _latch(rule: Rule, *, is_status: bool) -> str:
    """Say when Partner Center takes an edit (docs/reference/partner-center.md#fields-that-lock)."""
    if not rule.direction.owns(Side.SALESFORCE):
        return "nothing is sent to Partner Center"
    if not rule.on_update:
        return _SENT_ONCE
    if is_status:
        return "what the status allows: New to Active or Closed, Active to Closed; Closed is final"
    parts = ["Partner Center takes an edit while the deal is accepted and not closed"]
    parts += ["until Microsoft sees the deal"] if rule.is_locked_by_sharing else []
    parts += ["unless it turns out to take none"] if rule.unlisted else []
    return ", ".join(parts)


def _empty(field: FieldBase) -> str:
    sides = [system_name(side) for side in sorted(field.clearable)]
    return f"may empty the field in {' and '.join(sides)}" if sides else "never empties the other side"
