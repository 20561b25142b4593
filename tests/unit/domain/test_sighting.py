"""A referral that is to be heard is found again by the key of its retry entry."""

from shared.domain.sighting import Sighting


def test_a_sighting_is_found_again_by_its_key() -> None:
    assert Sighting.of(Sighting("M|1|M|", "e-1", '"1"').key) == Sighting("M|1|M|")
