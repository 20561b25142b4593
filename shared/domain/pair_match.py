"""Finds which existing referral and which existing opportunity are one deal, before anything links them. Pure.

evidence              points
external reference    100, the referral names the opportunity
referral id           100, the opportunity carries the id of the referral
customer              40, or 30 where one of the two has no country
money                 20, or 10 within 5 %
closing date          15, or 8 within 31 days
name of the deal      14
solution              10

Pairs are looked for by indexes, so ten thousand by ten thousand take seconds. A pair that is not the only best one of
both its records is left to a person.

Source: docs/protocol.md#a-first-load.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from shared.domain.customer_match import normal_name
from shared.domain.deal import Company, Deal, Money
from shared.domain.scope import long_id

CERTAIN = 100
SAME_REFERENCE, SAME_ID = "external reference", "referral id"
MOST_OF_A_KEY = 50
"""So many opportunities of one key are compared with a referral: more say nothing about which one it is."""
_CLOSE_MONEY = Decimal("0.05")
_CLOSE_DATE = timedelta(days=31)


class Half(Struct, frozen=True):
    """An existing record without a link; `names` are ids of the other side that it carries, and by which evidence."""

    id: str
    name: str = ""
    customer: str = ""
    country: str = ""
    money: Money | None = None
    closing: date | None = None
    solutions: frozenset[str] = frozenset()
    names: Mapping[str, str] = {}


class Proposal(Struct, frozen=True):
    """What is proposed for a referral; without an opportunity, nothing was found. `rivals` is how many are as good."""

    referral_id: str
    opportunity_id: str | None = None
    score: int = 0
    reasons: tuple[str, ...] = ()
    rivals: int = 0

    @property
    def is_certain(self) -> bool:
        """Whether an id says it, and nothing contradicts."""
        return self.score >= CERTAIN and not self.rivals


def half_of(record_id: str, deal: Deal, names: Mapping[str, str]) -> Half:
    """The part of a deal that is compared."""
    name, account, money = deal.get("name"), deal.get("account"), deal.get("money")
    closing, solutions = deal.get("closing"), deal.get("solutions")
    company = account if isinstance(account, Company) else Company("", "")
    return Half(
        record_id,
        normal_name(str(name)) if name else "",
        normal_name(company.name) if company.name else "",
        company.country or "",
        money if isinstance(money, Money) and money.amount else None,
        closing if isinstance(closing, date) else None,
        frozenset(map(str, solutions)) if isinstance(solutions, tuple) else frozenset(),
        names,
    )


def propose(referrals: Sequence[Half], opportunities: Sequence[Half]) -> list[Proposal]:
    """One proposal for each referral, in the order of the referrals. Their order decides nothing else."""
    scored = [*_by_ids(referrals, opportunities)]
    named = {one.referral_id for one in scored} | {one.opportunity_id for one in scored}
    left = [one for one in referrals if one.id not in named]
    index = _index(one for one in opportunities if one.id not in named)
    for referral in left:
        scored += (_scored(referral, one) for one in _candidates(referral, index))
    chosen = _chosen(scored)
    return [chosen.get(one.id) or Proposal(one.id) for one in referrals]


def _by_ids(referrals: Iterable[Half], opportunities: Iterable[Half]) -> Iterator[Proposal]:
    """The pairs of which one record carries the id of the other."""
    by_id, known = {one.id: one for one in opportunities}, {one.id for one in referrals}
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for referral in referrals:
        for opportunity_id, reason in referral.names.items():
            if long_id(opportunity_id) in by_id:
                found[referral.id, long_id(opportunity_id)].append(reason)
    for opportunity in by_id.values():
        for referral_id, reason in opportunity.names.items():
            if referral_id in known:
                found[referral_id, opportunity.id].append(reason)
    for (referral_id, opportunity_id), reasons in found.items():
        yield Proposal(referral_id, opportunity_id, CERTAIN, tuple(reasons))


type _Index = Mapping[Hashable, Sequence[Half]]


def _index(opportunities: Iterable[Half]) -> _Index:
    index: dict[Hashable, list[Half]] = defaultdict(list)
    for one in opportunities:
        for key in _keys(one):
            index[key].append(one)
    return index


def _keys(one: Half) -> Iterator[Hashable]:
    """The keys under which a record is found: its customer, alone and with each other value, and name with amount."""
    values = (one.money, one.closing, one.name or None, *one.solutions)
    if one.customer:
        yield ("customer", one.customer)
        yield from (("customer", one.customer, value) for value in values if value is not None)
    if one.name and one.money:
        yield ("deal", one.name, one.money)


def _candidates(referral: Half, index: _Index) -> Iterable[Half]:
    """The opportunities that share a key with the referral. A key that too many share is left to the narrower ones."""
    found: dict[str, Half] = {}
    for key in _keys(referral):
        listed = index.get(key, ())
        if len(listed) <= MOST_OF_A_KEY:
            found |= {one.id: one for one in listed}
    return found.values()


def _scored(referral: Half, opportunity: Half) -> Proposal:
    evidence = [*_evidence(referral, opportunity)]
    score = sum(points for points, _ in evidence)
    return Proposal(referral.id, opportunity.id, score, tuple(reason for _, reason in evidence))


def _evidence(one: Half, other: Half) -> Iterator[tuple[int, str]]:
    if one.customer and one.customer == other.customer and _may_be_one_country(one, other):
        yield (40, "customer and country") if one.country and other.country else (30, "customer")
    if one.money and other.money and one.money.currency == other.money.currency:
        apart = abs(one.money.amount - other.money.amount)
        if not apart:
            yield 20, "money"
        elif apart <= _CLOSE_MONEY * max(one.money.amount, other.money.amount):
            yield 10, "money within 5 %"
    if one.closing and other.closing and (days := abs(one.closing - other.closing)) <= _CLOSE_DATE:
        yield (8, "closing date within 31 days") if days else (15, "closing date")
    if one.name and one.name == other.name:
        yield 14, "name"
    if one.solutions & other.solutions:
        yield 10, "solution"


def _may_be_one_country(one: Half, other: Half) -> bool:
    return not (one.country and other.country) or one.country == other.country


def _chosen(scored: Sequence[Proposal]) -> dict[str, Proposal]:
    """The best pairs, each record once; those that are not the only best ones say how many others are as good."""
    as_good = Counter[tuple[str | None, int]]()
    for one in scored:
        as_good.update(((one.referral_id, one.score), (one.opportunity_id, one.score)))
    chosen, taken = dict[str, Proposal](), set[str | None]()
    for one in sorted(scored, key=lambda each: (-each.score, each.referral_id, str(each.opportunity_id))):
        if one.score and one.referral_id not in chosen and one.opportunity_id not in taken:
            rivals = as_good[one.referral_id, one.score] + as_good[one.opportunity_id, one.score] - 2
            chosen[one.referral_id] = Proposal(one.referral_id, one.opportunity_id, one.score, one.reasons, rivals)
            taken.add(one.opportunity_id)
    return chosen
