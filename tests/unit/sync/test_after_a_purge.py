"""A purged deal is at rest: its audit is written once, and no erased value counts as emptied by somebody."""

from collections.abc import Iterator

import pytest

from shared.domain.guard_texts import ERASED
from shared.domain.link_states import State
from tests.unit.sync.harness import Harness
from tests.unit.sync.inbound_deals import assert_quiet
from tests.unit.sync.stored_texts import found_in_rows
from tests.unit.sync.test_purge import A_DAY, LONG, PERSONAL, closed_deal, purge


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as made:
        yield made


def purged_deal(harness: Harness) -> str:
    """A deal that was closed long ago and is purged, whose audit is not written yet."""
    deal = closed_deal(harness)
    harness.advance_time(LONG)
    harness.run_rounds()
    purge(harness.first)
    harness.forget_calls()
    return deal


def test_the_audit_is_written_once_and_nothing_is_stored_again(harness: Harness) -> None:
    deal = purged_deal(harness)
    harness.push()
    calls = harness.new_calls()
    assert {name for name, count in calls.items() if name.startswith("partner_center") and count} == set()
    assert harness.count_in_audit(deal, ERASED) > 3
    assert [text for text in harness.audit_texts(deal) if "Kim" in text or "Lee" in text] == []
    harness.run_rounds()
    assert found_in_rows(harness, PERSONAL) == []
    assert_quiet(harness)


def test_no_value_of_either_side_is_changed_by_it(harness: Harness) -> None:
    deal = closed_deal(harness)
    before, referral = harness.opportunity(deal), harness.referral_of(deal)
    harness.advance_time(LONG)
    purge(harness.first)
    harness.run_rounds()
    own = {"Audit__c", "LastModifiedDate", "SystemModstamp", "LastModifiedById"}
    after = harness.opportunity(deal)
    assert {name for name in before if before[name] != after[name]} <= own
    assert harness.referral_of(deal) == referral


def test_an_un_ticked_deal_shows_it_too(harness: Harness) -> None:
    deal = closed_deal(harness)
    harness.seller_edits(deal, Sync_with_Partner_Center__c=False)
    harness.run_rounds()
    harness.advance_time(LONG)
    purge(harness.first)
    harness.run_rounds()
    assert harness.stored_link(deal).state is State.PAUSED
    assert harness.count_in_audit(deal, ERASED) > 3
    assert found_in_rows(harness, PERSONAL) == []


def test_a_deal_that_is_edited_or_reopened_later_empties_nothing(harness: Harness) -> None:
    deal = purged_deal(harness)
    harness.run_rounds()
    referral = harness.referral_of(deal)
    harness.seller_edits(deal, Description="Kim Berg is back.", StageName="Qualification")
    harness.run_rounds()
    assert harness.referral_of(deal) == referral
    assert harness.opportunity(deal)["Description"] == "Kim Berg is back."
    assert harness.count_in_audit(deal, 'Stage "Active/Accepted" was not sent') == 1, harness.audit_texts(deal)
    assert harness.stored_link(deal).base.keys() & {"notes", "contacts", "name", "account"} == set()


def test_what_comes_later_is_purged_later(harness: Harness) -> None:
    deal = purged_deal(harness)
    harness.run_rounds()
    harness.advance_time(2 * A_DAY)
    harness.seller_edits(deal, StageName="Qualification")
    harness.run_rounds()
    told = [line for line in harness.store.audit(deal) if line.after not in (None, ERASED)]
    assert told
    purge(harness.new_instance())
    assert [line for line in harness.store.audit(deal) if line.after not in (None, ERASED)] == told
    harness.advance_time(LONG)
    purge(harness.new_instance())
    assert [line for line in harness.store.audit(deal) if line.after not in (None, ERASED)] == []
