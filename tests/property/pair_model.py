"""A model of one pair without faults: two sides that hold their values, and a link that changes as the protocol says.

It has few fields with few values, so that generated edits often meet: equal edits, conflicts, and undone edits.
"""

from collections.abc import Iterable, Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

from hypothesis import strategies as st

from shared.domain.deal import Change, Deal, Money, Side, Status, Value, fingerprint
from shared.domain.field_rules import Direction, Rule, Rules
from shared.domain.latches import SUBSTATUSES, TRANSITIONS
from shared.domain.link import REFUSED_BY_FAR_SIDE, Difference, Link
from shared.domain.plan import plan_pair
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import cause
from shared.mapping.validation import load_mapping

WAIT = timedelta(minutes=2)
BEGIN = datetime(2026, 11, 22, 10, tzinfo=UTC)
TABLE = load_mapping()[0].stage_table()
STATUSES = tuple(Status(status, substatus) for status, known in SUBSTATUSES.items() for substatus in sorted(known))
STAGE_STATUSES = tuple(stage.status for stage in TABLE)
"""The statuses that Salesforce can hold: those that a stage means."""

TEXTS = (None, "a", "b", "a\nb", "words of the seller", "words of the colleague")
VALUES: Mapping[str, tuple[Value | None, ...]] = {
    "money": (Money(Decimal("1.00"), "USD"), Money(Decimal("1.00"), "EUR"), Money(Decimal("2.50"), "USD"), None),
    "closing": (date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 31), None),
    "notes": TEXTS,
}
FIELDS = (*VALUES, "status")


DIRECTIONS = (Direction.BOTH, Direction.TO_SALESFORCE, Direction.TO_PARTNER_CENTER)
CLEARABLE = (frozenset[Side](), frozenset({Side.SALESFORCE}), frozenset(Side))


def any_rule(name: str) -> st.SearchStrategy[Rule]:
    return st.sampled_from(
        [
            Rule(name, name.capitalize(), direction, winner=winner, clearable=clearable, length=length,
                 merges_text=name == "notes")
            for direction, winner, clearable in product(DIRECTIONS, Side, CLEARABLE)
            for length in ((None, 20, 90) if name == "notes" else (None,))
        ]
    )  # fmt: skip


def any_rules() -> st.SearchStrategy[Rules]:
    return st.tuples(*map(any_rule, FIELDS)).map(lambda rules: Rules({rule.field: rule for rule in rules}))


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
    ignored_writes: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    reported_lines: list[str] = field(default_factory=list)

    @property
    def opportunity(self) -> Opportunity:
        deal = Deal({name: value for name, value in self.salesforce.items() if name not in self.unreadable})
        problems = {name: cause("bad_amount", name) for name in self.unreadable}
        return Opportunity(self.link.opportunity_id, deal, flagged=True, modified=self.modified, problems=problems)

    @property
    def referral(self) -> Referral:
        return Referral("r", '"1"', Deal(self.partner_center), self.updated, self.status)

    def value_on(self, side: Side, name: str) -> Value | None:
        return (self.salesforce if side is Side.SALESFORCE else self.partner_center).get(name)

    def plan(self) -> Plan:
        return plan_pair(
            self.link, self.opportunity, self.referral, self.rules, self.now, Policy(irreversible_wait=WAIT)
        )

    def advance_time(self, duration: timedelta = timedelta(seconds=61)) -> None:
        self.now += duration

    # --- people

    def seller_sets(self, name: str, value: Value | None) -> None:
        self.advance_time()
        self.salesforce[name], self.modified = value, self.now

    def colleague_sets(self, name: str, value: Value | None) -> None:
        if not self.status.is_final:
            self.advance_time()
            self.partner_center[name], self.updated = value, self.now

    def colleague_moves(self, status: Status) -> None:
        if status.status in TRANSITIONS.get(self.status.status, ()):
            self.colleague_sets("status", TABLE.normal_status(status))
            self.status = status

    # --- the protocol

    def reconcile(self) -> Plan:
        """Carry out the plan, first in Partner Center, then in Salesforce. The base takes each confirmed value."""
        plan = self.plan()
        self.link = replace(
            self.link,
            base=plan.base,
            refused=plan.refused,
            waiting=plan.waiting,
            reported=plan.reported,
            state=plan.state,
        )
        self.reported_lines += (line.text for line in (*plan.lines, *plan.losses))
        for change in self._accepted_changes(Side.PARTNER_CENTER, plan.to_partner_center):
            self.partner_center[change.field] = change.new
            if isinstance(change.new, Status):
                self.status = change.new
            if self.salesforce[change.field] == change.new:
                self._move_base(change.field, change.new)
        for change in self._accepted_changes(Side.SALESFORCE, plan.to_salesforce):
            self.salesforce[change.field] = change.new
            self._move_base(change.field, self.partner_center[change.field])
        return plan

    def _accepted_changes(self, side: Side, changes: Iterable[Change]) -> Iterable[Change]:
        """The changes that the side accepts. Those that it ignores are recorded as refused."""
        for change in changes:
            key = f"{side}.{change.field}"
            if key in self.ignored_writes:
                refused = Difference(fingerprint(change.new), f"{REFUSED_BY_FAR_SIDE}{side}", self.now)
                self.link = replace(self.link, refused={**self.link.refused, key: refused})
            else:
                yield change

    def _move_base(self, name: str, value: Value | None) -> None:
        self.link = replace(self.link, base=self.link.base.with_values({name: value}))


def any_values() -> st.SearchStrategy[dict[str, Value | None]]:
    return st.fixed_dictionaries({name: st.sampled_from(known) for name, known in VALUES.items()})


KEYS = [f"{side}.{name}" for side in Side for name in VALUES]


@st.composite
def any_pair(draw: st.DrawFn, ignores_writes: bool = False) -> PairModel:
    """A pair after any history: some fields agree, some have no base, and some were edited on one side or both."""
    status = draw(st.sampled_from(STATUSES))
    base = {**draw(any_values()), "status": draw(st.sampled_from(STAGE_STATUSES))}
    known = draw(st.frozensets(st.sampled_from(FIELDS)))
    return PairModel(
        draw(any_rules()),
        Link("006000000000001AAA", base=Deal({name: value for name, value in base.items() if name in known})),
        {**draw(any_values()), "status": draw(st.sampled_from(STAGE_STATUSES))},
        {**draw(any_values()), "status": TABLE.normal_status(status)},
        status,
        modified=BEGIN - timedelta(minutes=draw(st.integers(0, 3))),
        updated=BEGIN - timedelta(minutes=2),
        ignored_writes=draw(st.frozensets(st.sampled_from(KEYS))) if ignores_writes else frozenset(),
    )


Edit = tuple[Side, str, Value | None]


def any_edits() -> st.SearchStrategy[list[Edit]]:
    edit = st.sampled_from(list(VALUES)).flatmap(
        lambda name: st.tuples(st.sampled_from(Side), st.just(name), st.sampled_from(VALUES[name]))
    )
    moves = st.one_of(
        st.tuples(st.just(Side.SALESFORCE), st.just("status"), st.sampled_from(STAGE_STATUSES)),
        st.tuples(st.just(Side.PARTNER_CENTER), st.just("status"), st.sampled_from(STATUSES)),
    )
    return st.lists(st.one_of(edit, moves), max_size=4)


def apply_edit(pair: PairModel, edit: Edit) -> None:
    side, name, value = edit
    if side is Side.SALESFORCE:
        pair.seller_sets(name, value)
    elif isinstance(value, Status):
        pair.colleague_moves(value)
    else:
        pair.colleague_sets(name, value)
