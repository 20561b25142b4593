"""After an import of yesterday's copy, both sides agree, nothing was made twice, and no person's value is lost.

Source: docs/protocol.md#copies-of-the-store.
"""

from io import BytesIO

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Side
from shared.domain.link_states import State
from shared.store.import_copy import Import
from shared.store.link_store import LinkStore
from shared.store.sqlite_rows import SqliteRows
from shared.store.store_copy import check_copy
from tests.unit.sync.copied_store import ORGANIZATION, copy_of, lose_store
from tests.unit.sync.harness import Harness, Instance
from tests.unit.sync.helped_deals import (
    HELP,
    NOTES,
    PROOF,
    QUESTION,
    TWO_MINUTES,
    linked_deal,
    microsofts_records,
    show_records,
)
from tests.unit.sync.inbound_deals import arrived_deal, assert_quiet, microsoft_sends_deal
from tests.unit.sync.test_clones import copy_of as clone_of


def numbers(harness: Harness) -> tuple[int, int, int, int]:
    """How many referrals, opportunities, accounts and contacts there are."""
    return (
        len(harness.our_referrals()),
        *(len(harness.salesforce.records(name)) for name in ("Opportunity", "Account", "Contact")),  # type: ignore[return-value]  # three of them
    )


def test_edits_since_the_copy_are_adopted_and_written_nowhere(harness: Harness) -> None:
    untouched, sold, moved = harness.shared_deal(), harness.shared_deal(), harness.shared_deal()
    copy = copy_of(harness)
    harness.seller_edits(sold, Amount=777, StageName="Closed Won", Description="She wants it.")
    harness.colleague_edits(harness.referral_of(moved)["id"], name="Renamed by a colleague", details_dealValue=42)
    harness.run_rounds()
    before = harness.referral_of(sold), harness.referral_of(moved), numbers(harness)

    lose_store(harness, copy)
    harness.run_rounds()

    assert [harness.differences(deal) for deal in (untouched, sold, moved)] == [[], [], []]
    assert (harness.referral_of(sold), harness.referral_of(moved), numbers(harness)) == before
    assert harness.opportunity(moved)["Amount"] == 42
    assert {harness.opportunity(deal)["Sync_Status__c"] for deal in (untouched, sold, moved)} == {"Synced"}
    assert_quiet(harness)


def test_an_edit_while_the_store_was_gone_travels_and_a_conflict_leaves_both_values_in_the_audit(
    harness: Harness,
) -> None:
    edited, disputed = harness.shared_deal(), harness.shared_deal()
    copy = copy_of(harness)
    harness.seller_edits(disputed, Amount=777)
    harness.run_rounds()
    harness.seller_edits(edited, Amount=888)
    harness.colleague_edits(harness.referral_of(disputed)["id"], details_dealValue=999)

    lose_store(harness, copy)
    harness.run_rounds()

    assert [harness.differences(deal) for deal in (edited, disputed)] == [[], []]
    assert harness.referral_of(edited)["details"]["dealValue"] == 888
    audit = harness.opportunity(disputed)["Audit__c"]
    assert "777" in audit
    assert "999" in audit
    assert_quiet(harness)


def test_deals_made_since_the_copy_are_found_and_not_made_again(harness: Harness) -> None:
    harness.shared_deal()
    copy = copy_of(harness)
    sent = harness.shared_deal(Name="Sent since")
    _, arrived = arrived_deal(harness)
    before = numbers(harness)

    lose_store(harness, copy)
    harness.run_rounds()

    assert numbers(harness) == before
    assert [harness.differences(deal) for deal in (sent, arrived)] == [[], []]
    assert harness.stored_link(sent).referral_id == harness.referral_of(sent)["id"]
    assert_quiet(harness)


def test_a_create_that_no_row_and_no_opportunity_remembers_is_found_by_its_reference(harness: Harness) -> None:
    copy = copy_of(harness)
    deal, instance = harness.seller_creates(), harness.new_instance()
    instance.process.interrupt_at("partner_center.create", instance.process.crash, after=True)
    assert instance.crashes_during(Instance.push)
    harness.seller_edits(deal, Amount=777)
    assert harness.opportunity(deal)["Referral_Identifier__c"] is None

    lose_store(harness, copy)
    harness.push()  # before any sweep

    assert len(harness.our_referrals()) == 1
    harness.run_rounds()
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_an_opportunity_that_no_row_remembers_is_found_by_its_referral(harness: Harness) -> None:
    copy = copy_of(harness)
    referral, instance = microsoft_sends_deal(harness), harness.new_instance()
    instance.process.interrupt_at("salesforce.create", instance.process.crash, after=True)
    assert instance.crashes_during(lambda one: one.pull_event(referral))
    before = numbers(harness)

    lose_store(harness, copy)
    harness.run_rounds()

    assert numbers(harness) == before
    (record,) = harness.salesforce.records("Opportunity")
    assert harness.differences(record["Id"]) == []


