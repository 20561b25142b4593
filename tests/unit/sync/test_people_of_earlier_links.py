"""The first look at a link of 0.6.0, whose people travelled only when the deal was made.

Source: docs/protocol.md#lists-merge-as-sets.
"""

from copy import replace
from pathlib import Path

from shared.domain.creation_values import CONTACTS_LEFT_OUT
from shared.domain.link import Difference
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import arrived_deal
from tests.unit.sync.people_of_deals import (
    KIM,
    LEE,
    add_contact,
    add_user,
    colleague_lists_sellers,
    contacts_here,
    contacts_there,
    deal_with,
    mapping_with,
    mark_of,
    save,
    seller_named,
    sellers_there,
)

PEOPLE = ("contacts", "team")


def make_earlier(harness: Harness, deal: str, **refused: Difference) -> None:
    """Let the link be one of 0.6.0: another mapping, which did not compare people."""
    entry = harness.store.link(deal)
    assert entry is not None
    link, others = entry.value, {key.replace("__", "."): record for key, record in refused.items()}
    sources = {name: source for name, source in link.sources.items() if name not in PEOPLE}
    earlier = replace(link, mapping="0123456789ab", sources=sources, refused={**link.refused, **others}, reported=())
    harness.store.replace_link(entry, earlier)


def test_a_deal_that_agrees_is_left_as_it_is_and_nothing_is_told(harness: Harness) -> None:
    deal = deal_with(harness, KIM, LEE)
    make_earlier(harness, deal)
    before, lines = harness.referral_of(deal)["eTag"], harness.audit_texts(deal)
    save(harness, deal)
    harness.push_until_quiet()
    assert (harness.referral_of(deal)["eTag"], harness.audit_texts(deal)) == (before, lines)
    assert mark_of(harness, deal) == "Synced"


def test_contacts_that_were_counted_as_not_sent_are_not_told_again_and_go_once_they_are_complete(
    harness: Harness,
) -> None:
    deal = deal_with(harness, KIM)
    contact = add_contact(harness, deal, {"LastName": "Holm", "Email": LEE["Email"], "Phone": LEE["Phone"]})
    make_earlier(harness, deal, partner_center__contacts=Difference("1", CONTACTS_LEFT_OUT, harness.now()))
    lines = harness.audit_texts(deal)
    save(harness, deal)
    harness.push_until_quiet()
    assert (harness.audit_texts(deal), mark_of(harness, deal)) == (lines, "Synced with differences")
    harness.salesforce.edit("Contact", contact, {"FirstName": "Lee"})
    harness.push_until_quiet()
    assert contacts_there(harness, deal) == [KIM["Email"], LEE["Email"]]


def test_people_that_only_one_side_has_are_kept_and_go_to_the_other(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    add_contact(harness, deal, LEE)
    make_earlier(harness, deal)
    colleague_lists_sellers(harness, deal, *harness.referral_of(deal)["team"], seller_named("Mate"))
    save(harness, deal)
    harness.push_until_quiet()
    assert contacts_there(harness, deal) == contacts_here(harness, deal) == [KIM["Email"], LEE["Email"]]
    assert "mate@contoso.example" in sellers_there(harness, deal)
    assert mark_of(harness, deal) == "Synced"


def test_an_owner_who_left_the_deal_before_the_upgrade_leaves_partner_center(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    harness.seller_edits(deal, OwnerId=add_user(harness, "Bert"))
    make_earlier(harness, deal)
    save(harness, deal)
    harness.push_until_quiet()
    assert (sellers_there(harness, deal), mark_of(harness, deal)) == (["bert@contoso.example"], "Synced")
    assert harness.count_in_audit(deal, "Sam Seller → Ada Bert") == 1


def test_a_member_whom_a_colleague_added_before_the_upgrade_stays_and_is_not_told(harness: Harness) -> None:
    deal = deal_with(harness, KIM)
    before = sellers_there(harness, deal)
    colleague_lists_sellers(harness, deal, *harness.referral_of(deal)["team"], seller_named("Mate"))
    make_earlier(harness, deal)
    lines = harness.audit_texts(deal)
    save(harness, deal)
    harness.push_until_quiet()
    assert sellers_there(harness, deal) == [*before, "mate@contoso.example"]
    assert (harness.audit_texts(deal), mark_of(harness, deal)) == (lines, "Synced")


def test_a_deal_that_arrived_under_0_6_0_tells_nothing_of_its_team(harness: Harness) -> None:
    _, deal = arrived_deal(harness)
    harness.seller_edits(deal, StageName="Qualification")
    harness.push_until_quiet()
    make_earlier(harness, deal)
    lines = harness.audit_texts(deal)
    save(harness, deal)
    harness.push_until_quiet()
    assert (harness.audit_texts(deal), mark_of(harness, deal)) == (lines, "Synced")


def test_a_file_of_0_6_0_lets_people_travel_only_when_the_deal_is_made(tmp_path: Path) -> None:
    lines = "[fields.contacts]", 'when = ["create"]', "[fields.team]", 'when = ["create"]'
    with Harness(mapping=mapping_with(tmp_path, *lines)) as harness:
        deal = deal_with(harness, KIM)
        add_contact(harness, deal, LEE)
        save(harness, deal)
        harness.push_until_quiet()
        assert (contacts_there(harness, deal), mark_of(harness, deal)) == ([KIM["Email"]], "Synced")
