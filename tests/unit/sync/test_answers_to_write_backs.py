"""What a pair remembers of a write-back: what was taken, what was refused, and when that is tried again."""

from copy import replace
from datetime import timedelta

import pytest

from shared.domain.cause import Cause
from shared.domain.deal import Change, Side
from shared.domain.link import TRY_AGAIN, Link, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.microsoft_news import Hearing
from shared.domain.planned import Plan
from shared.domain.repeats import with_unreadable
from shared.sync.acquire_pair import acquire
from shared.sync.pair_lease import Pair, read_opportunities, release
from shared.sync.ports import RECONCILED, Outcome, Result, SideState
from shared.sync.put_back_columns import count_put_back
from shared.sync.write_opportunity import (
    batches_of_write_backs,
    prepare_write,
    store_coming_write,
    take_answer,
    write_back,
    write_opportunities,
)
from tests.unit.sync.harness import Harness

AUDIT, STATUS, IDENTIFIER, FLAG = "Audit__c", "Sync_Status__c", "Referral_Identifier__c", "Sync_with_Partner_Center__c"
HERE = Side.SALESFORCE
NOTES, NAME = Change("notes", "Notes", "old", "new"), Change("name", "Name", "Atlas", "Atlas 2")


def refusal_of(column: str) -> Cause:
    """What Salesforce says of a column that the harness refuses."""
    remedy = "Change the record so that the validation rule is met."
    return Cause("FIELD_CUSTOM_VALIDATION_EXCEPTION", column, "Not so.", remedy)


EARLIER = Cause("TRIGGER", None, "Not yet.", "Wait.")


@pytest.fixture
def pair(harness: Harness) -> Pair:
    """A pair under its lease whose opportunity does not show its mark yet."""
    return read_pair(harness, harness.shared_deal())


def read_pair(harness: Harness, deal: str, **values: object) -> Pair:
    pair = acquire(harness.first.ctx, deal)
    assert isinstance(pair, Pair)
    pair.take_link(replace(pair.link, mark=Mark.DIFFERENCES, **values))  # type: ignore[arg-type] # values of a link
    read_opportunities(harness.first.ctx, [pair])
    return pair


def shown_of(harness: Harness, pair: Pair) -> Link:
    write_back(harness.first.ctx, [pair])
    return pair.link


def test_what_was_taken_is_shown_and_nothing_is_left(harness: Harness, pair: Pair) -> None:
    pair.take_link(replace(pair.link, repeats=with_unreadable(None, HERE, harness.now())))
    link = shown_of(harness, pair)
    assert (link.mark, link.unshown, link.unwritten, pair.outcome) == (Mark.SYNCED, None, False, None)
    assert link.repeats is None or not link.repeats.unreadable


def test_a_locked_record_is_written_again_later(harness: Harness, pair: Pair) -> None:
    harness.lock_record(pair.id, times=None)
    link = shown_of(harness, pair)
    assert pair.outcome == Outcome(Result.RETRY, "locked")
    assert (link.mark, link.unshown) == (Mark.DIFFERENCES, None)


@pytest.mark.parametrize("state", [State.LIVE, State.PAUSED])
def test_a_refused_column_is_tried_again_in_an_hour_unless_the_deal_is_paused(
    harness: Harness, pair: Pair, state: State
) -> None:
    pair.take_link(replace(pair.link, state=state, repeats=with_unreadable(None, HERE, harness.now())))
    harness.refuse_writes_of(AUDIT)
    link = shown_of(harness, pair)
    at = None if state is State.PAUSED else harness.now() + TRY_AGAIN
    assert pair.outcome is not None
    assert (pair.outcome.result, pair.outcome.at) == (Result.PARKED, at)
    assert (link.unshown, link.unwritten) == (Unshown((AUDIT,), harness.now(), refusal_of(AUDIT)), True)
    assert link.mark is link.due_mark
    assert (link.repeats and link.repeats.unreadable) == (with_unreadable(None, HERE, harness.now()).unreadable)
    assert link.inbox is None


def test_a_refused_mark_is_not_believed_to_be_shown(harness: Harness, pair: Pair) -> None:
    harness.refuse_writes_of(STATUS)
    link = shown_of(harness, pair)
    assert (link.mark, link.unwritten) == (Mark.DIFFERENCES, False)
    assert link.unshown == Unshown((STATUS,), harness.now(), refusal_of(STATUS))


@pytest.mark.parametrize("is_refused", [True, False])
def test_the_hour_of_a_column_begins_with_its_refusal_and_not_with_another_write(
    harness: Harness, pair: Pair, *, is_refused: bool
) -> None:
    since = harness.now() - timedelta(minutes=10)
    known = Unshown((AUDIT,), since, EARLIER)
    pair.take_link(replace(pair.link, unshown=known))
    if is_refused:
        harness.refuse_writes_of(STATUS)
    unshown = shown_of(harness, pair).unshown
    assert unshown == (Unshown((AUDIT, STATUS), harness.now(), refusal_of(STATUS)) if is_refused else known)


