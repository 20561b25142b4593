"""The number of remote calls that a push makes, from the emulators' journals (docs/protocol.md#call-floors)."""

from dataclasses import dataclass
from math import ceil

import pytest

from shared.clients.salesforce.queries import MAX_QUERIES
from shared.clients.salesforce.twin_queries import DEALS_OF_A_QUERY
from shared.sync.ports import Policy
from tests.unit.sync.harness import HOUR, Harness

COLLECTION = 200


COMPARED_TOGETHER = DEALS_OF_A_QUERY * MAX_QUERIES


@dataclass(frozen=True)
class Size:
    """The number of pairs, and how many records a page and how many ids a read may have."""

    count: int
    batch: int = 2000

    @property
    def further_pages(self) -> int:
        """The pages of a query beyond the first."""
        return max(0, ceil(self.count / self.batch) - 1)

    def query_calls(self) -> int:
        """One Composite for the poll, and one read for each batch of ids."""
        return 1 + ceil(self.count / self.batch)

    def comparing_calls(self) -> int:
        """The calls that look for originals of new deals: one for up to 200 of a batch."""
        full, rest = divmod(self.count, self.batch)
        return full * ceil(self.batch / COMPARED_TOGETHER) + ceil(rest / COMPARED_TOGETHER)

    def write_back_calls(self) -> int:
        """One call for each 200 records within each batch."""
        full, rest = divmod(self.count, self.batch)
        return full * ceil(self.batch / COLLECTION) + ceil(rest / COLLECTION)


AT_FULL_SIZE = pytest.param(Size(2500), marks=[pytest.mark.slow, pytest.mark.timeout(600)])
SIZES = [Size(1), Size(50, batch=20), pytest.param(Size(250), marks=pytest.mark.slow), AT_FULL_SIZE]
"""The small batch shows in a tenth of the time what 2,500 pairs cost with the full batch size."""


def create_deals(harness: Harness, count: int) -> list[str]:
    """Create opportunities with different names, all of one customer. Returns their ids."""
    return [harness.seller_creates(Name=f"Deal {number}") for number in range(count)]


def test_a_minute_without_changes_costs_one_call(harness: Harness) -> None:
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 1}
    harness.shared_deal()
    for _ in range(15):
        harness.push()
        assert harness.new_calls() == {"salesforce.query": 1}
    harness.push(after=HOUR)
    assert harness.new_calls() == {"salesforce.query": 1}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_creates_and_updates_cost_no_more_calls_than_the_floor(size: Size) -> None:
    with Harness(policy=Policy(batch=size.batch, mass_change_limit=10_000)) as harness:
        harness.salesforce.rest.pages.short_pages = size.batch
        ids = create_deals(harness, size.count)
        harness.push()
        # All records are new to both polling queries: that of opportunities and that of accounts.
        assert harness.new_calls() == _expected_calls(
            query=size.query_calls() + size.comparing_calls(), more=2 * size.further_pages, create=size.count,
            write_back=size.write_back_calls(),
        )  # fmt: skip
        # The poll after a write-back reads them once more; then nothing is left to do.
        harness.push()
        assert harness.new_calls() == _expected_calls(query=size.query_calls(), more=2 * size.further_pages)
        assert_idle(harness)
        for deal in ids:
            harness.seller_edits(deal, Amount=4321)
        harness.push()
        assert harness.new_calls() == _expected_calls(
            query=size.query_calls(), more=size.further_pages, patch=size.count, write_back=size.write_back_calls()
        )
        harness.push()
        assert harness.new_calls() == _expected_calls(query=size.query_calls(), more=size.further_pages)
        assert_idle(harness)
        assert [referral["details"]["dealValue"] for referral in harness.our_referrals()] == [4321] * size.count


def assert_idle(harness: Harness) -> None:
    """Once the overlap of the poll has passed the writes, a minute costs one call."""
    harness.push(after=HOUR)
    harness.push(after=HOUR)
    harness.forget_calls()
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 1}


def _expected_calls(**calls: int) -> dict[str, int]:
    """The expected counts in the harness's format, from the calls by kind. A kind without calls is left out."""
    sides = {"create": "partner_center", "patch": "partner_center"}
    return {
        f"{sides.get(kind, 'salesforce')}.{kind.replace('more', 'query.more')}": n for kind, n in calls.items() if n
    }


def test_an_edit_of_an_unmapped_field_costs_one_read_and_no_write(harness: Harness) -> None:
    ids = create_deals(harness, 30)
    harness.push_until_quiet()
    for deal in ids:
        harness.seller_edits(deal, NextStep="Call")
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2}


def test_a_change_of_an_account_reads_its_opportunities_in_one_call(harness: Harness) -> None:
    create_deals(harness, 30)
    harness.push_until_quiet()
    harness.salesforce.edit("Account", harness.account_id(), {"Phone": "1"})
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2}
    harness.push()
    harness.forget_calls()
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 1}


def test_a_save_by_the_system_costs_one_read_and_no_write(harness: Harness) -> None:
    ids = create_deals(harness, 5)
    harness.push_until_quiet()
    for deal in ids:
        harness.salesforce.org.touch("Opportunity", deal)
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2}
    assert harness.all_versions()


@pytest.mark.parametrize(("stage", "reads"), [("Closed Won", {"partner_center.get": 1}), ("Closed Lost", {})])
def test_a_waiting_close_costs_one_more_read_before_it_is_sent(
    harness: Harness, stage: str, reads: dict[str, int]
) -> None:
    """A win is read at each look: the referral says whether it is held."""
    deal = harness.shared_deal()
    harness.seller_edits(deal, StageName=stage)
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2, "salesforce.write_back": 1, **reads}
    harness.push()
    assert harness.new_calls() == {"salesforce.query": 2, **reads}
    harness.push()
    assert harness.new_calls()["partner_center.patch"] == 1


def test_all_held_opportunities_are_read_in_one_call(harness: Harness) -> None:
    for number in range(40):
        harness.seller_creates(Name=f"Deal {number}", Amount=None)
    harness.push_until_quiet()
    harness.push(after=HOUR)
    assert harness.new_calls() == {"salesforce.query": 2}
