"""What a fault means for the pair, its side and the others (protocol.md section 9; design.md section 4, rule 7)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, LEASE, MINUTE, Harness


def busy(seconds: int) -> Fault:
    """Partner Center asks for patience."""
    headers = {"Retry-After": str(seconds)}
    return Fault(FaultKind.ANSWER, times=1000, status=429, headers=headers, body='{"message": "slow down"}')


def test_a_write_back_that_a_rule_refuses_leaves_the_link_and_the_lines_waiting(harness: Harness) -> None:
    harness.refuse_writes_of("Sync_Status__c")
    deal = harness.seller_creates()
    harness.push()
    referral = harness.referral_of(deal)
    assert harness.link(deal).referral_id == referral["id"]
    assert harness.opportunity(deal)["Audit__c"] is None
    for _ in range(10):
        harness.push()
    assert len(harness.referrals()) == 1
    harness.clear_faults()
    harness.run_rounds()
    assert harness.opportunity(deal)["Referral_Identifier__c"] == referral["id"]
    assert harness.count_in_audit(deal, "A referral was created") == 1
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_edits_travel_while_the_write_back_is_refused(harness: Harness) -> None:
    deal = harness.shared()
    harness.refuse_writes_of("Audit__c")
    harness.seller_edits(deal, Amount=1)
    harness.push()
    harness.seller_edits(deal, Amount=2)
    harness.push()
    assert harness.referral_of(deal)["details"]["dealValue"] == 2
    harness.clear_faults()
    harness.run_rounds()
    assert [harness.count_in_audit(deal, line) for line in ("USD → 1.00 USD", "1.00 USD → 2.00 USD")] == [1, 1]


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"])
def test_a_locked_row_is_due_and_written_when_it_is_free(harness: Harness, code: str) -> None:
    deal = harness.seller_creates()
    harness.lock_record(deal, times=None, code=code)
    harness.push()
    assert [due.key for due in harness.retry_entries(Side.SALESFORCE)] == [deal]
    assert harness.opportunity(deal)["Referral_Identifier__c"] is None
    harness.clear_faults()
    harness.run_rounds(1)
    assert harness.opportunity(deal)["Referral_Identifier__c"] == harness.referral_of(deal)["id"]
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_throttling_pauses_the_side_for_every_instance_and_halves_the_parallelism(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.inject_fault(Side.PARTNER_CENTER, busy(600))
    harness.push()
    harness.clear_faults()
    assert harness.calls()["partner_center.failed"] <= 1  # the first sign of throttling stops the batch
    state = harness.store.side_state(Side.PARTNER_CENTER)
    assert (state.reason, state.parallelism) == ("throttled", 4)
    other = harness.instance()
    other.push()
    other.push()
    other.sweep()
    other.event("11111111-0000-4000-8000-000000000000")
    calls = harness.calls()
    assert {name for name in calls if name.startswith("partner_center")} == set()
    other.push(after=600.0)
    harness.run_rounds(2)
    assert all(harness.referral_of(deal) for deal in deals)


def test_parallelism_is_restored_slowly_and_then_forgotten(harness: Harness) -> None:
    harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, busy(60))
    harness.push()
    harness.clear_faults()
    widths = []
    for _ in range(8):
        harness.push(after=120.0)
        widths.append(harness.store.side_state(Side.PARTNER_CENTER).parallelism)
    assert widths == [5, 6, 7, None, None, None, None, None]
    assert harness.store.side_state(Side.PARTNER_CENTER).paused_until is None


def test_salesforces_limit_pauses_the_push(harness: Harness) -> None:
    harness.seller_creates()
    body = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=9, status=403, body=body))
    harness.push()
    harness.clear_faults()
    harness.calls()
    other = harness.instance()
    for _ in range(10):
        other.push()
    assert harness.calls() == {}
    other.push(after=HOUR)
    assert len(harness.referrals()) == 1


def test_a_failed_sign_in_pauses_the_side_and_is_probed_every_quarter_of_an_hour(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(5)]
    body = '{"error": {"code": "accessDenied", "message": "no role"}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, times=1000, status=403, body=body))
    for _ in range(45):
        harness.push(after=MINUTE)
    assert harness.calls()["partner_center.failed"] == 3  # the first, and a probe a quarter of an hour
    assert len(harness.one.log.of("sign_in_failed")) == 3
    harness.clear_faults()
    harness.run_rounds(2)
    assert all(harness.referral_of(deal) for deal in deals)


def test_a_failed_sign_in_to_salesforce_pauses_the_push(harness: Harness) -> None:
    harness.seller_creates()
    body = '[{"errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled"}]'
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=1000, status=403, body=body))
    for _ in range(14):
        harness.push(after=MINUTE)
    assert harness.calls()["salesforce.failed"] == 1
    harness.clear_faults()
    harness.run_rounds(1)
    assert len(harness.referrals()) == 1


def test_an_expired_session_is_renewed_within_the_run(harness: Harness) -> None:
    harness.seller_creates()
    harness.salesforce.oauth.sessions.clear()
    harness.entra.revoke_access_tokens()
    harness.push()
    assert len(harness.referrals()) == 1


FAULTS = {
    "outage": Fault(FaultKind.ANSWER, method="PATCH", status=503, body="{}"),
    "lost reply": Fault(FaultKind.DROP_AFTER, method="PATCH"),
    "conflict": Fault(FaultKind.ANSWER, method="PATCH", times=9, status=412, body="{}"),
    "refusal": Fault(FaultKind.ANSWER, method="PATCH", status=400, body='{"error": {"code": "invalidRequest"}}'),
    "html": Fault(FaultKind.ANSWER_AFTER, method="PATCH", status=200, body="<html></html>"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_bad_record_harms_no_other(harness: Harness, name: str) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(4)]
    harness.quiet()
    fault, bad = FAULTS[name], harness.referral_of(deals[1])["id"]
    for deal in deals:
        harness.seller_edits(deal, Amount=99)
    of_one = Fault(fault.kind, path=bad, method="PATCH", times=fault.times, status=fault.status, body=fault.body)
    harness.inject_fault(Side.PARTNER_CENTER, of_one)
    harness.push()
    good = [deal for deal in deals if deal != deals[1]]
    assert [harness.referral_of(deal)["details"]["dealValue"] for deal in good] == [99, 99, 99]
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in good] == ["Synced"] * 3
    assert all(harness.link(deal).intent is None for deal in good)
    harness.clear_faults()
    if name != "refusal":
        harness.push(after=LEASE)
        harness.run_rounds()
        assert harness.referral_of(deals[1])["details"]["dealValue"] == 99


def test_a_referral_that_cannot_be_read_harms_no_other(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.quiet()
    bad = harness.referral_of(deals[0])["id"]
    harness.partner_center.raw_patch(bad, {}, ["/updatedDateTime"])
    for deal in deals:
        harness.seller_edits(deal, Amount=99)
    harness.push()
    assert [harness.referral_of(deal)["details"]["dealValue"] for deal in deals[1:]] == [99, 99]
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in deals[1:]] == ["Synced"] * 2


def test_an_opportunity_that_cannot_be_read_harms_no_other(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    org = harness.salesforce.org
    org.put("Opportunity", deals[0], {**org.existing_record("Opportunity", deals[0]), "CloseDate": "one fine day"})
    harness.push()
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in deals] == [None, "Synced", "Synced"]
    assert [due.key for due in harness.retry_entries(Side.SALESFORCE)] == [deals[0]]


def test_one_refused_write_back_harms_no_other(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(3)]
    harness.refuse_writes_of("Sync_Status__c", deals[0])
    harness.push()
    assert [harness.opportunity(deal)["Sync_Status__c"] for deal in deals] == [None, "Synced", "Synced"]


def test_an_outage_of_salesforce_leaves_the_cursor_where_it_was(harness: Harness) -> None:
    harness.quiet()
    before = harness.store.cursor("push_opportunity")
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=100, status=503, body="<html>down</html>"))
    for _ in range(20):
        harness.push()
    assert harness.store.cursor("push_opportunity") == before
    deal = harness.seller_creates()
    harness.later(24 * HOUR)
    harness.clear_faults()
    harness.push()
    assert harness.referral_of(deal)


def test_a_pair_that_keeps_failing_is_tried_at_growing_distance(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, Amount=5)
    # 429 without a wish would pause the side; an outage of this one referral does not.
    path = harness.referral_of(deal)["id"]
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=path, times=10_000, status=412, body="{}"))
    for _ in range(30):
        harness.push()
    first = harness.calls()["partner_center.failed"]
    for _ in range(12):
        harness.push(after=HOUR / 2)
    harness.calls()
    for _ in range(30):
        harness.push()
    assert harness.calls()["partner_center.failed"] < first / 3
    harness.clear_faults()
    harness.run_rounds(5)
    assert harness.referral_of(deal)["details"]["dealValue"] == 5
