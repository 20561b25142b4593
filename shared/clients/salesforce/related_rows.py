"""Write an opportunity together with rows of its related lists: all of it, or nothing.

One Composite carries the conditional PATCH, the rows that are created and deleted, and the query that reads the
opportunity back with its lists. Steps beyond what a Composite takes go together as sObject Collections, whose
`allOrNone` is that of the Composite. Sources: docs/reference/salesforce.md#composite-requests,
docs/reference/salesforce.md#sobject-collections.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import batched
from typing import Any

from msgspec import Struct

from shared.clients.salesforce import composite
from shared.clients.salesforce.composite import Subrequest, SubrequestResult
from shared.clients.salesforce.error_codes import (
    LOCK_CODES,
    MISSING_RECORD_CODES,
    ROLLED_BACK_CODES,
    ApiError,
    api_errors_in,
    cause_of,
    exception_for,
    is_temporary,
)
from shared.clients.salesforce.queries import Queries, append_page, page_in
from shared.clients.salesforce.records import Json, Node, Removal, Write, Written
from shared.clients.salesforce.request import Reply, UnreadableAnswer, log_refusals
from shared.clients.salesforce.soql_literals import in_list, is_id
from shared.foundation.errors import CosellError, Rejected

MAX_SINGLE_STEPS = 23
"""Steps beside the PATCH and the query, of the 25 subrequests of a Composite."""
MAX_RECORDS = 200
MAX_COLLECTIONS = 4
"""Collections beside the query: a Composite takes five of both kinds together."""
DUPLICATE = "DUPLICATE_VALUE"
_OUTDATED = frozenset({DUPLICATE, "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
"""The codes of a step whose record, or one that it names, was made or deleted since the look."""
_PRECONDITION_FAILED = 412
_PATCH = "w0"
_REFERENCE = re.compile(r"@\{(\w+)\.id\}")


class _Sent(Struct, frozen=True):
    """One subrequest, and the names of the steps that it carries, in their order."""

    subrequest: Subrequest
    steps: tuple[str, ...] = ()


class _Failure(Struct, frozen=True):
    """What a subrequest failed with; `step` is the step that did, None for the opportunity and the query."""

    name: str
    status: int
    error: ApiError
    body: object
    step: str | None = None


class _QueryFailed(Exception):
    """The query of the read-back failed, so nothing was written."""

    def __init__(self, reason: CosellError) -> None:
        super().__init__()
        self.reason = reason


class RelatedRows(Queries):
    """The call that writes rows. `SalesforceClient` has it too."""

    def update_with_rows(
        self,
        writes: Sequence[Write],
        fields: Sequence[str],
        *,
        steps: Sequence[Node | Removal],
        further: Sequence[str] = (),
        optional: Collection[str] = (),
    ) -> Sequence[Written]:
        """Send one write of an opportunity with rows of its related lists, and read it back.

        Nothing is written unless all is. `fields` and `further` are read, as in `opportunities`, and so is `optional`;
        without values the opportunity itself is not written. A removal of a record that is deleted already is answered
        as `changed`. A step that Salesforce refuses is named, as `changed` too if another record has a unique value of
        its own, which may be the row itself, or if a record that it names is gone: somebody may have done so just now.
        """
        [write] = writes
        composite.check_ids([write])
        while True:
            visible = [name for name in (*fields, *further) if name not in self._hidden]
            sent = [*_patch(write), *_steps(steps), _read_back(write.id, visible)]
            call = self._composite_call("rows", [one.subrequest for one in sent], [write], is_whole=True)
            removals = {step.name for step in steps if isinstance(step, Removal)}
            try:
                written = self._connection.write(call, partial(_outcome, sent, write, removals))
            except _QueryFailed as failure:
                if not isinstance(failure.reason, Rejected):
                    raise failure.reason from None
                self._leave_out_hidden(failure.reason, optional)
            else:
                return [self._with_all_rows(written)]

    def _with_all_rows(self, written: Written) -> Written:
        """The outcome with all pages of the record's lists; without its record if they cannot be read."""
        if written.record is None or all(_is_complete(value) for value in written.record.values()):
            return written
        records: list[Json] = []
        try:
            self._read_rest(append_page(page_in({"records": [written.record], "done": True}), records))
        except CosellError:
            return Written(written.id, None, written.at)
        return Written(written.id, records[0], written.at)


def _is_complete(value: object) -> bool:
    return not (isinstance(value, Mapping) and value.get("done") is False)


# --- the subrequests


def _patch(write: Write) -> list[_Sent]:
    return [_Sent(composite.conditional_update_subrequest(0, write))] if write.values else []


def _read_back(record_id: str, fields: Sequence[str]) -> _Sent:
    select = f"SELECT {','.join(dict.fromkeys(['Id', *fields]))} FROM {composite.OPPORTUNITY}"  # noqa: S608 - the fields come from the mapping
    path = composite.query_subrequest(0, f"{select} WHERE Id IN {in_list([record_id])}", deleted=False).path
    return _Sent(Subrequest(composite.READ_BACK_NAME, path))