def test_a_column_is_written_again_after_its_hour(harness: Harness, pair: Pair) -> None:
    pair.take_link(replace(pair.link, unshown=Unshown((AUDIT,), harness.now() - TRY_AGAIN)))
    assert shown_of(harness, pair).unshown is None


@pytest.mark.parametrize(("state", "is_shown"), [(State.LIVE, True), (State.PAUSED, False)])
def test_a_deal_that_can_show_nothing_is_in_the_inbox_unless_it_is_paused(
    harness: Harness, pair: Pair, state: State, *, is_shown: bool
) -> None:
    pair.take_link(replace(pair.link, state=state))
    for column in (AUDIT, STATUS):
        harness.refuse_writes_of(column)
    assert (shown_of(harness, pair).inbox is not None) is is_shown


def test_a_deal_that_shows_something_again_leaves_the_inbox(harness: Harness, pair: Pair) -> None:
    pair.take_link(replace(pair.link, inbox="Failed"))
    assert shown_of(harness, pair).inbox is None


@pytest.mark.parametrize(
    ("outcome", "unshown", "is_left"),
    [
        (None, False, True),
        (RECONCILED, False, True),
        (Outcome(Result.RETRY, "x"), False, False),
        (None, True, False),
        (RECONCILED, True, True),
    ],
)
def test_a_deal_that_has_nothing_to_show_leaves_the_inbox(
    harness: Harness, pair: Pair, outcome: Outcome | None, *, unshown: bool, is_left: bool
) -> None:
    missing = Unshown((AUDIT,), harness.now()) if unshown else None
    pair.take_link(replace(pair.link, inbox="Failed", mark=Mark.SYNCED, unshown=missing))
    if outcome:
        pair.end(outcome)
    batches_of_write_backs(harness.first.ctx, [pair])
    assert (pair.link.inbox is None) is is_left


def test_a_gone_deal_and_one_that_lacks_something_stay_in_the_inbox(harness: Harness, pair: Pair) -> None:
    for values in ({"state": State.GONE, "mark": Mark.SYNCED}, {"mark": None}):
        pair.take_link(replace(pair.link, inbox="Failed", **values))
        batches_of_write_backs(harness.first.ctx, [pair])
        assert pair.link.inbox == "Failed"


def test_the_others_of_a_batch_are_written_although_one_is_locked_and_one_refused(harness: Harness) -> None:
    deals = [harness.shared_deal() for _ in range(3)]
    pairs = [read_pair(harness, deal) for deal in deals]
    harness.lock_record(deals[0], times=None)
    harness.refuse_writes_of(AUDIT, deals[1])
    write_back(harness.first.ctx, pairs)
    assert [pair.outcome and pair.outcome.cause for pair in pairs][::2] == ["locked", None]
    assert [pair.link.unshown is not None for pair in pairs] == [False, True, False]
    assert [pair.link.mark for pair in pairs] == [Mark.DIFFERENCES, pairs[1].link.due_mark, Mark.SYNCED]


@pytest.mark.parametrize(("mark", "is_cleared", "is_counted"), [
    (Mark.SYNCED, True, True), (None, True, False), (Mark.SYNCED, False, False),
])  # fmt: skip
def test_only_an_id_that_was_shown_before_is_counted_as_put_back(
    harness: Harness, pair: Pair, mark: Mark | None, *, is_cleared: bool, is_counted: bool
) -> None:
    if is_cleared:
        harness.salesforce.edit("Opportunity", pair.id, {IDENTIFIER: None})
        read_opportunities(harness.first.ctx, [pair])
    pair.take_link(replace(pair.link, mark=mark, repeats=None, unwritten=True))
    repeats = shown_of(harness, pair).repeats
    assert (repeats is not None and bool(repeats.written)) is is_counted


@pytest.mark.parametrize(
    ("is_whole", "unwritten", "after"), [(True, False, True), (False, False, False), (False, True, True)]
)
def test_what_is_to_be_shown_is_stored_first(
    harness: Harness, pair: Pair, *, is_whole: bool, unwritten: bool, after: bool
) -> None:
    pair.take_link(replace(pair.link, unwritten=unwritten))
    store_coming_write(harness.first.ctx, pair, is_whole=is_whole)
    assert harness.stored_link(pair.id).unwritten is after


def test_while_salesforce_is_paused_nothing_is_written(harness: Harness, pair: Pair) -> None:
    until = harness.now() + timedelta(minutes=5)
    harness.first.ctx.store.write_side_state(HERE, SideState(paused_until=until))
    shown_of(harness, pair)
    assert (pair.outcome, pair.link.mark) == (Outcome(Result.RETRY, "side_paused", until), Mark.DIFFERENCES)


# --- an id that another automation clears


