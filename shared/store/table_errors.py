"""Say what an answer of Table Storage means: its code decides, and its text is never shown.

Codes: docs/reference/azure.md#behaviour-of-table-storage.
"""

import re
from typing import Any

import msgspec

from shared.transport.exchange import Answer

FORBIDDEN, THROTTLED, SERVER_BUSY = 403, 429, 503
CONFLICTS = frozenset(
    {"EntityAlreadyExists", "UpdateConditionNotSatisfied", "ConditionNotMet", "ResourceNotFound", "EntityNotFound"}
)
"""The codes that say that another writer was first. A table that is missing or being deleted has other codes."""
MISSING_ROW = frozenset({"ResourceNotFound", "EntityNotFound"})
TEMPORARY = frozenset({408, THROTTLED, 500, 502, SERVER_BUSY, 504})
"""The statuses after which the same read may succeed."""

_CODE = re.compile(r"[A-Za-z0-9]{1,60}")
_CODE_IN_XML = re.compile(rb"<(?:\w+:)?[Cc]ode>([A-Za-z0-9]{1,60})</")
_INDEX = re.compile(r"(\d{1,3}):")
_SECONDS = re.compile(r"\d{1,6}")


class TableRefusal(Exception):
    """An answer that is no success, as status and code. `str` shows them, and nothing else of the answer.

    `index` is the number of the change that a transaction failed at, counted from 0; None where the service names none.
    `method` is that of the request; the client sets it.
    """

    method = "GET"

    def __init__(self, answer: Answer) -> None:
        """Read code and index from the body, or the code from the header."""
        code, message = _code_and_message(answer.body)
        code = code or answer.headers.get("x-ms-error-code", "")
        self.answer, self.status = answer, answer.status
        self.code = code if _CODE.fullmatch(code) else None
        found = _INDEX.match(message)
        self.index = int(found[1]) if found else None
        super().__init__(" ".join(str(part) for part in (self.status, self.code) if part is not None))

    @property
    def is_conflict(self) -> bool:
        """Whether another writer was first."""
        return self.code in CONFLICTS

    @property
    def was_not_tried(self) -> bool:
        """Whether the service says that it has not begun: it limits the calls."""
        return self.status == THROTTLED or (self.status == SERVER_BUSY and self.code == "ServerBusy")

    @property
    def after(self) -> float | None:
        """The seconds that the service asks to wait, or None."""
        seconds = self.answer.headers.get("retry-after", "").strip()
        return float(seconds) if _SECONDS.fullmatch(seconds) else None


def _code_and_message(body: bytes) -> tuple[str, str]:
    """Return the code and the text of an error document, which is JSON or, before signing in, XML."""
    try:
        document = msgspec.json.decode(body, type=dict[str, Any])
        error = document["odata.error"]
        return str(error["code"]), str(error["message"]["value"])
    except (msgspec.DecodeError, LookupError, TypeError):
        found = _CODE_IN_XML.search(body)
        return (found[1].decode() if found else ""), ""
