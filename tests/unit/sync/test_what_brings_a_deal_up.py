"""Edits beside the opportunity bring its deal to a push, and nothing else does.

Source: docs/protocol.md#the-salesforce-poll.
"""

from collections.abc import Callable
from copy import replace
from datetime import timedelta

import pytest

from shared.domain.deal import Side
from shared.store.rows import Delete
from tests.unit.sync.harness import HOUR, Harness
from tests.unit.sync.inbound_deals import arrived_deal
from tests.unit.sync.polled_deals import (
    FIVE_MINUTES,
    add_contact,
    add_role,
    add_user,
    deal_of,
    delete_deal,
    edit_account,
    edit_contact,
    edit_owner,
    edit_role,
    looked_at,
    polls_in,
    push_often,
    roles_of,
    two_deals,
)

type Edit = Callable[[Harness, str], None]
EDITS = [edit_role, edit_contact, add_role, edit_account, edit_owner]


def _name(edit: Edit) -> str:
    return edit.__name__


@pytest.mark.parametrize("edit", [*EDITS, delete_deal], ids=_name)
def test_an_edit_beside_the_opportunity_brings_up_exactly_its_deal_within_five_minutes(
    harness: Harness, edit: Edit
) -> None:
    first, second = two_deals(harness)
    edit(harness, first)
    with looked_at(harness, first, second) as worked:
        push_often(harness)
        assert worked() == [first]


@pytest.mark.parametrize("edit", [edit_role, edit_contact, add_role, edit_account], ids=_name)
def test_contacts_and_account_bring_it_up_with_the_next_push(harness: Harness, edit: Edit) -> None:
    first, second = two_deals(harness)
    edit(harness, first)
    with looked_at(harness, first, second) as worked:
        harness.push()
        assert worked() == [first]


@pytest.mark.parametrize("edit", [*EDITS, delete_deal], ids=_name)
def test_an_edit_that_is_known_costs_no_further_read(harness: Harness, edit: Edit) -> None:
    first, _ = two_deals(harness)
    edit(harness, first)
    push_often(harness)
    harness.forget_calls()
    for _ in range(15):
        harness.push()
        assert harness.new_calls() == {"salesforce.query": 1}


@pytest.mark.parametrize("edit", EDITS, ids=_name)
def test_an_edit_that_was_read_in_its_first_thirty_seconds_is_read_once_more(harness: Harness, edit: Edit) -> None:
    """It may have been committed after the read (docs/protocol.md#stamps)."""
    first, _ = two_deals(harness)
    looks = 0
    edit(harness, first)
    for after in (5.0, *[60.0] * 12):
        with looked_at(harness, first) as worked:
            harness.push(after=after)
            looks += len(worked())
    assert looks <= 2
    assert harness.new_calls()["salesforce.query"] <= 13 + 2


def test_an_older_row_of_a_deal_is_known_beside_a_newer_one(harness: Harness) -> None:
    deal = deal_of(harness, "First")
    add_contact(harness, deal, "Berg")
    push_often(harness, 20)
    old, new = roles_of(harness, deal)
    harness.salesforce.edit("OpportunityContactRole", old["Id"], {"Role": "Evaluator"})
    harness.push()
    harness.salesforce.edit("OpportunityContactRole", new["Id"], {"Role": "Evaluator"})
    harness.push()
    harness.forget_calls()
    for _ in range(FIVE_MINUTES):
        harness.push()
        assert harness.new_calls() == {"salesforce.query": 1}


def test_a_write_of_our_own_forgets_no_stamp_of_a_row(harness: Harness) -> None:
    """A read-back has no rows. What is known of them stays known, so that the overlap brings nothing up."""
    first, _ = two_deals(harness)
    edit_role(harness, first)
    edit_contact(harness, first)
    edit_owner(harness, first)
    harness.seller_edits(first, Amount=4321)
    push_often(harness, 2)
    assert harness.referral_of(first)["details"]["dealValue"] == 4321
    assert {"role", "contact", "account", "owner", "opportunity"} <= set(harness.stored_link(first).stamps)
    harness.forget_calls()
    push_often(harness)
    assert harness.new_calls() == {"salesforce.query": FIVE_MINUTES}


def test_a_deal_that_arrived_with_its_contacts_comes_to_rest(harness: Harness) -> None:
    arrived_deal(harness)
    push_often(harness, 2)
    harness.forget_calls()
    push_often(harness, 15)
    assert harness.new_calls() == {"salesforce.query": 15}


def test_an_owner_who_gets_a_phone_number_lets_their_held_deal_go(harness: Harness) -> None:
    owner = add_user(harness, "New")
    deal = harness.seller_creates(OwnerId=owner)
    push_often(harness, 15)
    assert harness.our_referrals() == []
    harness.salesforce.edit("User", owner, {"Phone": "+1 555 0300"})
    push_often(harness)
    assert harness.referral_of(deal)["team"][0]["phoneNumber"] == "+1 555 0300"


@pytest.mark.parametrize("edit", [edit_owner, edit_contact], ids=_name)
def test_a_shared_record_brings_up_no_deal_that_was_ticked_before_the_beginning(edit: Edit) -> None:
    """A user has many deals, and a job may save all contacts. An edit of the deal or of its roles brings it up."""
    with Harness(begin=timedelta(minutes=30)) as harness:
        deal = deal_of(harness, "First")
        harness.advance_time(HOUR)
        push_often(harness)
        edit(harness, deal)
        push_often(harness)
        assert harness.our_referrals() == []
        edit_role(harness, deal)
        harness.push()
        assert harness.referral_of(deal)


