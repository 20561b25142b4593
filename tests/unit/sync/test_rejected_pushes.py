"""A fault during a push ends the work on its own pair, or pauses its side. All other pairs continue.

Sources: docs/protocol.md#errors-and-retries, docs/protocol.md#rule-7-one-bad-record-harms-no-other.
"""

from typing import Any

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce.data.hooks import ValidationRule
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import assert_quiet, watch_saves


def throttling_fault(seconds: int) -> Fault:
    """Partner Center answers 429 and demands a wait."""
    headers = {"Retry-After": str(seconds)}
    return Fault(FaultKind.ANSWER, times=1000, status=429, headers=headers, body='{"message": "slow down"}')


class RuleAtAnySave(ValidationRule):
    """A validation rule that refuses every save of an opportunity; `field` is the column that its error names."""

    def forbids_save(self, sobject: str, record: dict[str, Any], written: set[str]) -> bool:
        return sobject == self.sobject and bool(record["Id"]) and not written <= set(self.value or ())


def test_a_refused_write_back_keeps_the_link_and_its_audit_lines_for_a_later_try(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.salesforce.org.hooks.rules.append(RuleAtAnySave("Opportunity", "Loss_Reason__c", "Not so."))
    harness.push()
    referral = harness.referral_of(deal)
    assert harness.stored_link(deal).referral_id == referral["id"]
    assert harness.opportunity(deal)["Audit__c"] is None
    (parked,) = harness.first.log.fields_of("pair_parked")
    assert (parked["code"], parked["field"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Loss_Reason__c")
    for _ in range(10):
        harness.push()
    assert len(harness.our_referrals()) == 1
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == referral["id"]
    assert harness.count_in_audit(deal, "A referral was created") == 1
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_write_back_leaves_out_a_column_that_salesforce_refuses(harness: Harness) -> None:
    harness.refuse_writes_of("Sync_Status__c")
    deal = harness.seller_creates()
    harness.push()
    opportunity = harness.opportunity(deal)
    assert opportunity["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert (opportunity["Sync_Status__c"], harness.count_in_audit(deal, "A referral was created")) == (None, 1)
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)


def test_a_write_back_of_the_audit_alone_is_the_last_that_is_tried(harness: Harness) -> None:
    deal = harness.seller_creates()
    rule = RuleAtAnySave("Opportunity", "Loss_Reason__c", "Not so.", value=["Audit__c"])
    harness.salesforce.org.hooks.rules.append(rule)
    harness.push()
    opportunity = harness.opportunity(deal)
    assert (opportunity["Referral_Identifier__c"], opportunity["Sync_Status__c"]) == (None, None)
    assert harness.count_in_audit(deal, "A referral was created") == 1
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert_quiet(harness)


def test_edits_reach_partner_center_while_the_write_back_is_refused(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.refuse_writes_of("Audit__c")
    harness.seller_edits(deal, Amount=1)
    harness.push()
    harness.seller_edits(deal, Amount=2)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 2
    harness.clear_faults()
    harness.run_rounds(5)
    assert [harness.count_in_audit(deal, line) for line in ("USD → 1.00 USD", "1.00 USD → 2.00 USD")] == [1, 1]


@pytest.mark.parametrize(
    "column",
    [
        "Sync_Status__c",
        pytest.param("Audit__c", marks=pytest.mark.slow),
        pytest.param("Referral_Identifier__c", marks=pytest.mark.slow),
    ],
)
def test_a_column_that_salesforce_refuses_is_written_again_each_hour_and_not_each_minute(
    harness: Harness, column: str
) -> None:
    harness.refuse_writes_of(column)
    deal = harness.seller_creates()
    harness.push()
    saves = watch_saves(harness)
    for _ in range(50):
        harness.push()
    assert saves == [], "the hour is not over"
    for _ in range(130):
        harness.push()
    assert len([fields for fields in saves if column in fields]) <= 3
    assert len(saves) <= 6
    harness.clear_faults()
    harness.run_rounds(5)
    opportunity = harness.opportunity(deal)
    assert (opportunity["Sync_Status__c"], bool(opportunity["Referral_Identifier__c"])) == ("Synced", True)
    assert harness.count_in_audit(deal, "A referral was created") == 1
    assert_quiet(harness)


def test_a_mark_is_shown_at_once_while_the_audit_is_refused(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.refuse_writes_of("Audit__c")
    harness.seller_edits(deal, Amount=1)
    harness.push()
    harness.seller_edits(deal, Name="Another name")
    harness.push()
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"])
def test_a_locked_opportunity_waits_in_the_retry_queue_and_is_written_once_unlocked(
    harness: Harness, code: str
) -> None:
    deal = harness.seller_creates()
    harness.lock_record(deal, times=None, code=code)
    harness.push()
    assert [entry.key for entry in harness.retry_entries(Side.SALESFORCE)] == [deal]
    assert harness.opportunity(deal)["Referral_Identifier__c"] is None
    harness.clear_faults()
    harness.run_rounds(1)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_throttling_pauses_the_side_for_every_instance_and_halves_the_calls_at_once_of_its_own(
    harness: Harness,
) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.inject_fault(Side.PARTNER_CENTER, throttling_fault(600))
    harness.push()
    harness.clear_faults()
    assert harness.new_calls()["partner_center.failed"] <= 1  # the first 429 stops the batch
    state = harness.store.side_state(Side.PARTNER_CENTER)
    assert (state.reason, harness.first.ctx.paces.calls_at_once(Side.PARTNER_CENTER)) == ("throttled", 4)
    other = harness.new_instance()
    assert other.ctx.paces.calls_at_once(Side.PARTNER_CENTER) == 8
    other.push()
    other.push()
    other.sweep()
    other.pull_event("11111111-0000-4000-8000-000000000000")
    calls = harness.new_calls()
    assert {name for name in calls if name.startswith("partner_center")} == set()
    other.push(after=600.0)
    harness.run_rounds(2)
    assert all(harness.referral_of(deal) for deal in deals)


def test_salesforces_request_limit_pauses_the_push(harness: Harness) -> None:
    harness.seller_creates()
    body = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=9, status=403, body=body))
    harness.push()
    harness.clear_faults()
    harness.forget_calls()
    other = harness.new_instance()
    for _ in range(10):
        other.push()
    assert harness.new_calls() == {}
    other.push(after=HOUR)
    assert len(harness.our_referrals()) == 1


def test_a_failed_sign_in_to_partner_center_pauses_the_side_and_is_probed_every_15_minutes(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(5)]
    body = '{"error": {"code": "accessDenied", "message": "no role"}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, times=1000, status=403, body=body))
    for _ in range(45):
        harness.push(after=MINUTE)
    assert harness.new_calls()["partner_center.failed"] == 3  # the first, and one probe for each 15 minutes
    assert len(harness.first.log.fields_of("sign_in_failed")) == 3
    harness.clear_faults()
    harness.run_rounds(2)
    assert all(harness.referral_of(deal) for deal in deals)


def test_a_failed_sign_in_to_salesforce_pauses_the_push(harness: Harness) -> None:
    harness.seller_creates()
    body = '[{"errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled"}]'
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=1000, status=403, body=body))
    for _ in range(14):
        harness.push(after=MINUTE)
    assert harness.new_calls()["salesforce.failed"] == 1
    harness.clear_faults()
    harness.run_rounds(1)
    assert len(harness.our_referrals()) == 1


def test_an_expired_session_is_renewed_within_the_run(harness: Harness) -> None:
    harness.seller_creates()
    harness.salesforce.oauth.sessions.clear()
    harness.entra.revoke_access_tokens()
    harness.push()
    assert len(harness.our_referrals()) == 1


FAULTS = {
    "outage": Fault(FaultKind.ANSWER, method="PATCH", status=503, body="{}"),
    "lost reply": Fault(FaultKind.DROP_AFTER, method="PATCH"),
    "conflict": Fault(FaultKind.ANSWER, method="PATCH", times=9, status=412, body="{}"),
    "refusal": Fault(FaultKind.ANSWER, method="PATCH", status=400, body='{"error": {"code": "invalidRequest"}}'),
    "html": Fault(FaultKind.ANSWER_AFTER, method="PATCH", status=200, body="<html></html>"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_failed_write_of_one_referral_does_not_affect_the_others(harness: Harness, name: str) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(4)]
    harness.push_until_quiet()
    fault, bad = FAULTS[name], harness.referral_of(deals[1])["id"]
    for deal in deals:
        harness.seller_edits(deal, Amount=99)
    fault_of_one_referral = Fault(
        fault.kind, path=bad, method="PATCH", times=fault.times, status=fault.status, body=fault.body
    )
    harness.inject_fault(Side.PARTNER_CENTER, fault_of_one_referral)
    harness.push()
    good = [deal for deal in deals if deal != deals[1]]
    assert [harness.referral_of(deal)["details"]["dealValue"] for deal in good] == [99, 99, 99]
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in good] == ["Synced"] * 3
    assert all(harness.stored_link(deal).intent is None for deal in good)
    harness.clear_faults()
    if name != "refusal":
        harness.push(after=AFTER_LEASE)
        harness.run_rounds()
        assert harness.referral_of(deals[1])["details"]["dealValue"] == 99


def test_an_unreadable_referral_does_not_affect_other_pairs(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.push_until_quiet()
    bad = harness.referral_of(deals[0])["id"]
    harness.partner_center.raw_patch(bad, {}, ["/updatedDateTime"])
    for deal in deals:
        harness.seller_edits(deal, Amount=99)
    harness.push()
    assert [harness.referral_of(deal)["details"]["dealValue"] for deal in deals[1:]] == [99, 99]
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in deals[1:]] == ["Synced"] * 2


def test_an_unreadable_opportunity_does_not_affect_other_pairs(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    org = harness.salesforce.org
    org.put("Opportunity", deals[0], {**org.existing_record("Opportunity", deals[0]), "CloseDate": "one fine day"})
    harness.push()
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in deals] == [None, "Synced", "Synced"]
    assert [entry.key for entry in harness.retry_entries(Side.SALESFORCE)] == [deals[0]]


def test_one_refused_write_back_does_not_affect_the_others(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.refuse_writes_of("Sync_Status__c", deals[0])
    harness.push()
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in deals] == [None, "Synced", "Synced"]


def test_an_outage_of_salesforce_does_not_move_the_cursor(harness: Harness) -> None:
    harness.push_until_quiet()
    before = harness.store.cursor("push_opportunity")
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=100, status=503, body="<html>down</html>"))
    for _ in range(20):
        harness.push()
    assert harness.store.cursor("push_opportunity") == before
    deal = harness.seller_creates()
    harness.advance_time(24 * HOUR)
    harness.clear_faults()
    harness.push()
    assert harness.referral_of(deal)


