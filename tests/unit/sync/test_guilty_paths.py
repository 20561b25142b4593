"""Of paths that are sent singly because one is refused, each goes while Partner Center still takes it.

Source: docs/protocol.md#rejected-writes.
"""

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import HOUR, MINUTE, Harness
from tests.unit.sync.inbound_deals import arrived_deal
from tests.unit.sync.people_of_deals import KIM, LEE, add_contact, contacts_there, deal_with

REFUSED = '{"error": {"code": "invalidRequest", "target": "/details/notes", "message": "Not so."}}'


def refuse(harness: Harness, word: str) -> None:
    """From now on, Partner Center refuses each change that contains a word."""
    fault = Fault(FaultKind.ANSWER, method="PATCH", status=400, body=REFUSED, sent=word, times=99)
    harness.inject_fault(Side.PARTNER_CENTER, fault)


def test_the_values_beside_a_guilty_one_go_with_an_accept(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    refuse(harness, "phase 2")
    harness.seller_edits(deal, StageName="Prospecting", Amount=777, Description="Only phase 2.")
    harness.run_rounds()
    found = harness.partner_center.referral(referral)
    assert (found["status"], found["details"]["dealValue"]) == ("Active", 777)
    assert harness.count_in_audit(deal, 'Description "Only phase 2." was not carried over') == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Failed"


def test_what_waits_for_an_accept_is_not_sent_without_it_and_travels_once_a_colleague_accepts(harness: Harness) -> None:
    referral, deal = arrived_deal(harness)
    refuse(harness, "Accepted")
    harness.seller_edits(deal, StageName="Prospecting", Amount=777)
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 25000
    assert harness.count_in_audit(deal, 'Stage "Active/Accepted" was not carried over') == 1
    assert harness.count_in_audit(deal, "Amount") == 1  # it goes with the accept
    harness.clear_faults()
    harness.colleague_edits(referral, status="Active", substatus="Accepted")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["dealValue"] == 777
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"


def test_a_new_contact_goes_before_the_deal_is_shared_because_sharing_locks_it(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    harness.seller_edits(deal, Visible_to_Microsoft__c=True)
    harness.push()
    harness.advance_time(3 * MINUTE)
    refuse(harness, "phase 2")
    add_contact(harness, deal, LEE)
    harness.seller_edits(deal, Description="Only phase 2.")
    harness.run_rounds()
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]


def test_a_list_beside_a_guilty_value_is_sent_before_the_close(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.advance_time(HOUR)
    refuse(harness, "phase 2")
    add_contact(harness, deal, LEE)
    harness.seller_edits(deal, Description="Only phase 2.", Amount=777)
    harness.run_rounds()
    found = harness.referral_of(deal)
    assert (found["status"], found["details"]["dealValue"]) == ("Closed", 777)
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]
    assert [line.partition('"')[0] for line in harness.audit_texts(deal) if "not carried over" in line] == [
        "Not synced: Description "
    ]
