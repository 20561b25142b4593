"""What a fault means for the pair, its side and the others (protocol.md section 9; design.md section 4, rule 7)."""

import pytest

from emulators.base.emulator import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.bench import HOUR, LEASE, MINUTE, Bench


def busy(seconds: int) -> Fault:
    """Partner Center asks for patience."""
    headers = {"Retry-After": str(seconds)}
    return Fault(FaultKind.ANSWER, times=1000, status=429, headers=headers, body='{"message": "slow down"}')


def test_a_write_back_that_a_rule_refuses_leaves_the_link_and_the_lines_waiting(bench: Bench) -> None:
    bench.validation_rule("Sync_Status__c")
    deal = bench.seller_creates()
    bench.push()
    referral = bench.referral_of(deal)
    assert bench.link(deal).referral_id == referral["id"]
    assert bench.row(deal)["Audit__c"] is None
    for _ in range(10):
        bench.push()
    assert len(bench.referrals()) == 1
    bench.mend()
    bench.rounds()
    assert bench.row(deal)["Referral_Identifier__c"] == referral["id"]
    assert bench.told(deal, "A referral was created") == 1
    assert bench.due(Side.SALESFORCE) == []


def test_edits_travel_while_the_write_back_is_refused(bench: Bench) -> None:
    deal = bench.shared()
    bench.validation_rule("Audit__c")
    bench.seller_edits(deal, Amount=1)
    bench.push()
    bench.seller_edits(deal, Amount=2)
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 2
    bench.mend()
    bench.rounds()
    assert [bench.told(deal, line) for line in ("USD → 1.00 USD", "1.00 USD → 2.00 USD")] == [1, 1]


@pytest.mark.parametrize("code", ["UNABLE_TO_LOCK_ROW", "ENTITY_IS_LOCKED"])
def test_a_locked_row_is_due_and_written_when_it_is_free(bench: Bench, code: str) -> None:
    deal = bench.seller_creates()
    bench.lock(deal, times=None, code=code)
    bench.push()
    assert [due.key for due in bench.due(Side.SALESFORCE)] == [deal]
    assert bench.row(deal)["Referral_Identifier__c"] is None
    bench.mend()
    bench.rounds(1)
    assert bench.row(deal)["Referral_Identifier__c"] == bench.referral_of(deal)["id"]
    assert bench.due(Side.SALESFORCE) == []


def test_throttling_pauses_the_side_for_every_instance_and_halves_the_parallelism(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(3)]
    bench.fault(Side.PARTNER_CENTER, busy(600))
    bench.push()
    bench.mend()
    assert bench.calls()["partner_center.failed"] <= 1  # the first sign of throttling stops the batch
    state = bench.store.side_state(Side.PARTNER_CENTER)
    assert (state.reason, state.parallelism) == ("throttled", 4)
    other = bench.instance()
    other.push()
    other.push()
    other.sweep()
    other.event("11111111-0000-4000-8000-000000000000")
    calls = bench.calls()
    assert {name for name in calls if name.startswith("partner_center")} == set()
    other.push(after=600.0)
    bench.rounds(2)
    assert all(bench.referral_of(deal) for deal in deals)


def test_parallelism_is_restored_slowly_and_then_forgotten(bench: Bench) -> None:
    bench.seller_creates()
    bench.fault(Side.PARTNER_CENTER, busy(60))
    bench.push()
    bench.mend()
    widths = []
    for _ in range(8):
        bench.push(after=120.0)
        widths.append(bench.store.side_state(Side.PARTNER_CENTER).parallelism)
    assert widths == [5, 6, 7, None, None, None, None, None]
    assert bench.store.side_state(Side.PARTNER_CENTER).paused_until is None


def test_salesforces_limit_pauses_the_push(bench: Bench) -> None:
    bench.seller_creates()
    body = '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'
    bench.fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=9, status=403, body=body))
    bench.push()
    bench.mend()
    bench.calls()
    other = bench.instance()
    for _ in range(10):
        other.push()
    assert bench.calls() == {}
    other.push(after=HOUR)
    assert len(bench.referrals()) == 1


def test_a_failed_sign_in_pauses_the_side_and_is_probed_every_quarter_of_an_hour(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(5)]
    body = '{"error": {"code": "accessDenied", "message": "no role"}}'
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, times=1000, status=403, body=body))
    for _ in range(45):
        bench.push(after=MINUTE)
    assert bench.calls()["partner_center.failed"] == 3  # the first, and a probe a quarter of an hour
    assert len(bench.one.log.of("sign_in_failed")) == 3
    bench.mend()
    bench.rounds(2)
    assert all(bench.referral_of(deal) for deal in deals)


