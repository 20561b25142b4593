"""What a stage says to Microsoft (docs/protocol.md#accept-decline-and-close)."""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.answering import (
    DECLINE,
    HOLD_WIN,
    NO_REASON,
    UNLISTED_REASON,
    Answer,
    Delays,
    answer_for,
    asked_record,
    delays_of,
    unsent_line,
    wait_for,
    with_lost_as_declined,
)
from shared.domain.audit import IRREVERSIBLE, Line
from shared.domain.closing_reasons import MISTAKE, NOT_WON
from shared.domain.deal import STATUS, Deal, Side, Status, fingerprint
from shared.domain.field_rules import Answers
from shared.domain.link import Difference, Link
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection, cause

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 22, 11, tzinfo=UTC)
NEW, ACTIVE = Status("New", "Pending"), Status("Active", "Accepted")
WON, LOST, DECLINED = Status("Closed", "Won"), Status("Closed", "Lost"), Status("Closed", "Declined")
ERROR = Status("Closed", "Error")
NO_FIELD = Opportunity("006", Deal(status=LOST), flagged=True, modified=NOW, stage="Lost deal")
UNCHOSEN = replace(NO_FIELD, reason="")
REFERRAL = Referral("ref", "etag", Deal(status=DECLINED), NOW, status=DECLINED)
KEEP_LOST = Answers(lost_declines=False)


def chosen(reason: str, details: str = "") -> Opportunity:
    return replace(NO_FIELD, reason=reason, reason_details=details)


@pytest.mark.parametrize("current", [None, NEW, ACTIVE])
@pytest.mark.parametrize("wanted", [ACTIVE, NEW])
def test_a_stage_of_an_open_deal_is_sent_as_it_is(current: Status | None, wanted: Status) -> None:
    assert answer_for(current, wanted, UNCHOSEN, Answers()) == Answer(wanted, wanted, wanted)


@pytest.mark.parametrize("current", [None, ACTIVE])
def test_an_answered_deal_is_closed_as_its_stage_says(current: Status | None) -> None:
    assert answer_for(current, WON, UNCHOSEN, Answers()) == Answer(WON, WON, WON)
    lost = answer_for(current, LOST, UNCHOSEN, Answers())
    assert (lost, lost.sent.reason) == (Answer(LOST, LOST, LOST), "Others")


def test_a_lost_deal_that_is_not_answered_is_declined_unless_the_mapping_says_otherwise() -> None:
    declined = answer_for(NEW, LOST, chosen(NOT_WON[0]), Answers())
    assert (declined, declined.sent.reason) == (Answer(LOST, DECLINED, LOST), NOT_WON[0])
    step = Answer(LOST, ACTIVE, ACTIVE, is_step=True)
    assert answer_for(NEW, LOST, chosen(NOT_WON[0]), KEEP_LOST) == step


def test_a_won_deal_that_is_not_answered_is_accepted_first() -> None:
    accepted = Status("Active", "Engaged")
    found = answer_for(NEW, WON, UNCHOSEN, Answers(accepted=accepted))
    assert found == Answer(WON, accepted, accepted, is_step=True)
    assert (found.told, found.wait_code) == (WON, IRREVERSIBLE)


def test_a_step_has_the_cause_of_the_close_that_follows() -> None:
    found = answer_for(NEW, LOST, chosen("Bad luck"), KEEP_LOST)
    assert (found.is_step, found.cause is not None and found.cause.code) == (True, UNLISTED_REASON)


def test_a_decline_is_sent_at_once_with_its_reason() -> None:
    found = answer_for(NEW, DECLINED, chosen(NOT_WON[1].upper()), Answers())
    assert (found, found.sent.reason) == (Answer(DECLINED, DECLINED, DECLINED), NOT_WON[1])
    assert (found.told, found.wait_code) == (DECLINED, IRREVERSIBLE)
    assert answer_for(NEW, LOST, chosen(NOT_WON[1]), Answers()).wait_code == DECLINE


def test_a_decline_without_a_chosen_reason_is_not_sent() -> None:
    found = answer_for(NEW, LOST, UNCHOSEN, Answers())
    asked = cause(NO_REASON, "status", value="Lost deal", sent="Declined", known="; ".join(NOT_WON))
    assert found == Answer(LOST, DECLINED, LOST, cause=asked)


def test_an_org_without_the_field_sends_the_reason_of_the_stage_or_others() -> None:
    assert answer_for(NEW, DECLINED, NO_FIELD, Answers()).sent.reason == "Others"
    of_the_stage = Status("Closed", "Declined", "No money")
    assert answer_for(NEW, of_the_stage, UNCHOSEN, Answers()).sent.reason == "Others: No money"
    assert answer_for(ACTIVE, Status("Closed", "Lost", NOT_WON[2]), UNCHOSEN, Answers()).sent.reason == NOT_WON[2]
    assert answer_for(NEW, Status("Closed", "Lost", NOT_WON[2]), NO_FIELD, Answers()).sent.reason == "Others"


def test_a_reason_that_is_not_listed_for_this_close_is_asked_about() -> None:
    found = answer_for(ACTIVE, ERROR, chosen("Budget not adequate"), Answers())
    known = "; ".join(MISTAKE)
    asked = cause(UNLISTED_REASON, "status", value="Budget not adequate", sent="Error", known=known)
    assert found == Answer(ERROR, ERROR, ERROR, cause=asked)


def test_the_words_of_a_person_stand_behind_the_reason() -> None:
    sent = answer_for(ACTIVE, LOST, chosen("others", "  they\n moved "), Answers()).sent
    assert (sent, sent.reason) == (LOST, "Others: they moved")


