"""Fail one subrequest of a Composite or a graph, while the others are answered as ever."""

import re
from dataclasses import dataclass

from emulators.base.faults import check_pattern
from emulators.salesforce.data.errors import ApiError

ERRORS = {
    "INSUFFICIENT_ACCESS_OR_READONLY": (403, "insufficient access rights on object id"),
    "QUERY_TIMEOUT": (400, "Your query request was running for too long."),
    "SERVER_UNAVAILABLE": (503, "Server is unavailable"),
    "UNABLE_TO_LOCK_ROW": (400, "unable to obtain exclusive access to this record"),
    "UNKNOWN_EXCEPTION": (500, "An unexpected error occurred."),
}
"""The codes that a subrequest can fail with, with status and message (docs/reference/salesforce.md#error-codes)."""


@dataclass(slots=True)
class SubrequestFault:
    """Fails the next `times` subrequests whose method is `method` and whose address matches the expression `path`.

    The first `skip` of them are answered. The service does nothing for one that fails. `code` is a key of ERRORS.
    """

    code: str
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown code or a wrong expression."""
        check_pattern(self.path)
        if self.code not in ERRORS:
            raise ValueError(f"code must be one of {sorted(ERRORS)}")

    def check(self, method: str, address: str) -> None:
        """Raise the error if this subrequest fails. Counts the subrequests that match."""
        if self.times <= 0 or self.method not in {"", method} or re.search(self.path, address) is None:
            return
        if self.skip > 0:
            self.skip -= 1
            return
        self.times -= 1
        status, message = ERRORS[self.code]
        raise ApiError(status, self.code, message, [])
