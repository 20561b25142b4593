"""The app closes the referrals of tests as an error (docs/protocol.md#closing-test-referrals)."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.partner_center.emulator import ORGANIZATION
from shared.domain.deal import Side
from shared.domain.policy import Policy
from shared.domain.scope import Scope
from shared.operations.own_test_referrals import BUSY, CHANGED, find_test_referrals, request_close
from tests.unit.sync.crash_points import crash_instance_at, crash_points
from tests.unit.sync.harness import AFTER_LEASE, Harness, Instance
from tests.unit.sync.inbound_deals import assert_quiet, recover_after_lease

STAGING = Policy(may_share=False, hold_win=timedelta())
TOLD, SENT = "An administrator let the sync close this deal", "To Partner Center: Stage Active/Accepted → Closed/Error"


@pytest.fixture
def staging() -> Iterator[Harness]:
    """A staging environment."""
    with Harness(policy=STAGING, tag="STAGING") as harness:
        yield harness


def request_all(harness: Harness) -> list[str]:
    """Run what the command does after a yes. Returns the obstacles."""
    ctx = harness.new_instance().ctx
    found = find_test_referrals(ctx)
    asked = [request_close(ctx, each) for each in found if not each.obstacle]
    return [*(each.obstacle for each in found if each.obstacle), *filter(None, asked)]


def status_of(harness: Harness, deal: str) -> tuple[str, str, str]:
    referral = harness.referral_of(deal)
    return referral["status"], referral["substatus"], referral["statusReason"]


CLOSED = ("Closed", "Error", "Test referral")


def assert_closed(harness: Harness, deal: str) -> None:
    """The referral is closed as an error, and the opportunity shows it, once."""
    assert status_of(harness, deal) == CLOSED
    record = harness.opportunity(deal)
    assert (record["StageName"], record["Sync_Status__c"]) == ("Closed Lost", "Synced")
    assert harness.count_in_audit(deal, TOLD) == 1, harness.audit_texts(deal)
    assert harness.count_in_audit(deal, SENT) == 1, harness.audit_texts(deal)
    assert harness.count_in_audit(deal, "was not sent") == 0
    link = harness.stored_link(deal)
    assert (link.close_as_test, link.intent) == (False, None)
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_the_app_closes_what_the_command_asked_for(staging: Harness) -> None:
    deals = [staging.shared_deal(Name=f"Deal {number}") for number in range(3)]
    found = find_test_referrals(staging.first.ctx)
    assert [(each.name, each.amount, each.opportunity_id, each.obstacle) for each in found] == [
        (f"Deal {number}", "10000.00 USD", deals[number], "") for number in reversed(range(3))
    ]
    assert request_all(staging) == []
    assert {staging.referral_of(deal)["status"] for deal in deals} == {"Active"}, "the command writes no referral"
    staging.push()
    for deal in deals:
        assert_closed(staging, deal)
    assert find_test_referrals(staging.first.ctx) == []
    assert_quiet(staging)


@pytest.mark.parametrize("reference", ["006000000000001AAA", "OTHER:006000000000001AAA", None])
def test_a_referral_that_is_another_environments_by_now_is_not_closed(staging: Harness, reference: str | None) -> None:
    deal = staging.shared_deal()
    request_all(staging)
    referral = staging.referral_of(deal)["id"]
    staging.colleague_edits(referral, externalReferenceId=reference)
    staging.run_rounds()
    assert staging.partner_center.referral(referral)["status"] == "Active"
    assert (staging.count_in_audit(deal, TOLD), staging.stored_link(deal).close_as_test) == (0, False)


def test_one_patch_closes_one_referral(staging: Harness) -> None:
    staging.shared_deal()
    request_all(staging)
    staging.forget_calls()
    staging.push()
    calls = staging.new_calls()
    assert (calls["partner_center.patch"], calls["partner_center.get"]) == (1, 1)
    assert [one["fields"] for one in staging.first.log.fields_of("referral_patched")] == [["status"]]


def test_a_referral_that_keeps_changing_is_closed_by_a_later_run(staging: Harness) -> None:
    deal = staging.shared_deal()
    request_all(staging)
    worker, referral = staging.new_instance(), staging.referral_of(deal)["id"]
    for number in range(staging.policy.tries):
        edit = partial(staging.colleague_edits, referral, details_dealValue=300 + number)
        worker.process.interrupt_at("partner_center.patch", edit, skip=number)
    worker.push()
    assert (status_of(staging, deal)[0], staging.stored_link(deal).close_as_test) == ("Active", True)
    assert staging.only_retry_entry(Side.SALESFORCE).cause == "referral_kept_changing"
    staging.run_rounds(after=AFTER_LEASE)
    assert_closed(staging, deal)


def test_a_request_that_is_repeated_changes_nothing(staging: Harness) -> None:
    deal = staging.shared_deal()
    request_all(staging)
    request_all(staging)
    assert len(staging.retry_entries(Side.SALESFORCE)) == 1
    staging.push()
    assert_closed(staging, deal)


def test_a_request_whose_process_stops_before_the_queue_is_made_again(staging: Harness) -> None:
    deal = staging.shared_deal()
    instance = staging.new_instance()
    (found,) = find_test_referrals(instance.ctx)
    instance.process.interrupt_at("store.put_retry_entry", instance.process.crash)
    assert instance.crashes_during(lambda one: request_close(one.ctx, found))
    assert staging.retry_entries(Side.SALESFORCE) == []
    request_all(staging)
    staging.push()
    assert_closed(staging, deal)


def test_an_unticked_opportunity_is_closed_too_and_keeps_its_stage(staging: Harness) -> None:
    deal = staging.shared_deal()
    staging.seller_edits(deal, Sync_with_Partner_Center__c=False)
    staging.push()
    request_all(staging)
    staging.push()
    assert status_of(staging, deal) == CLOSED
    assert (staging.opportunity(deal)["StageName"], staging.count_in_audit(deal, TOLD)) == ("Qualification", 1)
    assert_quiet(staging)


def test_the_referral_of_a_deleted_opportunity_is_closed_too(staging: Harness) -> None:
    deal = staging.shared_deal()
    staging.salesforce.delete("Opportunity", deal)
    request_all(staging)
    staging.push()
    assert status_of(staging, deal) == CLOSED
    assert (staging.stored_link(deal).close_as_test, staging.retry_entries(Side.SALESFORCE)) == (False, [])


def test_what_the_app_cannot_close_is_told_with_the_reason(staging: Harness) -> None:
    deal = staging.shared_deal()
    entry = staging.store.link(deal)
    assert entry is not None
    staging.store.delete_link(entry)
    (obstacle,) = request_all(staging)
    assert f"does not link opportunity {deal}" in obstacle
    assert "close it in Partner Center" in obstacle


def test_a_pair_that_is_worked_on_is_told_as_busy(staging: Harness) -> None:
    staging.shared_deal()
    crashing = staging.new_instance()
    staging.seller_edits(find_test_referrals(staging.first.ctx)[0].opportunity_id or "", Amount=1)
    crashing.process.interrupt_at("partner_center.patch", crashing.process.crash)
    assert crashing.crashes_during(Instance.push)
    assert request_all(staging) == [BUSY]


def test_referrals_of_production_and_of_microsoft_are_not_listed(staging: Harness) -> None:
    staging.partner_center.microsoft_sends()
    scope = staging.scope
    staging.scope = Scope(ORGANIZATION, None, scope.begin)
    staging.seller_creates(Name="Real deal")
    staging.new_instance().push()
    staging.scope = scope
    deal = staging.seller_creates(Name="Test")
    staging.new_instance().push()
    assert len(staging.our_referrals()) == 3
    found = find_test_referrals(staging.new_instance().ctx)
    assert [each.opportunity_id for each in found if each.obstacle != CHANGED] == [deal]


def test_a_note_in_production_closes_nothing(harness: Harness) -> None:
    deal = harness.shared_deal()
    entry = harness.store.link(deal)
    assert entry is not None
    harness.store.replace_link(entry, entry.value.__replace__(close_as_test=True))
    harness.seller_edits(deal, Amount=12_000)
    harness.push()
    assert (harness.referral_of(deal)["status"], harness.stored_link(deal).close_as_test) == ("Active", False)
    assert harness.referral_of(deal)["details"]["dealValue"] == 12_000


def test_a_deal_that_a_colleague_closed_meanwhile_stays_as_they_closed_it(staging: Harness) -> None:
    deal = staging.shared_deal()
    request_all(staging)
    staging.colleague_edits(staging.referral_of(deal)["id"], status="Closed", substatus="Lost", statusReason="Others")
    staging.run_rounds(1)
    assert status_of(staging, deal)[:2] == ("Closed", "Lost")
    assert (staging.count_in_audit(deal, TOLD), staging.stored_link(deal).close_as_test) == (0, False)


def test_a_colleague_who_edits_at_the_same_moment_does_not_stop_the_close(staging: Harness) -> None:
    deal = staging.shared_deal()
    request_all(staging)
    worker, referral = staging.new_instance(), staging.referral_of(deal)["id"]
    worker.process.interrupt_at(
        "partner_center.patch", lambda: staging.colleague_edits(referral, details_dealValue=300)
    )
    worker.push()
    assert_closed(staging, deal)
    assert staging.opportunity(deal)["Amount"] == 300


def test_a_refusal_by_partner_center_is_told_once(staging: Harness) -> None:
    deal = staging.shared_deal()
    request_all(staging)
    body = '{"code": "400001", "description": "Not so."}'
    staging.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=400, body=body))
    staging.run_rounds(1)
    assert (status_of(staging, deal)[0], staging.stored_link(deal).close_as_test) == ("Active", False)
    assert staging.count_in_audit(deal, "was not carried over") == 1
    request_all(staging)
    staging.push()
    assert status_of(staging, deal) == CLOSED


def test_a_lost_reply_to_the_close_is_recovered(staging: Harness) -> None:
    deal = staging.shared_deal()
    request_all(staging)
    staging.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="PATCH"))
    staging.push()
    recover_after_lease(staging)
    assert_closed(staging, deal)


def arrange(harness: Harness) -> str:
    deal = harness.shared_deal()
    request_all(harness)
    return deal


def arrange_deleted(harness: Harness) -> str:
    deal = arrange(harness)
    harness.salesforce.delete("Opportunity", deal)
    return deal


class StagingHarness(Harness):
    """A harness of staging, as the crash points make it."""

    def __init__(self) -> None:
        super().__init__(policy=STAGING, tag="STAGING")


@pytest.fixture
def crashes_in_staging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.sync.crash_points.Harness", StagingHarness)


@pytest.mark.usefixtures("crashes_in_staging")
def test_a_crash_at_any_call_closes_the_referral_once_and_tells_it_once() -> None:
    points, calls = crash_points(arrange, Instance.push)
    assert calls > len(points) > 4
    for number in points:
        with StagingHarness() as harness:
            deal = arrange(harness)
            crashing = harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(Instance.push)
            recover_after_lease(harness)
            assert_closed(harness, deal)
            assert_quiet(harness)


@pytest.mark.usefixtures("crashes_in_staging")
def test_a_crash_at_any_call_leaves_no_intent_where_the_opportunity_is_deleted() -> None:
    points, _ = crash_points(arrange_deleted, Instance.push)
    for number in points:
        with StagingHarness() as harness:
            deal = arrange_deleted(harness)
            crashing = harness.new_instance()
            crash_instance_at(crashing, number)
            assert crashing.crashes_during(Instance.push)
            recover_after_lease(harness)
            link = harness.stored_link(deal)
            assert (status_of(harness, deal), link.close_as_test, link.intent) == (CLOSED, False, None)
            lines = [line.code for line in harness.store.audit(deal)]
            assert lines.count("closed_as_test") == 1
            assert {entry.cause for entry in harness.retry_entries(Side.SALESFORCE)} <= {"deleted"}


def test_a_linked_referral_without_our_tag_is_named_and_closed_by_nobody(staging: Harness) -> None:
    deal = staging.shared_deal()
    referral = staging.referral_of(deal)["id"]
    staging.colleague_edits(referral, externalReferenceId="006000000000009AAA")
    assert request_all(staging) == [CHANGED]
    staging.push()
    assert staging.partner_center.referral(referral)["status"] == "Active"
