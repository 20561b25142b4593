"""The engine continues a store that commit f9a8dde wrote, with both systems as they stood (stored_rows/README.md).

The faults of that time are gone. All interrupted work ends as f9a8dde would have ended it, and nothing is made twice.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.domain.deal import Side
from shared.domain.link_states import State
from tests.unit.store.stored_store import INTERRUPTED, SIGNED_OUT, described_link, long_notes
from tests.unit.sync.harness import HOUR, LEASE, MINUTE, QUARTER
from tests.unit.sync.inbound_deals import assert_quiet, microsoft_sends_deal
from tests.unit.sync.stored_harness import StoredHarness


@dataclass(frozen=True, slots=True)
class End:
    """How a pair ends: the amount on both sides, stage, status, mark, and how many audit lines are new."""

    amount: float | None
    lines: int = 0
    stage: str = "Qualification"
    status: str = "Active"
    mark: str = "Synced"
    differs: tuple[str, ...] = ()


ARRIVED = End(25000, 1, "On Hold", "New", "Waiting")
ENDS = {
    # nothing was to be done
    "live": End(10000),
    "long notes": End(10000),
    "accepted": End(25000),
    "on hold": End(25000, 0, "On Hold", "New", "Waiting"),
    # set aside
    "closed": End(20000, 0, "Closed Won", "Closed", differs=("money",)),
    "value refused by Partner Center": End(-5, mark="Failed", differs=("money",)),
    "value refused by Salesforce": End(10000, mark="Failed", differs=("closing",)),
    "not shared any more": End(77, differs=("money",)),
    # interrupted between an intent and its end
    "create sent": End(10000, 1),
    "create not sent": End(10000, 1),
    "create of unknown outcome": End(10000, 1),
    "patch sent": End(31000, 1),
    "patch not sent": End(31000, 1),
    "both sides to be written": End(32000, 3),
    "opportunity written": End(33000, 1),
    "opportunity not written": End(33000, 1),
    "mark to be written": End(34000),
    "lock taken": End(35000, 1),
    "arrival made": ARRIVED,
    "arrival not made": ARRIVED,
    "arrival claimed": ARRIVED,
    "arrival of unknown outcome": ARRIVED,
    "arrival linked": End(25000, 0, "On Hold", "New", "Waiting"),
    # waiting on a list, each for its own cause
    "close waits": End(10000, 1, "Closed Lost", "Closed"),
    "row locked": End(21000),
    "Partner Center down": End(22000, 1),
    "kept changing there": End(23000, 1),
    "mark refused": End(24000),
    "referral not found": End(41000, 1),
    "pulled while down": End(42000, 1),
    "pull locked": End(43000, 1),
    "kept changing here": End(44000),
    "poisoned": End(45000, 1),
    "throttled": End(46000, 1),
    "after the throttled": End(47000, 1),
    "event while paused": End(48000, 1),
    "arrival refused": ARRIVED,
}
WITHOUT_REFERRAL = {"held": State.HELD, "create refused": State.PARKED}
WITHIN_LEASE = [
    "patch sent",
    "patch not sent",
    "both sides to be written",
    "opportunity written",
    "opportunity not written",
    "mark to be written",
    "lock taken",
    "create of unknown outcome",
]


@pytest.fixture(scope="module")
def continued() -> Iterator[StoredHarness]:
    """An hour and a half later; the first run comes after the pause of Partner Center's side."""
    with StoredHarness(INTERRUPTED) as harness:
        for after in (MINUTE, LEASE, LEASE, LEASE, HOUR):
            harness.push(after)
            harness.sweep()
        yield harness


@pytest.fixture
def stored() -> Iterator[StoredHarness]:
    with StoredHarness(INTERRUPTED) as harness:
        yield harness


@pytest.fixture
def signed_out() -> Iterator[StoredHarness]:
    with StoredHarness(SIGNED_OUT) as harness:
        yield harness


def new_lines(harness: StoredHarness, deal: str) -> int:
    return len(harness.store.audit(deal)) - len(harness.scene.of(f"O|{deal}", "a|"))


# --- how all of it ends -----------------------------------------------------------------------------------------------


def test_every_pair_of_the_scene_has_an_end(continued: StoredHarness) -> None:
    assert {*ENDS, *WITHOUT_REFERRAL} == set(continued.scene.pairs)


@pytest.mark.parametrize("name", ENDS)
def test_a_stored_pair_ends_as_it_would_have(continued: StoredHarness, name: str) -> None:
    end, deal, referral = ENDS[name], continued.deal(name), continued.referral(name)
    row, link = continued.opportunity(deal), continued.link(deal)
    assert (row["Amount"], row["StageName"], row["Sync_Status__c"]) == (end.amount, end.stage, end.mark)
    assert referral["status"] == end.status
    assert tuple(continued.differences(deal)) == end.differs
    assert (link.intent, link.referral_id) == (None, referral["id"])
    assert row["Referral_Identifier__c"] == referral["id"]
    pointer = continued.store.pointer(referral["id"])
    assert pointer is not None
    assert pointer.value.opportunity_id == deal
    assert new_lines(continued, deal) == end.lines
    assert len(continued.audit_texts(deal)) == len(continued.store.audit(deal))


