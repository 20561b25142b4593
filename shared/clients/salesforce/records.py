"""What goes to Salesforce and what comes back, in the API's own field names.

row         one record as the API returns it: canonical field names, parent objects nested.
server time the far side's clock: its `Date` header less the duration of the call, in whole seconds, UTC. A row read at
            server time T may still change within second T without its stamp moving (protocol.md section 8).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from shared.domain.cause import Cause

Json = Mapping[str, Any]


class Page(Struct, frozen=True):
    """One page of a query; `next` is the address of the following page, None on the last."""

    rows: tuple[Json, ...]
    next: str | None


class Answer(Struct, frozen=True):
    """Pages in the order of the queries asked, and the server time at which they were read."""

    pages: tuple[Page, ...]
    at: datetime


class Write(Struct, frozen=True):
    """Values for one record; `unmodified_since` is the LastModifiedDate the decision was based on (None: always)."""

    id: str
    values: Json
    unmodified_since: datetime | None = None


class Written(Struct, frozen=True):
    """What became of one write: the row read back in the same call, and how the write itself was answered.

    `outcome` None means success; `changed` means 412; `locked` a row lock. `row` is None if it could not be read.
    """

    id: str
    row: Json | None
    at: datetime
    changed: bool = False
    locked: bool = False
    refused: Cause | None = None


class Node(Struct, frozen=True):
    """One step of a Composite Graph: POST to `sobject`, or PATCH by external id when `external` is (field, value).

    `values` may refer to earlier nodes as `@{name.id}`.
    """

    name: str
    sobject: str
    values: Json
    external: tuple[str, str] | None = None
