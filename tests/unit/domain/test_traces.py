"""A person is found by address, name and phone number, in any letter case, and nobody else is."""

import pytest

from shared.domain.deal import Company, Person, Status
from shared.domain.traces import Traces

JANE = Person("Doe", "Jane", "Jane.Doe@Contoso.example", "+1 206 555-0101")
TRACES = Traces("key").with_persons("jane.doe@contoso.example", [JANE], ["JD the third"])


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
def test_a_text_that_names_the_person_is_found(text: str) -> None:
    assert TRACES.are_in_text(text)


@pytest.mark.parametrize(
    "text",
    ["", "mary-jane.doe@contoso.example", "Jane Dover", "jane", "Doe", "contoso.example", "206 555 0102", "2026-12-31"],
)
def test_a_text_that_names_somebody_else_is_not(text: str) -> None:
    assert not TRACES.are_in_text(text)


def test_a_name_of_one_word_is_no_trace() -> None:
    may = Traces("key").with_persons("may@contoso.example", [Person("May", email="may@contoso.example")])
    assert not may.are_in_text("May is the month of the start.")


def test_values_of_every_type_are_searched() -> None:
    kim = Person("Berg", "Kim", "kim@contoso.example")
    assert TRACES.are_in((kim, JANE))
    assert TRACES.are_in((Person("DOE", "Jane"),)), "without an address, the name counts"
    assert TRACES.are_in(Company("Jane Doe", "US"))
    assert TRACES.are_in(Status("Closed", "Lost", "Jane Doe said no"))
    assert not TRACES.are_in((kim, Person("Doe", "Jane", "jane@other.example"))), "another person of that name"
    assert not TRACES.are_in(None)


def test_what_is_kept_names_nobody_and_another_key_gives_other_hashes() -> None:
    assert not [word for word in TRACES.words if "jane" in word or "206" in word]
    other = Traces("other").with_persons("jane.doe@contoso.example", [JANE])
    assert not {*TRACES.words} & {*other.words}
