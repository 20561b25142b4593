"""Ways to break what the connector must leave alone: values, columns, deals of others, the log, and limits."""

import json
from copy import replace
from typing import Any

from emulators.base.server import Request, Response
from shared.domain.scope import Scope
from shared.sync import decide_pair, reconcile
from tests.simulation.broken_requests import json_of
from tests.simulation.sabotage import RequestHandler, Sabotage
from tests.unit.sync.harness import Instance

NOTES = "/details/notes"


def _sends_what_agrees(handle: RequestHandler) -> RequestHandler:
    """A PATCH carries the notes too, as they are."""

    def changed(request: Request) -> Response:
        operations = json.loads(request.body) if request.method == "PATCH" else []
        if not operations or any(one["path"] == NOTES for one in operations):
            return handle(request)
        present = json_of(handle(replace(request, method="GET", body=b"")))
        if "details" not in present:
            return handle(request)
        same = {"op": "replace", "path": NOTES, "value": present["details"]["notes"]}
        return handle(replace(request, body=json.dumps([*operations, same]).encode()))

    return changed


def _writes_a_foreign_column(handle: RequestHandler) -> RequestHandler:
    """A conditional write of an opportunity carries a column that is nobody's business here."""

    def changed(request: Request) -> Response:
        body = json.loads(request.body) if request.path.endswith("/composite") else {"compositeRequest": []}
        parts = [one for one in body["compositeRequest"] if one["method"] == "PATCH" and "/Opportunity/" in one["url"]]
        for part in parts:
            part["body"]["NextStep"] = "Synced."
        return handle(replace(request, body=json.dumps(body).encode()) if parts else request)

    return changed


class EveryReferral(Scope, frozen=True):
    """A scope that every referral belongs to."""

    def exclusion_reason(self, organization_id: str | None, reference: str | None) -> str | None:
        """None: nothing is excluded."""

    def is_of_ours(self, organization_id: str | None) -> bool:
        """Whether the referral has an organisation."""
        return organization_id is not None


def _takes_every_referral(instance: Instance) -> None:
    known = instance.ctx.scope
    scope = EveryReferral(known.organization_id, known.tag, known.begin, known.leads)
    instance.ctx = replace(instance.ctx, scope=scope)


def _logs_values(instance: Instance) -> None:
    """The log names the customer's deal where it should name fields."""
    log, salesforce = instance.ctx.log, instance.harness.salesforce

    def tell(event: str, /, **fields: Any) -> None:  # noqa: ANN401 - the fields of a log event
        names = [record["Name"] for record in salesforce.records("Opportunity")]
        log(event, **{**fields, **({"fields": names} if "fields" in fields else {})})

    instance.ctx = replace(instance.ctx, log=tell)


BROKEN_CARE = {
    "a value that agrees is sent": Sabotage(partner_center=_sends_what_agrees),
    "a foreign column is written": Sabotage(salesforce=_writes_a_foreign_column),
    "every referral is ours": Sabotage(_takes_every_referral),
    "values are logged": Sabotage(_logs_values),
    "mass changes are not stopped": Sabotage(
        code=tuple((module, "stop_mass_changes", lambda *_: None) for module in (reconcile, decide_pair))
    ),
}
