"""Define the tables `[new.OBJECT]` of the mapping file: what each new record gets besides the values of the referral.

Source: docs/mapping.md#new-records.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import replace
from datetime import date, datetime
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from shared.clients.salesforce.records import Node
from shared.domain.cause import Cause
from shared.domain.org_shape import OrgShape
from shared.domain.sentences import cause
from shared.foundation.errors import Rejected
from shared.mapping.field_base import MappingTable
from shared.mapping.paths import own_name

RECORD_TYPE = "RecordTypeId"
ALWAYS_FILLED = ("name", "closing", "status")
"""The fields of the mapping file that have a value in every deal that arrives."""


def _storable(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    is_number = isinstance(value, int | float) and isfinite(value)
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    if not (is_number or is_day or (isinstance(value, str) and value)):
        raise ValueError
    return value


DefaultValue = Annotated[
    Any,
    AfterValidator(_storable),
    Field(description="a text in quotation marks that is not empty, a number, true, false or a date"),
]


class NewRecord(MappingTable):
    """What a new record of one object gets: its record type, and values of columns that the referral leaves empty."""

    record_type: str | None = Field(default=None, min_length=1)
    defaults: Mapping[str, DefaultValue] = Field({}, description='a table of columns, such as { Region__c = "EMEA" }')

    def lines(self, sobject: str, further: Mapping[str, object]) -> str:
        """Return the lines of this table with further defaults, for a person to paste into the mapping file."""
        listed = ", ".join(f"{name} = {_toml(value)}" for name, value in {**self.defaults, **further}.items())
        record_type = f"record_type = {_toml(self.record_type)}\n" if self.record_type else ""
        return f"[new.{sobject}]\n{record_type}defaults = {{ {listed} }}"


class NewRecords(MappingTable):
    """The objects of which a deal that arrives makes records."""

    Opportunity: NewRecord = NewRecord()
    Account: NewRecord = NewRecord()
    Contact: NewRecord = NewRecord()

    @property
    def by_object(self) -> dict[str, NewRecord]:
        """The tables by object."""
        return {"Opportunity": self.Opportunity, "Account": self.Account, "Contact": self.Contact}

    @property
    def paths(self) -> frozenset[str]:
        """The columns of all defaults, as the org is asked about them."""
        tables = self.by_object.items()
        return frozenset(default_path(sobject, name) for sobject, new in tables for name in new.defaults)

    def has_default(self, path: str) -> bool:
        """Whether the column at a path has a default, in any letter case."""
        return path.casefold() in map(str.casefold, self.paths)


def default_path(sobject: str, column: str) -> str:
    """Return the path of a column of a new record, as the mapping file names columns."""
    return column if sobject == "Opportunity" else f"{sobject}.{column}"


def unusable_defaults(new: NewRecords, org: OrgShape | None) -> Iterator[tuple[str, Cause]]:
    """Yield the path of each default that a new record does without, with the cause; a customer is no person."""
    for path in sorted(new.paths) if org else ():
        column = org.column(path) if org else None
        if column is None or not column.createable:
            yield path.casefold(), cause("default_left_out", path, column=path)
    name = new.Account.record_type
    if name and org and (known := org.record_type("Account", name)) and known.is_person:
        yield "account.record_type", cause("no_record_type", RECORD_TYPE, name=name, sobject="companies")


def completed_nodes(
    nodes: Sequence[Node], new: NewRecords, org: OrgShape | None, left_out: Collection[str], stage: str
) -> list[Node]:
    """Return the steps of a graph with defaults and record types, and without the columns in `left_out`.

    These are paths in lower case; `stage` is the column of the stage. Raises Rejected for a record type that the org
    does not have, or that does not offer the stage.
    """
    if not left_out and new == NewRecords():
        return list(nodes)
    tables = new.by_object
    _check_stage(nodes, new, org, stage)
    return [_completed(node, tables[node.sobject], org, left_out) if node.sobject in tables else node for node in nodes]


def completed_rows(nodes: Sequence[Node], new: NewRecords, org: OrgShape | None) -> list[Node]:
    """Return steps of a deal that exists with defaults and record types. Raises Rejected as `completed_nodes`."""
    if new == NewRecords():
        return list(nodes)
    left_out, tables = {path for path, _ in unusable_defaults(new, org)}, new.by_object
    return [_completed(node, tables[node.sobject], org, left_out) if node.sobject in tables else node for node in nodes]


def _completed(node: Node, new: NewRecord, org: OrgShape | None, left_out: Collection[str]) -> Node:
    values = {**dict(_spelled_defaults(node.sobject, new, org)), **node.values, **_record_type(node.sobject, new, org)}
    kept = {name: item for name, item in values.items() if default_path(node.sobject, name).casefold() not in left_out}
    return replace(node, values=kept)


def _check_stage(nodes: Sequence[Node], new: NewRecords, org: OrgShape | None, column: str) -> None:
    values = next((node.values for node in nodes if node.sobject == "Opportunity"), {})
    if org and org.stages is not None and (value := values.get(column)) not in org.stages:
        found = cause("stage_not_offered", column, name=new.Opportunity.record_type, value=value)
        raise Rejected(found, "opportunity")


def _spelled_defaults(sobject: str, new: NewRecord, org: OrgShape | None) -> Iterator[tuple[str, object]]:
    for name, value in new.defaults.items():
        column = org.column(default_path(sobject, name)) if org else None
        spelled = own_name(column.path) if column else name
        yield spelled, value.isoformat() if isinstance(value, date) else value


def _record_type(sobject: str, new: NewRecord, org: OrgShape | None) -> dict[str, str]:
    if new.record_type is None:
        return {}
    known = org.record_type(sobject, new.record_type) if org else None
    if known is None:
        raise Rejected(cause("no_record_type", RECORD_TYPE, name=new.record_type, sobject=sobject), sobject.lower())
    return {} if known.is_person else {RECORD_TYPE: known.id}


def _toml(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
