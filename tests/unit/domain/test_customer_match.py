"""Which account is the customer's, and when two names are those of one company."""

import pytest

from shared.domain.customer_match import (
    Candidate,
    Customer,
    Trait,
    best_of,
    customer_of,
    duns_number,
    is_same_person,
    normal_name,
    only_match,
    web_domain,
)
from shared.domain.deal import Company, Person

COMPANY = Company("Fabrikam Robotics", "DK", "9 Harbour Road", "Aarhus", None, "8000")
CUSTOMER = Customer(COMPANY, "123456789", frozenset({"mail.fabrikam.example"}))


def candidate(number: int, **parts: object) -> Candidate:
    """An account with another name and country than the customer. The numbers tell their age."""
    values = {"name": f"Account {number}", "created": f"2026-01-{number:02}", "country": "SE", **parts}
    return Candidate(f"00{number}", **values)  # type: ignore[arg-type]  # a test passes parts of a candidate


@pytest.mark.parametrize(
    "name",
    [
        "FABRIKAM robotics", "Fabrikam Robotics, Inc.", "Fabrikam-Robotics A/S", "Fabrikam Robotics GmbH & Co. KG",
        "Fabrikam Robotics S.p.A.", "Fábrikam Robotics Ltd", "Fabrikam  Robotics (ApS)",
    ],
)  # fmt: skip
def test_case_accents_punctuation_and_legal_form_make_no_other_name(name: str) -> None:
    assert normal_name(name) == "fabrikam robotics"


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("AB", "ab"), ("Co", "co"), ("AG Ltd", "ag"), ("株式会社", "株式会社"), ("ガス", "ガス"), ("&", "&"),
        ("Fabrikam 2", "fabrikam 2"),
    ],
)  # fmt: skip
def test_a_name_is_never_empty_and_keeps_its_letters(name: str, normal: str) -> None:
    assert normal_name(name) == normal


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.Fabrikam.example/en?x=1", "fabrikam.example"), ("fabrikam.example", "fabrikam.example"),
        ("WWW.fabrikam.example:443", "fabrikam.example"), ("none", None), ("", None), (None, None), ("http://[", None),
    ],
)  # fmt: skip
def test_the_domain_of_a_website(website: object, domain: str | None) -> None:
    assert web_domain(website) == domain


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("123456789", "123456789"), ("12-345-6789", "123456789"), (" 123 456 789 ", "123456789"),
        ("12345678", None), ("000000000", None), ("12345678X", None), (123456789, None), (None, None),
    ],
)  # fmt: skip
def test_a_number_has_nine_digits(text: object, number: str | None) -> None:
    assert duns_number(text) == number


def test_addresses_of_mail_providers_say_nothing_about_the_company() -> None:
    people = [Person("A", email="a@gmail.com"), Person("B", email="b@Fabrikam.example"), Person("C")]
    assert customer_of(COMPANY, None, people).domains == {"fabrikam.example"}


@pytest.mark.parametrize(
    ("parts", "trait"),
    [
        ({"duns": "123456789"}, Trait.DUNS),
        ({"domain": "fabrikam.example"}, Trait.DOMAIN),
        ({"street": "9, HARBOUR Road", "city": "aarhus"}, Trait.ADDRESS),
        ({"street": "9 Harbour Road", "postal_code": "8000"}, Trait.ADDRESS),
        ({"street": "9 Harbour Road", "city": "Odense"}, None),
    ],
)
def test_the_best_has_the_strongest_trait(parts: dict[str, object], trait: Trait | None) -> None:
    choice = best_of(CUSTOMER, [candidate(1), candidate(2, **parts)])
    assert (choice.account.id, choice.trait) == ("002" if trait else "001", trait)
    assert choice.others == (("001",) if trait else ("002",))


def test_a_stronger_trait_decides_and_the_weaker_ones_decide_between_equals() -> None:
    numbered = {"duns": "123456789"}
    weaker = candidate(1, domain="fabrikam.example", street="9 Harbour Road", city="Aarhus")
    assert best_of(CUSTOMER, [weaker, candidate(2, **numbered)]).account.id == "002"
    choice = best_of(CUSTOMER, [candidate(2, **numbered), candidate(3, domain="fabrikam.example", **numbered), weaker])
    assert (choice.account.id, choice.trait) == ("003", Trait.DOMAIN)


