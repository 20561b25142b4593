"""Edits of a seller reach the referral: only the differing paths, one PATCH (protocol.md sections 4, 5, 8)."""

import json
from typing import Any

from emulators.base.server import Request, Response
from shared.domain.deal import Side
from tests.unit.sync.bench import MINUTE, QUARTER, Bench


def patches(bench: Bench) -> list[list[dict[str, Any]]]:
    """From now on: the operations of each PATCH that reaches Partner Center."""
    seen: list[list[dict[str, Any]]] = []
    respond = bench.partner_center.respond

    def listening(request: Request) -> Response:
        if request.method == "PATCH":
            seen.append(json.loads(request.body))
        return respond(request)

    bench.partner_center.respond = listening  # type: ignore[method-assign]  # the test listens in
    return seen


def test_an_amount_travels_alone_in_one_patch(bench: Bench) -> None:
    deal = bench.shared()
    seen = patches(bench)
    bench.seller_edits(deal, Amount=12345.67)
    bench.push()
    assert seen == [[{"op": "replace", "path": "/details/dealValue", "value": 12345.67}]]
    assert bench.referral_of(deal)["details"]["dealValue"] == 12345.67
    assert bench.calls()["partner_center.get"] == 0


def test_several_edits_travel_in_one_patch(bench: Bench) -> None:
    deal = bench.shared()
    seen = patches(bench)
    bench.seller_edits(deal, Amount=1, CurrencyIsoCode="EUR", CloseDate="2027-05-06", Description="New\nnotes")
    bench.push()
    assert [sorted(operation["path"] for operation in one) for one in seen] == [
        ["/details/closingDateTime", "/details/currency", "/details/dealValue", "/details/notes"]
    ]
    assert bench.differences(deal) == []


def test_an_edit_is_told_in_the_audit_with_old_and_new_value(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=20000)
    bench.push()
    assert bench.audit(deal)[0] == "To Partner Center: Deal value 10000.00 USD → 20000.00 USD."
    assert len(bench.audit(deal)) == 2