def test_a_create_of_unknown_outcome_in_the_copy_is_looked_for(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.DROP_AFTER, method="POST"))
    harness.push()
    copy = copy_of(harness)
    harness.run_rounds()  # the store that is lost has found it, or made it again
    referral = harness.referral_of(deal)

    lose_store(harness, copy)
    harness.run_rounds(5)

    assert harness.referral_of(deal) == referral
    assert harness.differences(deal) == []
    assert_quiet(harness)


def test_no_run_and_no_event_works_while_a_copy_is_imported(harness: Harness) -> None:
    deal = harness.shared_deal()
    copy = copy_of(harness)
    harness.seller_edits(deal, Amount=777)
    referral = harness.referral_of(deal)["id"]
    harness.colleague_edits(referral, name="Renamed")
    harness.advance_time(3600)
    harness.rows.close()
    harness.rows = SqliteRows(":memory:", clock=harness.now)
    harness.store = LinkStore(harness.rows, harness._timestamp)
    harness.first = harness.new_instance()
    imported = Import(harness.rows, check_copy(BytesIO(copy)))
    imported.begin(ORGANIZATION)
    before = harness.all_versions()
    for _ in range(2):  # before the rows and after them
        harness.push()
        harness.sweep()
        harness.pull_event(referral)
        imported.insert_rows(BytesIO(copy))
    assert harness.all_versions() == before
    imported.finish(harness.now())
    harness.run_rounds()
    assert harness.differences(deal) == []
    assert harness.referral_of(deal)["details"]["dealValue"] == 777
    assert_quiet(harness)


@pytest.mark.parametrize(
    ("where", "questions", "shown"), [("never", 1, "Failed"), ("all", 0, "Synced")], ids=["no list tells", "listed"]
)
def test_help_that_was_asked_for_since_the_copy_is_found_or_a_person_is_asked(
    harness: Harness, where: str, questions: int, shown: str
) -> None:
    show_records(harness, where, is_known=False)
    deal = linked_deal(harness)
    copy = copy_of(harness)
    harness.seller_edits(deal, **{HELP: PROOF, NOTES: "A demo in May, please."})
    harness.push()
    harness.push(TWO_MINUTES)
    harness.run_rounds()

    lose_store(harness, copy)
    harness.run_rounds(5)

    assert len(microsofts_records(harness)) == 1
    assert harness.count_in_audit(deal, QUESTION) == questions
    assert harness.opportunity(deal)["Sync_Status__c"] == shown


def test_what_was_unticked_or_deleted_since_the_copy_rests_and_nothing_is_made_again(harness: Harness) -> None:
    unticked, deleted = harness.shared_deal(), harness.shared_deal()
    copy = copy_of(harness)
    harness.seller_edits(unticked, Sync_with_Partner_Center__c=False)
    harness.salesforce.delete("Opportunity", deleted)
    harness.run_rounds()
    before = numbers(harness), harness.our_referrals()

    lose_store(harness, copy)
    harness.run_rounds(4)

    assert (numbers(harness), harness.our_referrals()) == before
    assert [harness.stored_link(deal).state for deal in (unticked, deleted)] == [State.PAUSED, State.GONE]


def test_a_copy_of_a_deal_that_was_held_since_the_store_was_copied_is_asked_about_again(harness: Harness) -> None:
    deal = harness.shared_deal()
    stored = copy_of(harness)
    cloned = clone_of(harness, deal)
    harness.advance_time(TWO_MINUTES + 1)
    harness.push()
    assert harness.opportunity(cloned)["Sync_Status__c"] == "Failed"

    lose_store(harness, stored)
    harness.run_rounds()

    assert len(harness.our_referrals()) == 1
    assert harness.stored_link(cloned).state is State.HELD
