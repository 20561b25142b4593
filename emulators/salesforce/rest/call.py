"""One call of the data API, whether it came alone or inside a Composite, and its reply before it becomes bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulators.salesforce.data.errors import malformed
from emulators.salesforce.data.org import Org

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
    def base(self) -> str:
        """The address below which everything of this version lies."""
        return f"{ROOT}/v{self.version}"

    def fields(self) -> dict[str, Any]:
        """The body as the fields of one record, without `attributes`. Raises ApiError."""
        if not isinstance(self.body, dict):
            raise malformed("The HTTP entity body is required, but this request has no entity body.")
        return {name: value for name, value in self.body.items() if name != "attributes"}


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body as JSON values (None: no body) and headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the service did what was asked."""
        return self.status < 300  # noqa: PLR2004 - the HTTP boundary


@dataclass(slots=True)
class Service:
    """What the resources share: the org, and a way to name the operation in the journal."""

    org: Org
    tag: Callable[[str], None]
