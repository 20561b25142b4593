"""Describe objects as the integration user sees them (docs/reference/salesforce.md#what-differs-between-orgs)."""

import re
from collections.abc import Sequence
from functools import partial

from shared.clients.salesforce import composite
from shared.clients.salesforce.error_codes import exception_for
from shared.clients.salesforce.records import Json
from shared.clients.salesforce.request import ApiConnection, Call, Reply
from shared.foundation.errors import NotFound

_OBJECT_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


class ObjectDescriptions:
    """The calls that describe objects. `SalesforceClient` has them too."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    @property
    def met_unknown_column(self) -> bool:
        """Whether Salesforce has refused a call for a column since `forget_unknown_column`: it exists no longer."""
        return self._connection.met_unknown_column

    def forget_unknown_column(self) -> None:
        """Begin again, because the org is asked what it has now."""
        self._connection.met_unknown_column = False

    def describe(self, sobject: str) -> Json:
        """Return the object's description. Raises NotFound."""
        return self._connection.read(
            Call("describe", _address(sobject)), lambda reply: composite.as_record(reply.value)
        )

    def describe_together(self, *sobjects: str) -> dict[str, Json]:
        """Return the descriptions of up to 25 objects by name, in one call. An object that is not visible is absent."""
        subrequests = [composite.Subrequest(sobject, _address(sobject)) for sobject in sobjects]
        body = composite.composite_body(subrequests, self._connection.version)
        call = Call("descriptions", "composite", "POST", body)
        return self._connection.read(call, partial(_descriptions_in, subrequests))


def _address(sobject: str) -> str:
    if not _OBJECT_NAME.fullmatch(sobject):
        raise ValueError("the name of an object has only letters, digits and underscores")
    return f"sobjects/{sobject}/describe"


def _descriptions_in(subrequests: Sequence[composite.Subrequest], reply: Reply) -> dict[str, Json]:
    described = dict[str, Json]()
    for result in composite.subrequest_results(reply.value, subrequests):
        if not result.is_failure:
            described[result.name] = composite.as_record(result.body)
            continue
        error = exception_for(result.status, result.body, "a description", write=False)
        if not isinstance(error, NotFound):
            raise error
    return described
