"""Each line that is stored with an intent reaches the Audit field, whatever becomes of the write.

Source: docs/protocol.md#one-effect-after-the-other.
"""

from collections.abc import Callable

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.audit_text import audit_text
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_LEASE, Harness

TICK = "Sync_with_Partner_Center__c"
WARNING = "Close Date"
"""A word of the line that is stored with the intent to send the edit: its day is in the past."""


def fail(kind: FaultKind, status: int = 500) -> Callable[[Harness, str], object]:
    body = '{"error": {"code": "invalidRequest", "message": "Not so."}}'
    fault = Fault(kind, method="PATCH", status=status, body=body)
    return lambda harness, _: harness.inject_fault(Side.PARTNER_CENTER, fault)


def colleague_enters_the_same(harness: Harness, deal: str) -> None:
    """The PATCH meets 412, and nothing is left to write."""
    referral = harness.referral_of(deal)["id"]
    values: dict[str, object] = {"details_dealValue": 777, "details_closingDateTime": "2020-01-01T00:00:00Z"}
    harness.first.process.interrupt_at("partner_center.patch", lambda: harness.colleague_edits(referral, **values))


def seller_unticks_and_ticks(harness: Harness, deal: str) -> None:
    """The reply is lost, and the tick is removed before the recovery."""
    fail(FaultKind.DROP_AFTER)(harness, deal)
    harness.push(0.0)
    harness.seller_edits(deal, **{TICK: False})
    harness.run_rounds(1, after=AFTER_LEASE)
    harness.seller_edits(deal, **{TICK: True})


def process_stops(harness: Harness, _: str) -> None:
    harness.first.process.interrupt_at("partner_center.patch", harness.first.process.crash)
    assert harness.first.crashes_during(lambda instance: instance.push(0.0))


WAYS: dict[str, Callable[[Harness, str], object]] = {
    "412": colleague_enters_the_same,
    "400": fail(FaultKind.ANSWER, 400),
    "429": fail(FaultKind.ANSWER, 429),
    "ambiguous": fail(FaultKind.DROP_AFTER),
    "crash": process_stops,
    "un-ticked": seller_unticks_and_ticks,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_line_that_is_stored_with_an_intent_reaches_the_audit_field_once(harness: Harness, way: str) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=777, CloseDate="2020-01-01")
    WAYS[way](harness, deal)
    if way != "crash":
        harness.push()
    worker = harness.new_instance()
    worker.push(AFTER_LEASE)
    harness.run_rounds(by=worker)
    stored = [line for line in harness.store.audit(deal) if line.code != "changed" and WARNING in line.text]
    assert len(stored) == 1, "the warning is stored once"
    shown = harness.opportunity(deal)["Audit__c"]
    assert sorted(shown.splitlines()) == sorted(audit_text(harness.store.audit(deal)).splitlines())
    assert harness.opportunity(deal)["Sync_Status__c"] is not None
