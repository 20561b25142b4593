"""A preview says what the next runs do, because the engine plans it, and writes nothing."""

from collections.abc import Iterator
from copy import replace
from datetime import timedelta
from typing import cast

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.leads import Leads
from shared.domain.link import Intent
from shared.operations.preview import PreviewReport, preview_all, preview_filter, preview_next
from shared.operations.preview_context import Preview, preview_of
from shared.operations.preview_deals import Creates, DealPreview, NoteKind
from shared.store.row_codec import pack
from shared.store.rows import Put
from shared.sync.ports import PULL, PUSH, Policy
from tests.unit.sync.harness import HOUR, RESTED, Harness
from tests.unit.sync.inbound_deals import microsoft_sends_deal
from tests.unit.sync.instances import RecordedLog
from tests.unit.sync.lead_deals import customer_asks, harness_with
from tests.unit.sync.test_clones import copy_of

READS = {"salesforce.query", "partner_center.list", "partner_center.get"}
NONE = {"creates": 0, "adopts": 0, "to_partner_center": 0, "to_salesforce": 0, "held": 0, "needs_approval": 0}


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as harness:
        yield harness


def opened(harness: Harness, policy: Policy | None = None) -> Preview:
    return preview_of(harness.new_instance(policy).ctx, harness.rows)


def next_runs(harness: Harness, policy: Policy | None = None) -> PreviewReport:
    harness.advance_time(RESTED)
    return preview_next(opened(harness, policy))


def only(report: PreviewReport) -> DealPreview:
    (deal,) = report.all_deals
    return deal


def texts(deal: DealPreview, kind: NoteKind) -> list[str]:
    return [note.text for note in deal.notes if note.kind is kind]


def fields_in(log: RecordedLog, event: str, deal: DealPreview) -> set[str]:
    """The fields of a deal that log events name."""
    lines = (fields for fields in log.fields_of(event) if fields["opportunity_id"] == deal.opportunity_id)
    return {str(name) for fields in lines for name in cast("list[str]", fields["fields"])}


@pytest.fixture
def changed(harness: Harness) -> Harness:
    """A deal that both sides edited, a new deal, an incomplete one, one that names its referral, one of Microsoft."""
    deal = harness.shared_deal()
    harness.sweep()
    harness.seller_edits(deal, Amount=7)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-01T00:00:00Z")
    harness.seller_creates(Name="New")
    harness.seller_creates(Name="Incomplete", Amount=None)
    harness.seller_creates(Name="Known", Referral_Identifier__c=harness.partner_center.portal_creates())
    microsoft_sends_deal(harness)
    harness.forget_calls()
    return harness


def test_nothing_is_written_to_the_store_or_to_a_side(changed: Harness) -> None:
    before = changed.all_versions(), list(changed.rows.walk("", "~")), len(changed.salesforce.records("Opportunity"))
    for preview in (opened(changed), opened(changed)):
        preview_next(preview)
        preview_all(preview)
        assert [*preview.partner_center.read, *preview.salesforce.inbox] == [], "what was read is let go"
    preview_filter(opened(changed), "Amount > 0")
    after = changed.all_versions(), list(changed.rows.walk("", "~")), len(changed.salesforce.records("Opportunity"))
    assert before == after
    assert changed.new_calls().keys() <= READS


