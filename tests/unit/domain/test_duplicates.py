"""Deals that are there twice (docs/protocol.md#two-of-one)."""

from copy import replace
from datetime import UTC, datetime

import pytest

from shared.domain.audit import Line
from shared.domain.deal import Deal, Side, Status
from shared.domain.duplicates import (
    is_referral_taken,
    is_second_referral,
    is_told,
    second_referral_cause,
    second_referral_line,
    without_referral,
)
from shared.domain.link import Intent, Link
from shared.domain.link_states import State
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection, cause

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LINK = Link("006", referral_id="Ref-1")


@pytest.mark.parametrize(
    ("link", "referral", "status", "is_second"),
    [
        (LINK, "ref-2", Status("Active", "Accepted"), True),
        (LINK, "ref-2", None, True),
        (LINK, "ref-2", Status("Closed", "Won"), False),
        (LINK, "REF-1", Status("Active", "Accepted"), False),
        (Link("006"), "ref-2", None, False),
    ],
)
def test_a_second_referral_is_another_one_that_is_open(
    link: Link, referral: str, status: Status | None, is_second: bool
) -> None:
    assert is_second_referral(link, Referral(referral, "1", Deal(), NOW, status)) == is_second


def test_a_referral_is_taken_by_a_link_whose_opportunity_is_there() -> None:
    assert is_referral_taken(LINK, "REF-1")
    assert not is_referral_taken(LINK, "ref-2")
    assert not is_referral_taken(replace(LINK, state=State.GONE), "ref-1")
    assert not is_referral_taken(Link("006"), "ref-1")
    assert not is_referral_taken(None, "ref-1")


def test_an_opportunity_whose_referral_another_one_has_begins_anew_and_keeps_its_lease() -> None:
    link = replace(LINK, intent=Intent(), inbox="i", unknown={"k": 1}, base=Deal(name="Atlas"), unwritten=True)
    assert without_referral(link) == Link("006", intent=Intent(), inbox="i", unknown={"k": 1})


def test_the_opportunity_is_told_once_of_each_second_referral() -> None:
    line = second_referral_line("ref-2", NOW)
    values = {"referral": "ref-2"}
    assert line == Line(NOW, "second_referral", LineDirection.NOTE, Side.PARTNER_CENTER, values=values)
    assert is_told([line], "ref-2")
    assert not is_told([line], "ref-3")
    assert not is_told([replace(line, code="other")], "ref-2")
    expected = cause("second_referral_open", "identifier", opportunity="006", linked="Ref-1")
    assert second_referral_cause(LINK) == expected