def test_a_late_edit_of_both_texts_keeps_both_once(continued: StoredHarness) -> None:
    notes = continued.opportunity(continued.deal("both sides to be written"))["Description"]
    assert continued.referral("both sides to be written")["details"]["notes"] == notes
    assert (notes.count("A word of the seller."), notes.count("A word of a colleague.")) == (1, 1)


def test_nothing_is_made_twice(continued: StoredHarness, stored: StoredHarness) -> None:
    def made(sobject: str) -> int:
        return len(continued.salesforce.records(sobject)) - len(stored.salesforce.records(sobject))

    assert len(continued.referrals()) == len(stored.referrals()) + 1  # "create not sent"
    assert made("Opportunity") == made("Account") == 3  # "arrival not made", "arrival claimed", "arrival refused"
    references = Counter(one["externalReferenceId"] for one in continued.referrals() if one["externalReferenceId"])
    identifiers = Counter(row["Referral_Identifier__c"] for row in continued.salesforce.records("Opportunity"))
    del identifiers[None]
    assert {*references.values(), *identifiers.values()} == {1}


@pytest.mark.parametrize("name", WITHOUT_REFERRAL)
def test_a_deal_that_cannot_be_sent_stays_as_it_was(continued: StoredHarness, name: str) -> None:
    deal = continued.deal(name)
    assert continued.link(deal).state is WITHOUT_REFERRAL[name]
    assert continued.opportunity(deal)["Sync_Status__c"] == "Failed"
    reference = continued.scope.reference(deal)
    assert reference not in [referral["externalReferenceId"] for referral in continued.referrals()]


@pytest.mark.parametrize("name", WITHOUT_REFERRAL)
def test_what_was_told_of_a_deal_that_cannot_be_sent_is_not_told_again(continued: StoredHarness, name: str) -> None:
    """The link keeps code and sentence of what was told; a new wording of the sentence must not tell it again."""
    deal = continued.deal(name)
    assert new_lines(continued, deal) == 0
    assert len(continued.audit_texts(deal)) == len(continued.store.audit(deal))


def test_in_the_end_only_the_held_deal_waits_and_no_run_has_failed(continued: StoredHarness) -> None:
    assert [(due.key, due.cause) for due in continued.retry_entries(Side.SALESFORCE)] == [
        (continued.deal("held"), "held")
    ]
    assert continued.retry_entries(Side.PARTNER_CENTER) == []
    assert not continued.one.log.of("run_failed")
    assert not continued.one.log.of("pair_failed")


def test_one_more_round_writes_nothing(continued: StoredHarness) -> None:
    continued.calls()
    assert_quiet(continued)
    assert not {"salesforce.conditional", "salesforce.write_back", "salesforce.graph"} & set(continued.calls())


# --- when it happens --------------------------------------------------------------------------------------------------


def test_a_stored_pause_is_kept_until_its_time(stored: StoredHarness) -> None:
    stored.push(after=30.0)
    stored.sweep(after=5.0)
    assert stored.calls() == {}
    stored.push(after=10.0)
    assert stored.calls()["salesforce.query"] > 0


def test_interrupted_work_is_left_alone_within_its_lease(stored: StoredHarness) -> None:
    stored.push(after=MINUTE)
    for name in WITHIN_LEASE:
        deal = stored.deal(name)
        (row,) = stored.scene.of(f"O|{deal}", "link")
        assert described_link(stored.link(deal)) == row.reads
    stored.push(after=LEASE)
    left = [name for name in WITHIN_LEASE if stored.link(stored.deal(name)).intent is not None]
    assert left == ["create of unknown outcome"]  # Partner Center's list may lag: ten minutes more


def test_a_create_is_not_repeated_before_lease_and_settle_time(stored: StoredHarness) -> None:
    stored.push(after=LEASE)
    stored.push(after=MINUTE)
    assert stored.calls()["partner_center.create"] == 0
    stored.push(after=QUARTER - LEASE)
    assert stored.calls()["partner_center.create"] == 1  # for "create not sent" alone
    assert stored.referral("create not sent")


def test_the_waiting_close_is_sent_after_its_time(stored: StoredHarness) -> None:
    stored.push(after=MINUTE)
    assert stored.referral("close waits")["status"] == "Active"
    stored.push(after=MINUTE)
    closed = stored.referral("close waits")
    assert (closed["status"], closed["substatus"]) == ("Closed", "Lost")


