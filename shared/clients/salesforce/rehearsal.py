"""Rehearse writes: Salesforce checks them as at any save, and then undoes them, so that no stamp moves.

They stand in one Composite that is all or nothing, and its last step names a column that no org has. Triggers and
flows of the org run, and what they write is undone too. Source: docs/reference/salesforce.md#composite-requests.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from shared.clients.salesforce.composite import (
    Subrequest,
    SubrequestResult,
    composite_body,
    graph_subrequests,
    subrequest_results,
)
from shared.clients.salesforce.error_codes import (
    LOCK_CODES,
    ROLLED_BACK_CODES,
    ApiError,
    cause_of,
    exception_for,
    is_temporary,
)
from shared.clients.salesforce.records import Node
from shared.clients.salesforce.request import ApiConnection, Call, Reply
from shared.domain.cause import Cause
from shared.foundation.errors import Conflict

UNKNOWN_COLUMN = "Cosell_Rehearsal_Ends_Here__c"
_LAST = "rehearsal_end"


def rehearse_update(
    connection: ApiConnection, sobject: str, record_id: str, values: Mapping[str, object]
) -> str | None:
    """Return the code of Salesforce's refusal of an update; None if it would have accepted it.

    Raises Locked and the other temporary errors, and Conflict if Salesforce kept what it should have undone.
    """
    return _code_of_refusal(connection, f"sobjects/{sobject}/{record_id}", "PATCH", values)


def rehearse_creation(connection: ApiConnection, sobject: str, values: Mapping[str, object]) -> str | None:
    """Return the code of Salesforce's refusal of a new record; None if it would have accepted it. Raises as above."""
    return _code_of_refusal(connection, f"sobjects/{sobject}", "POST", values)


def rehearse_graph(connection: ApiConnection, nodes: Sequence[Node], read: str) -> tuple[str, Cause] | None:
    """Return the step that Salesforce would refuse, with the cause; None if it would create everything.

    `read` is the name of the step that is read back. Raises as above.
    """
    steps = graph_subrequests(nodes, read, ("Id",))
    sobject = next(node.sobject for node in nodes if node.name == read)
    steps.append(Subrequest(_LAST, f"sobjects/{sobject}", "POST", {UNKNOWN_COLUMN: None}))
    failed = _rehearse(connection, steps)
    return (failed[0], cause_of(failed[1])) if failed else None


def _code_of_refusal(connection: ApiConnection, path: str, method: str, values: Mapping[str, object]) -> str | None:
    steps = [Subrequest("rehearsed", path, method, values), Subrequest(_LAST, path, method, {UNKNOWN_COLUMN: None})]
    failed = _rehearse(connection, steps)
    return failed[1].code if failed else None


def _rehearse(connection: ApiConnection, steps: Sequence[Subrequest]) -> tuple[str, ApiError] | None:
    body = {**composite_body(steps, connection.version), "allOrNone": True}
    call = Call("a rehearsal", "composite", "POST", body)
    return connection.write(call, partial(_outcome_in, steps))


def _outcome_in(steps: Sequence[Subrequest], reply: Reply) -> tuple[str, ApiError] | None:
    *rehearsed, last = subrequest_results(reply.value, steps)
    if not last.is_failure:
        raise Conflict("Salesforce did not undo a rehearsed write: its Composite calls are not all or nothing")
    failed = next((result for result in rehearsed if not _was_undone(result)), None)
    if failed is None:
        return None
    error = failed.api_error
    if error.code in LOCK_CODES or is_temporary(failed.status, error):
        raise exception_for(failed.status, failed.body, "a rehearsal", write=False)
    return failed.name, error


def _was_undone(result: SubrequestResult) -> bool:
    return result.is_failure and result.api_error.code in ROLLED_BACK_CODES
