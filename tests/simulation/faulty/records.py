"""Faults of single records: locked, refused or changed in the middle, and values that a flow rewrites.

One record of a batch, or one subrequest of a Composite, fails while the others are saved.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulators.base.faults import Fault, FaultKind
from emulators.base.server import Request
from emulators.salesforce.data.errors import ApiError
from emulators.salesforce.data.hooks import Flow, Lock, ValidationRule
from emulators.salesforce.data.subrequest_faults import SubrequestFault
from shared.domain.deal import Side
from tests.simulation.faulty.trouble import Check, Places, Trouble
from tests.simulation.held_values import SALESFORCE, Edit, of_opportunity

RULES = ("Amount", "CloseDate", "Description", "Audit__c", "Sync_Status__c")
"""Columns whose writes a rule refuses for a while."""
OPPORTUNITY_ID = re.compile(r"/sobjects/Opportunity/(006\w{15})")


@dataclass(slots=True)
class ActionFault(Fault):
    """Runs an action before a request, which is answered as ever. It does not count where the action had no effect."""

    action: Callable[[Request], bool] = lambda _: True

    def applies_to(self, request: Request, chance: random.Random) -> bool:
        applies = Fault.applies_to(self, request, chance)
        if applies and not self.action(request):
            self.times += 1
        return applies


def _before(name: str, side: Side, make: Callable[[Places], ActionFault], aims: tuple[str, ...]) -> Trouble:
    def begin(places: Places, chance: random.Random) -> Check:
        fault = make(places)
        fault.times = times = chance.choice((1, 1, 2))
        places.harness.inject_fault(side, fault)
        return lambda: fault.times < times

    return Trouble(name, 8, begin, aims)


# --- versions that move without an edit


def _touch_referral(places: Places) -> ActionFault:
    """The service saves a referral of its own accord, right before our PATCH: the answer is 412."""

    def touch(request: Request) -> bool:
        referral = request.path.rpartition("/")[2]
        places.harness.partner_center.service.write_raw(referral, {}, [], touch=True)
        places.touched.add(referral)
        return True

    return ActionFault(FaultKind.DELAY, method="PATCH", action=touch)


def _touch_opportunity(places: Places) -> ActionFault:
    """Automation saves a column that nobody maps, right before our conditional write: the answer is 412."""

    def touch(request: Request) -> bool:
        salesforce, found = places.harness.salesforce, OPPORTUNITY_ID.search(request.body.decode())
        try:
            values = {"NextStep": f"Call {places.harness.now():%H:%M:%S}"}
            with places.without_flows():
                salesforce.edit("Opportunity", found[1] if found else "", values, user=salesforce.automated)
        except ApiError:
            return False
        return True

    return ActionFault(FaultKind.DELAY, sent="If-Unmodified-Since", action=touch)


# --- records and subrequests that fail alone


def _lock(places: Places, chance: random.Random) -> Check:
    records = places.harness.salesforce.records("Opportunity")
    if not records:
        return lambda: False
    times, code = chance.choice((1, 2)), chance.choice(("UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"))
    lock = places.harness.salesforce.org.hooks.locks[chance.choice(records)["Id"]] = Lock(code, times)
    return lambda: lock.times != times


def _refuse(places: Places, chance: random.Random) -> Check:
    times = chance.choice((1, 2, 3))
    rule = ValidationRule("Opportunity", chance.choice(RULES), "Not now.", times=times)
    places.harness.salesforce.org.hooks.rules.append(rule)
    return lambda: rule.times != times


def _subrequest(
    name: str, weight: int, codes: tuple[str, ...], method: str, path: str, aims: tuple[str, ...] = ()
) -> Trouble:
    def begin(places: Places, chance: random.Random) -> Check:
        times, skip = chance.choice((1, 1, 2)), 0 if aims else chance.choice((0, 0, 1))
        fault = SubrequestFault(chance.choice(codes), method, path, times=times, skip=skip)
        places.harness.salesforce.org.hooks.subrequests.append(fault)
        return lambda: fault.times < times

    return Trouble(f"salesforce {name}", weight, begin, aims)


ONE_RECORD, A_NODE = "/sobjects/Opportunity/006", "/sobjects/(Account|Contact|Opportunity)"
TEMPORARY = ("UNKNOWN_EXCEPTION", "SERVER_UNAVAILABLE")

# --- values


@dataclass(slots=True)
class Rewriting(Flow):
    """A before-save flow that rounds amounts up to tens and ends notes with a full stop, whoever saves."""

    places: Places | None = None
    runs: int = 0

    def applies_to(self, sobject: str, record: Any, *, is_new: bool) -> bool:  # noqa: ANN401 - a record
        if sobject != "Opportunity" or is_new or self.places is None:
            return False
        self.values = _rewritten(record)
        if self.values and record["LastModifiedById"] == self.places.harness.sign_in.user:
            self.runs += 1
            self._keep_edits(record)
        return bool(self.values)

    def _keep_edits(self, record: Any) -> None:  # noqa: ANN401 - a record
        assert self.places is not None
        before, after = of_opportunity(record), of_opportunity(record | self.values)
        now = self.places.harness.now()
        self.places.flow_edits += [
            Edit(now, SALESFORCE, record["Id"], name, before[name], after[name])
            for name in after
            if after[name] != before[name]
        ]


def _rewritten(record: Any) -> dict[str, Any]:  # noqa: ANN401 - a record
    values: dict[str, Any] = {}
    amount, notes = record["Amount"], record["Description"]
    if amount is not None and amount > 0 and amount % 10:
        values["Amount"] = amount - amount % 10 + 10
    if notes and not notes.endswith("."):
        values["Description"] = f"{notes}."
    return values


def _rewrite(places: Places, _: random.Random) -> Check:
    flow = Rewriting("Opportunity", {}, places=places)
    places.harness.salesforce.org.hooks.flows.append(flow)
    return lambda: flow.runs > 0


CONDITIONAL = ("salesforce.update_unmodified", "salesforce.update_with_rows")
WRITE, CREATE = ("salesforce.update",), ("salesforce.create",)
"""Calls of the port at which rare faults aim."""
OF_RECORDS = (
    _before("partner_center changes a version", Side.PARTNER_CENTER, _touch_referral, ("partner_center.patch",)),
    _before("salesforce changes a version", Side.SALESFORCE, _touch_opportunity, CONDITIONAL),
    Trouble("salesforce locks a record", 3, _lock, (*CONDITIONAL, *WRITE)),
    Trouble("salesforce refuses a value", 8, _refuse, (*CONDITIONAL, *WRITE)),
    _subrequest("fails one query", 2, (*TEMPORARY, "QUERY_TIMEOUT"), "GET", "/query"),
    _subrequest(
        "fails one read-back", 4, TEMPORARY, "POST", "/composite/sobjects/Opportunity$", (*CONDITIONAL, *WRITE)
    ),
    _subrequest("fails one write", 7, (*TEMPORARY, "UNABLE_TO_LOCK_ROW"), "PATCH", ONE_RECORD, CONDITIONAL),
    _subrequest("forbids one write", 8, ("INSUFFICIENT_ACCESS_OR_READONLY",), "PATCH", ONE_RECORD, CONDITIONAL),
    _subrequest("fails one batch", 3, TEMPORARY, "PATCH", "/composite/sobjects$", WRITE),
    _subrequest("fails one node", 4, ("UNABLE_TO_LOCK_ROW", *TEMPORARY), "", A_NODE, CREATE),
    Trouble("salesforce rewrites a value by a flow", 9, _rewrite),
)
