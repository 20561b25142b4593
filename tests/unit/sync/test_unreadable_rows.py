"""A row that this build cannot read holds that pair alone (docs/protocol.md#rows-of-other-builds)."""

from collections.abc import Mapping
from copy import replace

import pytest

from shared.domain.deal import Side
from shared.store.row_codec import pack, unpack
from shared.store.rows import Put
from tests.unit.sync.harness import HOUR, MINUTE, QUARTER, Harness

UNKNOWN_STATE: Mapping[str, object] = {"state": "winding_down"}
UNKNOWN_INTENT: Mapping[str, object] = {
    "intent": [{"kind": "ask_for_help", "values": {}, "displaced": {}, "version": None, "decided": None}]
}


def change_row(harness: Harness, partition: str, key: str, changes: Mapping[str, object]) -> bytes:
    """Store a row as a later build did; returns its data."""
    row = harness.rows.get(partition, key)
    assert row is not None
    data = pack({**unpack(row.data), **changes})
    harness.rows.write(partition, [Put(key, data)])
    return data


def data_of(harness: Harness, partition: str, key: str) -> bytes:
    row = harness.rows.get(partition, key)
    assert row is not None
    return row.data


@pytest.fixture
def deals(harness: Harness) -> tuple[str, str]:
    """Two linked deals with nothing left to do."""
    first, second = harness.seller_creates(Name="First"), harness.seller_creates(Name="Second")
    harness.push_until_quiet()
    harness.sweep()
    return first, second


@pytest.mark.parametrize("changes", [UNKNOWN_STATE, UNKNOWN_INTENT], ids=["state", "intent"])
def test_a_push_leaves_the_pair_alone_tells_it_and_sends_every_other(
    harness: Harness, deals: tuple[str, str], changes: Mapping[str, object]
) -> None:
    unreadable, other = deals
    data = change_row(harness, f"O|{unreadable}", "link", changes)
    for deal in deals:
        harness.seller_edits(deal, Amount=7)
    referrals = {deal: harness.referral_of(deal)["eTag"] for deal in deals}
    worker = harness.new_instance()
    report = worker.push()
    assert harness.referral_of(unreadable)["eTag"] == referrals[unreadable]
    assert harness.referral_of(other)["details"]["dealValue"] == 7
    assert data_of(harness, f"O|{unreadable}", "link") == data
    assert report.fields()["due"] == 1
    entry = harness.only_retry_entry(Side.SALESFORCE)
    assert (entry.key, entry.cause) == (unreadable, "UnreadableRow")
    ((told),) = worker.log.fields_of("row_unreadable")
    assert (told["row"], told["key"]) == ("link", unreadable)
    assert told["remedy"] == "deploy the build that wrote this row, or a newer one, again"
    assert [fields["key"] for fields in worker.log.fields_of("pair_failed")] == [unreadable]
    assert worker.log.fields_of("run_failed") == []
    assert worker.log.fields_of("unsynced")[-1]["count"] == 1, "the pair counts as late"


def test_the_pair_waits_longer_after_each_attempt_and_goes_on_once_its_row_can_be_read(
    harness: Harness, deals: tuple[str, str]
) -> None:
    unreadable, _ = deals
    readable = data_of(harness, f"O|{unreadable}", "link")
    change_row(harness, f"O|{unreadable}", "link", UNKNOWN_STATE)
    harness.seller_edits(unreadable, Amount=7)
    worker = harness.new_instance()
    for _ in range(20):
        worker.push()
    assert 1 < harness.only_retry_entry(Side.SALESFORCE).attempts < 10, "the overlap of the poll does not shorten it"
    harness.rows.write(f"O|{unreadable}", [Put("link", readable)])
    worker.push(after=HOUR)
    assert harness.referral_of(unreadable)["details"]["dealValue"] == 7
    assert harness.retry_entries(Side.SALESFORCE) == []


