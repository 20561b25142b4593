"""An empty field never erases a filled one at the first link (docs/protocol.md#a-value-without-a-base).

The direction of a field decides who owns later edits.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from tests.unit.sync.harness import AFTER_SETTLE_TIME, Harness
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal, opportunity_of

LEFT = "Description is empty in {}, where alone it can be changed."
ONE_WAY = ("to_salesforce", "to_partner_center")


@pytest.fixture
def with_notes(tmp_path: Path) -> Iterator[Callable[[str], Harness]]:
    """Makes a harness whose notes travel in a direction."""
    opened: list[Harness] = []

    def make(keys: str) -> Harness:
        path = tmp_path / f"notes_{len(opened)}.toml"
        path.write_text(f'extends = "default"\nversion = 1\n[fields.notes]\n{keys}\n', "utf-8")
        opened.append(Harness(mapping=path))
        return opened[-1]

    yield make
    for harness in opened:
        harness.__exit__()


def notes_of(harness: Harness, deal: str) -> tuple[str | None, str | None]:
    """The notes in Salesforce and in Partner Center."""
    return harness.opportunity(deal)["Description"], harness.referral_of(deal)["details"]["notes"]


def test_the_tick_does_not_erase_a_description_that_partner_center_owns(with_notes: Callable[[str], Harness]) -> None:
    harness = with_notes('direction = "to_salesforce"')
    deal = harness.shared_deal(Description="Seller's words")
    harness.run_rounds()
    assert notes_of(harness, deal) == ("Seller's words", None)
    assert harness.count_in_audit(deal, LEFT.format("Partner Center")) == 1
    assert_quiet(harness)


def test_an_edit_by_the_owner_still_arrives_afterwards(with_notes: Callable[[str], Harness]) -> None:
    harness = with_notes('direction = "to_salesforce"')
    deal = harness.shared_deal(Description="Seller's words")
    harness.seller_edits(deal, Amount=12000)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_notes="Colleague's words")
    harness.run_rounds()
    assert notes_of(harness, deal) == ("Colleague's words", "Colleague's words")
    assert harness.count_in_audit(deal, "Discarded: Seller's words.") == 1
    assert harness.referral_of(deal)["details"]["dealValue"] == 12000
    assert_quiet(harness)


def test_a_later_edit_by_the_other_side_is_left_there_too(with_notes: Callable[[str], Harness]) -> None:
    harness = with_notes('direction = "to_salesforce"')
    deal = harness.shared_deal(Description="Seller's words")
    harness.seller_edits(deal, Description="Other words")
    harness.run_rounds()
    assert notes_of(harness, deal) == ("Other words", None)
    assert harness.count_in_audit(deal, LEFT.format("Partner Center")) == 2
    harness.seller_edits(deal, Description=None)
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_a_lost_reply_to_the_create_does_not_erase_it_either(with_notes: Callable[[str], Harness]) -> None:
    harness = with_notes('direction = "to_salesforce"')
    deal = harness.seller_creates(Description="Seller's words")
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    harness.advance_time(AFTER_SETTLE_TIME)
    harness.run_rounds()
    assert notes_of(harness, deal) == ("Seller's words", None)
    assert_quiet(harness)


@pytest.mark.parametrize("direction", ONE_WAY)
@pytest.mark.parametrize("texts", [("Seller's words", None), (None, "Colleague's words")], ids=["here", "there"])
def test_an_adoption_erases_nothing(
    with_notes: Callable[[str], Harness], direction: str, texts: tuple[str | None, str | None]
) -> None:
    harness = with_notes(f'direction = "{direction}"\nclearable = ["salesforce", "partner_center"]')
    details = {"notes": texts[1], "dealValue": 10000, "currency": "USD", "closingDateTime": "2026-12-31T00:00:00Z"}
    referral = harness.partner_center.portal_creates({"details": details})
    deal = harness.seller_creates(Referral_Identifier__c=referral, Description=texts[0])
    harness.run_rounds()
    owner = "to_partner_center" if texts[0] else "to_salesforce"
    both = (texts[0] or texts[1],) * 2
    found = (harness.opportunity(deal)["Description"], harness.partner_center.referral(referral)["details"]["notes"])
    assert found == (both if direction == owner else texts)
    assert_quiet(harness)


def test_an_arriving_deal_keeps_the_notes_that_salesforce_owns(with_notes: Callable[[str], Harness]) -> None:
    harness = with_notes('direction = "to_partner_center"\nclearable = ["salesforce", "partner_center"]')
    referral = microsoft_sends_deal(harness, details={"notes": "From Microsoft"})
    harness.pull_event(referral)
    deal = opportunity_of(harness, referral)["Id"]
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    details = harness.partner_center.referral(referral)["details"]
    assert (harness.opportunity(deal)["Description"], details["notes"]) == (None, "From Microsoft")
    assert harness.count_in_audit(deal, LEFT.format("Salesforce")) == 1
    harness.seller_edits(deal, Description="Seller's words")
    harness.run_rounds()
    assert harness.partner_center.referral(referral)["details"]["notes"] == "Seller's words"
    assert harness.count_in_audit(deal, "Discarded: From Microsoft.") == 1
    assert_quiet(harness)


def test_notes_that_do_not_travel_at_creation_fill_the_empty_side_afterwards(
    with_notes: Callable[[str], Harness],
) -> None:
    harness = with_notes('when = ["update"]\nclearable = ["salesforce", "partner_center"]')
    deal = harness.shared_deal(Description="Seller's words")
    referral = microsoft_sends_deal(harness, details={"notes": "From Microsoft"})
    harness.pull_event(referral)
    harness.run_rounds()
    assert notes_of(harness, deal) == ("Seller's words", "Seller's words")
    assert opportunity_of(harness, referral)["Description"] == "From Microsoft"
    assert_quiet(harness)


def test_a_field_that_enters_the_mapping_erases_nothing(with_notes: Callable[[str], Harness]) -> None:
    harness = with_notes('direction = "off"')
    deal = harness.shared_deal(Description="Seller's words")
    later = with_notes('direction = "to_salesforce"')
    harness.translation = later.translation
    harness.first = harness.new_instance()
    harness.seller_edits(deal, Amount=12000)
    harness.run_rounds()
    assert notes_of(harness, deal) == ("Seller's words", None)
    assert harness.referral_of(deal)["details"]["dealValue"] == 12000
    assert_quiet(harness)
