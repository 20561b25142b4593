"""A list that an interrupted run wrote is settled member by member, because people may have changed it since then."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from shared.domain.deal import Deal, Side
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Effect, EffectKind, Intent, Link
from shared.domain.recovery import recovered

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RULES = Rules({"solutions": Rule("solutions", "Products", is_set=True)})


def base_after(written: EffectKind, old: str, new: str, ours: str, theirs: str) -> list[str]:
    """The base of a list of one-letter ids whose base was "ab", after the recovery of one write."""
    link = Link("006", base=Deal(solutions=tuple("ab")))
    effect = Effect(written, Deal(solutions=tuple(new) or None), Deal(solutions=tuple(old)))
    current: Mapping[Side, Deal] = {
        Side.SALESFORCE: Deal(solutions=tuple(ours) or None),
        Side.PARTNER_CENTER: Deal(solutions=tuple(theirs)),
    }
    found = recovered(link, Intent((effect,)), current, RULES, NOW).link.base["solutions"]
    return sorted(map(str, found if isinstance(found, tuple) else ()))


@pytest.mark.parametrize(
    ("ours", "theirs", "base"),
    [
        pytest.param("abc", "abc", ["a", "b", "c"], id="nobody edited: the member that was sent is agreed"),
        pytest.param("abc", "ab", ["a", "b"], id="the write was lost: the member is still to be sent"),
        pytest.param("ab", "abc", ["a", "b", "c"], id="the seller removed it again: that is a removal"),
        pytest.param("ab", "bc", ["a", "b", "c"], id="and a colleague removed another one"),
        pytest.param("a", "abc", ["a", "b", "c"], id="the seller removed another one too"),
        pytest.param("bc", "bc", ["b", "c"], id="both sides removed another one: that is agreed"),
    ],
)
def test_a_member_that_was_sent_is_in_the_base_whatever_people_did_since(
    ours: str, theirs: str, base: list[str]
) -> None:
    assert base_after(EffectKind.PATCH_REFERRAL, "ab", "abc", ours, theirs) == base


@pytest.mark.parametrize(
    ("ours", "theirs", "base"),
    [
        pytest.param("a", "a", ["a"], id="nobody edited: the removed member is gone"),
        pytest.param("ab", "a", ["a"], id="the seller added it again: that is an addition"),
        pytest.param("ab", "ab", ["a", "b"], id="the write was lost: the member is as before"),
    ],
)
def test_a_member_that_was_removed_is_not_in_the_base_whatever_people_did_since(
    ours: str, theirs: str, base: list[str]
) -> None:
    assert base_after(EffectKind.PATCH_REFERRAL, "ab", "a", ours, theirs) == base


def test_a_list_that_was_to_be_emptied_is_settled_member_by_member_too() -> None:
    assert base_after(EffectKind.PATCH_REFERRAL, "ab", "", ours="", theirs="bd") == ["b"]


def test_a_list_that_one_side_no_longer_shows_is_settled_by_what_arrived() -> None:
    link, effect = (
        Link("006", base=Deal(solutions=("a",))),
        Effect(EffectKind.PATCH_REFERRAL, Deal(solutions=("a", "b"))),
    )
    current: Mapping[Side, Deal] = {Side.SALESFORCE: Deal(), Side.PARTNER_CENTER: Deal(solutions=("a", "b"))}
    assert recovered(link, Intent((effect,)), current, RULES, NOW).link.base["solutions"] == ("a", "b")
