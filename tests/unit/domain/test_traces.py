"""A person is found by address, name and phone number, in any letter case, and nobody else is."""

import pytest

from shared.domain.deal import Company, Person, Status
from shared.domain.traces import Traces, has_address

JANE = Person("Doe", "Jane", "Jane.Doe@Contoso.example", "+1 206 555-0101")


@pytest.fixture
def traces() -> Traces:
    """The traces of Jane Doe."""
    return Traces("key").with_persons("jane.doe@contoso.example", [JANE], ["JD the third"])


@pytest.mark.parametrize(
    "text",
    [
        "Please write to JANE.DOE@contoso.example.",
        "contacts: Kim Berg, jane doe → empty",
        "Doe, Jane",
        "call +1 (206) 555 0101 today",
        "12065550101",
        "jd THE third asked",
        "<jane.doe@contoso.example>",
    ],
)
def test_a_text_that_names_the_person_is_found(traces: Traces, text: str) -> None:
    assert traces.are_in_text(text)


@pytest.mark.parametrize(
    "text",
    ["", "mary-jane.doe@contoso.example", "Jane Dover", "jane", "Doe", "contoso.example", "206 555 0102", "2026-12-31"],
)
def test_a_text_that_names_somebody_else_is_not(traces: Traces, text: str) -> None:
    assert not traces.are_in_text(text)


def test_a_name_of_one_word_is_no_trace() -> None:
    may = Traces("key").with_persons("may@contoso.example", [Person("May", email="may@contoso.example")])
    assert not may.are_in_text("May is the month of the start.")


def test_values_of_every_type_are_searched(traces: Traces) -> None:
    kim = Person("Berg", "Kim", "kim@contoso.example")
    assert traces.are_in((kim, JANE))
    assert traces.are_in((Person("DOE", "Jane"),)), "without an address, the name counts"
    assert traces.are_in(Company("Jane Doe", "US"))
    assert traces.are_in(Status("Closed", "Lost", "Jane Doe said no"))
    assert not traces.are_in((kim, Person("Doe", "Jane", "jane@other.example"))), "another person of that name"
    assert not traces.are_in(None)


def test_what_is_kept_names_nobody_and_another_key_gives_other_hashes(traces: Traces) -> None:
    assert not [word for word in traces.words if "jane" in word or "206" in word]
    other = Traces("other").with_persons("jane.doe@contoso.example", [JANE])
    assert not {*traces.words} & {*other.words}


def test_of_several_people_with_one_address_each_is_found() -> None:
    others = [JANE, Person("Ray", "Joan", "jane.doe@contoso.example", "+1 206 555-0177")]
    both = Traces("key").with_persons("jane.doe@contoso.example", others)
    assert [both.are_in_text(text) for text in ("Jane Doe", "Ray, Joan", "+1 206 5550101", "12065550177")] == [True] * 4


def test_who_has_neither_a_phone_nor_a_whole_name_is_known_by_the_address_alone() -> None:
    assert len(Traces("key").with_persons("may@x.example", [Person("May", email="may@x.example")]).words) == 1


def test_a_text_with_half_a_character_is_searched_too() -> None:
    """An emoji that a system has cut in half (docs/protocol.md#normal-form)."""
    half = "jane\ud83d@contoso.example"
    assert not Traces("key").with_persons("jane.doe@contoso.example", [JANE]).are_in_text(f"Jane, {half}")
    assert Traces("key").with_persons(half, []).are_in_text(f"Jane, {half}")


def test_an_address_is_somebodys_in_any_letter_case() -> None:
    assert has_address(JANE, " JANE.DOE@contoso.example ")
    assert not has_address(JANE, "jane@contoso.example")
    assert not has_address(Person("Doe", "Jane"), "jane.doe@contoso.example")


def test_a_trace_has_the_hash_that_stores_and_copies_hold() -> None:
    """Another one would find nobody in a copy of an earlier build."""
    assert dict(Traces("key").of_text("+1 206 555-0101")) == {"0733afbc181462769f122c6acb6bfba2": 1}