def test_a_pair_that_keeps_failing_is_tried_less_and_less_often(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, Amount=5)
    # A 429 would pause the whole side; a fault of this one referral does not.
    path = harness.referral_of(deal)["id"]
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=path, times=10_000, status=412, body="{}"))
    for _ in range(30):
        harness.push()
    first = harness.new_calls()["partner_center.failed"]
    for _ in range(12):
        harness.push(after=HOUR / 2)
    harness.forget_calls()
    for _ in range(30):
        harness.push()
    assert harness.new_calls()["partner_center.failed"] < first / 3
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.referral_of(deal)["details"]["dealValue"] == 5


def test_a_value_from_partner_center_is_told_although_a_column_was_refused_until_just_now(harness: Harness) -> None:
    """The hour of the refused column ends while the value is written."""
    deal = harness.shared_deal()
    harness.refuse_writes_of("Audit__c")
    harness.seller_edits(deal, Amount=1)
    harness.push()
    harness.clear_faults()
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-31T00:00:00Z")
    harness.advance_time(HOUR - 30)
    process = harness.first.process
    process.interrupt_at("salesforce.update_unmodified", lambda: harness.advance_time(MINUTE))
    harness.pull_event(harness.referral_of(deal)["id"])
    harness.run_rounds(1)
    assert harness.count_in_audit(deal, "Close Date 2026-12-31 → 2027-01-31") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert_quiet(harness)
