"""A seller asks Microsoft for help (docs/protocol.md#asking-microsoft-for-help)."""

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.helped_deals import (
    ASKED,
    GENERAL,
    HELP,
    NOTES,
    PROOF,
    TWO_MINUTES,
    VISIBLE,
    WILL_ASK,
    add_contact,
    asked_for,
    complete_deal,
    helped_deal,
    linked_deal,
    mark,
    microsofts_record,
    microsofts_records,
)
from tests.unit.sync.inbound_deals import assert_quiet

# --- a new deal


def test_a_new_deal_with_help_waits_once_and_is_created_twice_in_one_engagement(harness: Harness) -> None:
    deal = complete_deal(harness, **{HELP: PROOF, NOTES: "A demo in May, please."})
    harness.push()
    assert (harness.partner_center.referrals(), mark(harness, deal)) == ([], "Waiting")
    assert harness.count_in_audit(deal, WILL_ASK) == len(harness.audit_texts(deal)) == 1
    assert harness.new_calls() == {"salesforce.query": 3, "salesforce.write_back": 1}  # the third looks for originals
    harness.push()
    assert (harness.partner_center.referrals(), harness.new_calls()) == ([], {"salesforce.query": 2})
    harness.push()
    calls = harness.new_calls()
    assert (calls["partner_center.create"], calls["salesforce.conditional"] + calls["salesforce.write_back"]) == (2, 1)
    assert calls.total() - calls["salesforce.query"] == 3
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "A demo in May, please.")
    assert harness.count_in_audit(deal, f"{ASKED} {PROOF}. It can answer until 2026-12-06 10:03 UTC") == 1
    assert (mark(harness, deal), harness.opportunity(deal)[VISIBLE]) == ("Synced", True)
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_after_a_request_a_minute_without_changes_costs_one_call(harness: Harness) -> None:
    helped_deal(harness)
    harness.push()
    assert harness.new_calls().total() == 1


def test_microsofts_record_says_what_our_referral_says(harness: Harness) -> None:
    deal = helped_deal(harness)
    ours, theirs = harness.referral_of(deal), microsofts_record(harness, deal)
    for name in ("name", "engagementId", "details", "team", "customerProfile"):
        assert theirs[name] == ours[name], name
    assert theirs["customerProfile"]["team"][0]["email"] == "ada@northwind.example"
    assert theirs["externalReferenceId"] is None
    assert theirs["target"] == [{"type": "BusinessProfileLocation", "id": "msft"}]
    assert theirs["consent"]["consentToShareReferralWithMicrosoftSellers"] is True
    assert theirs["inviteContext"]["invitedBy"]["organizationId"] == ours["organizationId"]


def test_a_related_event_finds_the_deal(harness: Harness) -> None:
    deal = helped_deal(harness)
    record = microsofts_record(harness, deal)
    assert harness.store.deals_in_engagement(record["engagementId"]) == (deal,)
    assert harness.store.deals_of_party(record["id"]) == (deal,)


@pytest.mark.parametrize("kind", ["new", "linked"])
def test_a_related_event_finds_the_deal_before_the_request_has_its_answer(harness: Harness, kind: str) -> None:
    deal = complete_deal(harness, **{HELP: PROOF}) if kind == "new" else linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    worker, found = harness.new_instance(), list[tuple[str, ...]]()

    def look() -> None:
        engagement = microsofts_record(harness, deal)["engagementId"]
        found.append(tuple(harness.store.deals_in_engagement(engagement)))

    worker.process.interrupt_at("partner_center.create", look, skip=int(kind == "new"), after=True)
    worker.push(TWO_MINUTES)
    assert found == [(deal,)]


def test_microsoft_is_asked_in_the_run_in_which_another_value_is_refused(harness: Harness) -> None:
    deal = linked_deal(harness, **{VISIBLE: True})
    harness.push(TWO_MINUTES)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.seller_edits(deal, Amount=12_000)
    answer = '{"error": {"code": "invalidRequest", "message": "Please enter less."}}'
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=400, body=answer))
    harness.push(TWO_MINUTES)
    assert (len(microsofts_records(harness)), mark(harness, deal)) == (1, "Failed")
    assert harness.count_in_audit(deal, ASKED) == 1


