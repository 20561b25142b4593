"""Implement the port `shared.sync.ports.Salesforce` on the REST API (docs/reference/salesforce.md)."""

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import batched
from pathlib import Path
from typing import override

import requests

from shared.clients.call_pace import CallPace
from shared.clients.salesforce import composite
from shared.clients.salesforce.object_descriptions import ObjectDescriptions
from shared.clients.salesforce.owner_notices import OwnerNotices
from shared.clients.salesforce.records import Node, Write, Written
from shared.clients.salesforce.related_rows import RelatedRows
from shared.clients.salesforce.request import ApiConnection, Call, Reply, UnreadableAnswer, log_refusals
from shared.clients.salesforce.sign_in import Identity, SignIn
from shared.clients.salesforce.single_records import SingleRecords
from shared.clients.salesforce.soql_literals import full_id, is_id, short_id
from shared.clients.salesforce.twin_queries import TwinQueries
from shared.clients.vault_ports import Vault
from shared.foundation.errors import ConfigurationError
from shared.transport.session import open_session

MAX_CONDITIONAL_UPDATES = 24
MAX_COLLECTION_RECORDS = 200
_API_VERSION = re.compile(r"\d\d\.0")


class SalesforceClient(TwinQueries, RelatedRows, SingleRecords, ObjectDescriptions, OwnerNotices):
    """The REST API under one integration user, for many threads. Raises only errors of `shared.foundation.errors`."""

    def __init__(self, connection: ApiConnection) -> None:
        """Use `open_salesforce`, which makes the connection."""
        super().__init__(connection)

    @property
    def connection(self) -> ApiConnection:
        """The connection that sends the calls. Other APIs of the same org use it too, under the same session."""
        return self._connection

    @override
    def forget_unknown_column(self) -> None:
        super().forget_unknown_column()
        self._hidden.clear()

    def organization_id(self) -> str:
        """Return the 18-character id of the org. It comes with the token and costs no data call."""
        return self._connection.current_token().organization

    def user_id(self) -> str:
        """Return the 18-character id of the user who is signed in. It comes with the token and costs no data call."""
        return self._connection.current_token().user

    def api_usage(self) -> tuple[int, int] | None:
        """Return the calls of the last 24 hours and their limit, as the last answer gave them; None before the first.

        Source: the header `Sforce-Limit-Info`, docs/reference/salesforce.md#headers-of-a-call.
        """
        return self._connection.usage

    # --- writing

    def update_unmodified(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Send conditional PATCHes of opportunities, 24 in one Composite, and read `fields` back in the same call.

        The read-back is a collection retrieve. It returns the record's own fields only, no parent paths and no
        subqueries. `locked` means a record lock, or another temporary error of that record. If a later Composite raises
        an error, the outcomes of the earlier ones are lost: send 24 at a time where that matters.
        Source: docs/protocol.md#writing-values-that-people-edit.
        """
        composite.check_ids(writes)
        return [
            outcome
            for batch in batched(writes, MAX_CONDITIONAL_UPDATES, strict=False)
            for outcome in self._connection.write(*self._conditional_updates(batch, fields))
        ]

    def update(self, writes: Sequence[Write], fields: Sequence[str]) -> Sequence[Written]:
        """Send unconditional updates of opportunities, 200 in one Composite, with a read-back as `update_unmodified`.

        Source: docs/protocol.md#writing-the-connectors-own-fields.
        """
        composite.check_ids(writes)
        if any(write.unmodified_since for write in writes):
            raise ValueError("a collection update cannot carry a condition: use update_unmodified")
        return [
            outcome
            for batch in batched(writes, MAX_COLLECTION_RECORDS, strict=False)
            for outcome in self._connection.write(*self._collection_update(batch, fields))
        ]

    def create(self, nodes: Sequence[Node], read: str, fields: Sequence[str]) -> Written:
        """Send one Composite Graph, all or nothing, that ends with a read of node `read` (its own fields only).

        Raises Conflict if a unique value is taken; Rejected, with the ids that a duplicate rule found in the remedy;
        Locked; Unavailable if the graph was rolled back because of a temporary error; Ambiguous if its outcome is
        unknown.
        """
        subrequests = composite.graph_subrequests(nodes, read, fields)
        body = composite.graph_body(subrequests, self._connection.version)
        keys = tuple(node.external[1] for node in nodes if node.external)
        call = Call("a graph", "composite/graph", "POST", body, keys=keys)
        return self._connection.write(call, partial(_created_record, subrequests))

    def _conditional_updates(
        self, writes: Sequence[Write], fields: Sequence[str]
    ) -> tuple[Call, Callable[[Reply], list[Written]]]:
        """Return the call that sends conditional PATCHes, and what decodes its answer."""
        subrequests = [composite.conditional_update_subrequest(number, write) for number, write in enumerate(writes)]
        subrequests.append(composite.retrieve_subrequest([write.id for write in writes], fields))
        call = self._composite_call("conditional updates", subrequests, writes)
        return call, partial(_outcomes_of_conditional_updates, subrequests, writes)

    def _collection_update(
        self, writes: Sequence[Write], fields: Sequence[str]
    ) -> tuple[Call, Callable[[Reply], list[Written]]]:
        """Return the call that sends unconditional updates, and what decodes its answer."""
        subrequests = [
            composite.collection_update_subrequest(writes),
            composite.retrieve_subrequest([write.id for write in writes], fields),
        ]
        call = self._composite_call("a collection update", subrequests, writes)
        return call, partial(_outcomes_of_collection_update, subrequests, writes)


def open_salesforce(  # noqa: PLR0913 - the builder's parameters are the settings, one each
    *,
    login_url: str,
    client_id: str,
    username: str,
    key_name: str,
    vault: Vault,
    audience: str = "https://login.salesforce.com",
    version: str = "66.0",
    ca_bundle: Path | str | None = None,
    deadline: float = 60.0,
    session: requests.Session | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Callable[[], float] = time.monotonic,
    pace: CallPace | None = None,
) -> SalesforceClient:
    """Return a client that signs in at its first call. `deadline` is the total time of a call, in seconds.

    `key_name` is the name of the private key (RSA, PEM) in the vault. Tests pass a `session` of their own. Raises
    ConfigurationError if an address is not https, or if `version` is not an API version.
    """
    if not _API_VERSION.fullmatch(version):
        raise ConfigurationError(f"the Salesforce API version is a number such as 66.0, not {version[:20]!r}")
    session = session or open_session(ca_bundle, seconds=deadline)
    identity = Identity(login_url, client_id, username, key_name, audience)
    sign_in = SignIn(identity, vault, session, now=now, monotonic=monotonic)
    connection = ApiConnection(
        sign_in, session, version=version, seconds=deadline, now=now, monotonic=monotonic, pace=pace
    )
    return SalesforceClient(connection)


def _outcomes_of_conditional_updates(
    subrequests: Sequence[composite.Subrequest], writes: Sequence[Write], reply: Reply
) -> list[Written]:
    """Return the outcome of each write. Raises Ambiguous, UnreadableAnswer."""
    *results, read_back = composite.subrequest_results(reply.value, subrequests)
    records = composite.records_read_back(read_back)
    outcomes = (
        composite.outcome_of_conditional_update(result, write, records.get(short_id(write.id)), reply.at)
        for result, write in zip(results, writes, strict=True)
    )
    return log_refusals(outcomes, reply)


def _outcomes_of_collection_update(
    subrequests: Sequence[composite.Subrequest], writes: Sequence[Write], reply: Reply
) -> list[Written]:
    """Return the outcome of each write. Raises the error of the whole update, Ambiguous, UnreadableAnswer."""
    update, read_back = composite.subrequest_results(reply.value, subrequests)
    records = composite.records_read_back(read_back)
    errors = composite.errors_of_collection_update(update, writes)
    outcomes = (
        composite.outcome_of_update(update.status, error, write, records.get(short_id(write.id)), reply.at)
        for write, error in zip(writes, errors, strict=True)
    )
    return log_refusals(outcomes, reply)


def _created_record(subrequests: Sequence[composite.Subrequest], reply: Reply) -> Written:
    """Return the record that the graph read back. Raises the error of a graph that failed, and UnreadableAnswer."""
    success, results = composite.graph_results(reply.value, subrequests)
    if not success:
        raise composite.graph_error(results, subrequests)
    record = composite.as_record(results[-1].body)
    identifier = record.get("Id")
    if not isinstance(identifier, str) or not is_id(identifier):
        raise UnreadableAnswer("a record that is read back has an Id")
    return Written(full_id(identifier), record, reply.at)