def test_a_stage_of_the_same_meaning_is_no_change(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Proposal/Price Quote")
    bench.push()
    calls = bench.calls()
    assert (calls["partner_center.patch"], calls["salesforce.write_back"]) == (0, 0)
    assert bench.row(deal)["StageName"] == "Proposal/Price Quote"


def test_what_the_mapping_does_not_know_makes_no_call_beyond_a_read(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, NextStep="Call them")
    bench.push()
    assert bench.calls() == {"salesforce.query": 2}
    bench.push()
    bench.calls()
    bench.push()
    assert bench.calls() == {"salesforce.query": 1}


def test_what_is_written_once_is_not_written_again(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Name="Another name", Products__c="SOL-2")
    before = bench.referral_of(deal)["eTag"]
    bench.rounds()
    assert bench.referral_of(deal)["eTag"] == before
    assert (bench.row(deal)["Name"], bench.row(deal)["Products__c"]) == ("Another name", "SOL-2")


def test_emptied_notes_are_not_sent_and_told_once(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Description=None)
    bench.rounds()
    assert bench.referral_of(deal)["details"]["notes"] == "First call went well."
    assert bench.row(deal)["Description"] is None
    assert bench.told(deal, "was emptied, but the other system needs a value") == 1


def test_a_push_writes_nothing_of_a_sellers_own_fields(bench: Bench) -> None:
    deal = bench.seller_creates(NextStep="Call them", Probability=35)
    before = bench.row(deal)
    bench.rounds()
    bench.seller_edits(deal, Amount=5)
    bench.rounds()
    ours = {"Referral_Identifier__c", "Referral_Link__c", "Sync_Status__c", "Sync_Mark__c", "Audit__c"}
    theirs = {"Amount", "ExpectedRevenue", "LastModifiedDate", "LastModifiedById", "SystemModstamp"}
    after = bench.row(deal)
    assert {name for name in after if after[name] != before[name]} == ours | theirs


def test_a_quiet_pair_is_never_written(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=5)
    bench.rounds()
    before = bench.stamps()
    bench.rounds(2)
    assert bench.stamps() == before


def test_a_win_is_sent_after_two_minutes_if_it_still_stands(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won")
    bench.push()
    assert bench.referral_of(deal)["status"] == "Active"
    assert bench.row(deal)["Sync_Status__c"] == "Waiting"
    bench.push(after=MINUTE)
    assert bench.referral_of(deal)["status"] == "Active"
    bench.push(after=MINUTE)
    assert (bench.referral_of(deal)["status"], bench.referral_of(deal)["substatus"]) == ("Closed", "Won")
    assert bench.row(deal)["Sync_Status__c"] == "Synced"
    assert next(line for line in bench.audit(deal) if "Status" in line).startswith("To Partner Center: Status")
    assert bench.told(deal, "will become Closed/Won") == 1


def test_a_loss_is_sent_with_its_reason(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Lost")
    for _ in range(4):
        bench.push()
    referral = bench.referral_of(deal)
    assert (referral["status"], referral["substatus"], referral["statusReason"]) == ("Closed", "Lost", "Others")


def test_a_win_that_is_taken_back_in_time_is_never_sent(bench: Bench) -> None:
    deal = bench.shared()
    before = bench.referral_of(deal)["eTag"]
    bench.seller_edits(deal, StageName="Closed Won")
    bench.push()
    bench.seller_edits(deal, StageName="Negotiation/Review")
    for _ in range(5):
        bench.push()
    assert bench.referral_of(deal)["eTag"] == before
    assert bench.row(deal)["Sync_Status__c"] == "Synced"
    assert bench.due(Side.SALESFORCE) == []


def test_won_then_lost_within_the_wait_waits_anew_and_sends_the_last_word(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won")
    bench.push()
    bench.seller_edits(deal, StageName="Closed Lost")
    bench.push(after=90.0)
    bench.push(after=60.0)
    assert bench.referral_of(deal)["status"] == "Active"
    bench.push(after=60.0)
    assert bench.referral_of(deal)["substatus"] == "Lost"


def test_other_edits_do_not_wait_for_a_close(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won", Amount=999)
    bench.push()
    referral = bench.referral_of(deal)
    assert (referral["details"]["dealValue"], referral["status"]) == (999, "Active")
    for _ in range(3):
        bench.push()
    assert bench.referral_of(deal)["status"] == "Closed"


def test_an_amount_that_is_edited_while_the_close_waits_travels_before_it(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won")
    bench.push()
    bench.seller_edits(deal, Amount=31)
    bench.push(after=150.0)
    bench.rounds(1)
    referral = bench.referral_of(deal)
    assert (referral["details"]["dealValue"], referral["status"]) == (31, "Closed")
    assert bench.differences(deal) == []


def test_a_closed_deal_takes_nothing_more_and_the_seller_is_told_once(bench: Bench) -> None:
    deal = bench.shared(StageName="Closed Won")
    bench.rounds(1)
    closed = bench.referral_of(deal)
    assert closed["status"] == "Closed"
    bench.seller_edits(deal, Amount=1)
    bench.rounds()
    assert bench.referral_of(deal)["eTag"] == closed["eTag"]
    assert bench.row(deal)["Amount"] == 1
    assert bench.told(deal, "is closed in Partner Center and cannot change") == 1
    before = bench.stamps()
    bench.rounds(2)
    assert bench.stamps() == before


def test_a_passed_closing_date_is_sent_and_warned_of_once(bench: Bench) -> None:
    deal = bench.shared(CloseDate="2026-01-31")
    assert bench.referral_of(deal)["details"]["closingDateTime"] == "2026-01-31T00:00:00Z"
    bench.rounds()
    bench.seller_edits(deal, Amount=7)
    bench.rounds()
    assert bench.told(deal, "2026-01-31 has passed") == 1
    assert bench.row(deal)["Sync_Status__c"] == "Synced"
    bench.seller_edits(deal, CloseDate="2026-02-28")
    bench.rounds()
    assert bench.told(deal, "has passed") == 2


def test_a_closing_date_that_passes_on_a_won_deal_is_nobodys_worry(bench: Bench) -> None:
    deal = bench.shared(StageName="Closed Won", CloseDate="2026-01-31")
    bench.rounds()
    assert bench.told(deal, "has passed") <= 1


def test_an_echo_of_our_own_patch_is_dropped_by_the_sweep(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, Amount=3)
    bench.quiet()
    bench.sweep()
    assert bench.calls() == {"partner_center.list": 1}
    assert bench.link(deal).agreed


def test_a_later_edit_after_an_idle_day_is_found(bench: Bench) -> None:
    deal = bench.shared()
    bench.later(24 * 4 * QUARTER)
    bench.push()
    bench.seller_edits(deal, Amount=4)
    bench.push()
    assert bench.referral_of(deal)["details"]["dealValue"] == 4