def test_an_edited_owner_brings_up_no_closed_deal(harness: Harness) -> None:
    """What concerns a user would else be told in the audit of each deal that they ever had."""
    first, second = two_deals(harness)
    harness.seller_edits(first, StageName="Closed Won")
    push_often(harness, 20)
    with looked_at(harness, first, second) as worked:
        edit_owner(harness, first)
        push_often(harness)
        assert worked() == []
        edit_contact(harness, first)
        push_often(harness)
        assert worked() == [first]


# --- what cannot be seen in a row


def test_a_removed_contact_role_is_noticed_at_the_next_look(harness: Harness) -> None:
    """The service keeps no row of it (docs/limits.md#by-design)."""
    first, second = two_deals(harness)
    (role,) = roles_of(harness, first)
    harness.salesforce.delete("OpportunityContactRole", role["Id"])
    with looked_at(harness, first, second) as worked:
        push_often(harness)
        assert worked() == []


def test_a_deleted_opportunity_is_told_once_and_its_link_stays(harness: Harness) -> None:
    first, _ = two_deals(harness)
    harness.salesforce.delete("Opportunity", first)
    push_often(harness, 30)
    assert harness.first.log.opportunities_of("opportunity_deleted") == [first]
    assert harness.stored_link(first).referral_id
    assert harness.only_retry_entry(Side.SALESFORCE).cause == "deleted"
    cursor = harness.store.cursor("push_deleted")
    assert cursor is not None
    assert cursor >= harness.now() - timedelta(minutes=FIVE_MINUTES)


def test_an_undeleted_opportunity_is_worked_again_and_told_again_when_it_is_deleted(harness: Harness) -> None:
    first, _ = two_deals(harness)
    harness.salesforce.delete("Opportunity", first)
    push_often(harness)
    harness.salesforce.undelete("Opportunity", first)
    harness.seller_edits(first, Amount=4321)
    push_often(harness)
    assert harness.referral_of(first)["details"]["dealValue"] == 4321
    harness.salesforce.delete("Opportunity", first)
    push_often(harness)
    assert harness.first.log.opportunities_of("opportunity_deleted") == [first, first]


def test_a_deleted_opportunity_without_a_link_is_nothing_to_tell(harness: Harness) -> None:
    deal = harness.seller_creates()
    harness.salesforce.delete("Opportunity", deal)
    harness.push()
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2}
    assert harness.first.log.opportunities_of("opportunity_deleted") == []


# --- the call


def test_a_minute_is_one_call_of_at_most_five_queries_and_the_rare_ones_take_turns(harness: Harness) -> None:
    two_deals(harness)
    journal = harness.salesforce.journal
    length = len(journal)
    for _ in range(10):
        harness.push()
        assert harness.new_calls() == {"salesforce.query": 1}
    polls = polls_in(journal[length:])
    assert [len(queries) for queries in polls] == [5] * 10
    assert [queries[-1] for queries in polls] in ([["query", "query.all"] * 5, ["query.all", "query"] * 5])


def test_the_cursor_of_a_query_that_did_not_run_stays(harness: Harness) -> None:
    two_deals(harness)
    for _ in range(4):
        before = {name: harness.store.cursor(name) for name in ("push_owner", "push_deleted")}
        harness.push()
        moved = [name for name, at in before.items() if harness.store.cursor(name) != at]
        assert len(moved) == 1
        assert harness.store.cursor(moved[0]) == harness.store.cursor("push_opportunity")


# --- a store that an earlier build has used


def test_the_queries_of_a_later_build_begin_where_the_others_stand(harness: Harness) -> None:
    deals = [deal_of(harness, f"Deal {number}") for number in range(20)]
    push_often(harness, 3)
    for deal in deals:
        for edit in (edit_role, edit_contact, edit_owner):
            edit(harness, deal)
    push_often(harness, 3)
    for _ in range(3):
        harness.push(after=HOUR)
    _forget_later_queries(harness, deals)
    edit_owner(harness, deals[0])
    with looked_at(harness, *deals) as worked:
        push_often(harness)
        assert worked() == [deals[0]]


def test_a_query_that_an_earlier_build_lacks_misses_nothing_of_a_long_stop(harness: Harness) -> None:
    first, second = two_deals(harness)
    _forget_later_queries(harness, [first, second])
    harness.advance_time(3 * 24 * HOUR)
    edit_contact(harness, first)
    harness.advance_time(24 * HOUR)
    with looked_at(harness, first, second) as worked:
        push_often(harness, 2)
        assert worked() == [first]


def _forget_later_queries(harness: Harness, deals: list[str]) -> None:
    """Make the store one of a build that polled opportunities and accounts only."""
    names = ("push_role", "push_contact", "push_owner", "push_deleted")
    rows = [row for name in names if (row := harness.rows.get("cursor", name))]
    harness.rows.write("cursor", [Delete(row.key, row.etag) for row in rows])
    for deal in deals:
        entry = harness.store.link(deal)
        assert entry is not None
        known = {name: stamp for name, stamp in entry.value.stamps.items() if name in ("opportunity", "account")}
        harness.store.replace_link(entry, replace(entry.value, stamps=known))