def test_help_in_several_clicks_is_one_request_with_the_last_values(harness: Harness) -> None:
    deal = complete_deal(harness, **{HELP: GENERAL})
    harness.push()
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.seller_edits(deal, **{NOTES: "Two of your people, please."})
    harness.push()
    harness.push()
    assert harness.partner_center.referrals() == []
    harness.push()
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "Two of your people, please.")


def test_help_that_is_taken_back_within_two_minutes_leaves_the_deal_private(harness: Harness) -> None:
    deal = complete_deal(harness, **{HELP: GENERAL})
    harness.push()
    harness.seller_edits(deal, **{HELP: None})
    harness.push_until_quiet()
    assert (microsofts_records(harness), harness.opportunity(deal)[VISIBLE]) == ([], False)
    assert (harness.referral_of(deal)["type"], mark(harness, deal)) == ("Independent", "Synced")
    assert_quiet(harness)


# --- a linked deal


def test_a_private_linked_deal_is_shared_and_asked_about_in_one_run(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF}, Amount=12_000)
    harness.push()
    assert (microsofts_records(harness), mark(harness, deal)) == ([], "Waiting")
    assert harness.referral_of(deal)["details"]["dealValue"] == 12_000
    assert (harness.count_in_audit(deal, WILL_ASK), harness.count_in_audit(deal, "sellers will change")) == (1, 0)
    harness.forget_calls()
    harness.push(TWO_MINUTES)
    calls = harness.new_calls()
    assert {name: count for name, count in calls.items() if name.startswith("partner")} == {
        "partner_center.get": 1,
        "partner_center.patch": 1,
        "partner_center.list": 1,
        "partner_center.create": 1,
    }
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", None)
    assert (mark(harness, deal), harness.opportunity(deal)[VISIBLE]) == ("Synced", True)
    assert_quiet(harness)


@pytest.mark.parametrize("ticked", [False, True])
def test_a_linked_deal_stays_private_while_help_in_several_clicks_waits(harness: Harness, ticked: bool) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF, VISIBLE: ticked})
    harness.push()
    harness.seller_edits(deal, **{NOTES: "Two of your people, please."})
    harness.push(1.5 * MINUTE)
    harness.push(0.75 * MINUTE)
    assert harness.referral_of(deal)["type"] == "Independent"
    harness.seller_edits(deal, **{HELP: None, VISIBLE: False})
    harness.push_until_quiet()
    assert (microsofts_records(harness), harness.referral_of(deal)["type"]) == ([], "Independent")
    assert_quiet(harness)


def test_the_tick_that_help_sets_is_no_news_from_partner_center(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.push(TWO_MINUTES)
    assert harness.opportunity(deal)[VISIBLE]
    assert harness.count_in_audit(deal, "From Partner Center: Visible") == 0
    assert harness.count_in_audit(deal, "Note: Visible to Microsoft sellers was ticked, because Microsoft sees") == 1


def test_a_visible_deal_is_asked_about_two_minutes_after_the_help_was_chosen(harness: Harness) -> None:
    deal = linked_deal(harness, **{VISIBLE: True})
    harness.push(TWO_MINUTES)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.push()
    harness.push()
    assert microsofts_records(harness) == []
    harness.push()
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", None)
    assert_quiet(harness)


@pytest.mark.parametrize("stage", ["Closed Won", "Closed Lost"])
def test_help_on_a_closed_deal_is_refused_and_told_once(harness: Harness, stage: str) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, StageName=stage)
    harness.push()
    harness.push(TWO_MINUTES)
    harness.seller_edits(deal, **{HELP: PROOF})
    harness.run_rounds()
    assert (microsofts_records(harness), harness.referral_of(deal)["type"]) == ([], "Independent")
    assert (
        harness.count_in_audit(deal, "Microsoft is not asked for help, because the deal is closed. Please clear") == 1
    )
    assert (mark(harness, deal), harness.opportunity(deal)[VISIBLE]) == ("Synced with differences", False)
    assert_quiet(harness)
    harness.seller_edits(deal, **{HELP: None})
    harness.run_rounds(1)
    assert mark(harness, deal) == "Synced"


