"""What Microsoft says in its own record reaches the opportunity (docs/protocol.md#news-from-microsoft)."""

import pytest

from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.heard_deals import (
    ANSWER_BY,
    CRM,
    GET,
    LIST,
    NOTES,
    QUERY,
    SELLER,
    STATUS,
    UPDATE,
    accept,
    asked_deal,
    engagement_of,
    hear,
    hear_event,
    heard_deal,
    microsofts,
    shown_news,
)
from tests.unit.sync.helped_deals import linked_deal
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, microsoft_sends_deal, opportunity_of

ACCEPTED = "Microsoft has accepted this deal"


# --- what is shown


def test_a_request_shows_asked_and_until_when_microsoft_answers(harness: Harness) -> None:
    deal = asked_deal(harness)
    hear(harness, deal)
    assert shown_news(harness, deal) == ("Asked", None, None, None)
    expires = microsofts(harness, deal)["expirationDateTime"]
    assert harness.opportunity(deal)[ANSWER_BY][:19] == expires[:19]
    harness.push()
    assert_quiet(harness)


def test_an_acceptance_costs_one_read_one_query_and_one_write(harness: Harness) -> None:
    deal = heard_deal(harness)
    accept(harness, deal, notes="We meet the customer on Monday.")
    harness.forget_calls()
    hear(harness, deal)
    assert harness.new_calls() == {GET: 1, QUERY: 1, UPDATE: 1}
    assert shown_news(harness, deal) == ("Accepted", "7-1", "Microsoft Seller", "We meet the customer on Monday.")
    assert harness.opportunity(deal)[ANSWER_BY] is None
    for text in (ACCEPTED, "Microsoft CRM Identifier is now 7-1.", "see Microsoft Seller", "see Microsoft Notes"):
        assert harness.count_in_audit(deal, text) == 1
    assert_quiet(harness)


def test_an_event_that_changes_nothing_costs_one_read(harness: Harness) -> None:
    deal = heard_deal(harness)
    before = harness.rows._connection.total_changes
    hear(harness, deal)
    assert (harness.new_calls(), harness.rows._connection.total_changes) == ({GET: 1}, before)


def test_the_first_event_of_a_record_that_a_colleague_asked_for_finds_the_deal(harness: Harness) -> None:
    deal = asked_deal(harness)
    hear(harness, deal)
    assert harness.new_calls() == {GET: 1, LIST: 1, QUERY: 1, UPDATE: 1, "salesforce.conditional": 1}
    hear(harness, deal)
    assert harness.new_calls() == {GET: 1}


@pytest.mark.parametrize(
    ("substatus", "text"), [("Declined", "Its reason: Customer not managed."), ("Won", "own record of this deal: Won.")]
)
def test_the_end_of_microsofts_record_is_shown_and_told(harness: Harness, substatus: str, text: str) -> None:
    deal = heard_deal(harness)
    harness.partner_center.microsoft_closes(engagement_of(harness, deal), substatus, "Customer not managed")
    hear(harness, deal)
    assert (harness.opportunity(deal)[STATUS], harness.opportunity(deal)[ANSWER_BY]) == (substatus, None)
    assert harness.count_in_audit(deal, text) == 1
    assert harness.opportunity(deal)["StageName"] == "Qualification"


