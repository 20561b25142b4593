"""Represent one call of the data API, sent alone or inside a Composite, and its reply before it becomes bytes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.salesforce.data.errors import malformed_body
from emulators.salesforce.data.org import Org
from emulators.salesforce.data.org_switch import Caller

ROOT = "/services/data"


@dataclass(frozen=True, slots=True)
class Call:
    """`parts` is the path below `/services/data/vN`; `body` is decoded JSON; `user` the id of the session's user."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    version: str
    user: str

    @property
    def base_path(self) -> str:
        """The path of this API version, without a slash at the end."""
        return f"{ROOT}/v{self.version}"

    def field_values(self) -> dict[str, Any]:
        """The body as the fields of one record, without `attributes`. Raises ApiError."""
        if not isinstance(self.body, dict):
            raise malformed_body("The HTTP entity body is required, but this request has no entity body.")
        return {name: value for name, value in self.body.items() if name != "attributes"}


def caller_of(call: Call) -> Caller:
    """Who saves in this call, and what its headers allow. A subrequest has its own headers only."""
    options = call.headers.get("sforce-duplicate-rule-header", "")
    allows = re.search(r"\ballowSave\s*=\s*true\b", options, re.IGNORECASE)
    return Caller(allows_duplicates=allows is not None, version=call.version, user=call.user)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body as JSON values (None: no body) and headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether the service did what the call requests."""
        return self.status < 300  # noqa: PLR2004 - the HTTP boundary


@dataclass(slots=True)
class RestContext:
    """The things that all resources share: the org, and a function that names the operation in the journal."""

    org: Org
    tag: Callable[[str], None]