def test_what_it_says_is_what_the_next_runs_do(changed: Harness) -> None:
    report = next_runs(changed)
    assert report.counts(PUSH) == {
        **NONE,
        "creates": 1,
        "adopts": 1,
        "to_partner_center": 1,
        "to_salesforce": 1,
        "held": 1,
        "needs_approval": 0,
    }
    assert report.counts(PULL) == {**NONE, "creates": 1, "to_partner_center": 1, "to_salesforce": 1}
    worker = changed.new_instance()
    worker.push(0)
    worker.sweep(0)
    deals = report.all_deals
    known, edited = (one for one in deals if one.opportunity_id and one.to_salesforce)
    refused_when_written = {"name"}
    assert fields_in(worker.log, "referral_patched", edited) == {one.field for one in edited.to_partner_center}
    planned = {one.field for one in known.to_partner_center}
    assert fields_in(worker.log, "referral_patched", known) == planned - refused_when_written
    for deal in (edited, known):
        assert fields_in(worker.log, "opportunity_written", deal) == {one.field for one in deal.to_salesforce}
    ended = {"referral_created": "New", "opportunity_held": "Incomplete", "referral_adopted": "Known"}
    for event, name in ended.items():
        (found,) = worker.log.fields_of(event)
        assert changed.opportunity(str(found["opportunity_id"]))["Name"] == name
    (created,) = worker.log.fields_of("opportunity_created")
    assert created["referral_id"] == next(deal.referral_id for deal in deals if deal.creates is Creates.OPPORTUNITY)


def test_all_deals_are_looked_at_also_those_without_a_change(changed: Harness) -> None:
    changed.run_rounds()
    assert next_runs(changed).all_deals == []
    report = preview_all(opened(changed))
    assert [deal.name for deal in report.all_deals if deal.has(NoteKind.HELD)] == ["Incomplete"]
    assert len(report.all_deals) + report.unchanged == 5
    assert not any(deal.to_partner_center or deal.to_salesforce for deal in report.all_deals)
    assert [deal.name for deal in preview_filter(opened(changed), "Name = 'Incomplete'").all_deals] == ["Incomplete"]


def test_old_and_new_values_and_the_reasons_are_shown(changed: Harness) -> None:
    by_name = {deal.name: deal for deal in next_runs(changed).all_deals}
    (edited,) = (deal for deal in by_name.values() if not (deal.creates or deal.adopts or deal.has(NoteKind.HELD)))
    assert [(one.label, one.old, one.new) for one in edited.to_partner_center] == [
        ("Amount", "10000.00 USD", "7.00 USD")
    ]
    assert [(one.label, one.new) for one in edited.to_salesforce] == [("Close Date", "2027-01-01")]
    assert texts(by_name["Incomplete"], NoteKind.HELD)[0].startswith("Not synced: Amount or its currency is empty.")
    arriving = by_name["Robots for the harbour"]
    assert arriving.further == ["Account Fabrikam Robotics", "Contact Ada Lind"]
    assert ("Amount", "25000.00 EUR") in [(one.label, one.new) for one in arriving.to_salesforce]


def test_a_copy_is_held_and_counts_as_no_creation(harness: Harness) -> None:
    copy_of(harness, harness.shared_deal())
    assert next_runs(harness).counts(PUSH) == {**NONE, "held": 1}


def test_what_the_mass_change_stop_would_hold_back_waits(harness: Harness) -> None:
    for number in range(3):
        harness.seller_creates(Name=f"Deal {number}")
        microsoft_sends_deal(harness)
    report = next_runs(harness, Policy(mass_change_limit=1))
    assert [deal.is_stopped for deal in report.deals[PUSH]] == [False, True, True]
    assert [deal.is_stopped for deal in report.deals[PULL]].count(True) == 2
    assert (report.created(Creates.REFERRAL), report.created(Creates.OPPORTUNITY)) == (3, 3)


def test_stopped_values_are_shown_apart(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}", Amount=1000 + number) for number in range(8)]
    harness.push_until_quiet()
    for deal in deals:
        harness.seller_edits(deal, Amount=1)
    report = next_runs(harness, Policy(mass_change_limit=2))
    stopped = [one for deal in report.all_deals for one in deal.stopped]
    assert len(stopped) == 6
    assert sum(deal.needs_approval for deal in report.all_deals) == 6
    assert report.counts(PUSH)["needs_approval"] + report.counts(PULL)["needs_approval"] == 6
    assert {(one.label, one.new, one.side) for one in stopped} == {("Amount", "1.00 USD", Side.PARTNER_CENTER)}


