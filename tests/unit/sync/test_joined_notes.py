"""Notes edited on both sides where one side cannot take the joined text (protocol.md sections 3 and 4)."""

import pytest

from shared.domain.deal import Side
from tests.unit.sync.bench import Bench


@pytest.fixture
def closed(bench: Bench) -> str:
    """A pair whose seller and colleague both wrote notes, and whose referral was closed right afterwards."""
    opportunity = bench.shared()
    bench.seller_edits(opportunity, Description="The seller's words")
    referral = str(bench.referral_of(opportunity)["id"])
    bench.colleague_edits(referral, details_notes="The colleague's words", status="Closed", substatus="Lost")
    return opportunity


def test_the_sellers_text_stays_where_partner_center_takes_nothing_any_more(bench: Bench, closed: str) -> None:
    bench.rounds(3)
    notes = bench.row(closed)["Description"]
    assert "The seller's words" in notes
    assert "The colleague's words" in notes
    assert bench.referral_of(closed)["details"]["notes"] == "The colleague's words"


def test_it_is_told_once_and_then_quiet(bench: Bench, closed: str) -> None:
    bench.rounds(3)
    told = bench.audit(closed)
    assert sum("the deal is closed in Partner Center" in line for line in told) == 1
    bench.calls()
    before = bench.row(closed)["SystemModstamp"]
    bench.rounds(2)
    assert bench.audit(closed) == told
    assert bench.row(closed)["SystemModstamp"] == before


def test_the_base_never_holds_a_text_that_only_one_side_has(bench: Bench, closed: str) -> None:
    bench.rounds(3)
    assert bench.link(closed).base["notes"] == "The colleague's words"
    assert bench.link(closed).refused[f"{Side.PARTNER_CENTER}.notes"].code == "closed_is_final"
