"""One pair without faults: two sides that hold what they are told, and a link that moves as the protocol says.

The fields are few and their values fewer, so that generated edits meet: equal edits, conflicts, edits undone.
"""

from collections.abc import Iterable, Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

from hypothesis import strategies as st

from shared.domain.deal import Deal, Money, Side, Status, Value, fingerprint
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.latches import SUBSTATUSES, TRANSITIONS
from shared.domain.link import Link, Record
from shared.domain.plan import REFUSED_BY_FAR_SIDE, Change, Plan, plan_pair
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import cause
from shared.mapping.validation import load_mapping

WAIT = timedelta(minutes=2)
BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC)
TABLE = load_mapping()[0].stage_table()
STATUSES = tuple(Status(status, substatus) for status, known in SUBSTATUSES.items() for substatus in sorted(known))
STAGED = tuple(stage.status for stage in TABLE)
"""The statuses that Salesforce can hold: those that a stage stands for."""

TEXTS = (None, "a", "b", "a\nb", "words of the seller", "words of the colleague")
VALUES: Mapping[str, tuple[Value | None, ...]] = {
    "money": (Money(Decimal("1.00"), "USD"), Money(Decimal("1.00"), "EUR"), Money(Decimal("2.50"), "USD"), None),
    "closing": (date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 31), None),
    "notes": TEXTS,
}
FIELDS = (*VALUES, "status")


DIRECTIONS = (Direction.BOTH, Direction.TO_SALESFORCE, Direction.TO_PARTNER_CENTER)
CLEARABLE = (frozenset[Side](), frozenset({Side.SALESFORCE}), frozenset(Side))


def rule(name: str) -> st.SearchStrategy[Rule]:
    return st.sampled_from(
        [
            Rule(name, name.capitalize(), direction, winner=winner, clearable=clearable, length=length,
                 merges_text=name == "notes")
            for direction, winner, clearable in product(DIRECTIONS, Side, CLEARABLE)
            for length in ((None, 20, 90) if name == "notes" else (None,))
        ]
    )  # fmt: skip


def rules() -> st.SearchStrategy[Rules]:
    return st.tuples(*map(rule, FIELDS)).map(lambda made: Rules({one.field: one for one in made}))


@dataclass
class PairModel:
    """Both sides, the link between them, and the clock."""

    rules: Rules
    link: Link
    salesforce: dict[str, Value | None]
    partner_center: dict[str, Value | None]
    status: Status
    now: datetime = BEGIN
    modified: datetime = BEGIN
    updated: datetime = BEGIN
    ignores: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    told: list[str] = field(default_factory=list)

    @property
    def opportunity(self) -> Opportunity:
        deal = Deal({name: value for name, value in self.salesforce.items() if name not in self.unreadable})
        problems = {name: cause("bad_amount", name) for name in self.unreadable}
        return Opportunity(self.link.opportunity_id, deal, flagged=True, modified=self.modified, problems=problems)

    @property
    def referral(self) -> Referral:
        return Referral("r", '"1"', Deal(self.partner_center), self.updated, self.status)

    def holds(self, side: Side, name: str) -> Value | None:
        return (self.salesforce if side is Side.SALESFORCE else self.partner_center).get(name)

    def plan(self) -> Plan:
        return plan_pair(self.link, self.opportunity, self.referral, self.rules, self.now, WAIT)

    def later(self, duration: timedelta = timedelta(seconds=61)) -> None:
        self.now += duration

    # --- people

    def seller_sets(self, name: str, value: Value | None) -> None:
        self.later()
        self.salesforce[name], self.modified = value, self.now

    def colleague_sets(self, name: str, value: Value | None) -> None:
        if not self.status.is_final:
            self.later()
            self.partner_center[name], self.updated = value, self.now

    def colleague_moves(self, status: Status) -> None:
        if status.status in TRANSITIONS.get(self.status.status, ()):
            self.colleague_sets("status", TABLE.normal_status(status))
            self.status = status

    # --- the protocol

    def settle(self) -> Plan:
        """Carry a plan out: first Partner Center, then Salesforce; the base moves with what is confirmed."""
        plan = self.plan()
        self.link = replace(
            self.link,
            base=plan.base,
            refused=plan.refused,
            waiting=plan.waiting,
            reported=plan.reported,
            state=plan.state,
        )
        self.told += (*plan.lines, *plan.losses)
        for change in self._taken(Side.PARTNER_CENTER, plan.to_partner_center):
            self.partner_center[change.field] = change.new
            if isinstance(change.new, Status):
                self.status = change.new
            if self.salesforce[change.field] == change.new:
                self._agree(change.field, change.new)
        for change in self._taken(Side.SALESFORCE, plan.to_salesforce):
            self.salesforce[change.field] = change.new
            self._agree(change.field, self.partner_center[change.field])
        return plan

    def _taken(self, side: Side, changes: Iterable[Change]) -> Iterable[Change]:
        """The changes that the side takes; those it ignores go on record as refused."""
        for change in changes:
            key = f"{side}.{change.field}"
            if key in self.ignores:
                known = Record(fingerprint(change.new), f"{REFUSED_BY_FAR_SIDE}{side}", self.now)
                self.link = replace(self.link, refused={**self.link.refused, key: known})
            else:
                yield change

    def _agree(self, name: str, value: Value | None) -> None:
        self.link = replace(self.link, base=self.link.base.with_values({name: value}))


def values() -> st.SearchStrategy[dict[str, Value | None]]:
    return st.fixed_dictionaries({name: st.sampled_from(known) for name, known in VALUES.items()})


KEYS = [f"{side}.{name}" for side in Side for name in VALUES]


@st.composite
def pairs(draw: st.DrawFn, ignoring: bool = False) -> PairModel:
    """A pair as any history may have left it: some fields agreed, some without a base, some edited on either side."""
    status = draw(st.sampled_from(STATUSES))
    base = {**draw(values()), "status": draw(st.sampled_from(STAGED))}
    known = draw(st.frozensets(st.sampled_from(FIELDS)))
    return PairModel(
        draw(rules()),
        Link("006000000000001AAA", base=Deal({name: value for name, value in base.items() if name in known})),
        {**draw(values()), "status": draw(st.sampled_from(STAGED))},
        {**draw(values()), "status": TABLE.normal_status(status)},
        status,
        modified=BEGIN - timedelta(minutes=draw(st.integers(0, 3))),
        updated=BEGIN - timedelta(minutes=2),
        ignores=draw(st.frozensets(st.sampled_from(KEYS))) if ignoring else frozenset(),
    )


Edit = tuple[Side, str, Value | None]


def edits() -> st.SearchStrategy[list[Edit]]:
    one = st.sampled_from(list(VALUES)).flatmap(
        lambda name: st.tuples(st.sampled_from(Side), st.just(name), st.sampled_from(VALUES[name]))
    )
    moves = st.one_of(
        st.tuples(st.just(Side.SALESFORCE), st.just("status"), st.sampled_from(STAGED)),
        st.tuples(st.just(Side.PARTNER_CENTER), st.just("status"), st.sampled_from(STATUSES)),
    )
    return st.lists(st.one_of(one, moves), max_size=4)


def make(pair: PairModel, edit: Edit) -> None:
    side, name, value = edit
    if side is Side.SALESFORCE:
        pair.seller_sets(name, value)
    elif isinstance(value, Status):
        pair.colleague_moves(value)
    else:
        pair.colleague_sets(name, value)
