"""When Microsoft's sellers may see a deal (docs/protocol.md#the-type-of-a-deal)."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.audit import IRREVERSIBLE, Line
from shared.domain.deal import PRIVATE, VISIBILITY, VISIBLE, Deal
from shared.domain.help_request import sharing_mark
from shared.domain.link import Difference, Link
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.records import Opportunity
from shared.domain.sentences import LineDirection
from shared.domain.sharing import Sharing
from shared.domain.visibility import (
    SharingWait,
    base_of_visibility,
    plan_of_shared_create,
    shared_deal,
    sharing_line,
    wait_to_share,
    with_help_visible,
)

NOW = datetime(2026, 11, 22, 10, 59, tzinfo=UTC)
STANDS = timedelta(minutes=2)
TICKED, ASKING = Sharing(visible=True), Sharing(help="Proof Of Concept or Demo")
SHOWN, HIDDEN, UNKNOWN = Deal(visibility=VISIBLE), Deal(visibility=PRIVATE), Deal(name="Atlas")


@pytest.mark.parametrize(
    ("base", "referral", "asks", "expected"),
    [
        (UNKNOWN, SHOWN, False, PRIVATE),
        (UNKNOWN, UNKNOWN, False, None),
        (UNKNOWN, UNKNOWN, True, None),
        (SHOWN, SHOWN, False, VISIBLE),
        (SHOWN, SHOWN, True, PRIVATE),
    ],
)
def test_a_deal_is_private_until_both_sides_agree_and_one_who_asks_for_help_agrees_anew(
    base: Deal, referral: Deal, asks: bool, expected: str | None
) -> None:
    assert base_of_visibility(base, referral, asks=asks) == base.with_values(
        {} if expected is None else {VISIBILITY: expected}
    )


def test_help_makes_a_deal_visible_that_is_private_on_both_sides() -> None:
    assert with_help_visible(HIDDEN, HIDDEN) == SHOWN
    assert with_help_visible(HIDDEN, SHOWN) == HIDDEN
    assert with_help_visible(UNKNOWN, UNKNOWN) == UNKNOWN
    assert with_help_visible(SHOWN, HIDDEN) == SHOWN


def opportunity(sharing: Sharing, deal: Deal = HIDDEN) -> Opportunity:
    return Opportunity("006", deal, flagged=True, modified=NOW, sharing=sharing)


def test_a_new_deal_is_visible_if_its_seller_says_so_or_asks_for_help() -> None:
    assert shared_deal(opportunity(TICKED)) == shared_deal(opportunity(ASKING)) == SHOWN
    assert shared_deal(opportunity(Sharing())) == HIDDEN
    assert shared_deal(opportunity(TICKED, UNKNOWN)) == UNKNOWN


def test_a_wish_to_share_waits_until_it_has_stood_and_anew_for_another_wish() -> None:
    new = Difference("wanted", IRREVERSIBLE, NOW)
    assert wait_to_share(None, "wanted", NOW, STANDS) == SharingWait(new, NOW + STANDS, is_new=True)
    known = replace(new, since=NOW - timedelta(minutes=1))
    assert wait_to_share(known, "wanted", NOW, STANDS) == SharingWait(known, NOW + timedelta(minutes=1), is_new=False)
    other = SharingWait(replace(new, value="other"), NOW + STANDS, is_new=True)
    assert wait_to_share(known, "other", NOW, STANDS) == other
    assert wait_to_share(replace(new, since=NOW - STANDS), "wanted", NOW, STANDS) is None


@pytest.mark.parametrize(
    ("sharing", "code", "values"),
    [
        (TICKED, "waits_to_share", {"until": "11:01"}),
        (ASKING, "waits_to_ask", {"until": "11:01", "help": "Proof Of Concept or Demo"}),
        (Sharing(help="Another"), "waits_to_ask", {"until": "11:01", "help": ""}),
    ],
)
def test_the_line_says_until_when_a_deal_waits_and_for_which_help(
    sharing: Sharing, code: str, values: dict[str, str]
) -> None:
    assert sharing_line(sharing, NOW + STANDS, NOW) == Line(
        NOW, code, LineDirection.NOTE, None, VISIBILITY, values=values
    )


def test_a_new_deal_that_is_to_be_shared_waits_and_says_so_once() -> None:
    policy, link = Policy(irreversible_wait=STANDS), Link("006")
    waiting = {VISIBILITY: Difference(sharing_mark(TICKED), IRREVERSIBLE, NOW)}
    lines = (sharing_line(TICKED, NOW + STANDS, NOW),)
    expected = Plan(Deal(), waiting=waiting, lines=lines, due=NOW + STANDS)
    assert plan_of_shared_create(link, opportunity(TICKED), NOW, policy) == expected
    again = plan_of_shared_create(replace(link, waiting=waiting), opportunity(TICKED), NOW, policy)
    assert again == replace(expected, lines=())
    later = NOW + STANDS
    assert plan_of_shared_create(replace(link, waiting=waiting), opportunity(TICKED), later, policy) is None
    assert plan_of_shared_create(link, opportunity(Sharing()), NOW, policy) is None
