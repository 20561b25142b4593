"""Names what each field of the mapping file sends to Partner Center: from which columns, and to which paths."""

import json
from collections.abc import Mapping

from shared.domain.deal import VISIBILITY, Side
from shared.domain.field_rules import Direction
from shared.domain.help_request import HELP
from shared.domain.sharing import LABEL_OF_HELP, LABEL_OF_VISIBLE
from shared.mapping.field_base import FieldBase
from shared.mapping.field_types import StatusField
from shared.mapping.location_field import LOCATION, LOCATION_LABEL
from shared.mapping.schema import MappingFile
from shared.mapping.seller_field import SellerField

LABELS = {VISIBILITY: LABEL_OF_VISIBLE, HELP: LABEL_OF_HELP, LOCATION: LOCATION_LABEL}
"""The labels of what is sent and is no field of the file."""

ALSO_INBOUND_ONLY = ("money", "closing")
"""Fields that can travel to Salesforce only: a new referral has their values all the same, because it needs them."""


def is_outbound(name: str, field: FieldBase) -> bool:
    """Whether Partner Center gets a value of the field, with a new referral at least."""
    is_inbound_only = field.direction is Direction.TO_SALESFORCE and name in ALSO_INBOUND_ONLY
    return is_inbound_only or field.direction.owns(Side.SALESFORCE)


def outbound_sources(file: MappingFile) -> Mapping[str, str]:
    """Return columns and paths of all that is sent, by field, as the file says and whatever the org hides.

    The reason of a close goes with the status, and the notes to Microsoft with the request for help.
    """
    ours, fields = file.ours, file.fields.items()
    sources = {name: _source_of(field, file) for name, field in fields if is_outbound(name, field)}
    sources |= {VISIBILITY: _listed(ours.visible), HELP: _listed(ours.help, ours.notes_to_microsoft)}
    return sources | ({LOCATION: _listed(*file.location.paths)} if file.location else {})


def label_of(file: MappingFile, name: str) -> str:
    """The label of what is sent, or the name itself if the file no longer has the field."""
    if name in LABELS:
        return LABELS[name]
    return file.fields[name].label if name in file.fields else name


def _source_of(field: FieldBase, file: MappingFile) -> str:
    path = field.model_dump(include={"referral"}).get("referral") or ""
    shown = path if isinstance(path, str) else json.dumps(path, sort_keys=True)
    columns = _listed(*field.columns(), *_further_columns(field, file))
    return f"{columns} → {shown}" if shown else columns


def _further_columns(field: FieldBase, file: MappingFile) -> tuple[str, ...]:
    """What is sent with a field, and is none of its own columns."""
    if isinstance(field, StatusField):
        return file.ours.reason, file.ours.reason_details
    if isinstance(field, SellerField) and field.salesforce.members and "update" in field.when:
        return (field.salesforce.members,)
    return ()


def _listed(*columns: str) -> str:
    """The columns in small letters, because Salesforce does not tell them apart by case."""
    return ", ".join(sorted(column.casefold() for column in columns))