def test_a_failed_sign_in_is_probed_after_its_quarter_of_an_hour(signed_out: StoredHarness) -> None:
    for _ in range(13):
        signed_out.push(after=MINUTE)
    assert signed_out.calls() == {}
    signed_out.push(after=2 * MINUTE)
    signed_out.push()
    assert signed_out.referral("live")["details"]["dealValue"] == 51000
    assert signed_out.opportunity(signed_out.deal("arrival"))["StageName"] == "On Hold"
    held = signed_out.deal("held")
    assert (signed_out.opportunity(held)["Sync_Status__c"], len(signed_out.audit_texts(held))) == ("Failed", 1)
    signed_out.run_rounds()
    assert_quiet(signed_out)


def test_the_poll_continues_at_the_stored_cursors(stored: StoredHarness) -> None:
    names = set(stored.store.cursors())
    deals = len(stored.salesforce.records("Opportunity"))
    assert stored.push(after=MINUTE).seen < deals
    stored.sweep()
    assert set(stored.store.cursors()) == names


# --- what people do next ----------------------------------------------------------------------------------------------


def test_another_value_or_what_was_lacking_sends_what_was_set_aside(stored: StoredHarness) -> None:
    account = stored.opportunity(stored.deal("held"))["AccountId"]
    stored.salesforce.edit("Account", account, {"BillingCountry": "US"})
    stored.seller_edits(stored.deal("held"), Amount=5)
    stored.seller_edits(stored.deal("create refused"), Amount=6)
    stored.seller_edits(stored.deal("value refused by Partner Center"), Amount=7)
    stored.seller_edits(stored.deal("on hold"), StageName="Qualification", Amount=8)
    refused = stored.referral("value refused by Salesforce")["id"]
    stored.colleague_edits(refused, details_closingDateTime="2027-06-01T00:00:00Z")
    stored.run_rounds(2)
    found = {name: stored.referral(name)["details"]["dealValue"] for name in stored.scene.pairs}
    assert [found[name] for name in ("held", "create refused", "value refused by Partner Center", "on hold")] == [
        5,
        6,
        7,
        8,
    ]
    assert stored.referral("on hold")["status"] == "Active"
    assert stored.opportunity(stored.deal("value refused by Salesforce"))["CloseDate"] == "2027-06-01"
    for name in (*WITHOUT_REFERRAL, "value refused by Partner Center", "value refused by Salesforce", "on hold"):
        deal = stored.deal(name)
        assert (stored.link(deal).state, stored.opportunity(deal)["Sync_Status__c"]) == (State.LIVE, "Synced")


def test_what_was_refused_is_not_sent_again_after_an_edit_of_something_else(stored: StoredHarness) -> None:
    for name in ("create refused", "value refused by Partner Center"):
        stored.seller_edits(stored.deal(name), NextStep="Call again")
    other = stored.referral("value refused by Salesforce")["id"]
    stored.colleague_edits(other, details_notes="Call again.")
    stored.run_rounds(2)
    assert [entry.status for entry in stored.partner_center.journal if entry.status == 400] == []
    row = stored.opportunity(stored.deal("value refused by Salesforce"))
    assert (row["CloseDate"], row["Description"], row["Sync_Status__c"]) == ("2026-12-31", "Call again.", "Failed")
    assert stored.link(stored.deal("create refused")).state is State.PARKED


def test_edits_made_before_the_recovery_survive_it(stored: StoredHarness) -> None:
    created = stored.deal("create sent")
    stored.seller_edits(created, Amount=10001)
    stored.colleague_edits(stored.referral_of(created)["id"], details_closingDateTime="2027-03-03T00:00:00Z")
    arrived = stored.referral("arrival made")["id"]
    stored.colleague_edits(arrived, status="Active", substatus="Accepted")
    stored.colleague_edits(arrived, details_dealValue=26000)
    stored.run_rounds()
    assert stored.referral("create sent")["details"]["dealValue"] == 10001
    assert stored.opportunity(created)["CloseDate"] == "2027-03-03"
    assert stored.opportunity(stored.deal("arrival made"))["Amount"] == 26000
    assert [stored.differences(stored.deal(name)) for name in ("create sent", "arrival made")] == [[], []]


def test_an_edit_beside_long_notes_sends_the_edit_alone(stored: StoredHarness) -> None:
    deal = stored.deal("long notes")
    stored.seller_edits(deal, Amount=9)
    stored.push(after=MINUTE)
    details = stored.referral("long notes")["details"]
    assert (details["dealValue"], details["notes"], len(details["requirements"]["solutions"])) == (9, long_notes(), 50)
    assert stored.link(deal).base["notes"] == long_notes()
    assert new_lines(stored, deal) == 1


def test_new_deals_of_both_sides_travel_beside_the_stored_ones(stored: StoredHarness) -> None:
    deal, referral = stored.seller_creates(Name="New"), microsoft_sends_deal(stored, name="New arrival")
    stored.run_rounds(2)
    assert stored.differences(deal) == []
    arrived = [row for row in stored.salesforce.records("Opportunity") if row["Referral_Identifier__c"] == referral]
    assert [row["Name"] for row in arrived] == ["New arrival"]