def test_a_deal_that_the_app_works_on_says_so(harness: Harness) -> None:
    deal = harness.shared_deal()
    entry = harness.store.link(deal)
    assert entry is not None
    harness.store.replace_link(entry, replace(entry.value, intent=Intent()))
    harness.seller_edits(deal, Amount=7)
    assert texts(only(next_runs(harness)), NoteKind.UNREAD) == ["The app works on it now."]


def test_an_unreadable_row_stops_no_other_deal(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=name) for name in ("One", "Two")]
    harness.push_until_quiet()
    referral = harness.referral_of(deals[0])["id"]
    for deal in deals:
        harness.seller_edits(deal, Amount=7)
        harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-01T00:00:00Z")
    harness.rows.write(f"O|{deals[0]}", [Put("link", pack({"state": "unknown"}))])
    harness.rows.write(f"R|{referral.lower()}", [Put("pointer", pack({"intent": [["unknown"]]}))])
    report = next_runs(harness)
    assert sum(deal.has(NoteKind.UNREAD) for deal in report.all_deals) == 2
    assert [deal.opportunity_id for deal in report.all_deals if deal.to_partner_center] == [deals[1]]


def test_a_refused_arrival_says_what_the_inbox_says(harness: Harness) -> None:
    deal = harness.shared_deal()
    second = harness.partner_center.portal_creates({"externalReferenceId": deal})
    for _ in range(2):  # before it was tried, and after
        (refused,) = [one for one in next_runs(harness).all_deals if one.referral_id == second]
        assert (refused.creates, refused.name != "") == (None, True)
        assert deal in texts(refused, NoteKind.REFUSED)[0]
        harness.sweep()
        harness.advance_time(HOUR)


def test_a_lead_is_shown_as_one() -> None:
    with harness_with(Leads.LEAD) as harness:
        customer_asks(harness)
        assert only(next_runs(harness)).creates is Creates.LEAD


def test_a_side_that_limits_calls_is_paused_in_the_preview_only(changed: Harness) -> None:
    fault = Fault(FaultKind.ANSWER, path="/referrals/", times=1000, status=429, headers={"Retry-After": "600"})
    changed.inject_fault(Side.PARTNER_CENTER, fault)
    report = next_runs(changed)
    assert [deal for deal in report.all_deals if deal.has(NoteKind.UNREAD)]
    assert changed.store.side_state(Side.PARTNER_CENTER, fresh=True).paused_until is None


def test_a_deleted_and_an_unticked_deal_are_told(harness: Harness) -> None:
    deleted, unticked = (harness.seller_creates(Name=name) for name in ("Deleted", "Unticked"))
    harness.push_until_quiet()
    harness.salesforce.delete("Opportunity", deleted)
    harness.seller_edits(unticked, Sync_with_Partner_Center__c=False)
    report = preview_filter(opened(harness), "Name = 'Unticked'")
    assert texts(only(report), NoteKind.LEFT) == ["Its Sync with Partner Center is not ticked."]
    assert [deal.opportunity_id for deal in preview_all(opened(harness)).all_deals] == [deleted]


def test_a_field_that_nobody_has_approved_waits(harness: Harness) -> None:
    policy = Policy(irreversible_wait=timedelta(minutes=2))
    deal = harness.shared_deal()
    approved = dict(harness.store.approved_fields() or {})
    assert approved or harness.store.keep_first_approval({"name": ("Name",)})
    harness.seller_edits(deal, Amount=7)
    waiting = only(next_runs(harness, policy))
    assert "cosell approve" in texts(waiting, NoteKind.WAITS)[0]
    assert waiting.needs_approval
    sent = preview_of(harness.new_instance().ctx, harness.rows, sends_all=True)
    assert only(preview_next(sent)).to_partner_center


def test_a_referral_that_is_to_be_closed_as_a_test_says_so() -> None:
    with Harness(tag="STAGING") as harness:
        deal = harness.shared_deal()
        entry = harness.store.link(deal)
        assert entry is not None
        harness.store.replace_link(entry, replace(entry.value, close_as_test=True))
        told = only(preview_all(opened(harness)))
        assert "closed as a test" in texts(told, NoteKind.TOLD)[0]
        assert not told.has(NoteKind.UNREAD)
