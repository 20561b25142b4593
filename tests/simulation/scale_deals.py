"""Many deals, the people who edit them on both sides, and which of the deals a run has to work on.

The moves are those of `moves.py`. A person is shown one deal at a time, so that a move costs the same however many
deals there are.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.simulation.held_values import (
    FIELDS,
    PARTNER_CENTER,
    SALESFORCE,
    UNANSWERED,
    Edit,
    Record,
    of_opportunity,
    of_referral,
    takes,
)
from tests.simulation.moves import MOVES
from tests.simulation.people import People
from tests.unit.sync.harness import Harness

ACCOUNTS = 50
EDITED = frozenset({"money", "closing", "notes", "status"})
"""The values that people edit. A name cannot be changed in Partner Center."""
RARE = frozenset({
    "seller wins", "seller loses", "colleague closes", "colleague declines", "seller returns a deal to On Hold",
    "seller enters a negative amount", "seller empties the amount", "seller empties the notes",
})  # fmt: skip
RARELY = 0.1
"""What ends a deal, and what Partner Center does not take, is so much rarer than in a seed: a deal meets ten edits."""
AGAIN = 0.15
"""The share of edits of the deal that was edited last: there the two sides meet."""


@dataclass(slots=True)
class Deal:
    """The two records of a deal.

    agreed   the value of each field on which both sides agreed last
    edited   the sides with a value that the other side lacks and can take
    """

    opportunity: str
    referral: str
    agreed: dict[str, str | None]
    edited: frozenset[str] = frozenset()


class Crowd(People):
    """People who look at one deal: all that they know of the other deals is that there are some."""

    shown: Deal | None = None

    def opportunities(self) -> list[Record]:
        """The opportunity of the deal that is shown."""
        return [self.harness.salesforce.org._records["Opportunity"][self.shown.opportunity]] if self.shown else []

    def referrals(self) -> list[Record]:
        """The referral of the deal that is shown."""
        return [self.harness.partner_center.referral(self.shown.referral)] if self.shown else []


@dataclass
class Deals:
    """All deals. `touched` are those that were edited and do not agree yet, as far as is known."""

    harness: Harness
    chance: random.Random
    late_saves: float = 0.0
    linked: list[Deal] = field(default_factory=list)
    touched: dict[str, Deal] = field(default_factory=dict)
    made: int = 0
    new: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.crowd = Crowd(self.harness, self.chance, 0, self.late_saves, (), focus=0.0)
        self.moves = [move for move in MOVES if move.field in EDITED and not move.also]
        self.weights = [move.weight * (RARELY if move.name in RARE else 1.0) for move in self.moves]
        self.last: Deal | None = None

    # --- new deals

    def make(self, count: int) -> None:
        """Sellers create deals and tick them. Each gets a name of its own."""
        for _ in range(count):
            self.made += 1
            account = self.harness.account_id(f"Customer {self.made % ACCOUNTS}")
            self.crowd.add_opportunity(Name=f"Deal {self.made}", AccountId=account, Amount=1000 + self.made)

    def receive(self, count: int) -> None:
        """Microsoft sends deals."""
        for _ in range(count):
            self.made += 1
            profile = {"name": f"Customer {self.made % ACCOUNTS}", "address": {"city": "Seattle", "country": "US"}}
            details = {"dealValue": 1000 + self.made, "currency": "USD"}
            self.crowd.add_referral(name=f"Deal {self.made}", customerProfile=profile, details=details)

    def find_linked(self) -> None:
        """Learn the deals of which both sides have a record."""
        known = {deal.opportunity for deal in self.linked}
        for record in self.harness.salesforce.records("Opportunity"):
            if record["Id"] not in known and record["Referral_Identifier__c"]:
                referral = str(record["Referral_Identifier__c"])
                self.linked.append(Deal(record["Id"], referral, dict(of_opportunity(record))))

    def answer(self) -> None:
        """Sellers accept all deals that wait for an answer."""
        for deal in self.linked:
            self.crowd.shown = deal
            (record,) = self.crowd.opportunities()
            if of_opportunity(record)["status"] == UNANSWERED:
                self.crowd.save_opportunity(record, {"StageName": "Qualification"})
                self.touched[deal.opportunity] = deal

    # --- edits

    @property
    def edits(self) -> Sequence[Edit]:
        """All edits that people have made."""
        return self.crowd.edits

    def edit(self, count: int) -> None:
        """Make so many edits, each of a deal that is drawn; now and then of the deal of the edit before."""
        until = len(self.edits) + count
        while len(self.edits) < until:
            if self.last is None or self.chance.random() >= AGAIN:
                self.last = self.chance.choice(self.linked)
            self._edit_one(self.last)

    def _edit_one(self, deal: Deal) -> None:
        before, move = len(self.edits), self.chance.choices(self.moves, self.weights)[0]
        self._look_at(deal)
        if move.act(self.crowd) and len(self.edits) > before:
            self.touched[deal.opportunity] = deal
            self._count(deal)

    # --- what there is to do

    def newly_edited(self) -> dict[str, int]:
        """How many deals each side has edited since this was asked last, without those that still waited."""
        for deal in list(self.touched.values()):
            self._count(deal)
        new, self.new = self.new, Counter()
        return new

    def _count(self, deal: Deal) -> None:
        """Count the sides with a new edit: when it is made, because it may have travelled when this is asked."""
        known = deal.edited
        deal.edited = self._look_at(deal)
        self.new.update(deal.edited - known)

    def waiting(self) -> int:
        """How many deals have a value that the other side lacks and can take."""
        return sum(bool(self._look_at(deal)) for deal in list(self.touched.values()))

    def _look_at(self, deal: Deal) -> frozenset[str]:
        """Show a deal to the people; returns the sides with an edit that still has to travel."""
        self.crowd.shown = deal
        (opportunity,), (referral,) = self.crowd.opportunities(), self.crowd.referrals()
        ours, theirs = of_opportunity(opportunity), of_referral(referral)
        differing = [name for name in FIELDS if ours[name] != theirs[name]]
        deal.agreed |= {name: ours[name] for name in FIELDS if name not in differing}
        sides = set[str]()
        if any(ours[name] != deal.agreed[name] and takes(referral, name, ours[name]) for name in differing):
            sides.add(SALESFORCE)
        if any(theirs[name] != deal.agreed[name] for name in differing):
            sides.add(PARTNER_CENTER)
        deal.edited &= sides
        if not differing:
            self.touched.pop(deal.opportunity, None)
        return frozenset(sides)
