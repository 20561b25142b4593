"""When a push reads the referral, and where the work of a pull ends as an echo (docs/protocol.md#echoes)."""

from copy import replace
from datetime import timedelta

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.deal import VISIBILITY, Deal, Status
from shared.domain.help_request import HelpRequest
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link
from shared.domain.link_states import State
from shared.sync.pair_lease import Pair
from shared.sync.ports import RECONCILED, WAITING, Outcome, Result
from shared.sync.reconcile import open_pulled, open_pushed
from tests.unit.sync.harness import AFTER_LEASE, START, Harness
from tests.unit.sync.helped_deals import HELP, PROOF

OPEN, WON, LOST = Status("Active", "Accepted"), Status("Closed", "Won"), Status("Closed", "Lost")
BASE = Deal(status=OPEN, visibility="Private")
AGREED = Link("", referral_id="ref", etag="7", agreed=True, base=BASE)
FAR, SOON = AnswerTime(START + timedelta(days=9)), AnswerTime(START + timedelta(days=2))
ASKING = HelpRequest("Workload", "x", START)
TAKEN_ELSEWHERE, REFUSED = Difference("x", "ping_pong", START), Difference("x", "refused_by_partner_center", START)
MARKING = Intent((Effect(EffectKind.MARK_OPPORTUNITY),))
WRITING = Intent((Effect(EffectKind.WRITE_OPPORTUNITY, Deal(notes="new"), Deal(notes="old"), "v"),))
GONE = "006000000000001AAA"


def is_read_by_push(harness: Harness, link: Link, **values: object) -> bool:
    """Whether a push of an opportunity with these values reads the referral of its link."""
    deal = harness.seller_creates(Referral_Identifier__c="ref", **values)
    mapping = None if link.mapping == "other" else harness.translation.rules.mapping
    harness.store.insert_link(replace(link, opportunity_id=deal, mapping=mapping))
    harness.advance_time(AFTER_LEASE if link.intent else 0)
    (pair,) = open_pushed(harness.first.ctx, [deal]).pairs
    is_read = "partner_center.get" in harness.first.process.calls
    assert pair.is_from_base is not is_read
    return is_read


@pytest.mark.parametrize(
    "link",
    [
        AGREED,
        replace(AGREED, refused={"salesforce.notes": TAKEN_ELSEWHERE}),
        replace(AGREED, state=State.ON_HOLD, answer_by=FAR),
        replace(AGREED, answer_by=SOON),
        replace(AGREED, intent=MARKING),
    ],
)
def test_an_agreed_referral_is_known_without_a_read(harness: Harness, link: Link) -> None:
    assert not is_read_by_push(harness, link)


@pytest.mark.parametrize(
    "link",
    [
        replace(AGREED, etag=None),
        replace(AGREED, agreed=False),
        replace(AGREED, mapping="other"),
        replace(AGREED, base=BASE.without(VISIBILITY)),
        replace(AGREED, refused={"partner_center.notes": REFUSED}),
        replace(AGREED, state=State.ON_HOLD),
        replace(AGREED, state=State.ON_HOLD, answer_by=SOON),
        replace(AGREED, intent=WRITING),
    ],
)
def test_a_referral_of_which_something_is_unknown_is_read(harness: Harness, link: Link) -> None:
    assert is_read_by_push(harness, link)


@pytest.mark.parametrize(
    ("stage", "known", "is_read"),
    [("Closed Won", OPEN, True), ("Closed Won", WON, False), ("Closed Lost", OPEN, False)],
)
def test_a_new_win_is_read_because_it_may_be_held(
    harness: Harness, stage: str, known: Status, *, is_read: bool
) -> None:
    link = replace(AGREED, base=BASE.with_values({"status": known}))
    assert is_read_by_push(harness, link, StageName=stage) is is_read


@pytest.mark.parametrize(("asked", "is_read"), [(None, True), (ASKING, True), (replace(ASKING, is_asked=True), False)])
def test_a_wish_for_help_is_read_until_microsoft_has_it(
    harness: Harness, asked: HelpRequest | None, *, is_read: bool
) -> None:
    link = replace(AGREED, help=asked)
    assert is_read_by_push(harness, link, **{HELP: PROOF}) is is_read


# --- pulls


def pulled(harness: Harness, link: Link, *, is_queued: bool = False) -> Pair:
    """The pair of a pull that finds the referral as the link knows it, before anything is written."""
    referral = harness.partner_center.portal_creates({"name": "ERP renewal"})
    etag = harness.partner_center.referral(referral)["eTag"] if link.etag else "other"
    harness.store.insert_link(replace(link, opportunity_id=GONE, referral_id=referral, etag=etag))
    (pair,) = open_pulled(harness.first.ctx, [GONE], [GONE] if is_queued else ()).pairs
    return pair


def is_echo(harness: Harness, pair: Pair) -> bool:
    return harness.first.process.calls.count("salesforce.opportunities") == 0 and pair.outcome is not None


def test_an_unchanged_referral_is_an_echo(harness: Harness) -> None:
    pair = pulled(harness, AGREED)
    assert (pair.outcome, is_echo(harness, pair)) == (RECONCILED, True)


@pytest.mark.parametrize(("state", "outcome"), [
    (State.ON_HOLD, Outcome(Result.RETRY, WAITING, FAR.until - timedelta(days=3))), (State.LIVE, RECONCILED),
])  # fmt: skip
def test_an_echo_of_an_unanswered_deal_waits_for_its_next_warning(
    harness: Harness, state: State, outcome: Outcome
) -> None:
    assert pulled(harness, replace(AGREED, state=state, answer_by=FAR)).outcome == outcome


@pytest.mark.parametrize(
    "link",
    [
        replace(AGREED, etag=None),
        replace(AGREED, unwritten=True),
        replace(AGREED, state=State.ON_HOLD),
        replace(AGREED, state=State.ON_HOLD, answer_by=SOON),
    ],
)
def test_work_goes_on_where_something_is_left_to_do(harness: Harness, link: Link) -> None:
    assert not is_echo(harness, pulled(harness, link))


def test_a_pair_from_the_retry_queue_is_no_echo(harness: Harness) -> None:
    assert not is_echo(harness, pulled(harness, AGREED, is_queued=True))


def test_an_interrupted_run_is_no_echo(harness: Harness) -> None:
    harness.first.ctx = replace(harness.first.ctx, policy=replace(harness.policy, lease=timedelta()))
    assert not is_echo(harness, pulled(harness, replace(AGREED, intent=MARKING)))


def test_a_pull_leaves_a_paused_deal_alone(harness: Harness) -> None:
    deal = harness.seller_creates(Sync_with_Partner_Center__c=False)
    harness.store.insert_link(replace(AGREED, opportunity_id=deal, state=State.PAUSED))
    work = open_pulled(harness.first.ctx, [deal])
    assert [(pair.outcome, pair.is_free) for pair in work.pairs] == [(RECONCILED, True)]