def test_a_failed_sign_in_to_salesforce_pauses_the_push(bench: Bench) -> None:
    bench.seller_creates()
    body = '[{"errorCode": "API_DISABLED_FOR_ORG", "message": "API is not enabled"}]'
    bench.fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=1000, status=403, body=body))
    for _ in range(14):
        bench.push(after=MINUTE)
    assert bench.calls()["salesforce.failed"] == 1
    bench.mend()
    bench.rounds(1)
    assert len(bench.referrals()) == 1


def test_an_expired_session_is_renewed_within_the_run(bench: Bench) -> None:
    bench.seller_creates()
    bench.salesforce.oauth.sessions.clear()
    bench.entra.revoke_access_tokens()
    bench.push()
    assert len(bench.referrals()) == 1


FAULTS = {
    "outage": Fault(FaultKind.ANSWER, method="PATCH", status=503, body="{}"),
    "lost reply": Fault(FaultKind.DROP_AFTER, method="PATCH"),
    "conflict": Fault(FaultKind.ANSWER, method="PATCH", times=9, status=412, body="{}"),
    "refusal": Fault(FaultKind.ANSWER, method="PATCH", status=400, body='{"error": {"code": "invalidRequest"}}'),
    "html": Fault(FaultKind.ANSWER_AFTER, method="PATCH", status=200, body="<html></html>"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_bad_record_harms_no_other(bench: Bench, name: str) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(4)]
    bench.quiet()
    fault, bad = FAULTS[name], bench.referral_of(deals[1])["id"]
    for deal in deals:
        bench.seller_edits(deal, Amount=99)
    of_one = Fault(fault.kind, path=bad, method="PATCH", times=fault.times, status=fault.status, body=fault.body)
    bench.fault(Side.PARTNER_CENTER, of_one)
    bench.push()
    good = [deal for deal in deals if deal != deals[1]]
    assert [bench.referral_of(deal)["details"]["dealValue"] for deal in good] == [99, 99, 99]
    assert [bench.row(deal)["Sync_Status__c"] for deal in good] == ["Synced"] * 3
    assert all(bench.link(deal).intent is None for deal in good)
    bench.mend()
    if name != "refusal":
        bench.push(after=LEASE)
        bench.rounds()
        assert bench.referral_of(deals[1])["details"]["dealValue"] == 99


def test_a_referral_that_cannot_be_read_harms_no_other(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(3)]
    bench.quiet()
    bad = bench.referral_of(deals[0])["id"]
    bench.partner_center.raw_patch(bad, {}, ["/updatedDateTime"])
    for deal in deals:
        bench.seller_edits(deal, Amount=99)
    bench.push()
    assert [bench.referral_of(deal)["details"]["dealValue"] for deal in deals[1:]] == [99, 99]
    assert [bench.row(deal)["Sync_Status__c"] for deal in deals[1:]] == ["Synced"] * 2


def test_an_opportunity_that_cannot_be_read_harms_no_other(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(3)]
    org = bench.salesforce.org
    org.store("Opportunity", deals[0], {**org.alive("Opportunity", deals[0]), "CloseDate": "one fine day"})
    bench.push()
    assert [bench.row(deal)["Sync_Status__c"] for deal in deals] == [None, "Synced", "Synced"]
    assert [due.key for due in bench.due(Side.SALESFORCE)] == [deals[0]]


def test_one_refused_write_back_harms_no_other(bench: Bench) -> None:
    deals = [bench.seller_creates(Name=f"Deal {number}") for number in range(3)]
    bench.validation_rule("Sync_Status__c", deals[0])
    bench.push()
    assert [bench.row(deal)["Sync_Status__c"] for deal in deals] == [None, "Synced", "Synced"]


def test_an_outage_of_salesforce_leaves_the_cursor_where_it_was(bench: Bench) -> None:
    bench.quiet()
    before = bench.store.cursor("push_opportunity")
    bench.fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, times=100, status=503, body="<html>down</html>"))
    for _ in range(20):
        bench.push()
    assert bench.store.cursor("push_opportunity") == before
    deal = bench.seller_creates()
    bench.later(24 * HOUR)
    bench.mend()
    bench.push()
    assert bench.referral_of(deal)


def test_a_pair_that_keeps_failing_is_tried_at_growing_distance(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=5)
    # 429 without a wish would pause the side; an outage of this one referral does not.
    path = bench.referral_of(deal)["id"]
    bench.fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, path=path, times=10_000, status=412, body="{}"))
    for _ in range(30):
        bench.push()
    first = bench.calls()["partner_center.failed"]
    for _ in range(12):
        bench.push(after=HOUR / 2)
    bench.calls()
    for _ in range(30):
        bench.push()
    assert bench.calls()["partner_center.failed"] < first / 3
    bench.mend()
    bench.rounds(5)
    assert bench.referral_of(deal)["details"]["dealValue"] == 5
