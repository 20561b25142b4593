"""The data API: from a call to the resource that answers it."""

from collections.abc import Callable
from typing import Any

from emulators.salesforce.data.errors import ApiError, not_allowed, not_found
from emulators.salesforce.data.record_ids import canonical
from emulators.salesforce.rest.call import ROOT, Call, Reply, Service
from emulators.salesforce.rest.collections import Collections
from emulators.salesforce.rest.composite import Composite
from emulators.salesforce.rest.describe import Describe
from emulators.salesforce.rest.query_pages import Pages
from emulators.salesforce.rest.records import Rows
from emulators.salesforce.rest.replication import Replication

FIRST_VERSION, LAST_VERSION = 31, 68
# Spring '14 was v30; three releases a year since.
_SEASONS = ("Spring", "Summer", "Winter")


def versions() -> list[dict[str, str]]:
    """`GET /services/data`: every living version, ascending."""
    return [
        {"label": _label(v), "url": f"{ROOT}/v{v}.0", "version": f"{v}.0"}
        for v in range(FIRST_VERSION, LAST_VERSION + 1)
    ]


def _label(version: int) -> str:
    year, season = divmod(version - 30, 3)
    return f"{_SEASONS[season]} '{14 + year + (season == len(_SEASONS) - 1)}"


class Rest:
    """All resources below `/services/data/vN`."""

    def __init__(self, service: Service, max_requests: int) -> None:
        """`max_requests` is the org's daily allowance."""
        self._service = service
        self.max_requests = max_requests
        self.used = 0
        self.pages = Pages(service)
        self._rows = Rows(service)
        self._collections = Collections(service)
        self._composite = Composite(service, self._subrequest)
        self._describe = Describe(service)
        self._replication = Replication(service)

    def answer(self, call: Call, home: str) -> Reply:
        """One call of its own; it counts against the allowance. Raises ApiError."""
        if self.used >= self.max_requests:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.used += 1
        match call.parts:
            case ():
                return self._only(call, "GET", "resources", self._resources(call, home))
            case ("limits",):
                return self._only(call, "GET", "limits", self._limits())
            case ("composite",):
                return self._posted(call, self._composite.composite)
            case ("composite", "graph"):
                return self._posted(call, self._composite.graph)
        return self._data(call)

    @property
    def usage(self) -> str:
        """The value of `Sforce-Limit-Info`."""
        return f"api-usage={self.used}/{self.max_requests}"

    # --- resources that may also stand inside a Composite

    def _subrequest(self, call: Call) -> Reply:
        return self._data(call)

    def _data(self, call: Call) -> Reply:
        match call.parts:
            case ("query" | "queryAll",):
                return self._queried(call)
            case ("query" | "queryAll", locator):
                return self._get(call, lambda: self.pages.more(locator))
            case ("composite", "sobjects", *_):
                return self._collections.answer(call)
            case ("sobjects",):
                return self._get(call, lambda: self._describe.everything(call))
            case ("sobjects", name, *rest):
                return self._sobject(call, name, tuple(rest))
        raise not_found()

    def _sobject(self, call: Call, name: str, rest: tuple[str, ...]) -> Reply:
        match call.method, rest:
            case "POST", ():
                return self._rows.create(call, name)
            case "GET", ():
                return self._describe.basics(call, name)
            case _, ():
                raise not_allowed(call.method, "HEAD,GET,POST")
            case _, (one,):
                special = {
                    "describe": self._describe.sobject,
                    "updated": self._replication.updated,
                    "deleted": self._replication.deleted,
                }.get(one)
                return self._get(call, lambda: special(call, name)) if special else self._rows.by_id(call, name, one)
            case _, (first, second) if canonical(first):
                return self._rows.parent(call, name, first, second)
        # An external id may hold slashes: quoted in the address, they are back once it is unquoted.
        return self._rows.by_external_id(call, name, rest[0], "/".join(rest[1:]))

    def _queried(self, call: Call) -> Reply:
        return self._get(call, lambda: self.pages.first(call, deleted=call.parts[0] == "queryAll"))

    @staticmethod
    def _get(call: Call, answer: Callable[[], Reply]) -> Reply:
        if call.method != "GET":
            raise not_allowed(call.method, "HEAD,GET")
        return answer()

    @staticmethod
    def _posted(call: Call, answer: Callable[[Call], Reply]) -> Reply:
        if call.method != "POST":
            raise not_allowed(call.method, "POST")
        return answer(call)

    # --- resources of their own

    def _only(self, call: Call, method: str, operation: str, body: Any) -> Reply:  # noqa: ANN401 - JSON
        if call.method != method:
            raise not_allowed(call.method, "HEAD,GET")
        self._service.tag(operation)
        return Reply(200, body)

    def _resources(self, call: Call, home: str) -> dict[str, str]:
        names = ("sobjects", "query", "queryAll", "composite", "limits")
        organization = next(iter(self._service.org.rows("Organization")))["Id"]
        return {n: f"{call.base}/{n}" for n in names} | {"identity": f"{home}/id/{organization}/{call.user}"}

    def _limits(self) -> dict[str, dict[str, int]]:
        return {"DailyApiRequests": {"Max": self.max_requests, "Remaining": max(0, self.max_requests - self.used)}}
