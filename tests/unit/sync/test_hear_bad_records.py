"""Microsoft's record comes at a bad time or in a bad shape (docs/protocol.md#news-from-microsoft)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.column_rights import restrict_known_columns
from tests.unit.sync.harness import AFTER_LEASE, HOUR, MINUTE, Harness
from tests.unit.sync.heard_deals import (
    ANSWER_BY,
    CRM,
    NOTES,
    SELLER,
    STATUS,
    accept,
    engagement_of,
    hear,
    hear_event,
    heard_deal,
    microsofts,
    shown_news,
)
from tests.unit.sync.helped_deals import linked_deal
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet

ACCEPTED = "Microsoft has accepted this deal"


def test_a_record_without_a_status_keeps_what_is_shown_and_is_told_once(harness: Harness) -> None:
    deal = heard_deal(harness)
    for status in (None, None, "Frozen"):
        harness.partner_center.raw_patch(microsofts(harness, deal)["id"], {"/status": status, "/substatus": None})
        hear(harness, deal)
    assert harness.opportunity(deal)[STATUS] == "Asked"
    assert harness.count_in_audit(deal, "that the sync does not know") == 2


def test_the_same_event_twice_changes_nothing(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    hear(harness, deal)
    before = harness.all_versions()
    hear(harness, deal)
    assert (harness.all_versions(), harness.count_in_audit(deal, ACCEPTED)) == (before, 1)


def test_a_record_that_overtakes_the_work_on_the_pair_is_heard_later(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    harness.seller_edits(deal, Amount=12_000)
    other = harness.new_instance()
    harness.first.process.interrupt_at("partner_center.patch", lambda: hear(harness, deal, other))
    harness.push()
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "busy"
    harness.push(HOUR)
    assert (shown_news(harness, deal)[0], harness.retry_entries(Side.PARTNER_CENTER)) == ("Accepted", [])


def test_a_late_older_state_never_replaces_a_newer_one(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.partner_center.microsoft_receives(engagement_of(harness, deal))
    other = harness.new_instance()

    def newer() -> None:
        accept(harness, deal)
        hear(harness, deal, other)

    harness.first.process.interrupt_at("partner_center.get", newer, after=True)
    hear(harness, deal)
    assert shown_news(harness, deal)[0] == "Accepted"
    assert harness.count_in_audit(deal, ACCEPTED) == 1


def test_an_unticked_deal_shows_nothing_until_it_is_ticked_again(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.push()
    accept(harness, deal)
    before = harness.opportunity(deal)["SystemModstamp"]
    hear(harness, deal)
    harness.run_rounds()
    assert harness.opportunity(deal)["SystemModstamp"] == before
    harness.seller_edits(deal, Sync_with_Partner_Center__c=True)
    harness.push()
    assert shown_news(harness, deal)[:2] == ("Accepted", "7-1")
    assert harness.count_in_audit(deal, ACCEPTED) == 1
    assert_quiet(harness)


def test_a_deleted_opportunity_is_left_alone(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    harness.salesforce.delete("Opportunity", deal)
    hear(harness, deal)
    harness.sweep()
    assert harness.first.log.opportunities_of("opportunity_deleted")
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_closed_deal_still_shows_microsofts_news(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.push(3 * MINUTE)
    assert harness.referral_of(deal)["status"] == "Closed"
    hear(harness, deal)
    harness.partner_center.microsoft_closes(engagement_of(harness, deal), "Lost")
    hear(harness, deal)
    assert (harness.opportunity(deal)[STATUS], harness.opportunity(deal)["StageName"]) == ("Lost", "Closed Won")
    assert_quiet(harness)


def test_a_refused_column_is_left_out_and_written_again_an_hour_later(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal, notes="We meet on Monday.")
    harness.refuse_writes_of(NOTES, times=1)
    hear(harness, deal)
    assert shown_news(harness, deal) == ("Accepted", "7-1", "Microsoft Seller", None)
    harness.clear_faults()
    harness.push()
    harness.push(HOUR + MINUTE)
    assert harness.opportunity(deal)[NOTES] == "We meet on Monday."
    assert harness.count_in_audit(deal, "see Microsoft Notes") == 1
    assert_quiet(harness)


def test_a_locked_record_is_written_later(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    harness.lock_record(deal)
    hear(harness, deal)
    assert shown_news(harness, deal)[0] == "Asked"
    harness.push(HOUR)
    assert shown_news(harness, deal)[0] == "Accepted"
    assert harness.count_in_audit(deal, ACCEPTED) == 1


def assert_identifier_is_shown_after_the_lock(harness: Harness, deal: str) -> None:
    assert harness.opportunity(deal)[CRM] is None
    harness.push(HOUR)
    assert harness.opportunity(deal)[CRM] == "7-1"
    assert harness.count_in_audit(deal, "Microsoft CRM Identifier is now 7-1.") == 1
    assert_quiet(harness)


def test_a_crm_identifier_of_our_own_record_is_shown_after_a_lock(harness: Harness) -> None:
    harness.partner_center.switches.msx_id_on = "ours"
    deal = heard_deal(harness)
    accept(harness, deal)
    harness.lock_record(deal)
    hear(harness, deal)
    assert_identifier_is_shown_after_the_lock(harness, deal)


@pytest.mark.parametrize("is_inbound", [False, True])
def test_a_crm_identifier_that_our_own_record_alone_brings_is_shown_after_a_lock(
    harness: Harness, *, is_inbound: bool
) -> None:
    deal = arrived_deal(harness)[1] if is_inbound else linked_deal(harness)
    referral = str(harness.stored_link(deal).referral_id)
    harness.partner_center.raw_patch(referral, {"/trackingInfo/microsoftMsxId": "7-1"})
    harness.lock_record(deal)
    harness.pull_event(referral)
    assert_identifier_is_shown_after_the_lock(harness, deal)


def test_microsofts_record_is_never_written(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    hear(harness, deal)
    before = microsofts(harness, deal)["eTag"]
    harness.seller_edits(deal, Amount=15_000, **{STATUS: "Lost", SELLER: "Somebody"})
    harness.run_rounds()
    assert microsofts(harness, deal)["eTag"] == before


def test_another_partner_is_one_line_when_it_appears_and_one_when_its_status_changes(harness: Harness) -> None:
    deal = linked_deal(harness)
    engagement = engagement_of(harness, deal)
    theirs = harness.partner_center.partner_joins(engagement)["id"]
    for status in (None, None, "Active"):
        if status:
            changes = [("/status", status), ("/substatus", "Accepted")]
            operations = [{"op": "replace", "path": path, "value": value} for path, value in changes]
            harness.partner_center.partner_edits(engagement, operations)
        hear_event(harness.first, theirs)
    assert harness.count_in_audit(deal, "takes part in this deal") == 1
    assert harness.count_in_audit(deal, "is now Active/Accepted") == 1
    assert shown_news(harness, deal) == (None, None, None, None)
    assert len(harness.salesforce.records("Opportunity")) == 1
    assert_quiet(harness)


def test_another_environments_deal_of_the_same_tenant_is_not_heard() -> None:
    with Harness(tag="STAGING") as harness:
        referral = harness.partner_center.portal_creates({"externalReferenceId": "006000000000001AAA"})
        theirs = harness.partner_center.portal_asks_for_help(referral)["id"]
        hear_event(harness.first, theirs)
        harness.sweep()
        assert harness.salesforce.records("Opportunity") == []
        assert harness.store.deals_of_party(theirs) == ()


def test_a_lease_that_ended_after_a_crash_is_heard_after_its_recovery(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    victim = harness.new_instance()
    victim.process.interrupt_at("salesforce.update", victim.process.crash)
    assert victim.crashes_during(lambda one: hear(harness, deal, one))
    hear(harness, deal)
    harness.run_rounds(after=AFTER_LEASE)
    harness.push(HOUR)
    assert shown_news(harness, deal)[0] == "Accepted"
    assert harness.count_in_audit(deal, ACCEPTED) == 1
    assert_quiet(harness)


@pytest.mark.parametrize("rights", ["hidden", "read_only"])
def test_an_org_that_lacks_the_columns_has_the_lines_and_no_failure(harness: Harness, rights: str) -> None:
    deal = heard_deal(harness)
    columns = [f"Opportunity.{column}" for column in (STATUS, CRM, SELLER, NOTES, ANSWER_BY)]
    restrict_known_columns(harness, **{rights: columns})
    accept(harness, deal)
    hear(harness, deal)
    assert shown_news(harness, deal)[:2] == ("Asked", None)
    for text in (ACCEPTED, "Microsoft CRM Identifier is now 7-1."):
        assert harness.count_in_audit(deal, text) == 1
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert_quiet(harness)


def test_a_record_that_cannot_be_read_now_is_heard_later(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    theirs = microsofts(harness, deal)["id"]
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="GET", path=theirs, status=500, times=99))
    hear(harness, deal)
    assert harness.only_retry_entry(Side.PARTNER_CENTER).key == f"M|{theirs}"
    harness.clear_faults()
    harness.push(HOUR)
    assert shown_news(harness, deal)[0] == "Accepted"


def test_a_throttled_read_pauses_the_side_and_is_made_good(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    throttled = Fault(FaultKind.ANSWER, status=429, headers={"Retry-After": "600"}, body='{"statusCode": 429}')
    harness.inject_fault(Side.PARTNER_CENTER, throttled)
    hear(harness, deal)
    assert harness.store.side_state(Side.PARTNER_CENTER, fresh=True).reason == "throttled"
    harness.clear_faults()
    harness.forget_calls()
    hear_event(harness.first, microsofts(harness, deal)["id"])
    assert harness.new_calls() == {}
    harness.advance_time(601)
    harness.push(HOUR)
    assert shown_news(harness, deal)[0] == "Accepted"


def test_a_write_back_that_a_crash_interrupted_is_repeated_by_the_next_hearing(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal)
    victim = harness.new_instance()
    victim.process.interrupt_at("salesforce.update", victim.process.crash)
    assert victim.crashes_during(lambda one: hear(harness, deal, one))
    hear(harness, deal)
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "busy"
    harness.advance_time(HOUR)  # the poll does not look back so far
    hear(harness, deal)
    assert shown_news(harness, deal)[0] == "Accepted"
    assert harness.count_in_audit(deal, ACCEPTED) == 1
    assert_quiet(harness)