@pytest.mark.parametrize("times", [1, 9])
def test_an_id_that_is_cleared_each_time_is_left_alone_and_any_other_is_written(
    harness: Harness, pair: Pair, times: int
) -> None:
    harness.salesforce.edit("Opportunity", pair.id, {IDENTIFIER: None})
    read_opportunities(harness.first.ctx, [pair])
    pair.take_link(replace(pair.link, mark=Mark.SYNCED))
    for _ in range(times):
        count_put_back(harness.first.ctx, pair, {IDENTIFIER: pair.link.referral_id})
    assert bool(batches_of_write_backs(harness.first.ctx, [pair])) is (times == 1)


# --- news of Microsoft


@pytest.mark.parametrize("column", ["Microsoft_Status__c", AUDIT])
def test_news_are_written_unless_their_column_was_just_refused(harness: Harness, pair: Pair, column: str) -> None:
    unshown = Unshown((column,), harness.now())
    pair.take_link(replace(pair.link, mark=Mark.SYNCED, unshown=unshown))
    pair.take_news(Hearing(pair.link, (), {"microsoft_status": "Accepted"}))
    assert bool(batches_of_write_backs(harness.first.ctx, [pair])) is (column == AUDIT)


@pytest.mark.parametrize("refused", [None, "Microsoft_Status__c", AUDIT])
def test_news_are_shown_once_their_column_is_taken(harness: Harness, pair: Pair, refused: str | None) -> None:
    pair.take_news(Hearing(pair.link, (), {"microsoft_status": "Accepted"}))
    if refused:
        harness.refuse_writes_of(refused)
    shown_of(harness, pair)
    assert bool(pair.news) is (refused == "Microsoft_Status__c")


# --- values


@pytest.mark.parametrize(
    ("changes", "refused", "is_again", "notes", "mark"),
    [
        ((NOTES,), None, False, "new", Mark.SYNCED),
        ((NOTES,), AUDIT, False, "new", Mark.DIFFERENCES),
        ((NOTES, NAME), "Name", True, "new", Mark.DIFFERENCES),
        ((NAME, NOTES), "Name", True, "old", Mark.DIFFERENCES),
    ],
)
def test_values_that_are_refused_together_are_written_one_by_one_without_our_own(
    harness: Harness, changes: tuple[Change, ...], refused: str | None, notes: str, mark: Mark, *, is_again: bool
) -> None:
    pair = read_pair(harness, harness.shared_deal(Description="old", Name="Atlas"))
    assert pair.opportunity is not None
    pair.take_plan(Plan(pair.opportunity.deal, (), changes))
    if refused:
        harness.refuse_writes_of(refused)
    assert write_opportunities(harness.first.ctx, [pair]) == ([pair] if is_again else [])
    assert (harness.opportunity(pair.id)["Description"], pair.link.mark) == (notes, mark)
    release(harness.first.ctx, pair)  # it stores what the last write has confirmed
    assert harness.store.audit(pair.id)[0].field == changes[0].field


def test_a_write_without_a_refused_column_does_not_say_that_all_is_shown(harness: Harness, pair: Pair) -> None:
    pair.take_link(replace(pair.link, unshown=Unshown((AUDIT,), harness.now())))
    assert pair.opportunity is not None
    pair.take_plan(Plan(pair.opportunity.deal, (), (Change("notes", "Notes", None, "new"),)))
    assert write_opportunities(harness.first.ctx, [pair]) == []
    assert (pair.link.mark, pair.link.unwritten) == (Mark.DIFFERENCES, True)


def test_an_edit_between_two_tries_is_planned_before_the_value_is_written(harness: Harness) -> None:
    pair = read_pair(harness, harness.shared_deal(Description="old"))
    assert pair.opportunity is not None
    pair.take_plan(Plan(pair.opportunity.deal, (), (NOTES,)))
    harness.refuse_writes_of(AUDIT)

    def edit() -> None:
        harness.advance_time(1.0)
        harness.seller_edits(pair.id, Description="theirs")

    harness.first.process.interrupt_at("salesforce.update_unmodified", edit, after=True)
    assert write_opportunities(harness.first.ctx, [pair]) == [pair]
    assert harness.opportunity(pair.id)["Description"] == "theirs"


@pytest.mark.parametrize("is_shown", [None, True, False])
def test_only_a_write_with_our_own_columns_shows_the_mark_and_the_news(harness: Harness, is_shown: bool | None) -> None:
    pair, ctx = read_pair(harness, harness.shared_deal(Description="old")), harness.first.ctx
    assert pair.opportunity is not None
    pair.take_plan(Plan(pair.opportunity.deal, (), (NOTES,)))
    pair.take_news(Hearing(pair.link, (), {"microsoft_status": "Accepted"}))
    write = prepare_write(ctx, pair)
    assert write is not None
    (written,) = ctx.salesforce.update_unmodified([write], ctx.translation.columns)
    take_answer(ctx, pair, written, **({} if is_shown is None else {"is_shown": is_shown}))
    mark = Mark.DIFFERENCES if is_shown is False else Mark.SYNCED
    assert (pair.link.mark, bool(pair.news), pair.link.unwritten) == (mark, is_shown is False, is_shown is False)
