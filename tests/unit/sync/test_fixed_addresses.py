"""Nobody becomes a contact whose address cannot be written: they would be made again and again."""

from tests.unit.sync.column_rights import restrict_known_columns
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet
from tests.unit.sync.people_of_deals import (
    KIM,
    LEE,
    MO,
    colleague_lists_contacts,
    contacts_here,
    deal_with,
    mark_of,
)

TOLD = "the integration user may not write Contact.Email"


def test_a_colleagues_contact_is_not_made_without_an_address_and_is_told_once(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    harness.salesforce.insert("Contact", {**LEE, "AccountId": harness.account_id()})
    restrict_known_columns(harness, read_only=["Contact.Email"])
    lee = {"firstName": "Lee", "lastName": "Holm", "email": LEE["Email"], "phoneNumber": LEE["Phone"]}
    present = harness.referral_of(deal)["customerProfile"]["team"]
    harness.pull_event(colleague_lists_contacts(harness, deal, *present, MO, lee))
    harness.run_rounds()
    assert contacts_here(harness, deal) == [KIM["Email"], LEE["Email"]]  # Lee was a contact already
    assert len(harness.salesforce.records("Contact")) == 2
    assert (harness.count_in_audit(deal, TOLD), mark_of(harness, deal)) == (1, "Synced with differences")
    assert harness.count_in_audit(deal, "Mo Lind") == 1
    assert_quiet(harness)


def test_an_arrival_makes_no_contact_without_an_address_and_tells_it_once(harness: Harness) -> None:
    restrict_known_columns(harness, read_only=["Contact.Email"])
    _, deal = arrived_deal(harness)
    assert (harness.salesforce.records("Contact"), contacts_here(harness, deal)) == ([], [])
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    assert harness.count_in_audit(deal, TOLD) == harness.count_in_audit(deal, "ontact") == 1
    assert (harness.salesforce.records("Contact"), mark_of(harness, deal)) == ([], "Synced with differences")
    assert_quiet(harness)
