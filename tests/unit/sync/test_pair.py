"""What a pair under its lease takes over and keeps: the read-back, the lines that wait, the end of the work."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.counted_changes import Counted, Kind
from shared.domain.deal import Deal, Person, Side
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Effect, EffectKind, Intent, Link, Unshown
from shared.domain.link_states import Mark, State
from shared.domain.microsoft_news import Hearing
from shared.domain.planned import Plan
from shared.domain.records import Opportunity, Row
from shared.domain.transitions import Transition
from shared.sync.pair_lease import Pair
from shared.sync.ports import RECONCILED, Entry, Outcome, Result

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
CAUSE, OTHER = Cause("refused", "notes", "Too long.", "Shorten it."), Cause("missing", "name", "No name.", "Enter one.")
FIRST, SECOND, THIRD = (Line(NOW, code) for code in ("first", "second", "third"))
REFUSED = {"salesforce.notes": Difference("x", "refused_by_salesforce", NOW)}
WRITING = Intent((Effect(EffectKind.MARK_OPPORTUNITY),))
SEEN, TEAM = Opportunity("006", Deal(), flagged=True, modified=NOW), (Person("A", email="a@b.example"),)
ROWS, UNSENDABLE = {"team": (Row("00k", "a@b.example"),)}, {"team": {"x": "no_address"}}
COUNTED = Counted(Side.SALESFORCE, Kind.CLOSURE, "status", "m", "salesforce.status", "status:Won")
UNSURE, PARKED = Outcome(Result.RETRY, "not_read_back", unsure=True), Outcome(Result.PARKED, "refused")


@pytest.fixture
def pair() -> Pair:
    link = Link("006", referral_id="ref", intent=WRITING)
    return Pair("006", Entry(link, "etag", timedelta()), link, NOW)


# --- the read-back of a write


def test_a_read_back_keeps_what_plain_columns_do_not_show(pair: Pair) -> None:
    stamps = {"opportunity": "1", "account": "1"}
    known = replace(SEEN, deal=Deal(name="old", team=TEAM), problems={"notes": CAUSE}, stamps=stamps)
    known = replace(known, rows=ROWS, unsendable=UNSENDABLE, partial=("team",), unseen=("crm",), lacking={"x": OTHER})
    pair.opportunity = known
    pair.take_read_back(replace(SEEN, deal=Deal(name="new"), modified=LATER))
    kept = replace(known, deal=Deal(name="new", team=TEAM), modified=LATER, before=known)
    assert pair.opportunity == replace(kept, stamps={"opportunity": "", "account": "1"})


@pytest.mark.parametrize("known", [replace(SEEN, rows=ROWS), replace(SEEN, unsendable=UNSENDABLE)])
def test_rows_and_unsendable_members_alone_each_keep_the_lists(pair: Pair, known: Opportunity) -> None:
    before = pair.opportunity = replace(known, deal=Deal(team=TEAM))
    pair.take_read_back(replace(SEEN, deal=Deal(name="new")))
    kept = replace(known, deal=Deal(team=TEAM, name="new"), stamps={"opportunity": ""}, before=before)
    assert pair.opportunity == kept


def test_a_read_back_with_rows_of_its_own_replaces_the_lists(pair: Pair) -> None:
    before = pair.opportunity = replace(SEEN, deal=Deal(team=TEAM), rows=ROWS)
    read = replace(SEEN, deal=Deal(team=()), rows={"team": (Row("00l", "b"),)})
    pair.take_read_back(read)
    assert pair.opportunity == replace(read, stamps={"opportunity": ""}, before=before)


def test_the_stamp_of_a_read_back_counts(pair: Pair) -> None:
    pair.opportunity = replace(SEEN, stamps={"opportunity": "1"})
    pair.take_read_back(replace(SEEN, stamps={"opportunity": "2"}))
    assert pair.opportunity.stamps == {"opportunity": "2"}


# --- lines


def test_the_lines_of_all_steps_wait_for_the_next_write_of_the_row(pair: Pair) -> None:
    pair.interrupted = WRITING
    pair.take_recovery(Transition(pair.link, (FIRST,)))
    pair.take_news(Hearing(pair.link, (SECOND,), {"a": "1"}))
    pair.leave_sync(Transition(pair.link, (THIRD,)))
    pair.take_news(Hearing(pair.link, (FIRST,), {"b": "2"}))
    pair.take_recovery(Transition(pair.link, (SECOND,)))
    assert pair.pending.take_notes(NOW) == (FIRST, SECOND, THIRD, FIRST, SECOND)
    assert (pair.news, pair.interrupted) == ({"a": "1", "b": "2"}, Intent())


def test_a_narrowed_plan_keeps_its_lines_and_adds_more(pair: Pair) -> None:
    pair.take_plan(Plan(Deal(), lines=(FIRST,)))
    narrowed = Plan(Deal(name="x"))
    pair.narrow_plan(narrowed, (SECOND,))
    assert (pair.plan, pair.pending.notes) == (narrowed, (FIRST, SECOND))


# --- a plan in the link


def test_the_link_takes_all_of_a_plan(pair: Pair) -> None:
    waits, answer_by = {"name": Difference("x", "y", NOW)}, AnswerTime(NOW)
    rules = Rules({"notes": Rule("notes", "Notes")}, mapping="m")
    pair.link = replace(pair.link, cause=OTHER)
    pair.take_plan(Plan(Deal(name="x"), refused=REFUSED, waiting=waits, reported=("key",), cause=CAUSE,
                        state=State.HELD, answer_by=answer_by))  # fmt: skip
    pair.put_plan_into_link(rules)
    expected = Link("006", State.HELD, "ref", base=Deal(name="x"), intent=WRITING, refused=REFUSED, waiting=waits)
    expected = replace(expected, reported=("key",), cause=CAUSE, answer_by=answer_by, mapping="m")
    assert pair.link == replace(expected, sources=rules.sources)
    assert pair.pending.is_held


@pytest.mark.parametrize(
    ("state", "refused", "after"),
    [
        (State.PARKED, REFUSED, (State.PARKED, OTHER)),
        (State.PARKED, {}, (State.LIVE, CAUSE)),
        (State.LIVE, REFUSED, (State.LIVE, CAUSE)),
    ],
)
def test_only_a_pair_parked_for_a_value_stays_parked(
    pair: Pair, state: State, refused: dict[str, Difference], after: tuple[State, Cause]
) -> None:
    pair.link = replace(pair.link, state=state, cause=OTHER)
    pair.take_plan(Plan(Deal(), refused=refused, cause=CAUSE))
    pair.put_plan_into_link(Rules({}))
    assert (pair.link.state, pair.link.cause) == after


# --- the end of the work


def test_a_doubtful_write_is_not_forgotten(pair: Pair) -> None:
    pair.end(UNSURE)
    pair.end(PARKED)
    assert (pair.outcome, pair.may_have_written) == (UNSURE, True)


def test_the_last_end_of_a_sure_pair_holds(pair: Pair) -> None:
    pair.end(PARKED)
    pair.end(RECONCILED)
    assert (pair.outcome, pair.may_have_written) == (RECONCILED, False)


def test_only_a_parked_pair_keeps_its_plan(pair: Pair) -> None:
    pair.take_plan(Plan(Deal()))
    pair.end(PARKED)
    assert pair.plan is not None
    pair.end(RECONCILED)
    assert pair.plan is None


def test_an_unsure_end_before_any_effect_leaves_nothing_to_recover(pair: Pair) -> None:
    pair.link = replace(pair.link, intent=Intent())
    pair.end(UNSURE)
    assert not pair.may_have_written


@pytest.mark.parametrize("mark", [Mark.SYNCED, None])
def test_what_is_shown_goes_into_the_link(pair: Pair, mark: Mark | None) -> None:
    pair.link = replace(pair.link, mark=Mark.FAILED, unwritten=True)
    pair.take_shown(mark)
    assert (pair.link.mark, pair.link.unshown, pair.link.unwritten) == (mark, None, False)
    pair.take_shown(mark, Unshown(("A__c",), NOW), unwritten=True)
    assert (pair.link.mark, pair.link.unshown, pair.link.unwritten) == (mark, Unshown(("A__c",), NOW), True)


# --- an earlier create, and the changes that are counted


def test_a_referral_that_is_found_is_adopted_and_without_one_nothing_is_left_to_recover(pair: Pair) -> None:
    pair.interrupted = WRITING
    pair.take_existing({"id": "ref"})
    assert (pair.existing, pair.must_create, pair.interrupted) == ({"id": "ref"}, True, WRITING)
    pair.take_existing(None)
    assert (pair.existing, pair.must_create, pair.interrupted) == (None, False, Intent())


def test_what_the_stop_of_a_mass_change_lets_go_adds_up(pair: Pair) -> None:
    for granted in ([], [COUNTED], [COUNTED]):
        pair.take_granted(granted)
    assert pair.granted == (COUNTED, COUNTED)


def test_a_stop_that_lets_nothing_go_has_counted(pair: Pair) -> None:
    pair.take_granted([])
    assert pair.granted == ()
