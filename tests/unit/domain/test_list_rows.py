"""Which rows of a list count as a read, and when lists are trusted (docs/protocol.md#lists-as-reads)."""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.deal import Deal, Person
from shared.domain.link import Dated, Link
from shared.domain.link_states import State
from shared.domain.list_rows import (
    AGREED,
    DIFFERED,
    OFF_FOR,
    SAMPLE_AGAIN,
    Trust,
    counts_as_read,
    differing_fields,
    trust_in_lists,
)
from shared.domain.policy import Policy
from shared.domain.records import Referral

NOW = datetime(2026, 12, 3, 9, tzinfo=UTC)
POLICY = Policy()
MARGIN = POLICY.clocks_differ
SECOND, KNOWN = timedelta(seconds=1), NOW - timedelta(hours=1)
ADA, LEE = Person("Lind", "Ada", "ada@northwind.example"), Person("Lee", "Ann", "ann@northwind.example")
BASE = Deal(name="Atlas", notes=None, solutions=("SOL-1",), contacts=(ADA,))
LINK = Link("006", State.LIVE, "r1", base=BASE, etag='"1"', dated=Dated('"1"', KNOWN))
ROW = Referral("r1", '"2"', BASE, NOW, raw={"id": "r1"}, is_listed=True)


def with_values(**values: Any) -> Referral:  # noqa: ANN401 - any value of a deal
    return replace(ROW, deal=Deal({**BASE, **values}))


def test_a_row_that_is_newer_than_the_known_version_counts() -> None:
    assert counts_as_read(ROW, LINK, NOW, POLICY)
    assert counts_as_read(replace(ROW, updated=KNOWN + MARGIN + SECOND), LINK, KNOWN, POLICY)


@pytest.mark.parametrize("age", [-SECOND, timedelta(), MARGIN])
def test_an_older_version_and_one_that_the_clocks_may_have_dated_wrongly_do_not_count(age: timedelta) -> None:
    assert not counts_as_read(replace(ROW, updated=KNOWN + age), LINK, KNOWN + age, POLICY)


def test_a_row_that_is_older_than_the_stamp_that_named_it_does_not_count() -> None:
    assert not counts_as_read(ROW, LINK, NOW + SECOND, POLICY)


@pytest.mark.parametrize(
    "link",
    [
        replace(LINK, dated=None),
        replace(LINK, etag=None),
        replace(LINK, etag='"another build has moved it"'),
        replace(LINK, state=State.ON_HOLD),
        replace(LINK, state=State.CLOSED),
        replace(LINK, state=State.GONE),
    ],
)
def test_a_row_does_not_count_for_an_unknown_version_and_for_what_is_looked_at_one_by_one(link: Link) -> None:
    assert not counts_as_read(ROW, link, NOW, POLICY)


@pytest.mark.parametrize(
    "values", [{"name": None}, {"solutions": None}, {"solutions": ()}, {"solutions": ("SOL-2",)}, {"contacts": (LEE,)}]
)
def test_a_row_that_shows_less_than_what_was_agreed_does_not_count(values: dict[str, Any]) -> None:
    assert not counts_as_read(with_values(**values), LINK, NOW, POLICY)
    assert not counts_as_read(replace(ROW, deal=BASE.without(*values)), LINK, NOW, POLICY)


def test_a_row_that_shows_other_values_and_more_members_counts() -> None:
    row = with_values(name="Borealis", notes="new", solutions=("SOL-2", "SOL-1"), contacts=(LEE, ADA))
    assert counts_as_read(row, LINK, NOW, POLICY)


@pytest.mark.parametrize(
    ("cursors", "trust"),
    [
        ({}, Trust.UNTESTED),
        ({AGREED: NOW}, Trust.TESTED),
        ({AGREED: NOW - SAMPLE_AGAIN + SECOND}, Trust.TESTED),
        ({AGREED: NOW - SAMPLE_AGAIN}, Trust.UNTESTED),
        ({AGREED: NOW + SECOND}, Trust.UNTESTED),
        ({AGREED: NOW, DIFFERED: NOW - OFF_FOR + SECOND}, Trust.OFF),
        ({DIFFERED: NOW + SECOND}, Trust.OFF),
        ({AGREED: NOW, DIFFERED: NOW - OFF_FOR}, Trust.TESTED),
    ],
)
def test_lists_are_trusted_for_a_day_after_they_agreed_and_not_for_a_month_after_they_differed(
    cursors: dict[str, datetime], trust: Trust
) -> None:
    assert trust_in_lists(cursors, NOW) is trust


READ = replace(ROW, raw={"id": "r1", "links": {}}, is_listed=False)


def test_a_row_is_compared_with_the_same_version_only() -> None:
    assert differing_fields(ROW, READ) == ()
    assert differing_fields(ROW, replace(READ, etag='"3"', deal=Deal(name="Other"))) is None


def test_what_differs_is_named_by_field() -> None:
    assert differing_fields(with_values(name="Other", solutions=()), READ) == ("name", "solutions")
    assert differing_fields(ROW, replace(READ, is_shared=True)) == ("*",)
    assert differing_fields(replace(ROW, updated=KNOWN), READ) == ("*",)
