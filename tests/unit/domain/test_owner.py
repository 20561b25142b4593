"""Who owns an opportunity that is created for a referral (docs/mapping.md#owners)."""

from shared.domain.cause import Cause
from shared.domain.owner import Owner, owner_of, passed_over, without_owner
from shared.domain.sentences import cause

ANN, BEN = Owner("1", "Ann", "the seller"), Owner("2", "Ben", "the default")
GONE, LEFT = Cause("inactive_user", None, "Inactive.", ""), Cause("no_user", None, "Unknown.", "")
REFUSAL = Cause("INVALID", None, "No licence.", "Assign one.")


def test_the_first_user_who_is_not_passed_over_owns_the_deal() -> None:
    assert owner_of([GONE, ANN, LEFT, BEN]) == ANN
    assert owner_of([GONE]) is None
    assert passed_over([GONE, LEFT, ANN, LEFT]) == (GONE, LEFT)
    assert passed_over([GONE]) == (GONE,)


def test_after_a_refusal_the_next_user_owns_the_deal_and_the_refusal_is_told() -> None:
    refused = cause("owner_refused", user="Ann", rule="the seller", reason="No licence", remedy="Assign one.")
    assert without_owner([GONE, ANN, LEFT, BEN], REFUSAL) == (GONE, refused, LEFT, BEN)
    assert owner_of(without_owner([ANN, BEN], REFUSAL)) == BEN
    assert owner_of(without_owner([ANN], REFUSAL)) is None
