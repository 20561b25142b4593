"""Notes edited on both sides where one side cannot take the joined text (protocol.md sections 3 and 4)."""

import pytest

from shared.domain.deal import Side
from tests.unit.sync.harness import Harness


@pytest.fixture
def closed(harness: Harness) -> str:
    """A pair whose seller and colleague both wrote notes, and whose referral was closed right afterwards."""
    opportunity = harness.shared()
    harness.seller_edits(opportunity, Description="The seller's words")
    referral = str(harness.referral_of(opportunity)["id"])
    harness.colleague_edits(referral, details_notes="The colleague's words", status="Closed", substatus="Lost")
    return opportunity


def test_the_sellers_text_stays_where_partner_center_takes_nothing_any_more(harness: Harness, closed: str) -> None:
    harness.run_rounds(3)
    notes = harness.opportunity(closed)["Description"]
    assert "The seller's words" in notes
    assert "The colleague's words" in notes
    assert harness.referral_of(closed)["details"]["notes"] == "The colleague's words"


def test_it_is_told_once_and_then_quiet(harness: Harness, closed: str) -> None:
    harness.run_rounds(3)
    told = harness.audit_texts(closed)
    assert sum("the deal is closed in Partner Center" in line for line in told) == 1
    harness.calls()
    before = harness.opportunity(closed)["SystemModstamp"]
    harness.run_rounds(2)
    assert harness.audit_texts(closed) == told
    assert harness.opportunity(closed)["SystemModstamp"] == before


def test_the_base_never_holds_a_text_that_only_one_side_has(harness: Harness, closed: str) -> None:
    harness.run_rounds(3)
    assert harness.link(closed).base["notes"] == "The colleague's words"
    assert harness.link(closed).refused[f"{Side.PARTNER_CENTER}.notes"].code == "closed_is_final"
