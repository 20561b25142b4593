"""Names what each field of the mapping file sends to Partner Center: from which columns, and to which paths."""

import json
from collections.abc import Mapping

from shared.domain.deal import Side
from shared.mapping.field_base import FieldBase


def outbound_sources(fields: Mapping[str, FieldBase]) -> Mapping[str, str]:
    """Return columns and paths of each field that is sent, by field, as the file says and whatever the org hides."""
    return {name: _source_of(field) for name, field in fields.items() if field.direction.owns(Side.SALESFORCE)}


def _source_of(field: FieldBase) -> str:
    """The columns in small letters, because Salesforce does not tell them apart by case, and the path."""
    path = field.model_dump(include={"referral"}).get("referral") or ""
    shown = path if isinstance(path, str) else json.dumps(path, sort_keys=True)
    columns = ", ".join(sorted(column.casefold() for column in field.columns()))
    return f"{columns} → {shown}" if shown else columns
