"""Customer contacts travel as a set by e-mail address until the deal is shared with Microsoft.

Source: docs/protocol.md#customer-contacts.
"""

from pathlib import Path

import pytest

from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of
from tests.unit.sync.people_of_deals import (
    KIM,
    LEE,
    MO,
    add_contact,
    colleague_lists_contacts,
    contacts_here,
    contacts_there,
    deal_with,
    mapping_with,
    mark_of,
    remove_contact,
    save,
)

PATCH, GET = "partner_center.patch", "partner_center.get"
NOT_SENT = "Contact Roles: Partner Center does not get"


def test_a_contact_added_later_is_appended_in_one_patch_without_a_read(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    add_contact(harness, deal, LEE)
    save(harness, deal)
    harness.push()
    calls = harness.new_calls()
    assert (calls[PATCH], calls[GET]) == (1, 0)
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]
    assert mark_of(harness, deal) == "Synced"


def test_a_contact_added_later_is_noticed_by_the_poll_alone(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    add_contact(harness, deal, LEE)
    harness.push_until_quiet()
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]


def test_a_removed_contact_is_removed_with_one_read_and_one_patch_and_what_we_do_not_map_stays(
    harness: Harness,
) -> None:
    deal = deal_with(harness, KIM)
    lee = add_contact(harness, deal, LEE)
    harness.push_until_quiet()
    kept = {**harness.referral_of(deal)["customerProfile"]["team"][0], "contactPreference": {"locale": "da-dk"}}
    colleague_lists_contacts(harness, deal, kept, LEE_THERE)
    harness.push_until_quiet()
    remove_contact(harness, deal, lee)
    harness.push()
    calls = harness.new_calls()
    assert (calls[PATCH], calls[GET]) == (1, 1)
    (kim,) = harness.referral_of(deal)["customerProfile"]["team"]
    assert (kim["email"], kim["contactPreference"]["locale"]) == (KIM["Email"], "da-dk")


LEE_THERE = {"firstName": "Lee", "lastName": "Holm", "email": LEE["Email"], "phoneNumber": LEE["Phone"]}


