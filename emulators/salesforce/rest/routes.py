"""Route a call of the data API to the resource that answers it."""

from collections.abc import Callable
from typing import Any

from emulators.salesforce.data.errors import ApiError, method_not_allowed, not_found
from emulators.salesforce.data.record_ids import canonical_id
from emulators.salesforce.rest.actions import StandardActions
from emulators.salesforce.rest.call import ROOT, Call, Reply, RestContext, caller_of
from emulators.salesforce.rest.composite import Composite
from emulators.salesforce.rest.describe import Describe
from emulators.salesforce.rest.duplicate_settings import describe_duplicate_rules
from emulators.salesforce.rest.limits import remaining_limits
from emulators.salesforce.rest.query_pages import QueryPages
from emulators.salesforce.rest.record_types import RecordTypeResources
from emulators.salesforce.rest.records import RecordResources
from emulators.salesforce.rest.replication import Replication
from emulators.salesforce.rest.sobject_collections import Collections

FIRST_VERSION, LAST_VERSION = 31, 68
# Version 30 was Spring '14, and three versions a year followed.
_SEASONS = ("Spring", "Summer", "Winter")


def list_versions() -> list[dict[str, str]]:
    """The body of `GET /services/data`: every supported version, oldest first."""
    return [
        {"label": _version_label(number), "url": f"{ROOT}/v{number}.0", "version": f"{number}.0"}
        for number in range(FIRST_VERSION, LAST_VERSION + 1)
    ]


def _version_label(version: int) -> str:
    year, season = divmod(version - 30, 3)
    return f"{_SEASONS[season]} '{14 + year + (season == len(_SEASONS) - 1)}"


class RestApi:
    """All resources below `/services/data/vN`. `used` counts the calls of the day."""

    def __init__(self, context: RestContext, max_requests: int) -> None:
        """`max_requests` is the daily allowance of the org."""
        self._context = context
        self.max_requests = max_requests
        self.used = 0
        self.pages = QueryPages(context)
        self._records = RecordResources(context)
        self._collections = Collections(context)
        self._composite = Composite(context, self._answer_data_call)
        self._describe = Describe(context)
        self._replication = Replication(context)
        self._record_types = RecordTypeResources(context)
        self._actions = StandardActions(context)

    def answer_call(self, call: Call, home: str) -> Reply:
        """Answer one call and count it against the allowance; `home` is the address of the org. Raises ApiError."""
        if self.used >= self.max_requests:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.used += 1
        match call.parts:
            case ():
                return self._fixed_reply(call, "resources", self._resource_paths(call, home))
            case ("limits",):
                return self._fixed_reply(call, "limits", remaining_limits(self.used, self.max_requests))
            case ("composite",):
                return self._answer_post(call, self._composite.answer_composite)
            case ("composite", "graph"):
                return self._answer_post(call, self._composite.answer_graphs)
            case ("actions", "standard", name):
                return self._answer_post(call, lambda sent: self._actions.run(sent, name))
        return self._answer_data_call(call)

    @property
    def usage_header(self) -> str:
        """The value of the header `Sforce-Limit-Info`."""
        return f"api-usage={self.used}/{self.max_requests}"

    # --- resources that may also be subrequests of a Composite

    def _answer_data_call(self, call: Call) -> Reply:
        with self._context.org.called_by(caller_of(call)):
            return self._answer_called(call)

    def _answer_called(self, call: Call) -> Reply:
        match call.parts:
            case ("query" | "queryAll" as resource,):
                is_query_all = resource == "queryAll"
                return self._answer_get(call, lambda: self.pages.first_page(call, deleted=is_query_all))
            case ("query" | "queryAll", locator):
                return self._answer_get(call, lambda: self.pages.next_page(locator))
            case ("composite", "sobjects", *_):
                return self._collections.answer_call(call)
            case ("sobjects",):
                return self._answer_get(call, lambda: self._describe.describe_all(call))
            case ("ui-api", *_):
                return self._answer_get(call, lambda: self._answer_ui_api(call.parts))
            case ("sobjects", name, *rest):
                return self._answer_object_call(call, name, tuple(rest))
        raise not_found()

    def _answer_ui_api(self, parts: tuple[str, ...]) -> Reply:
        match parts:
            case ("ui-api", "duplicates", name):
                return describe_duplicate_rules(self._context, name)
        return self._record_types.picklist_values(parts)

    def _answer_object_call(self, call: Call, name: str, rest: tuple[str, ...]) -> Reply:
        """Answer a call whose path is `/sobjects/NAME` and `rest`."""
        match call.method, rest:
            case "POST", ():
                return self._records.create(call, name)
            case "GET", ():
                return self._describe.describe_without_fields(call, name)
            case _, ():
                raise method_not_allowed(call.method, "HEAD,GET,POST")
            case _, (single,):
                return self._answer_single_part(call, name, single)
            case _, ("describe", "layouts"):
                return self._answer_get(call, lambda: self._record_types.describe_layouts(call, name))
            case _, (first, second) if canonical_id(first):
                return self._records.read_parent(call, name, first, second)
        # An external id may hold slashes. The client quotes them, but the path here is unquoted.
        return self._records.answer_by_external_id(call, name, rest[0], "/".join(rest[1:]))

    def _answer_single_part(self, call: Call, name: str, part: str) -> Reply:
        answers: dict[str, Callable[[Call, str], Reply]] = {
            "describe": self._describe.describe_response,
            "updated": self._replication.list_updated,
            "deleted": self._replication.list_deleted,
        }
        answer = answers.get(part)
        return (
            self._answer_get(call, lambda: answer(call, name))
            if answer
            else self._records.answer_by_id(call, name, part)
        )

    @staticmethod
    def _answer_get(call: Call, answer: Callable[[], Reply]) -> Reply:
        if call.method != "GET":
            raise method_not_allowed(call.method, "HEAD,GET")
        return answer()

    @staticmethod
    def _answer_post(call: Call, answer: Callable[[Call], Reply]) -> Reply:
        if call.method != "POST":
            raise method_not_allowed(call.method, "POST")
        return answer(call)

    # --- resources that must be calls of their own

    def _fixed_reply(self, call: Call, operation: str, body: Any) -> Reply:  # noqa: ANN401 - JSON
        if call.method != "GET":
            raise method_not_allowed(call.method, "HEAD,GET")
        self._context.tag(operation)
        return Reply(200, body)

    def _resource_paths(self, call: Call, home: str) -> dict[str, str]:
        names = ("sobjects", "query", "queryAll", "composite", "limits")
        organization = next(iter(self._context.org.stored_records("Organization")))["Id"]
        paths = {name: f"{call.base_path}/{name}" for name in names}
        return paths | {"identity": f"{home}/id/{organization}/{call.user}"}
