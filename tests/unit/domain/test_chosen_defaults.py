"""A default that we chose stands until a person enters a value (docs/protocol.md#defaults-of-an-arrival)."""

from datetime import UTC, datetime

from shared.domain.chosen_defaults import Defaults, standing_defaults
from shared.domain.deal import Deal, fingerprint
from shared.domain.link import CHOSEN_DEFAULT, Difference, Link

KEY = "partner_center.notes"
RECORD = Difference(fingerprint("default"), CHOSEN_DEFAULT, datetime(2026, 11, 22, tzinfo=UTC))
OTHER = {"partner_center.name": Difference(fingerprint("Atlas"), "closed_is_final", RECORD.since)}
LINK = Link("006", refused={KEY: RECORD, **OTHER})
BASE, HELD = Deal(name="Atlas"), Deal(name="Atlas", notes="default")


def test_a_default_is_left_out_of_the_merge_while_it_stands() -> None:
    standing = standing_defaults(LINK, BASE, HELD, Deal(notes=None))
    assert standing == Defaults(BASE, Deal(name="Atlas"), {KEY: RECORD})
    assert (standing.holds("notes"), standing.holds("name")) == (True, False)


def test_a_value_of_partner_center_replaces_a_default_without_a_conflict() -> None:
    found = standing_defaults(LINK, BASE, HELD, Deal(notes="theirs"))
    assert found == Defaults(BASE.with_values({"notes": "default"}), HELD)


def test_a_value_of_a_seller_ends_a_default_and_one_that_was_not_read_says_nothing() -> None:
    entered = HELD.with_values({"notes": "entered"})
    assert standing_defaults(LINK, BASE, entered, Deal()) == Defaults(BASE, entered)
    assert standing_defaults(LINK, BASE, BASE, Deal()) == Defaults(BASE, BASE)
