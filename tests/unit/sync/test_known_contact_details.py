"""A contact whom Salesforce knows with another name or phone number is told when the role is made."""

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.people_of_deals import KIM, MO, colleague_lists_contacts, contacts_here, deal_with, mark_of

TOLD = "Partner Center has another name, phone number or title of Mo Lind."


def test_details_that_differ_are_told_once_when_a_known_contact_gets_a_role(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    known = {"FirstName": "Mona", "LastName": "Lindt", "Email": MO["email"], "Phone": "+99 111"}
    contact = harness.salesforce.insert("Contact", {**known, "AccountId": harness.account_id()})
    harness.pull_event(
        colleague_lists_contacts(harness, deal, *harness.referral_of(deal)["customerProfile"]["team"], MO)
    )
    harness.push()
    assert contacts_here(harness, deal) == [KIM["Email"], MO["email"]]
    assert (harness.count_in_audit(deal, TOLD), mark_of(harness, deal)) == (1, "Synced with differences")
    harness.seller_edits(deal, Amount=5)
    harness.run_rounds()
    assert (harness.count_in_audit(deal, TOLD), mark_of(harness, deal)) == (1, "Synced with differences")
    assert_quiet(harness)
    names = {"FirstName": MO["firstName"], "LastName": MO["lastName"], "Phone": MO["phoneNumber"]}
    harness.advance_time(60)
    harness.salesforce.edit("Contact", contact, names)
    harness.seller_edits(deal, Amount=6)
    harness.run_rounds()
    assert mark_of(harness, deal) == "Synced"
    assert harness.referral_of(deal)["customerProfile"]["team"][1]["lastName"] == MO["lastName"]


def test_a_new_contact_with_the_same_details_tells_nothing(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    harness.pull_event(
        colleague_lists_contacts(harness, deal, *harness.referral_of(deal)["customerProfile"]["team"], MO)
    )
    assert (harness.count_in_audit(deal, TOLD), mark_of(harness, deal)) == (0, "Synced")
