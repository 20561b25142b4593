"""Which existing referral and opportunity are proposed as one deal (docs/protocol.md#a-first-load)."""

import random
import string
from copy import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.deal import Company, Deal, Money
from shared.domain.pair_match import MOST_OF_A_KEY, Half, Proposal, half_of, propose

DEAL = Deal(
    name="ERP",
    account=Company("Contoso GmbH", "DE"),
    money=Money(Decimal("10000.00"), "EUR"),
    closing=date(2027, 3, 31),
    solutions=("SOL-1",),
)
FIRST, SECOND = "006000000000001AAA", "006000000000002AAA"


def referral(record_id: str = "r1", /, **changes: Any) -> Half:  # noqa: ANN401 - values of any field
    return replace(half_of(record_id, DEAL, {}), **changes)


def opportunity(record_id: str = FIRST, /, **changes: Any) -> Half:  # noqa: ANN401 - values of any field
    return replace(half_of(record_id, DEAL, {}), **changes)


def test_an_id_counts_more_than_all_that_looks_alike() -> None:
    named = opportunity(SECOND, names={"r1": "referral id"}, customer="other", money=None)
    (found,) = propose([referral()], [opportunity(), named])
    assert found == Proposal("r1", SECOND, 100, ("referral id",))
    assert found.is_certain


def test_two_ids_that_contradict_are_left_to_a_person() -> None:
    by_reference = referral(names={FIRST: "external reference"})
    (found,) = propose([by_reference], [opportunity(), opportunity(SECOND, names={"r1": "referral id"})])
    assert (found.score, found.rivals, found.is_certain) == (100, 1, False)


def test_a_short_id_in_a_reference_names_the_opportunity() -> None:
    (found,) = propose([referral(names={FIRST[:15]: "external reference"})], [opportunity()])
    assert found.opportunity_id == FIRST


def test_the_reasons_and_points_of_what_looks_alike() -> None:
    (whole,) = propose([referral()], [opportunity()])
    assert (whole.score, whole.reasons) == (
        99, ("customer and country", "money", "closing date", "name", "solution")
    )  # fmt: skip
    near = opportunity(
        country="", money=Money(Decimal(10300), "EUR"), closing=date(2027, 4, 10), name="x", solutions=frozenset()
    )
    (found,) = propose([referral()], [near])
    assert (found.score, found.reasons) == (48, ("customer", "money within 5 %", "closing date within 31 days"))


def test_another_country_or_customer_is_another_deal() -> None:
    assert propose([referral()], [opportunity(customer="fabrikam", name="x", money=None)]) == [Proposal("r1")]
    (found,) = propose([referral()], [opportunity(country="FR")])
    assert "customer" not in " ".join(found.reasons)


def test_equals_are_not_chosen_between() -> None:
    (found,) = propose([referral()], [opportunity(), opportunity(SECOND)])
    assert (found.rivals, found.is_certain) == (1, False)


def test_the_best_pair_goes_first_and_each_record_once() -> None:
    weaker = referral("r2", solutions=frozenset())
    first, second = propose([weaker, referral()], [opportunity(), opportunity(SECOND, closing=None)])
    assert (first.opportunity_id, second.opportunity_id) == (SECOND, FIRST)


def test_many_deals_of_one_customer_are_told_apart_by_their_other_values() -> None:
    amounts = [Money(Decimal(n), "EUR") for n in range(1, 10 * MOST_OF_A_KEY)]
    left = [referral(f"r{n}", money=money) for n, money in enumerate(amounts)]
    right = [opportunity(f"006{n:012}AAA", money=money) for n, money in enumerate(amounts)]
    assert [one.opportunity_id for one in propose(left, right)] == [one.id for one in right]


NAMES = st.lists(st.sampled_from(["r1", "r2"]), max_size=2).map(lambda ids: dict.fromkeys(ids, "referral id"))
CUSTOMERS = st.sampled_from(["contoso", "fabrikam", ""])


@given(st.lists(CUSTOMERS, max_size=4), st.lists(st.tuples(CUSTOMERS, NAMES), max_size=4), st.randoms())
def test_no_record_is_proposed_twice_and_the_order_has_no_effect(
    left: list[str], right: list[tuple[str, dict[str, str]]], chance: random.Random
) -> None:
    referrals = [referral(f"r{n}", customer=customer) for n, customer in enumerate(left)]
    opportunities = [
        opportunity(f"006{letter * 12}AAA", customer=customer, names=names)
        for letter, (customer, names) in zip(string.ascii_lowercase, right, strict=False)
    ]
    found = {one.referral_id: one for one in propose(referrals, opportunities)}
    assert found.keys() == {one.id for one in referrals}
    used = [one.opportunity_id for one in found.values() if one.opportunity_id]
    assert len(used) == len(set(used))
    shuffled = chance.sample(referrals, len(referrals)), chance.sample(opportunities, len(opportunities))
    assert {one.referral_id: one for one in propose(*shuffled)} == found