def test_a_request_that_expires_is_shown_as_expired(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.partner_center.let_expire(microsofts(harness, deal)["id"])
    hear(harness, deal)
    assert (harness.opportunity(deal)[STATUS], harness.count_in_audit(deal, "has expired")) == ("Expired", 1)


@pytest.mark.parametrize("team", ["appended", "own"])
def test_only_microsofts_people_are_shown_as_its_sellers(harness: Harness, team: str) -> None:
    harness.partner_center.switches.microsoft_team = team
    deal = heard_deal(harness)
    accept(harness, deal)
    harness.partner_center.microsoft_adds_news(
        engagement_of(harness, deal),
        seller={"firstName": "Bo", "lastName": "Berg", "email": "bo@microsoft.example", "phoneNumber": "+4512345678"},
    )
    hear(harness, deal)
    expected = "Microsoft Seller; Bo Berg" if team == "appended" else "Bo Berg"
    assert harness.opportunity(deal)[SELLER] == expected


@pytest.mark.parametrize("lists", ["all", "never"])
def test_our_own_people_of_a_deal_that_arrived_are_not_microsofts_sellers(harness: Harness, lists: str) -> None:
    harness.partner_center.switches.microsoft_team = "appended"
    harness.partner_center.switches.related_lists = lists
    referral, deal = arrived_deal(harness)
    engagement = harness.partner_center.referral(referral)["engagementId"]
    theirs = harness.partner_center.microsoft_record(engagement)
    ours = {"firstName": "Colleague", "lastName": "Of Ours", "email": "a.colleague@contoso.example"}
    team = [*theirs["team"], *harness.partner_center.referral(referral)["team"], ours]
    harness.partner_center.raw_patch(referral, {"/team": [ours]})
    harness.partner_center.raw_patch(theirs["id"], {"/team": team})
    hear_event(harness.first, theirs["id"])
    assert "Of Ours" not in harness.opportunity(deal)[SELLER]
    harness.sweep()
    assert "Of Ours" not in harness.opportunity(deal)[SELLER]


def test_our_own_notes_are_not_shown_as_microsofts(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.seller_edits(deal, Description="We wrote other notes.")
    harness.push()
    accept(harness, deal)
    hear(harness, deal)
    assert harness.opportunity(deal)[NOTES] is None


@pytest.mark.parametrize("place", ["ours", "both"])
def test_the_crm_identifier_is_read_wherever_it_stands(harness: Harness, place: str) -> None:
    harness.partner_center.switches.msx_id_on = place
    deal = heard_deal(harness)
    accept(harness, deal)
    hear(harness, deal)
    assert harness.opportunity(deal)[CRM] == "7-1"
    assert harness.count_in_audit(deal, "Microsoft CRM Identifier is now 7-1.") == 1
    assert_quiet(harness)


def test_a_crm_identifier_that_appears_in_our_own_record_alone_is_shown(harness: Harness) -> None:
    deal = linked_deal(harness)
    referral = harness.referral_of(deal)["id"]
    harness.partner_center.raw_patch(referral, {"/trackingInfo/microsoftMsxId": "7-9"})
    harness.pull_event(referral)
    assert harness.opportunity(deal)[CRM] == "7-9"
    assert harness.count_in_audit(deal, "Microsoft CRM Identifier is now 7-9.") == 1
    assert_quiet(harness)


def test_an_inbound_deal_shows_microsofts_record_and_no_acceptance_is_told(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    engagement = harness.partner_center.referral(referral)["engagementId"]
    harness.partner_center.microsoft_adds_news(engagement, notes="They decide in June.")
    hear_event(harness.first, harness.partner_center.microsoft_record(engagement)["id"])
    assert harness.opportunity(deal)[STATUS] == "Accepted"
    assert harness.opportunity(deal)[NOTES] == "They decide in June."
    assert harness.count_in_audit(deal, ACCEPTED) == 0


def test_an_end_of_microsofts_own_deal_before_the_arrival_is_told(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.partner_center.microsoft_declines(harness.partner_center.referral(referral)["engagementId"])
    harness.sweep()
    deal = opportunity_of(harness, referral)["Id"]
    assert harness.opportunity(deal)[STATUS] == "Declined"
    assert harness.count_in_audit(deal, "Microsoft has declined") == 1
    harness.push_until_quiet()
    assert_quiet(harness)


def test_further_news_of_a_deal_that_arrived_cost_one_read(harness: Harness) -> None:
    harness.partner_center.switches.microsoft_team = "appended"
    referral, _ = arrived_deal(harness)
    engagement = harness.partner_center.referral(referral)["engagementId"]
    harness.partner_center.microsoft_adds_news(engagement, notes="They decide in June.")
    harness.forget_calls()
    hear_event(harness.first, harness.partner_center.microsoft_record(engagement)["id"])
    assert harness.new_calls() == {GET: 1, QUERY: 1, UPDATE: 1}


# --- how the record is found


@pytest.mark.parametrize("lists", ["all", "engagement"])
@pytest.mark.parametrize("get", ["allowed", "not_found", "denied"])
@pytest.mark.parametrize("names", ["theirs", "ours"])
def test_microsoft_is_heard_whatever_the_event_names_and_the_service_shows(
    harness: Harness, names: str, get: str, lists: str
) -> None:
    switches = harness.partner_center.switches
    switches.related_event_names = names
    deal = heard_deal(harness)  # the first time, a read by its own id is allowed
    switches.related_get, switches.related_lists = get, lists
    accept(harness, deal)
    hear(harness, deal)
    assert harness.opportunity(deal)[STATUS] == "Accepted"
    assert harness.retry_entries(Side.PARTNER_CENTER) == []


def test_a_record_that_the_service_never_shows_is_tried_a_few_times_and_logged(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.partner_center.switches.related_get, harness.partner_center.switches.related_lists = "not_found", "never"
    accept(harness, deal)
    hear(harness, deal)
    assert harness.only_retry_entry(Side.PARTNER_CENTER).cause == "not_shown"
    for _ in range(3):
        harness.push(HOUR)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    assert [one["reason"] for one in harness.first.log.fields_of("related_referral_ignored")] == ["not_readable"]


def test_a_record_that_lists_show_late_is_heard_by_the_next_try(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.partner_center.switches.related_get, harness.partner_center.switches.related_lists = "denied", "never"
    accept(harness, deal)
    hear(harness, deal)
    harness.partner_center.switches.related_lists = "all"
    harness.push(HOUR)
    assert harness.opportunity(deal)[STATUS] == "Accepted"


def test_a_refused_read_of_microsofts_record_pauses_no_side(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.partner_center.switches.related_get = "denied"
    accept(harness, deal)
    hear(harness, deal)
    assert harness.store.side_state(Side.PARTNER_CENTER).paused_until is None


def test_the_sweep_hears_what_no_event_reported_once(harness: Harness) -> None:
    deal = asked_deal(harness)
    accept(harness, deal)
    harness.sweep()
    assert shown_news(harness, deal)[:2] == ("Accepted", "7-1")
    harness.forget_calls()
    harness.sweep()
    assert harness.new_calls() == {LIST: 1}
    harness.push()
    assert_quiet(harness)


def test_the_sweep_reads_only_the_changed_record_of_a_deal_that_it_knows(harness: Harness) -> None:
    deal = heard_deal(harness)
    harness.sweep()
    accept(harness, deal)
    harness.forget_calls()
    harness.sweep()
    assert harness.new_calls() == {LIST: 1, GET: 1, QUERY: 1, UPDATE: 1}


@pytest.mark.parametrize("names", ["theirs", "ours"])
def test_a_record_of_an_unknown_engagement_is_logged_and_makes_nothing(harness: Harness, names: str) -> None:
    harness.partner_center.switches.related_event_names = names
    referral = harness.partner_center.portal_creates({"externalReferenceId": "TEST:006000000000001AAA"})
    theirs = harness.partner_center.portal_asks_for_help(referral)["id"]
    hear_event(harness.first, referral if names == "ours" else theirs)
    assert harness.retry_entries(Side.PARTNER_CENTER) == []
    reason = "not_linked" if names == "ours" else "unknown_engagement"
    assert harness.first.log.fields_of("related_referral_ignored") == [
        {"referral_id": referral if names == "ours" else theirs, "reason": reason}
    ]
    assert harness.salesforce.records("Opportunity") == []


def test_an_event_about_a_referral_that_does_not_exist_is_logged(harness: Harness) -> None:
    hear_event(harness.first, "11111111-0000-4000-8000-000000000000")
    assert [one["reason"] for one in harness.first.log.fields_of("related_referral_ignored")] == ["not_readable"]