def test_a_contact_that_a_colleague_adds_gets_a_role(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    there = harness.referral_of(deal)["customerProfile"]["team"]
    referral = colleague_lists_contacts(harness, deal, *there, MO)
    harness.pull_event(referral)
    assert contacts_here(harness, deal) == [KIM["Email"], MO["email"]]
    harness.push_until_quiet()
    assert contacts_there(harness, deal) == [KIM["Email"], MO["email"]]


def test_a_contact_that_a_colleague_removes_loses_the_role(harness: Harness) -> None:
    deal = deal_with(harness, KIM, LEE)
    there = harness.referral_of(deal)["customerProfile"]["team"]
    harness.pull_event(colleague_lists_contacts(harness, deal, there[0]))
    assert contacts_here(harness, deal) == [KIM["Email"]]
    assert len(harness.salesforce.records("Contact")) == 2


def test_both_sides_may_add_a_contact_at_the_same_time(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    add_contact(harness, deal, LEE)
    save(harness, deal)
    there = harness.referral_of(deal)["customerProfile"]["team"]
    harness.pull_event(colleague_lists_contacts(harness, deal, *there, MO))
    harness.push_until_quiet()
    everybody = {KIM["Email"], LEE["Email"], MO["email"]}
    assert (set(contacts_here(harness, deal)), set(contacts_there(harness, deal))) == (everybody, everybody)
    assert harness.differences(deal) == []


def test_an_edited_phone_number_of_a_contact_is_sent(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    contact = harness.salesforce.records("Contact")[0]["Id"]
    harness.salesforce.edit("Contact", contact, {"Phone": "+1 206 555 0199"})
    save(harness, deal)
    harness.push()
    (kim,) = harness.referral_of(deal)["customerProfile"]["team"]
    assert kim["phoneNumber"] == "+1 206 555 0199"
    assert harness.count_in_audit(deal, "the changed name, phone number or title of Kim Berg was sent") == 1


def test_a_phone_number_that_a_colleague_edits_stays_and_is_told_once(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    (kim,) = harness.referral_of(deal)["customerProfile"]["team"]
    referral = colleague_lists_contacts(harness, deal, {**kim, "phoneNumber": "+45 12 34 56 78"})
    harness.pull_event(referral)
    harness.push_until_quiet()
    assert harness.salesforce.records("Contact")[0]["Phone"] == KIM["Phone"]
    assert harness.count_in_audit(deal, "Partner Center has another name, phone number or title of Kim Berg") == 1
    assert mark_of(harness, deal) == "Synced with differences"


@pytest.mark.parametrize("missing", ["FirstName", "Phone"])
def test_an_incomplete_contact_is_told_once_and_sent_as_soon_as_it_is_completed(harness: Harness, missing: str) -> None:
    deal = deal_with(harness, KIM)
    contact = add_contact(harness, deal, {name: value for name, value in LEE.items() if name != missing})
    for _ in range(2):
        save(harness, deal)
        harness.push_until_quiet()
    assert contacts_there(harness, deal) == [KIM["Email"]]
    assert (harness.count_in_audit(deal, NOT_SENT), mark_of(harness, deal)) == (1, "Synced with differences")
    harness.salesforce.edit("Contact", contact, {missing: LEE[missing]})
    save(harness, deal)
    harness.push_until_quiet()
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]
    assert mark_of(harness, deal) == "Synced"


def test_defaults_of_the_mapping_file_complete_a_contact_and_are_no_edit(tmp_path: Path) -> None:
    lines = "[fields.contacts]", 'default_phone = "+45 50 00 00 00"', 'default_first_name = "Team"'
    with Harness(mapping=mapping_with(tmp_path, *lines)) as harness:
        deal = deal_with(harness, {"LastName": "Desk", "Email": "desk@northwind.example"})
        (desk,) = harness.referral_of(deal)["customerProfile"]["team"]
        assert (desk["firstName"], desk["phoneNumber"]) == ("Team", "+45 50 00 00 00")
        colleague_lists_contacts(harness, deal, {**desk, "phoneNumber": "+1 206 555 0777"})
        harness.push_until_quiet()
        save(harness, deal)
        harness.push_until_quiet()
        assert mark_of(harness, deal) == "Synced"


def test_a_contact_without_an_address_is_told_once(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    add_contact(harness, deal, {name: value for name, value in LEE.items() if name != "Email"})
    for _ in range(2):
        save(harness, deal)
        harness.push_until_quiet()
    assert contacts_there(harness, deal) == [KIM["Email"]]
    assert harness.count_in_audit(deal, "because people are matched by e-mail address") == 1
    assert mark_of(harness, deal) == "Synced with differences"


def test_two_contacts_with_one_address_count_once_and_this_is_told_once(harness: Harness) -> None:
    deal = deal_with(harness, KIM, {**LEE, "Email": KIM["Email"].upper()})
    for _ in range(2):
        save(harness, deal)
        harness.push_until_quiet()
    (kim,) = harness.referral_of(deal)["customerProfile"]["team"]
    assert (kim["lastName"], kim["email"]) == ("Berg", KIM["Email"])
    assert harness.count_in_audit(deal, "does not get Lee Holm, because somebody else on the list has the same") == 1
    assert mark_of(harness, deal) == "Synced with differences"


def test_all_contacts_with_the_address_that_a_colleague_removes_lose_their_roles(harness: Harness) -> None:
    deal = deal_with(harness, KIM, LEE)
    add_contact(harness, deal, {**LEE, "LastName": "Twin"})
    save(harness, deal)
    harness.push_until_quiet()
    [kim, _] = harness.referral_of(deal)["customerProfile"]["team"]
    harness.pull_event(colleague_lists_contacts(harness, deal, kim))
    assert contacts_here(harness, deal) == contacts_there(harness, deal) == [KIM["Email"]]
    assert mark_of(harness, deal) == "Synced"
    assert_quiet(harness)


def test_a_contact_that_is_replaced_after_the_share_is_told_once_and_stays_there(harness: Harness) -> None:
    deal = deal_with(harness, KIM, Visible_to_Microsoft__c=True)
    harness.push(after=180)
    kim = harness.salesforce.records("Contact")[0]["Id"]
    add_contact(harness, deal, LEE)
    remove_contact(harness, deal, kim)
    harness.push_until_quiet()
    save(harness, deal)
    harness.push_until_quiet()
    assert (contacts_there(harness, deal), contacts_here(harness, deal)) == ([KIM["Email"]], [LEE["Email"]])
    assert harness.count_in_audit(deal, 'Contact Roles "Lee Holm" was not sent: Partner Center keeps "Kim Berg"') == 1
    assert mark_of(harness, deal) == "Synced with differences"
    remove_contact(harness, deal, harness.salesforce.records("Contact")[1]["Id"])
    harness.salesforce.insert("OpportunityContactRole", {"OpportunityId": deal, "ContactId": kim})
    save(harness, deal)
    harness.push_until_quiet()
    assert mark_of(harness, deal) == "Synced"


def test_a_contact_that_is_added_together_with_the_share_is_sent_before_it_locks(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    add_contact(harness, deal, LEE)
    harness.seller_edits(deal, Visible_to_Microsoft__c=True)
    harness.push_until_quiet()
    harness.push(after=180)
    harness.push_until_quiet()
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]
    assert mark_of(harness, deal) == "Synced"


def test_another_address_of_a_contact_is_told_as_such(harness: Harness) -> None:
    deal = deal_with(harness, KIM, LEE)
    [contact] = [each for each in harness.salesforce.records("Contact") if each["Email"] == KIM["Email"]]
    harness.salesforce.edit("Contact", contact["Id"], {"Email": "new@northwind.example"})
    save(harness, deal)
    harness.push_until_quiet()
    assert harness.count_in_audit(deal, "Kim Berg (kim@northwind.example)") == 1
    assert harness.count_in_audit(deal, "Kim Berg (new@northwind.example)") == 1
    assert harness.count_in_audit(deal, "changed name") == 0


def test_contacts_of_a_deal_that_microsoft_sees_are_locked_whether_it_is_answered_or_not(harness: Harness) -> None:
    referral = microsoft_sends_deal(harness)
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    add_contact(harness, deal, KIM)
    save(harness, deal)
    harness.push_until_quiet()
    assert harness.count_in_audit(deal, "because the deal is shared with Microsoft") == 1
    assert harness.count_in_audit(deal, "not accepted yet") == 0
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["status"] == "Active"
    assert harness.count_in_audit(deal, "because the deal is shared with Microsoft") == 1
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced with differences"
    assert_quiet(harness)


def test_a_locked_detail_or_address_and_a_removal_of_all_are_told_as_what_they_are(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    contact = next(one["Id"] for one in harness.salesforce.records("Contact") if one["Email"] == KIM["Email"])
    harness.seller_edits(deal, Visible_to_Microsoft__c=True)
    for _ in range(5):
        harness.push(150)
    harness.salesforce.edit("Contact", contact, {"Phone": "+1 777 000"})
    save(harness, deal)
    harness.push_until_quiet()
    assert harness.count_in_audit(deal, "changed details of Kim Berg were not sent") == 1
    harness.salesforce.edit("Contact", contact, {"Email": "new@northwind.example"})
    save(harness, deal)
    harness.push_until_quiet()
    assert harness.count_in_audit(deal, "changed e-mail address of Kim Berg was not sent") == 1
    remove_contact(harness, deal, contact)
    harness.push_until_quiet()
    assert harness.count_in_audit(deal, 'Contact Roles has nobody now, but Partner Center keeps "Kim Berg"') == 1
    assert (harness.count_in_audit(deal, "the other contact"), mark_of(harness, deal)) == (0, "Synced with differences")
