"""Ways to break the connector on purpose: at its ports and at its requests, and never inside its code.

Each breaks one rule of docs/protocol.md. The oracle must notice each within a few seeds.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from emulators.base.server import Request, Response
from shared.domain.audit import Line
from shared.domain.link import EffectKind, Intent, Link
from shared.sync.ports import Entry
from tests.unit.sync.harness import Instance

RequestHandler = Callable[[Request], Response]
LEASE = timedelta(minutes=5)


@dataclass(frozen=True)
class Sabotage:
    """What is broken: something of each instance, or of each request to a side."""

    instance: Callable[[Instance], None] = lambda _: None
    salesforce: Callable[[RequestHandler], RequestHandler] = lambda handle: handle
    partner_center: Callable[[RequestHandler], RequestHandler] = lambda handle: handle


class BrokenStore:
    """A store that works, apart from the methods that a subclass replaces."""

    def __init__(self, store: Any) -> None:  # noqa: ANN401 - whatever has the methods of the port
        self.store = store

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - stands for every method of the port
        return getattr(self.store, name)


class BaseMovesFirst(BrokenStore):
    """The base takes the values of a PATCH when the intent is recorded, before the effect."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        effect = link.intent.find(EffectKind.PATCH_REFERRAL) if link.intent else None
        moved = replace(link, base=link.base.with_values(effect.values)) if effect else link
        written: Entry[Link] = self.store.replace_link(entry, moved, lines, correlation_id)
        return written


class RecoverySkipped(BrokenStore):
    """An intent past its lease looks as if it had no effects."""

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        entry: Entry[Link] | None = self.store.link(opportunity_id)
        is_old = entry is not None and entry.value.intent is not None and entry.age >= LEASE
        return replace(entry, value=replace(entry.value, intent=Intent())) if entry is not None and is_old else entry


class LeaseIgnored(BrokenStore):
    """Each intent looks old."""

    def link(self, opportunity_id: str) -> Entry[Link] | None:
        entry: Entry[Link] | None = self.store.link(opportunity_id)
        return replace(entry, age=timedelta(days=1)) if entry is not None else None


class LinesLost(BrokenStore):
    """The audit lines are not stored."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        del lines, correlation_id
        written: Entry[Link] = self.store.replace_link(entry, link)
        return written


class LinesDoubled(BrokenStore):
    """Each audit line is stored twice."""

    def replace_link(
        self, entry: Entry[Link], link: Link, lines: Sequence[Line] = (), correlation_id: str | None = None
    ) -> Entry[Link]:
        written: Entry[Link] = self.store.replace_link(entry, link, [*lines, *lines], correlation_id)
        return written


class ClaimsIgnored(BrokenStore):
    """Two workers may look for one account at once."""

    numbers = count()

    def claim_account(self, key: str, lease: timedelta) -> Entry[None] | None:
        claim: Entry[None] | None = self.store.claim_account(f"{key}{next(self.numbers)}", lease)
        return claim

    def release_account(self, key: str, claim: Entry[None]) -> None:
        """Leave the claim: it has another key."""


class RetriesForgotten(BrokenStore):
    """Nothing enters the retry queue."""

    def put_retry_entry(self, entry: object) -> None:
        """Drop the entry."""


def _with_store(broken: type[BrokenStore]) -> Sabotage:
    def breaks(instance: Instance) -> None:
        instance.ctx = replace(instance.ctx, store=broken(instance.ctx.store))

    return Sabotage(breaks)


def _close_at_once(instance: Instance) -> None:
    instance.ctx = replace(instance.ctx, policy=replace(instance.ctx.policy, irreversible_wait=timedelta()))


def _without_if_match(handle: RequestHandler) -> RequestHandler:
    def changed(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "if-match"}
        return handle(replace(request, headers=headers))

    return changed


def _without_condition(handle: RequestHandler) -> RequestHandler:
    def changed(request: Request) -> Response:
        if not request.path.endswith("/composite"):
            return handle(request)
        body = json.loads(request.body)
        for part in body["compositeRequest"]:
            part.pop("httpHeaders", None)
        return handle(replace(request, body=json.dumps(body).encode()))

    return changed


def _closed_looks_open(handle: RequestHandler) -> RequestHandler:
    def changed(request: Request) -> Response:
        response = handle(request)
        if request.method != "GET" or not response.body:
            return response
        body = json.loads(response.body)
        if body.get("status") == "Closed":
            body |= {"status": "Active", "substatus": "Accepted"}
        return replace(response, body=json.dumps(body).encode())

    return changed


SABOTAGES: Mapping[str, Sabotage] = {
    "the base moves before the effect": _with_store(BaseMovesFirst),
    "recovery is skipped": _with_store(RecoverySkipped),
    "the lease is ignored": _with_store(LeaseIgnored),
    "audit lines are lost": _with_store(LinesLost),
    "audit lines are doubled": _with_store(LinesDoubled),
    "claims on accounts are ignored": _with_store(ClaimsIgnored),
    "the retry queue is forgotten": _with_store(RetriesForgotten),
    "a close is sent at once": Sabotage(_close_at_once),
    "If-Match is dropped": Sabotage(partner_center=_without_if_match),
    "If-Unmodified-Since is dropped": Sabotage(salesforce=_without_condition),
    "a closed referral looks open": Sabotage(partner_center=_closed_looks_open),
}
