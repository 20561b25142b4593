"""Changes to Partner Center: sent together, singly after a refusal, and again after a change there."""

from collections.abc import Callable
from copy import replace
from decimal import Decimal

import pytest

from emulators.base.faults import Fault, FaultKind
from shared.domain.deal import Change, Deal, Money, Side, Status
from shared.domain.help_request import HelpStep
from shared.domain.link_states import State
from shared.domain.planned import Plan
from shared.domain.records import Opportunity
from shared.sync.acquire_pair import acquire
from shared.sync.decide_pair import make_plan, must_send, plan_and_send, send_changes
from shared.sync.pair_lease import Pair
from shared.sync.ports import Outcome, Policy, Result
from tests.unit.sync.harness import START, Harness

OPEN = Status("Active", "Accepted")
PATCH, DETAILS = "partner_center.patch", {"notes": "old", "dealValue": 100, "currency": "USD"}


@pytest.fixture
def edited(harness: Harness) -> Callable[..., Pair]:
    """Makes a pair whose seller has edited the given values; nothing is planned yet."""

    def edit(**values: object) -> Pair:
        ctx = harness.first.ctx
        created = harness.partner_center.portal_creates({"name": "Atlas", "details": DETAILS})
        referral, pair = ctx.translation.referral(ctx.partner_center.get(created)), acquire(ctx, "006")
        assert isinstance(pair, Pair)
        pair.take_link(replace(pair.link, referral_id=created, base=referral.deal))
        deal = Deal({**referral.deal, **values})  # type: ignore[dict-item]  # values of the deal
        pair.take_read_back(Opportunity("006", deal, flagged=True, modified=START, referral_id=created))
        pair.take_referral(referral)
        return pair

    return edit


def details(harness: Harness) -> tuple[object, object]:
    (referral,) = harness.our_referrals()
    return referral["details"]["notes"], referral["details"]["dealValue"]


def patches(harness: Harness) -> int:
    return harness.first.process.calls.count(PATCH)


def test_all_changes_go_in_one_call(harness: Harness, edited: Callable[..., Pair]) -> None:
    pair = edited(notes="new", money=Money(Decimal(200), "USD"))
    plan_and_send(harness.first.ctx, pair)
    assert (details(harness), patches(harness), pair.outcome) == (("new", 200), 1, None)
    assert pair.plan is not None
    assert len(pair.plan.to_partner_center) == 2  # what was planned once is not planned again


def test_after_a_refusal_each_change_goes_alone_and_only_the_refused_one_is_parked(
    harness: Harness, edited: Callable[..., Pair]
) -> None:
    pair = edited(notes="new", money=Money(Decimal(-5), "USD"))
    plan_and_send(harness.first.ctx, pair)
    assert (details(harness), patches(harness)) == (("new", 100), 3)
    assert pair.outcome == Outcome(Result.PARKED, "invalidRequest", pushed=pair.id)
    assert pair.link.state is State.PARKED
    assert pair.link.base["notes"] == "new"


def test_a_referral_that_keeps_changing_is_read_again_each_time_and_then_left_for_later(
    harness: Harness, edited: Callable[..., Pair]
) -> None:
    pair = edited(notes="new")
    harness.inject_fault(Side.PARTNER_CENTER, Fault(FaultKind.ANSWER, method="PATCH", status=412, times=99))
    plan_and_send(harness.first.ctx, pair)
    assert pair.outcome == Outcome(Result.RETRY, "referral_kept_changing")
    assert patches(harness) == Policy().tries


def test_without_a_plan_or_a_change_nothing_is_sent(harness: Harness, edited: Callable[..., Pair]) -> None:
    pair = edited()
    send_changes(harness.first.ctx, pair)
    make_plan(harness.first.ctx, pair)
    send_changes(harness.first.ctx, pair)
    assert (patches(harness), pair.outcome) == (0, None)


def refuse(harness: Harness, word: str) -> None:
    """From now on, Partner Center refuses each change that contains a word."""
    body = '{"error": {"code": "invalidRequest", "message": "Not so."}}'
    fault = Fault(FaultKind.ANSWER, method="PATCH", status=400, body=body, sent=word, times=99)
    harness.inject_fault(Side.PARTNER_CENTER, fault)


@pytest.mark.parametrize(
    ("is_unanswered", "first", "word", "is_sent"),
    [
        (False, Change("status", "Stage", OPEN, Status("Active", "Engaged")), "Engaged", True),
        (True, Change("status", "Stage", Status("New", "Pending"), OPEN), "Accepted", False),
        (True, Change("money", "Amount", Money(Decimal(100), "USD"), Money(Decimal(200), "USD")), "200", True),
    ],
)
def test_nothing_goes_without_the_answer_that_was_refused_and_all_else_does(
    harness: Harness, edited: Callable[..., Pair], first: Change, word: str, *, is_unanswered: bool, is_sent: bool
) -> None:
    pair = edited()
    if is_unanswered and pair.referral:
        pair.take_referral(replace(pair.referral, status=Status("New", "Pending")))
    pair.take_plan(Plan(pair.link.base, (first, Change("notes", "Notes", "old", "new"))))
    refuse(harness, word)
    send_changes(harness.first.ctx, pair)
    assert details(harness)[0] == ("new" if is_sent else "old")
    assert patches(harness) == (3 if is_sent else 2)


def test_a_list_that_only_loses_members_is_refused_whole(harness: Harness, edited: Callable[..., Pair]) -> None:
    pair = edited()
    pair.take_plan(Plan(pair.link.base, (Change("solutions", "Products", ("SOL-1", "SOL-2"), ("SOL-1",)),)))
    refuse(harness, "SOL-1")
    send_changes(harness.first.ctx, pair)
    assert (patches(harness), pair.link.state) == (1, State.PARKED)


def test_only_a_pair_with_something_to_send_calls_partner_center(edited: Callable[..., Pair]) -> None:
    pair, change = edited(), Change("notes", "Notes", "old", "new")
    assert not must_send(pair)
    for plan, calls in (
        (Plan(Deal()), False), (Plan(Deal(), (change,)), True), (Plan(Deal(), help=HelpStep.ASK), True),
        (Plan(Deal(), (), (change,)), False),
    ):  # fmt: skip
        pair.take_plan(plan)
        assert must_send(pair) is calls
    pair.decide_create(is_wanted=True)
    assert must_send(pair)
