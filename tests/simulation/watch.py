"""Checks after every step: what may never happen, not even for a moment.

doubled      two referrals of our organisation never carry one external reference
forbidden    a status move that Partner Center does not know is never sent, and nothing to a closed referral
hasty        a close is sent only two minutes after a seller made it
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from emulators.base.server import Request, Response
from tests.simulation.held_values import SALESFORCE, Record, belongs_to, of_referral
from tests.simulation.people import People

RequestHandler = Callable[[Request], Response]
MOVES = {"New": {"New", "Active", "Closed"}, "Active": {"Active", "Closed"}, "Closed": set[str]()}
"""The statuses that a referral may be given in each status."""
WAIT = timedelta(minutes=2)


@dataclass
class Watch:
    """Looks at each request to Partner Center, and at the referrals after each request and each step."""

    people: People
    versions: dict[str, Record] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def around(self, handle: RequestHandler) -> RequestHandler:
        """The same handler; each PATCH is judged before it arrives."""

        def judged(request: Request) -> Response:
            if request.method == "PATCH":
                self._judge_patch(request)
            response = handle(request)
            self._look()
            return response

        return judged

    def changed_referrals(self) -> list[str]:
        """Check the referrals; returns the ids of those that have changed since the last call."""
        self._look()
        changed, self.changed = self.changed, {}
        return list(changed)

    def changed_records(self) -> list[str]:
        """The ids of Microsoft's records that have changed since the last call."""
        present = {str(record["eTag"]): str(record["id"]) for record in self.people.asked()}
        changed = [key for version, key in present.items() if version not in self.seen]
        self.seen |= present.keys()
        return list(dict.fromkeys(changed))

    def _look(self) -> None:
        known = (*self.people.referrals(), *self.people.foreign.values())  # also of those events come
        present = {str(record["eTag"]): record for record in known}
        self.changed |= {str(record["id"]): None for version, record in present.items() if version not in self.versions}
        self.versions |= present
        references = [record["externalReferenceId"] for record in present.values() if record["externalReferenceId"]]
        if len(set(references)) < len(references):
            self._find("doubled: two referrals have one external reference")

    def _find(self, finding: str) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    def _judge_patch(self, request: Request) -> None:
        """Judge a change by the version that it names: the connector cannot know a later one."""
        referral_id = request.path.rpartition("/")[2]
        present = next(record for record in self.people.referrals() if record["id"] == referral_id)
        seen = self.versions.get(request.headers.get("if-match", ""), present)
        wanted = {operation["path"]: operation["value"] for operation in json.loads(request.body)}
        status = wanted.get("/status", seen["status"])
        if status not in MOVES[seen["status"]]:
            self._find(f"forbidden: {referral_id} was {seen['status']}, and {sorted(wanted)} was sent")
        if seen == present and seen["status"] == "New" and status == "New":
            self._find(f"forbidden: {referral_id} was changed before it was answered")
        if wanted.get("/status") == "Closed" and not self._has_stood(seen, wanted):
            self._find(f"hasty: {referral_id} was closed within two minutes")

    def _has_stood(self, referral: Record, wanted: dict[str, object]) -> bool:
        """Whether a seller made the same close at least two minutes ago."""
        now = self.people.harness.now()
        closed = of_referral({**referral, "status": "Closed", "substatus": wanted.get("/substatus")})["status"]
        records = (*self.people.opportunities(), *self.people.deleted_opportunities())
        own = [record["Id"] for record in records if belongs_to(record, referral)]
        return any(
            edit.side == SALESFORCE and edit.record in own and edit.after == closed and now - edit.at >= WAIT
            for edit in self.people.edits
            if edit.field == "status"
        )
