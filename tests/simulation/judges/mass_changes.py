"""Judges that a mass mistake stops: no kind of change is sent more often in a day than its limit and what was approved.

Source: docs/protocol.md#the-mass-change-stop. A change counts once, when it is first sent. It may have been counted
on an earlier day, by a run that stopped before it was sent. So the limits of all days so far are one sum.

beyond     a change beyond the limit of its kind was sent, and no operator had approved it
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulation.judges.owned import OF_PEOPLE, SHARING, VISIBLE
from tests.simulation.judges.sent_to_salesforce import written_records

HERE, THERE = "salesforce", "partner_center"


@dataclass
class MassChanges:
    """All changes that were sent, by kind and side, and what an operator has approved."""

    limit: int
    sent: set[tuple[str, str]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    approvals: list[tuple[datetime, str, int]] = field(default_factory=list)

    def approve(self, at: datetime, kind: str, number: int) -> None:
        """An operator lets so many changes of a kind go."""
        self.approvals.append((at, kind, number))

    def judge(self, at: datetime, changes: Iterator[tuple[str, str]]) -> Iterator[str]:
        """What is wrong with changes that are sent now."""
        self.first = self.first or at
        days = (at.date() - self.first.date()).days + 1
        for change in changes:
            if change in self.sent:
                continue
            self.sent.add(change)
            kind = change[0]
            self.counts[kind] += 1
            approved = sum(count for _, name, count in self.approvals if name == kind)
            if self.counts[kind] > self.limit * days + approved:
                yield f"beyond: {kind} number {self.counts[kind]} on day {days}, and {approved} were approved"


def changes_for_partner_center(
    method: str, referral: str, body: bytes, deals: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The counted changes of a request, each with its kind and what tells it from others.

    A request for help counts together with the creation of its deal; `deals` has the deal of each engagement.
    """
    if method == "POST":
        sent = json.loads(body)
        engagement = str(sent.get("engagementId"))
        yield f"creation|{THERE}", str(sent.get("externalReferenceId") or deals.get(engagement, engagement))
    elif method == "PATCH":
        wanted = {operation["path"]: operation["value"] for operation in json.loads(body)}
        if wanted.get("/status") == "Closed":
            yield f"closure|{THERE}", referral
        if wanted.get(SHARING):
            yield f"visibility|{THERE}", referral
        yield from ((f"emptied|{THERE}", f"{referral}{path}") for path, value in wanted.items() if value in (None, ""))


def changes_for_salesforce(method: str, path: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The same for Salesforce."""
    for write in written_records(method, path, body):
        if write.sobject != "Opportunity" or method == "GET":
            continue
        if write.external:
            yield f"creation|{HERE}", write.external[1].lower()
        elif write.record:
            yield from _changes_of(write.record, write.values)


def _changes_of(record: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if str(values.get("StageName", "")).startswith("Closed"):
        yield f"closure|{HERE}", record
    if values.get(VISIBLE):
        yield f"visibility|{HERE}", record
    emptied = [column for column in OF_PEOPLE if column in values and values[column] in (None, "")]
    yield from ((f"emptied|{HERE}", f"{record}{column}") for column in emptied)
