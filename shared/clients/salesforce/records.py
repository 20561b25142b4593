"""Define what the client sends to Salesforce and returns from it, with the API's own field names.

A *record* has the API's field names, and its parent objects are nested. The *server time* is the clock of Salesforce:
its `Date` header less the duration of the call, in whole seconds, UTC. A record that was read at server time T may
still change within the second T, and its stamp does not move then (docs/protocol.md#stamps).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.domain.cause import Cause

Json = Mapping[str, Any]

ALLOW_DUPLICATE = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
"""Saves a record although a duplicate rule found similar ones (docs/reference/salesforce.md#duplicate-rules)."""


class Page(Struct, frozen=True):
    """One page of a query: its records, and the address of the following page, which is None on the last page."""

    records: tuple[Json, ...]
    next: str | None


class Answer(Struct, frozen=True):
    """The pages in the order of the queries, and the server time at which they were read."""

    pages: tuple[Page, ...]
    at: datetime


class Write(Struct, frozen=True):
    """Values for one record.

    `unmodified_since` is the LastModifiedDate of the record that the decision was based on; None writes always.
    """

    id: str
    values: Json
    unmodified_since: datetime | None = None


class Written(Struct, frozen=True):
    """The outcome of one write, and the record that the same call read back (`record`, None if it could not be read).

    `changed`: Salesforce answered 412, because the record had changed, or another record has a unique value of a step.
    `locked`: a record lock or another temporary error. `refused`: why Salesforce refused the values, and `step` the
    step that it refused, if it was not the record itself. A write with none of these succeeded.
    """

    id: str
    record: Json | None
    at: datetime
    changed: bool = False
    locked: bool = False
    refused: Cause | None = None
    step: str | None = None


class Node(Struct, frozen=True):
    """One step of a Composite Graph: a POST to `sobject`, or a PATCH by external id if `external` is (field, value).

    A step with a `record` is a PATCH of this record. `record` and `values` may refer to earlier nodes as `@{name.id}`.
    `headers` are those of this step alone.
    """

    name: str
    sobject: str
    values: Json
    external: tuple[str, str] | None = None
    headers: Json | None = None
    record: str | None = None


class Removal(Struct, frozen=True):
    """One step that deletes a record."""

    name: str
    sobject: str
    record: str
