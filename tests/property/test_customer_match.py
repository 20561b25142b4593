"""Whatever accounts there are, in whatever order, one is chosen (docs/protocol.md#the-customers-account)."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.customer_match import Candidate, Customer, best_of, only_match
from shared.domain.deal import Company

NAMES = st.sampled_from(["Fabrikam", "FABRIKAM A/S", "Fabrikam Ltd.", "Contoso", ""])
DUNS = st.sampled_from([None, "123456789", "987654321"])
DOMAINS = st.sampled_from([None, "fabrikam.example", "contoso.example"])
PLACES = st.sampled_from(["", "Aarhus", "AARHUS", "Odense"])
COUNTRIES = st.sampled_from(["", "DK", "SE"])

candidates = st.lists(
    st.builds(
        Candidate,
        st.integers(0, 9).map(lambda number: f"00{number}"),
        NAMES,
        st.sampled_from(["2026-01-01", "2026-01-02"]),
        COUNTRIES,
        PLACES,
        PLACES,
        duns=DUNS,
        domain=DOMAINS,
    ),
    unique_by=lambda candidate: candidate.id,
)
customers = st.builds(
    Customer,
    st.builds(Company, NAMES.filter(bool), COUNTRIES, st.none() | PLACES, st.none() | PLACES),
    DUNS,
    st.frozensets(DOMAINS.filter(bool)),
)


@given(customers, candidates.filter(bool), st.randoms())
def test_the_best_is_one_of_them_in_any_order(customer: Customer, found: list[Candidate], random: Random) -> None:
    choice = best_of(customer, found)
    shuffled = sorted(found, key=lambda _: random.random())
    assert best_of(customer, shuffled) == choice
    assert sorted((choice.account.id, *choice.others)) == sorted(candidate.id for candidate in found)


@given(customers, candidates.filter(bool))
def test_no_other_account_has_a_stronger_trait(customer: Customer, found: list[Candidate]) -> None:
    best = best_of(customer, found).account
    if any(candidate.duns == customer.duns for candidate in found) and customer.duns:
        assert best.duns == customer.duns


@given(customers, candidates, st.randoms())
def test_a_sure_match_is_the_only_one_in_any_order(customer: Customer, found: list[Candidate], random: Random) -> None:
    match = only_match(customer, found)
    shuffled = sorted(found, key=lambda _: random.random())
    assert only_match(customer, shuffled) == match
    if match is not None:
        twin = Candidate(**{name: getattr(match, name) for name in match.__struct_fields__} | {"id": "twin"})
        assert only_match(customer, [*found, twin]) is None, "two equal accounts are never a sure match"
