"""Edits on both sides while lists lag, miss, repeat and show older versions: none is lost or undone.

Colleagues edit the amount only, and sellers the closing date only. So each side always holds the last edit that was
made there, and at the end the other one does too.
Source: docs/protocol.md#lists-as-reads.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from shared.domain.list_rows import AGREED
from shared.sync import list_reads
from shared.sync.ports import Policy
from tests.unit.sync.harness import HOUR, MINUTE, QUARTER, RESTED, Harness

POLICY = Policy(
    hold_win=timedelta(), mass_change_limit=100_000, clocks_differ=timedelta(), pairs_of_page=1, list_sample=1
)
DEALS, ACTS, SEEDS = 4, 60, range(12)
LATE = (0.0, 0.0, 45.0, 5 * MINUTE, 20 * MINUTE)
"""Seconds, within the overlap of the sweep."""


@dataclass
class Story:
    """One harness with some linked deals, and the last edit of each field."""

    harness: Harness
    chance: random.Random
    deals: dict[str, str]
    amounts: dict[str, int] = field(default_factory=dict)
    days: dict[str, date] = field(default_factory=dict)

    def colleague_edits(self) -> None:
        deal = self.chance.choice(list(self.deals))
        self.amounts[deal] = self.chance.randrange(1, 10_000)
        self.harness.colleague_edits(self.deals[deal], details_dealValue=self.amounts[deal])

    def seller_edits(self) -> None:
        deal = self.chance.choice(list(self.deals))
        self.days[deal] = date(2027, 1, 1) + timedelta(days=self.chance.randrange(300))
        self.harness.seller_edits(deal, CloseDate=self.days[deal].isoformat())

    def event_comes(self) -> None:
        self.harness.pull_event(self.chance.choice(list(self.deals.values())), 0.0)

    def lists_change(self) -> None:
        switches = self.harness.partner_center.switches
        switches.list_stale, switches.list_gap = self.chance.choice(LATE), self.chance.choice(LATE)
        switches.list_gap_of = self.chance.choice(("", "02468ace"))
        switches.page_size, switches.list_repeats = self.chance.choice(((100, 0), (2, 1), (1, 1)))

    def sweep(self) -> None:
        """Sweep, mostly while lists change between the stamps and the pages, or somebody edits there."""
        between = self.chance.choice((self.lists_change, self.colleague_edits, self.event_comes, None))
        instance = self.harness.new_instance()
        if between is not None:
            instance.process.interrupt_at("partner_center.changed_between", between)
        instance.sweep(0.0)

    def push(self) -> None:
        self.harness.push(0.0)

    def time_passes(self) -> None:
        self.harness.advance_time(self.chance.choice((1.0, RESTED, MINUTE, 3 * MINUTE, 6 * MINUTE)))

    def act(self) -> None:
        acts = (
            self.colleague_edits, self.colleague_edits, self.seller_edits, self.event_comes, self.lists_change,
            self.sweep, self.sweep, self.push, self.time_passes, self.time_passes,
        )  # fmt: skip
        self.chance.choice(acts)()
        if self.harness.store.cursor(AGREED) is None or self.chance.random() < 0.1:
            self.harness.store.move_cursor(AGREED, self.harness.now())

    def judge(self) -> None:
        """Nothing has undone an edit on the side where it was made."""
        for deal, day in self.days.items():
            assert str(self.harness.opportunity(deal)["CloseDate"]) == str(day), f"{deal} was set back"
        held = {one["id"]: one["details"]["dealValue"] for one in self.harness.our_referrals()}
        assert {deal: held[self.deals[deal]] for deal in self.amounts} == self.amounts


def tell(seed: int) -> Story:
    """The story of a seed, up to the time when all is quiet."""
    with Harness(policy=POLICY) as harness:
        created = [harness.seller_creates(Name=f"Deal {number}") for number in range(DEALS)]
        harness.push_until_quiet()
        harness.sweep(HOUR)
        deals = {deal: harness.stored_link(deal).referral_id or "" for deal in created}
        story = Story(harness, random.Random(seed), deals)  # noqa: S311 - a seed that repeats is the point
        for _ in range(ACTS):
            story.act()
            story.judge()
        harness.partner_center.switches.reset()
        harness.run_rounds(3, after=QUARTER)
        story.judge()
        assert [harness.differences(deal) for deal in deals] == [[]] * DEALS
        versions = harness.all_versions()
        harness.run_rounds(1)
        assert harness.all_versions() == versions
        return story


@pytest.mark.parametrize("seed", SEEDS)
def test_no_edit_is_lost_or_undone_while_lists_are_late(seed: int) -> None:
    tell(seed)


def notices(seed: int) -> bool:
    try:
        tell(seed)
    except AssertionError:
        return True
    return False


@pytest.mark.slow
def test_these_stories_notice_that_an_old_row_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_reads, "may_be_listed", lambda link, *_: link.known_since is not None)
    monkeypatch.setattr(list_reads, "counts_as_read", lambda *_: True)
    assert any(map(notices, range(60)))


def test_some_of_these_stories_read_referrals_from_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    read, counted = list_reads.read_from_lists, list[int]()

    def counting(*arguments: object) -> object:
        rows = read(*arguments)  # type: ignore[arg-type]  # its own arguments
        counted.append(len(rows))
        return rows

    monkeypatch.setattr("shared.sync.reconcile.read_from_lists", counting)
    for seed in SEEDS[:3]:
        tell(seed)
    assert sum(counted) > 5