def test_what_all_accounts_have_decides_nothing() -> None:
    both = {"domain": "fabrikam.example", "street": "9 Harbour Road", "city": "Aarhus"}
    assert best_of(CUSTOMER, [candidate(1), candidate(2, **both)]).trait == Trait.DOMAIN
    assert best_of(CUSTOMER, [candidate(1, **both), candidate(2, **both)]).trait is None
    assert best_of(CUSTOMER, [candidate(1, **both)]).trait is None


def test_a_trait_that_leaves_several_is_not_the_one_that_decided() -> None:
    numbered = {"duns": "123456789"}
    choice = best_of(CUSTOMER, [candidate(1), candidate(2, **numbered), candidate(3, **numbered)])
    assert (choice.account.id, choice.trait, choice.others) == ("002", None, ("001", "003"))


def test_the_oldest_of_equals_is_the_best_and_the_id_decides_in_one_second() -> None:
    choice = best_of(CUSTOMER, [candidate(3), candidate(2), candidate(2, created="2026-01-02")])
    assert (choice.account.id, choice.trait) == ("002", None)


@pytest.mark.parametrize(
    ("parts", "is_sure"),
    [
        ({"duns": "123456789"}, True),
        ({"domain": "fabrikam.example"}, True),
        ({"name": "FABRIKAM ROBOTICS INC", "country": "DK"}, True),
        ({"name": "Fabrikam Robotics"}, False),
        ({"street": "9 Harbour Road", "city": "Aarhus", "country": "DK"}, False),
        ({"domain": "brikam.example"}, False),
    ],
)
def test_one_account_is_surely_the_customers_by_number_domain_or_name_and_country(
    parts: dict[str, object], is_sure: bool
) -> None:
    found = only_match(CUSTOMER, [candidate(1), candidate(2, **parts)])
    assert (found.id if found else None) == ("002" if is_sure else None)


def test_of_two_with_the_name_neither_is_sure_and_a_stronger_trait_decides() -> None:
    named = {"name": "Fabrikam Robotics", "country": "DK"}
    assert only_match(CUSTOMER, [candidate(1, **named), candidate(2, **named)]) is None
    found = only_match(CUSTOMER, [candidate(1, **named), candidate(2, domain="fabrikam.example", **named)])
    assert found is not None
    assert found.id == "002"


def test_without_a_country_the_name_alone_decides() -> None:
    unplaced = Customer(Company("Fabrikam Robotics", ""))
    assert only_match(unplaced, [candidate(1, name="Fabrikam Robotics")]) is not None


def test_a_person_is_known_by_address_or_name() -> None:
    account = candidate(1, name="Anna Vogel", email="Anna@vogel.example", is_person=True)
    assert is_same_person(Person("Adler", email="anna@VOGEL.example"), account)
    assert is_same_person(Person("VOGEL", "Anna", email="other@vogel.example"), account)
    assert not is_same_person(Person("Vogel", "Berta", email="other@vogel.example"), account)


def test_two_deals_meet_by_name_normal_name_and_number() -> None:
    assert Customer(COMPANY, "123456789").keys == ("fabrikam robotics|DK", "duns|123456789")
    assert Customer(Company("Fabrikam A/S", "DK")).keys == ("fabrikam a/s|DK", "fabrikam|DK")


# --- what does not match


def test_the_customer_has_the_number_and_the_domains_of_its_people() -> None:
    people = [Person("Lee", email='"ann@lee"@Fabrikam.example'), Person("Ono", email="ono@gmail.com"), Person("Ray")]
    assert customer_of(COMPANY, "123456789", people) == Customer(COMPANY, "123456789", frozenset({"fabrikam.example"}))


def test_the_only_account_is_not_the_customers_without_a_trait_of_it() -> None:
    assert only_match(CUSTOMER, [candidate(1)]) is None


@pytest.mark.parametrize(
    ("street", "place"),
    [("1 Main Street", {"city": "Aarhus"}), ("", {"city": "Aarhus"}), ("9 Harbour Road", {"city": "Oslo"})],
)
def test_accounts_in_one_town_have_no_common_address(street: str, place: dict[str, str]) -> None:
    found = best_of(CUSTOMER, [candidate(1), candidate(2, street=street, **place)])
    assert (found.account.id, found.trait) == ("001", None)


def test_a_town_without_a_street_is_no_address() -> None:
    nowhere = Customer(Company("Fabrikam", "DK", None, "Aarhus"))
    assert best_of(nowhere, [candidate(1), candidate(2, city="Aarhus")]).trait is None
