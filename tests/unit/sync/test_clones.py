"""A copy of an opportunity that keeps the tick is no second deal before a person has said so.

Source: docs/protocol.md#clones.
"""

from pathlib import Path

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.sync.harness import HOUR, MINUTE, Harness

QUESTION = "Is this a copy of {}?"
TICK = "Sync_with_Partner_Center__c"


def copy_of(harness: Harness, deal: str, **values: object) -> str:
    """A copy that an import or a flow makes: all that the original has but the id of the referral."""
    columns = ("Name", "AccountId", "Amount", "CurrencyIsoCode", "StageName", "CloseDate", "Products__c", TICK)
    original = harness.opportunity(deal)
    return harness.salesforce.insert("Opportunity", {name: original[name] for name in columns} | values)


def is_sent(harness: Harness, deal: str) -> bool:
    return harness.opportunity(deal)["Referral_Identifier__c"] is not None


def held_copy(harness: Harness) -> tuple[str, str]:
    """A shared deal, and its copy, about which a person was asked."""
    deal = harness.shared_deal()
    copy = copy_of(harness, deal)
    harness.push()
    assert harness.stored_link(copy).state is State.HELD
    return deal, copy


def test_a_copy_that_was_created_with_the_tick_is_asked_about_once_and_not_sent(harness: Harness) -> None:
    deal, copy = held_copy(harness)
    harness.run_rounds(6)
    assert len(harness.our_referrals()) == 1
    assert harness.count_in_audit(copy, QUESTION.format(deal)) == 1
    assert harness.opportunity(copy)["Sync_Status__c"] == "Failed"
    assert harness.opportunity(deal)["Sync_Status__c"] == "Synced"
    assert harness.first.log.fields_of("opportunity_held")[0]["causes"] == ["clone"]


def test_a_copy_with_another_amount_is_sent_and_a_held_one_too_once_its_name_differs(harness: Harness) -> None:
    deal, copy = held_copy(harness)
    other = copy_of(harness, deal, Amount=11)
    harness.seller_edits(copy, Name="Second phase")
    harness.push()
    assert is_sent(harness, other)
    assert is_sent(harness, copy)
    assert len(harness.our_referrals()) == 3


def test_a_copy_is_sent_once_a_person_has_cleared_the_tick_and_set_it_again(harness: Harness) -> None:
    _, copy = held_copy(harness)
    harness.seller_edits(copy, **{TICK: False})
    harness.push(after=11 * MINUTE)
    assert harness.count_in_audit(copy, "Sync with Partner Center was cleared") == 1
    harness.run_rounds(5, after=HOUR)
    assert harness.retry_entries(Side.SALESFORCE) == []
    assert not is_sent(harness, copy)
    harness.seller_edits(copy, **{TICK: True})
    harness.push()
    assert is_sent(harness, copy)
    harness.run_rounds(2)
    assert harness.opportunity(copy)["Sync_Status__c"] == "Synced"


def test_a_copy_is_sent_once_its_original_is_closed(harness: Harness) -> None:
    deal, copy = held_copy(harness)
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    harness.push(after=HOUR)
    assert is_sent(harness, copy)


def test_a_deal_that_is_entered_again_by_hand_and_ticked_later_is_sent_without_a_question(harness: Harness) -> None:
    deal = harness.shared_deal()
    again = copy_of(harness, deal, **{TICK: False})
    harness.advance_time(11 * MINUTE)
    harness.seller_edits(again, **{TICK: True})
    harness.push()
    assert is_sent(harness, again)


def test_of_two_copies_that_are_seen_together_the_older_is_sent(harness: Harness) -> None:
    deal = harness.seller_creates()
    copy = copy_of(harness, deal)
    harness.push()
    assert is_sent(harness, deal)
    assert harness.count_in_audit(copy, QUESTION.format(deal)) == 1
    assert len(harness.our_referrals()) == 1


def test_a_copy_of_a_deal_whose_name_shows_a_mark_is_found(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('extends = "default"\n[fields.name]\nmark = true\n', encoding="utf-8")
    with Harness(mapping=mapping) as harness:
        deal = harness.shared_deal()
        assert harness.opportunity(deal)["Name"] == "\u2714 ERP renewal"
        copy = copy_of(harness, deal, Name="ERP renewal")
        harness.push()
        assert not is_sent(harness, copy)


def test_new_deals_cost_one_query_together_and_known_ones_none(harness: Harness) -> None:
    deals = [harness.seller_creates(Name=f"Deal {number}") for number in range(40)]
    harness.forget_calls()
    harness.push()
    calls = harness.new_calls()
    assert (calls["salesforce.query"], calls["partner_center.create"]) == (3, 40)  # the poll, the read, and this one
    harness.push()
    harness.forget_calls()
    harness.seller_edits(deals[0], Amount=3)
    harness.push()
    assert harness.new_calls()["salesforce.query"] == 2


def test_a_new_deal_waits_while_it_cannot_be_compared(harness: Harness) -> None:
    deal = harness.shared_deal()
    copy = copy_of(harness, deal)
    harness.inject_fault(Side.SALESFORCE, Fault(FaultKind.ANSWER, path="composite", status=503, times=3, skip=2))
    harness.push()
    assert not is_sent(harness, copy)
    harness.run_rounds(2)
    assert harness.stored_link(copy).state is State.HELD
    assert len(harness.our_referrals()) == 1


def test_a_crash_before_the_question_is_stored_asks_it_later(harness: Harness) -> None:
    deal = harness.shared_deal()
    copy = copy_of(harness, deal)
    other = harness.new_instance()
    other.process.interrupt_at("store.replace_link", other.process.crash)
    assert other.crashes_during(lambda one: one.push())
    harness.run_rounds()
    assert harness.count_in_audit(copy, QUESTION.format(deal)) == 1
    assert len(harness.our_referrals()) == 1