def test_help_on_a_deal_that_closes_with_it_is_not_asked(harness: Harness) -> None:
    deal = linked_deal(harness)
    harness.seller_edits(deal, **{HELP: PROOF}, StageName="Closed Won")
    harness.run_rounds()
    assert (microsofts_records(harness), harness.referral_of(deal)["substatus"]) == ([], "Won")
    assert harness.count_in_audit(deal, "because the deal is closed") == 1


def test_a_new_deal_that_is_closed_and_asks_for_help_is_held(harness: Harness) -> None:
    deal = complete_deal(harness, **{HELP: PROOF}, StageName="Closed Won")
    harness.run_rounds()
    assert (harness.partner_center.referrals(), mark(harness, deal)) == ([], "Failed")
    assert harness.count_in_audit(deal, "because the deal is closed") == 1


# --- what Microsoft demands


def test_a_new_deal_without_a_contact_is_held_and_sent_once_it_has_one(harness: Harness) -> None:
    deal = harness.seller_creates(**{HELP: PROOF})
    add_contact(harness, deal, Phone=None)
    harness.run_rounds()
    assert (harness.partner_center.referrals(), mark(harness, deal)) == ([], "Failed")
    assert harness.count_in_audit(deal, "Please add a Contact Role") == 1
    add_contact(harness, deal, Email="other@northwind.example")
    harness.push(HOUR)
    harness.push(TWO_MINUTES)
    assert asked_for(harness, deal)[0] == "ProofOfConceptOrDemo"
    assert mark(harness, deal) == "Synced with differences"  # the first contact was left out


def test_a_linked_deal_without_a_contact_goes_on_and_is_asked_about_once_it_has_one(harness: Harness) -> None:
    deal = harness.shared_deal()
    harness.seller_edits(deal, **{HELP: PROOF}, Amount=12_000)
    harness.run_rounds()
    assert (microsofts_records(harness), harness.referral_of(deal)["type"]) == ([], "Independent")
    assert (harness.referral_of(deal)["details"]["dealValue"], mark(harness, deal)) == (12_000, "Failed")
    assert harness.count_in_audit(deal, "Please add a Contact Role") == 1
    add_contact(harness, deal)
    harness.push(HOUR)
    harness.push(TWO_MINUTES)
    assert (asked_for(harness, deal)[0], mark(harness, deal)) == ("ProofOfConceptOrDemo", "Synced")
    assert_quiet(harness)


# --- after the request


def test_other_help_or_notes_after_the_request_are_refused_and_told_once(harness: Harness) -> None:
    deal = helped_deal(harness)
    harness.seller_edits(deal, **{HELP: GENERAL, NOTES: "Never mind."})
    harness.run_rounds()
    assert asked_for(harness, deal) == ("ProofOfConceptOrDemo", "A demo in May, please.")
    assert harness.count_in_audit(deal, f'"{GENERAL}" was not sent: Microsoft was asked already, for "{PROOF}"') == 1
    assert harness.count_in_audit(deal, "Notes to Microsoft were changed after Microsoft was asked") == 1
    assert mark(harness, deal) == "Synced with differences"
    assert_quiet(harness)
    harness.seller_edits(deal, **{HELP: PROOF, NOTES: "A demo in May,  please.\r\n"})
    harness.run_rounds(1)
    assert mark(harness, deal) == "Synced"


def test_help_that_is_cleared_after_the_request_is_refused_and_told_once(harness: Harness) -> None:
    deal = helped_deal(harness)
    harness.seller_edits(deal, **{HELP: None})
    harness.run_rounds()
    assert harness.count_in_audit(deal, '"empty" was not sent: Microsoft was asked already') == 1
    assert (mark(harness, deal), len(microsofts_records(harness))) == ("Synced with differences", 1)


def test_the_values_of_a_deal_that_was_asked_about_go_on(harness: Harness) -> None:
    deal = helped_deal(harness)
    harness.seller_edits(deal, Amount=12_000)
    harness.push(MINUTE)
    assert (harness.referral_of(deal)["details"]["dealValue"], mark(harness, deal)) == (12_000, "Synced")
    calls = harness.new_calls()
    assert {name: count for name, count in calls.items() if name.startswith("partner")} == {"partner_center.patch": 1}
    assert harness.retry_entries(Side.SALESFORCE) == []
