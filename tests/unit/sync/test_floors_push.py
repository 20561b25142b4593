"""The calls a push may make, from the emulators' journals (protocol.md section 11)."""

from dataclasses import dataclass
from math import ceil

import pytest

from shared.sync.context import Policy
from tests.unit.sync.bench import HOUR, Bench

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


def deals(bench: Bench, count: int) -> list[str]:
    """So many opportunities, each with a name of its own, all of one customer."""
    return [bench.seller_creates(Name=f"Deal {number}") for number in range(count)]


def test_an_idle_minute_costs_one_call(bench: Bench) -> None:
    bench.push()
    assert bench.calls() == {"salesforce.query": 1}
    bench.shared()
    for _ in range(15):
        bench.push()
        assert bench.calls() == {"salesforce.query": 1}
    bench.push(after=HOUR)
    assert bench.calls() == {"salesforce.query": 1}


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_creates_and_updates_cost_what_they_must_and_nothing_more(size: Size) -> None:
    with Bench(policy=Policy(batch=size.batch)) as bench:
        bench.salesforce.rest.pages.short_pages = size.batch
        ids = deals(bench, size.count)
        bench.push()
        # All rows are new to both polling queries, that of opportunities and that of accounts.
        assert bench.calls() == _counted(
            query=size.queries(), more=2 * size.further, create=size.count, write_back=size.write_backs()
        )
        # The poll after a write-back reads them once more; then it is quiet.
        bench.push()
        assert bench.calls() == _counted(query=size.queries(), more=2 * size.further)
        rests(bench)
        for deal in ids:
            bench.seller_edits(deal, Amount=4321)
        bench.push()
        assert bench.calls() == _counted(
            query=size.queries(), more=size.further, patch=size.count, write_back=size.write_backs()
        )
        bench.push()
        assert bench.calls() == _counted(query=size.queries(), more=size.further)
        rests(bench)
        assert [referral["details"]["dealValue"] for referral in bench.referrals()] == [4321] * size.count


def rests(bench: Bench) -> None:
    """What was written is behind the overlap of the poll, and a minute costs one call."""
    bench.push(after=HOUR)
    bench.push(after=HOUR)
    bench.calls()
    bench.push()
    assert bench.calls() == {"salesforce.query": 1}


def _counted(**calls: int) -> dict[str, int]:
    """Calls by their kind alone, as the bench counts them; none of a kind is not counted."""
    sides = {"create": "partner_center", "patch": "partner_center"}
    return {
        f"{sides.get(kind, 'salesforce')}.{kind.replace('more', 'query.more')}": n for kind, n in calls.items() if n
    }


def test_an_edit_of_what_is_not_mapped_costs_a_read_and_no_write(bench: Bench) -> None:
    ids = deals(bench, 30)
    bench.quiet()
    for deal in ids:
        bench.seller_edits(deal, NextStep="Call")
    bench.push()
    assert bench.calls() == {"salesforce.query": 2}


def test_a_change_of_an_account_reads_its_opportunities_in_one_call(bench: Bench) -> None:
    deals(bench, 30)
    bench.quiet()
    bench.salesforce.edit("Account", bench.account(), {"Phone": "1"})
    bench.push()
    assert bench.calls() == {"salesforce.query": 2}
    bench.push()
    bench.calls()
    bench.push()
    assert bench.calls() == {"salesforce.query": 1}


def test_system_touches_cost_a_read_and_no_write(bench: Bench) -> None:
    ids = deals(bench, 5)
    bench.quiet()
    for deal in ids:
        bench.salesforce.org.touch("Opportunity", deal)
    bench.push()
    assert bench.calls() == {"salesforce.query": 2}
    assert bench.stamps()


def test_a_close_costs_one_read_more_when_its_time_has_come(bench: Bench) -> None:
    deal = bench.shared()
    bench.seller_edits(deal, StageName="Closed Won")
    bench.push()
    assert bench.calls() == {"salesforce.query": 2, "salesforce.write_back": 1}
    bench.push()
    assert bench.calls() == {"salesforce.query": 2}
    bench.push()
    assert bench.calls()["partner_center.patch"] == 1


def test_held_opportunities_share_their_look(bench: Bench) -> None:
    for number in range(40):
        bench.seller_creates(Name=f"Deal {number}", Amount=None)
    bench.quiet()
    bench.push(after=HOUR)
    assert bench.calls() == {"salesforce.query": 2}