def test_a_sweep_leaves_a_pair_with_an_unreadable_link_alone_and_pulls_every_other(
    harness: Harness, deals: tuple[str, str]
) -> None:
    unreadable, other = deals
    change_row(harness, f"O|{unreadable}", "link", UNKNOWN_STATE)
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=9)
    worker = harness.new_instance()
    worker.sweep()
    assert (harness.opportunity(unreadable)["Amount"], harness.opportunity(other)["Amount"]) == (10000, 9)
    assert harness.only_retry_entry(Side.PARTNER_CENTER).key == harness.referral_of(unreadable)["id"].lower()
    assert worker.log.fields_of("run_failed") == []


def test_a_sweep_leaves_a_referral_with_an_unreadable_pointer_alone_and_pulls_every_other(
    harness: Harness, deals: tuple[str, str]
) -> None:
    unreadable, other = deals
    referral_id = harness.referral_of(unreadable)["id"]
    change_row(harness, f"R|{referral_id.lower()}", "pointer", {**UNKNOWN_INTENT, "opportunity_id": None})
    for deal in deals:
        harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=9)
    worker = harness.new_instance()
    worker.sweep()
    assert (harness.opportunity(unreadable)["Amount"], harness.opportunity(other)["Amount"]) == (10000, 9)
    assert len(harness.salesforce.records("Opportunity")) == 2, "no opportunity is created for it"
    assert harness.only_retry_entry(Side.PARTNER_CENTER).key == referral_id.lower()
    ((told),) = worker.log.fields_of("row_unreadable")
    assert (told["row"], told["key"]) == ("pointer", referral_id.lower())


def test_what_a_later_build_added_survives_the_work_on_a_pair(harness: Harness, deals: tuple[str, str]) -> None:
    deal, _ = deals
    added = {"from a later build": [1, {"deep": None}]}
    change_row(harness, f"O|{deal}", "link", added)
    change_row(harness, f"R|{harness.referral_of(deal)['id'].lower()}", "pointer", added)
    harness.seller_edits(deal, Amount=7)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_closingDateTime="2027-01-01T00:00:00Z")
    harness.run_rounds(after=QUARTER)
    assert harness.referral_of(deal)["details"]["dealValue"] == 7
    assert added.items() <= unpack(data_of(harness, f"O|{deal}", "link")).items()


def test_what_a_later_build_added_to_a_retry_entry_survives_the_next_attempt(
    harness: Harness, deals: tuple[str, str]
) -> None:
    deal, _ = deals
    harness.seller_edits(deal, Amount=7)
    harness.lock_record(deal, times=None)
    harness.colleague_edits(harness.referral_of(deal)["id"], details_dealValue=9)
    worker = harness.new_instance()
    worker.push()
    (entry,) = harness.retry_entries(Side.SALESFORCE)
    cause, attempts, since = unpack(data_of(harness, "due|salesforce", deal))
    row = pack([cause, attempts, since, None, {"from a later build": 1}])
    harness.rows.write("due|salesforce", [Put(deal, row, entry.at)])
    worker.push(after=HOUR)
    again = unpack(data_of(harness, "due|salesforce", deal))
    assert (again[1], again[2:]) == (attempts + 1, [since, None, {"from a later build": 1}])
    harness.clear_faults()
    worker.push(after=HOUR)
    worker.push(after=MINUTE)
    assert harness.retry_entries(Side.SALESFORCE) == []


@pytest.mark.parametrize("push", ["held again", "planned again"])
def test_what_a_later_build_stored_in_a_cause_is_kept_while_the_cause_holds(harness: Harness, push: str) -> None:
    deal = harness.shared_deal() if push == "planned again" else harness.seller_creates(Amount=None)
    if push == "planned again":
        stage = {"MasterLabel": "Verbal", "ApiName": "Verbal", "IsActive": True, "ForecastCategory": "Pipeline"}
        administrator = harness.salesforce.founding.administrator
        harness.salesforce.org.insert("OpportunityStage", {**stage, "SortOrder": 20}, administrator)
        harness.seller_edits(deal, StageName="Verbal")
    harness.push()
    entry = harness.store.link(deal)
    assert entry is not None
    assert entry.value.cause is not None
    later = replace(entry.value.cause, unknown={"severity": 3})
    harness.store.replace_link(entry, replace(entry.value, cause=later, stamps={}))
    harness.push(HOUR + MINUTE)
    cause = harness.stored_link(deal).cause
    assert cause is not None
    assert cause.unknown == {"severity": 3}