def test_a_record_of_a_question_keeps_its_time_for_the_same_close() -> None:
    found = cause(NO_REASON, "status", value="x", sent="Declined", known="; ".join(NOT_WON))
    record = Difference(fingerprint(DECLINED), NO_REASON, NOW)
    assert asked_record(None, DECLINED, found, NOW) == record
    for code in (NO_REASON, UNLISTED_REASON):
        known = Difference(fingerprint(DECLINED), code, BEFORE)
        assert asked_record(known, DECLINED, found, NOW) == replace(record, since=BEFORE)
    for known in (Difference(fingerprint(LOST), NO_REASON, BEFORE), Difference(fingerprint(DECLINED), "x", BEFORE)):
        assert asked_record(known, DECLINED, found, NOW) == record


STANDS = Delays(timedelta(minutes=2))
HELD = Delays(timedelta(minutes=2), NOW + timedelta(hours=5))
WIN = Answer(WON, WON, WON)


def link_with(code: str, wanted: Status = WON) -> Link:
    return Link("006", waiting={STATUS: Difference(fingerprint(wanted), code, BEFORE)})


def test_a_close_stands_for_its_time_before_it_is_sent() -> None:
    first = wait_for(Link("006"), STATUS, WIN, NOW, STANDS)
    assert first.record == Difference(fingerprint(WON), IRREVERSIBLE, NOW)
    assert (first.until, first.is_new, first.is_over) == (NOW + timedelta(minutes=2), True, False)
    assert (first.is_held, first.shown_until) == (False, "12:02")
    link = Link("006", waiting={STATUS: first.record})
    again = wait_for(link, STATUS, WIN, first.until, STANDS)
    assert (again.is_new, again.is_over, again.until) == (False, True, first.until)


def test_a_win_that_may_be_registered_too_early_is_held() -> None:
    held = wait_for(Link("006"), STATUS, WIN, NOW, HELD)
    assert held.record == Difference(fingerprint(WON), HOLD_WIN, NOW)
    assert (held.until, held.is_new, held.is_over) == (HELD.wins_from, True, False)
    assert (held.is_held, held.shown_until) == (True, "2026-11-22 17:00")
    known = link_with(HOLD_WIN)
    again = wait_for(known, STATUS, WIN, NOW, HELD)
    assert (again.record, again.is_new) == (known.waiting[STATUS], False)
    assert wait_for(known, STATUS, WIN, NOW, STANDS).record.since == BEFORE
    lost = wait_for(Link("006"), STATUS, Answer(LOST, LOST, LOST), NOW, HELD)
    assert (lost.until, lost.is_held) == (NOW + timedelta(minutes=2), False)
    assert not wait_for(Link("006"), STATUS, WIN, NOW, Delays(STANDS.stands, NOW + STANDS.stands)).is_held


@pytest.mark.parametrize("link", [link_with("other"), link_with(IRREVERSIBLE, LOST)])
def test_another_wait_begins_anew(link: Link) -> None:
    assert wait_for(link, STATUS, WIN, NOW, STANDS).record.since == NOW


@pytest.mark.parametrize(
    ("code", "status", "since"),
    [(NO_REASON, WON, BEFORE), (UNLISTED_REASON, WON, BEFORE), ("x", WON, NOW), (NO_REASON, LOST, NOW)],
)
def test_the_time_in_which_a_close_waited_for_its_reason_counts(code: str, status: Status, since: datetime) -> None:
    refused = {f"{Side.PARTNER_CENTER}.{STATUS}": Difference(fingerprint(status), code, BEFORE)}
    assert wait_for(Link("006", refused=refused), STATUS, WIN, NOW, STANDS).record.since == since


def test_a_win_is_held_only_if_microsoft_sees_the_deal() -> None:
    policy, created = Policy(), NOW - timedelta(days=1)
    seen = replace(REFERRAL, created=created, is_shared=True)
    assert delays_of(seen, policy) == Delays(policy.irreversible_wait, created + policy.hold_win)
    for referral, how in (
        (replace(seen, is_shared=False), policy),
        (replace(seen, created=None), policy),
        (seen, replace(policy, hold_win=timedelta())),
    ):
        assert delays_of(referral, how) == Delays(policy.irreversible_wait)


def test_the_edits_of_a_declined_deal_are_told() -> None:
    values = {"edits": "a; b"}
    side = Side.PARTNER_CENTER
    assert unsent_line(NOW, ["a", "b"]) == Line(NOW, "unsent_edits", LineDirection.NOTE, side, "status", values=values)


def test_the_base_of_a_declined_deal_has_its_lost_stage() -> None:
    base, opportunity = Deal(status=NEW, name="Atlas"), NO_FIELD
    assert with_lost_as_declined(base, opportunity, REFERRAL, Answers()) == Deal(status=LOST, name="Atlas")
    won = replace(opportunity, deal=Deal(status=WON))
    for ours, theirs, answers in (
        (opportunity, REFERRAL, KEEP_LOST),
        (opportunity, replace(REFERRAL, status=LOST), Answers()),
        (opportunity, replace(REFERRAL, status=None), Answers()),
        (opportunity, replace(REFERRAL, deal=Deal(status=LOST)), Answers()),
        (won, REFERRAL, Answers()),
        (replace(opportunity, deal=Deal()), REFERRAL, Answers()),
    ):
        assert with_lost_as_declined(base, ours, theirs, answers) == base