def _steps(steps: Sequence[Node | Removal]) -> list[_Sent]:
    """The subrequests of the steps: one each, or, where these are too many, collections."""
    nodes = [step for step in steps if isinstance(step, Node)]
    removals = [step for step in steps if isinstance(step, Removal)]
    if any(not is_id(step.record) for step in removals):
        raise ValueError("a record id has 15 or 18 letters and digits")
    if len(steps) <= MAX_SINGLE_STEPS:
        single = [_Sent(composite.node_subrequest(node), (node.name,)) for node in nodes]
        return [*single, *map(_deletion, removals)]
    sent = [*_collections(nodes), *_deletions(removals)]
    if len(sent) > MAX_COLLECTIONS:
        raise ValueError("a Composite does not take so many rows")
    return sent


def _deletion(step: Removal) -> _Sent:
    return _Sent(Subrequest(step.name, f"sobjects/{step.sobject}/{step.record}", "DELETE"), (step.name,))


def _deletions(steps: Sequence[Removal]) -> list[_Sent]:
    return [
        _Sent(
            Subrequest(
                f"deleted{number}",
                f"composite/sobjects?ids={','.join(step.record for step in some)}&allOrNone=true",
                "DELETE",
            ),
            tuple(step.name for step in some),
        )
        for number, some in enumerate(batched(steps, MAX_RECORDS, strict=False))
    ]


def _collections(nodes: Sequence[Node]) -> list[_Sent]:
    """The nodes as collections: those with the same headers together, after the nodes that they refer to."""
    sent: list[_Sent] = []
    places: dict[str, str] = {}
    waiting = list(nodes)
    while waiting:
        ready = [node for node in waiting if _references(node.values) <= places.keys()]
        if not ready:
            raise ValueError("a node refers to an earlier one")
        same = [node for node in ready if node.headers == ready[0].headers][:MAX_RECORDS]
        name = f"created{len(sent)}"
        records = [_with_places(_record(node), places) for node in same]
        body = {"allOrNone": True, "records": records}
        subrequest = Subrequest(name, "composite/sobjects", "POST", body, same[0].headers)
        sent.append(_Sent(subrequest, tuple(node.name for node in same)))
        places |= {node.name: f"{name}[{number}]" for number, node in enumerate(same)}
        waiting = [node for node in waiting if node.name not in places]
    return sent


def _record(node: Node) -> Json:
    if node.record is not None:
        raise ValueError("a collection of new records changes none")
    key = {node.external[0]: node.external[1]} if node.external else {}
    return {"attributes": {"type": node.sobject}, **node.values, **key}


def _references(values: Json) -> set[str]:
    texts = (value for value in values.values() if isinstance(value, str))
    return {name for text in texts for name in _REFERENCE.findall(text)}


def _with_places(values: Json, places: Mapping[str, str]) -> dict[str, Any]:
    def place(value: object) -> object:
        return _REFERENCE.sub(lambda found: f"@{{{places[found[1]]}.id}}", value) if isinstance(value, str) else value

    return {name: place(value) for name, value in values.items()}


# --- the answer


def _outcome(sent: Sequence[_Sent], write: Write, removals: Collection[str], reply: Reply) -> Written:
    """Return the outcome of the whole call. Raises UnreadableAnswer, and _QueryFailed."""
    results = composite.subrequest_results(reply.value, [one.subrequest for one in sent])
    failures = [failure for one, result in zip(sent, results, strict=True) for failure in _failures(one, result)]
    own = [failure for failure in failures if failure.error.code not in ROLLED_BACK_CODES]
    if failures and not own:
        raise UnreadableAnswer("a Composite that fails names the subrequest that failed")
    if own:
        return log_refusals([_failed(own[0], write, removals, reply)], reply)[0]
    records = page_in(results[-1].body).records
    return Written(write.id, records[0] if records else None, reply.at)


def _failures(one: _Sent, result: SubrequestResult) -> Iterable[_Failure]:
    name, step = one.subrequest.name, one.steps[0] if len(one.steps) == 1 else None
    if result.is_failure:
        yield _Failure(name, result.status, result.api_error, result.body, step)
    elif one.steps and isinstance(result.body, list):
        for each, item in zip(one.steps, result.body, strict=False):
            if not (isinstance(item, Mapping) and item.get("success") is True):
                errors = api_errors_in(item.get("errors")) if isinstance(item, Mapping) else ()
                error = errors[0] if errors else ApiError("UNKNOWN_ERROR", "no reason was given")
                yield _Failure(name, result.status, error, item, each)


def _failed(failure: _Failure, write: Write, removals: Collection[str], reply: Reply) -> Written:
    """The outcome of a call that wrote nothing."""
    error = failure.error
    if failure.name == composite.READ_BACK_NAME:
        raise _QueryFailed(exception_for(failure.status, failure.body, "a query", write=False))
    is_gone = failure.step in removals and error.code in MISSING_RECORD_CODES
    if is_gone or (failure.step is None and failure.status == _PRECONDITION_FAILED):
        return Written(write.id, None, reply.at, changed=True)
    if failure.step and error.code in _OUTDATED:
        return Written(write.id, None, reply.at, changed=True, refused=cause_of(error), step=failure.step)
    if error.code in LOCK_CODES or is_temporary(failure.status, error):
        return Written(write.id, None, reply.at, locked=True)
    return Written(write.id, None, reply.at, refused=cause_of(error), step=failure.step)
