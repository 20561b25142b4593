"""The calls a push may make, from the emulators' journals (protocol.md section 11)."""

from dataclasses import dataclass
from math import ceil

import pytest

from shared.sync.context import Policy
from tests.unit.sync.harness import HOUR, Harness

COLLECTION = 200


@dataclass(frozen=True)
class Size:
    """How many pairs, and how many rows of a page and ids of a read there are."""

    count: int
    batch: int = 2000

    @property
    def further(self) -> int:
        """Pages of a query beyond the first."""
        return max(0, ceil(self.count / self.batch) - 1)

    def queries(self) -> int:
        """A poll is one Composite; a read takes a batch of ids."""
        return 1 + ceil(self.count / self.batch)

    def write_backs(self) -> int:
        """200 a call within each batch."""
        full, rest = divmod(self.count, self.batch)
        return full * ceil(self.batch / COLLECTION) + ceil(rest / COLLECTION)


AT_FULL_SIZE = pytest.param(Size(2500), marks=[pytest.mark.slow, pytest.mark.timeout(600)])
SIZES = [Size(1), Size(250), Size(50, batch=20), AT_FULL_SIZE]
"""The small batch shows what 2,500 pairs cost at full size, in a tenth of the time."""


def deals(harness: Harness, count: int) -> list[str]:
    """So many opportunities, each with a name of its own, all of one customer."""
    return [harness.seller_creates(Name=f"Deal {number}") for number in range(count)]


def test_an_idle_minute_costs_one_call(harness: Harness) -> None:
    harness.push()
    assert harness.calls() == {"salesforce.query": 1}
    harness.shared()
    for _ in range(15):
        harness.push()
        assert harness.calls() == {"salesforce.query": 1}
    harness.push(after=HOUR)
    assert harness.calls() == {"salesforce.query": 1}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_creates_and_updates_cost_what_they_must_and_nothing_more(size: Size) -> None:
    with Harness(policy=Policy(batch=size.batch)) as harness:
        harness.salesforce.rest.pages.short_pages = size.batch
        ids = deals(harness, size.count)
        harness.push()
        # All rows are new to both polling queries, that of opportunities and that of accounts.
        assert harness.calls() == _counted(
            query=size.queries(), more=2 * size.further, create=size.count, write_back=size.write_backs()
        )
        # The poll after a write-back reads them once more; then it is quiet.
        harness.push()
        assert harness.calls() == _counted(query=size.queries(), more=2 * size.further)
        rests(harness)
        for deal in ids:
            harness.seller_edits(deal, Amount=4321)
        harness.push()
        assert harness.calls() == _counted(
            query=size.queries(), more=size.further, patch=size.count, write_back=size.write_backs()
        )
        harness.push()
        assert harness.calls() == _counted(query=size.queries(), more=size.further)
        rests(harness)
        assert [referral["details"]["dealValue"] for referral in harness.referrals()] == [4321] * size.count


def rests(harness: Harness) -> None:
    """What was written is behind the overlap of the poll, and a minute costs one call."""
    harness.push(after=HOUR)
    harness.push(after=HOUR)
    harness.calls()
    harness.push()
    assert harness.calls() == {"salesforce.query": 1}


def _counted(**calls: int) -> dict[str, int]:
    """Calls by their kind alone, as the harness counts them; none of a kind is not counted."""
    sides = {"create": "partner_center", "patch": "partner_center"}
    return {
        f"{sides.get(kind, 'salesforce')}.{kind.replace('more', 'query.more')}": n for kind, n in calls.items() if n
    }


def test_an_edit_of_what_is_not_mapped_costs_a_read_and_no_write(harness: Harness) -> None:
    ids = deals(harness, 30)
    harness.quiet()
    for deal in ids:
        harness.seller_edits(deal, NextStep="Call")
    harness.push()
    assert harness.calls() == {"salesforce.query": 2}


def test_a_change_of_an_account_reads_its_opportunities_in_one_call(harness: Harness) -> None:
    deals(harness, 30)
    harness.quiet()
    harness.salesforce.edit("Account", harness.account_id(), {"Phone": "1"})
    harness.push()
    assert harness.calls() == {"salesforce.query": 2}
    harness.push()
    harness.calls()
    harness.push()
    assert harness.calls() == {"salesforce.query": 1}


def test_system_touches_cost_a_read_and_no_write(harness: Harness) -> None:
    ids = deals(harness, 5)
    harness.quiet()
    for deal in ids:
        harness.salesforce.org.touch("Opportunity", deal)
    harness.push()
    assert harness.calls() == {"salesforce.query": 2}
    assert harness.all_versions()


def test_a_close_costs_one_read_more_when_its_time_has_come(harness: Harness) -> None:
    deal = harness.shared()
    harness.seller_edits(deal, StageName="Closed Won")
    harness.push()
    assert harness.calls() == {"salesforce.query": 2, "salesforce.write_back": 1}
    harness.push()
    assert harness.calls() == {"salesforce.query": 2}
    harness.push()
    assert harness.calls()["partner_center.patch"] == 1


def test_held_opportunities_share_their_look(harness: Harness) -> None:
    for number in range(40):
        harness.seller_creates(Name=f"Deal {number}", Amount=None)
    harness.quiet()
    harness.push(after=HOUR)
    assert harness.calls() == {"salesforce.query": 2}
