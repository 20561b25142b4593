"""Whether Microsoft is asked for help with a linked deal, and what becomes of the request. Pure.

Source: docs/protocol.md#asking-microsoft-for-help.
"""

from copy import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from shared.domain.cause import Cause
from shared.domain.deal import Company, Deal, Money, Person, Status
from shared.domain.field_rules import Rules
from shared.domain.help_outcomes import (
    about_to_ask,
    asked,
    help_confirmed,
    help_shown,
    help_to_show,
    refused_request,
    takes_part,
)
from shared.domain.help_request import HELP_KEY, NOTES_KEY, AskedBy, HelpRequest, HelpStep, sharing_mark, whole_mark
from shared.domain.link import Difference, Link
from shared.domain.link_states import Mark, State
from shared.domain.microsoft_record import MicrosoftRecord, notes_mark
from shared.domain.plan_help import HelpDecision, decide_help, shares_by_help
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sharing import LABEL_OF_HELP, LABEL_OF_NOTES, Sharing
from shared.domain.visibility import SharingWait

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
ACTIVE, WON, NEW = Status("Active", "Accepted"), Status("Closed", "Won"), Status("New", "Pending")
WANTED = Sharing(visible=True, help="Proof Of Concept or Demo", notes="A demo.")
DEAL = Deal(
    name="Robots",
    account=Company("Northwind", "US"),
    money=Money(Decimal(5), "USD"),
    closing=date(2026, 12, 31),
    solutions=("SOL-1",),
    team=(Person("One", "Ann", "ann@contoso.example", "1"),),
    contacts=(Person("Lind", "Ada", "ada@northwind.example", "1"),),
    status=ACTIVE,
)
LINK = Link("006A", referral_id="r-1", engagement_id="e-1")
SENT = HelpRequest("ProofOfConceptOrDemo", notes_mark("A demo."), NOW)
RECORD = MicrosoftRecord("m-1", '"1"', "e-1", help_code="ProofOfConceptOrDemo", request_notes="A  demo.")
STOOD = {"help": Difference(sharing_mark(WANTED), "irreversible", NOW - timedelta(minutes=2))}


def decided(
    link: Link = LINK, sharing: Sharing = WANTED, *, is_now: Status = ACTIVE, stage: Status = ACTIVE, at: datetime = NOW
) -> HelpDecision:
    """What is decided about a pair whose referral has the status `is_now`."""
    deal = DEAL.with_values({"status": stage})
    record = Opportunity("006A", deal, flagged=True, modified=NOW, sharing=sharing)
    return decide_help(link, record, is_now, Rules({}), at, Policy())


@pytest.mark.parametrize("status", [ACTIVE, WON, NEW])
def test_microsoft_is_not_asked_about_its_own_deal_whatever_else_the_deal_lacks(status: Status) -> None:
    record = Opportunity("006A", Deal(status=status), flagged=True, modified=NOW, sharing=WANTED)
    found = decide_help(LINK, record, status, Rules({}), NOW, Policy(), is_from_microsoft=True)
    assert ({key: one.code for key, one in found.refused.items()}, found.causes) == (
        {HELP_KEY: "help_from_microsoft"},
        {},
    )


def test_a_request_waits_and_then_is_sent() -> None:
    first = decided()
    assert (first.step, first.due, first.wait and first.wait.is_new) == (None, NOW + timedelta(minutes=2), True)
    last = decided(replace(LINK, waiting=STOOD))
    assert (last.step, last.due, last.wait) == (HelpStep.ASK, NOW, SharingWait(STOOD["help"], NOW, is_new=False))


def test_the_wait_begins_anew_when_help_or_notes_change() -> None:
    for sharing in (replace(WANTED, notes="Two."), replace(WANTED, help="General or Other")):
        again = decided(replace(LINK, waiting=STOOD), sharing)
        assert (again.step, again.wait and again.wait.is_new) == (None, True)


@pytest.mark.parametrize(
    ("is_now", "stage", "code"),
    [
        (WON, ACTIVE, "help_closed"),
        (ACTIVE, WON, "help_closed"),
        (NEW, NEW, "help_not_answered"),
    ],
)
def test_a_deal_that_is_closed_or_not_accepted_is_not_asked_about(is_now: Status, stage: Status, code: str) -> None:
    found = decided(is_now=is_now, stage=stage)
    assert {key: record.code for key, record in found.refused.items()} == {HELP_KEY: code}
    assert [line.code for line in found.told] == [code]
    assert (found.step, found.wait) == (None, None)
    for sharing in (WANTED, replace(WANTED, help="General or Other")):
        assert decided(replace(LINK, refused=found.refused), sharing, is_now=is_now, stage=stage).told == ()


@pytest.mark.parametrize(
    ("status", "stage", "is_from_microsoft", "shares"),
    [
        (ACTIVE, ACTIVE, False, True),
        (None, ACTIVE, False, True),
        (ACTIVE, ACTIVE, True, False),
        (WON, ACTIVE, False, False),
        (ACTIVE, WON, False, False),
        (NEW, NEW, False, False),
    ],
)
def test_help_shares_a_deal_only_if_microsoft_can_be_asked(
    status: Status | None, stage: Status, is_from_microsoft: bool, shares: bool
) -> None:
    record = Opportunity("006A", DEAL.with_values({"status": stage}), flagged=True, modified=NOW, sharing=WANTED)
    referral = Referral("r-1", '"1"', Deal(), NOW, status, is_from_microsoft=is_from_microsoft)
    assert shares_by_help(record, referral, Rules({}), Policy()) == shares
    assert not shares_by_help(replace(record, deal=DEAL.without("solutions")), referral, Rules({}), Policy())


def test_a_request_of_unknown_outcome_is_looked_for_after_the_settle_time() -> None:
    link = replace(LINK, help=SENT)
    assert link.due_mark is Mark.WAITING
    before = decided(link, at=NOW + timedelta(minutes=14))
    assert (before.step, before.due) == (None, NOW + timedelta(minutes=15))
    assert decided(link, at=NOW + timedelta(minutes=15)).step is HelpStep.LOOK
    assert decided(link, Sharing(visible=True), at=NOW + timedelta(minutes=15)).step is HelpStep.LOOK


@pytest.mark.parametrize(
    ("is_question", "status", "asks"),
    [(False, ACTIVE, False), (False, WON, False), (True, ACTIVE, True), (True, WON, False), (True, None, True)],
)
def test_only_a_question_about_an_open_deal_asks_a_person(is_question: bool, status: Status | None, asks: bool) -> None:
    link, later = replace(LINK, help=replace(SENT, is_question=is_question)), NOW + timedelta(hours=1)
    record = Opportunity("006A", DEAL, flagged=True, modified=NOW, sharing=WANTED)
    found = decide_help(link, record, status, Rules({}), later, Policy())
    assert (found.step, bool(found.causes)) == (HelpStep.LOOK, asks)
    assert found.due == (later + Policy().held_interval if asks else later)


def test_other_help_than_a_colleague_asked_for_is_refused_before_the_field_shows_theirs() -> None:
    link = help_confirmed(LINK, RECORD, NOW).link
    found = decided(link, replace(WANTED, help="General or Other"))
    assert found.refused[HELP_KEY].code == "help_stays"


def test_a_question_is_told_until_the_field_is_cleared() -> None:
    link, later = replace(LINK, help=replace(SENT, is_question=True)), NOW + timedelta(hours=1)
    asking = decided(link, at=later)
    assert ([one.code for one in asking.causes.values()], asking.due) == (
        ["help_unconfirmed"],
        later + timedelta(hours=1),
    )
    assert decided(link, Sharing(visible=True), at=later).step is HelpStep.FORGET


@pytest.mark.parametrize(
    ("sharing", "codes"),
    [
        (WANTED, {}),
        (replace(WANTED, help="ProofOfConceptOrDemo", notes=" A\r\ndemo. "), {}),
        (replace(WANTED, help="General or Other"), {HELP_KEY: "help_stays"}),
        (replace(WANTED, help=""), {HELP_KEY: "help_stays"}),
        (replace(WANTED, notes=""), {NOTES_KEY: "notes_stay"}),
    ],
)
def test_what_is_changed_after_the_request_is_refused(sharing: Sharing, codes: dict[str, str]) -> None:
    link = replace(LINK, help=replace(SENT, is_asked=True))
    found = decided(link, sharing)
    assert {key: record.code for key, record in found.refused.items()} == codes
    assert decided(replace(link, refused=found.refused), sharing).told == ()


def test_each_later_edit_of_the_notes_is_told() -> None:
    link = replace(LINK, help=replace(SENT, is_asked=True))
    known = replace(link, refused=decided(link, replace(WANTED, notes="Two.")).refused)
    assert [line.code for line in decided(known, replace(WANTED, notes="Three.")).told] == ["notes_stay"]


def test_the_lines_of_what_is_not_sent_name_the_field_and_only_help_with_its_values() -> None:
    sharing = replace(WANTED, help="General or Other", notes="Two.")
    told = decided(replace(LINK, help=replace(SENT, is_asked=True)), sharing).told
    assert [(line.field, line.before, line.after, line.rule) for line in told] == [
        ("help", "Proof Of Concept or Demo", "General or Other", "help_stays"),
        ("notes_to_microsoft", None, None, "notes_stay"),
    ]
    assert [line.values["label"] for line in told] == [LABEL_OF_HELP, LABEL_OF_NOTES]


def test_notes_beside_those_of_a_colleague_are_refused_and_empty_ones_are_not() -> None:
    link = help_shown(help_confirmed(LINK, RECORD, NOW).link)
    assert set(decided(link, replace(WANTED, notes="Mine.")).refused) == {NOTES_KEY}
    assert decided(link, replace(WANTED, notes="")).refused == {}


def test_nothing_is_refused_where_nobody_has_seen_what_microsoft_was_asked() -> None:
    assert decided(takes_part(LINK, AskedBy.COLLEAGUE, NOW).link) == HelpDecision()


def test_a_refused_request_is_kept_until_the_deal_changes() -> None:
    cause = Cause("invalidRequest", "body", "No.", "Please correct it.")
    parked = refused_request(replace(LINK, waiting=STOOD), DEAL, WANTED, cause, NOW)
    assert (parked.link.state, parked.link.due_mark, parked.link.waiting) == (State.PARKED, Mark.FAILED, {})
    kept = {HELP_KEY: parked.link.refused[HELP_KEY]}
    assert decided(parked.link) == HelpDecision(refused=kept, due=NOW + Policy().held_interval)
    assert decided(parked.link, replace(WANTED, notes="Two.")).wait is not None


def test_help_is_refused_on_a_deal_in_which_microsoft_takes_part_because_it_sent_it() -> None:
    link = takes_part(LINK, AskedBy.MICROSOFT, NOW).link
    found = decided(link)
    assert {key: one.code for key, one in found.refused.items()} == {HELP_KEY: "help_from_microsoft"}
    assert [line.code for line in found.told] == ["help_from_microsoft"]
    assert decided(link, Sharing(visible=True)) == HelpDecision()


# --- what becomes of a request


def test_microsofts_record_confirms_our_request_whatever_blanks_it_has() -> None:
    link = about_to_ask(replace(LINK, waiting=STOOD), WANTED, NOW)
    assert (link.help, link.waiting) == (SENT, STOOD)
    found = help_confirmed(link, RECORD, NOW)
    assert found == asked(link, RECORD, NOW)
    assert found.link.help == replace(SENT, is_asked=True, referral_id="m-1")
    assert found.link.waiting == {}
    assert [line.values["until"] for line in found.lines] == ["2026-12-06 10:00"]
    assert help_confirmed(found.link, RECORD, NOW).lines == ()


@pytest.mark.parametrize("link", [LINK, replace(LINK, help=SENT)], ids=["none", "ours is unknown"])
def test_another_record_is_a_colleagues_request(link: Link) -> None:
    found = help_confirmed(link, replace(RECORD, help_code="GeneralOrOther"), NOW)
    assert found.link.help is not None
    assert (found.link.help.code, found.link.help.asked_by) == ("GeneralOrOther", AskedBy.COLLEAGUE)
    assert [line.code for line in found.lines] == ["help_was_asked"]


def test_a_record_without_a_code_only_says_that_microsoft_takes_part() -> None:
    found = help_confirmed(LINK, replace(RECORD, help_code="Unknown"), NOW)
    assert found.link.help is not None
    assert (found.link.help.code, found.link.help.notes, found.link.help.is_asked) == (None, None, True)
    assert [line.code for line in found.lines] == ["takes_part"]
    assert help_confirmed(found.link, replace(RECORD, help_code="Unknown"), NOW).lines == ()
    later = help_confirmed(found.link, RECORD, NOW)
    assert [line.code for line in later.lines] == ["help_was_asked"]


def test_microsofts_own_deal_is_no_request() -> None:
    assert help_confirmed(LINK, replace(RECORD, is_sender=True), NOW).link == LINK


def test_a_whole_deal_without_help_has_the_fingerprint_of_earlier_builds() -> None:
    assert whole_mark(DEAL, Sharing()) == whole_mark(DEAL, Sharing(notes="A demo.")) != whole_mark(DEAL, WANTED)
    assert whole_mark(DEAL, WANTED) != whole_mark(DEAL, replace(WANTED, notes="Two."))
    assert whole_mark(DEAL, WANTED) != whole_mark(DEAL.with_values({"name": "Other"}), WANTED)


# --- what a colleague asked is shown


@pytest.mark.parametrize(
    ("sharing", "shown"),
    [
        (Sharing(visible=True), {"help": "Proof Of Concept or Demo", "notes_to_microsoft": "A  demo."}),
        (Sharing(visible=True, notes="Mine."), {"help": "Proof Of Concept or Demo"}),
        (Sharing(visible=True, help="General or Other"), {"notes_to_microsoft": "A  demo."}),
    ],
)
def test_the_empty_fields_show_what_a_colleague_asked_and_a_cleared_one_stays_empty(
    sharing: Sharing, shown: dict[str, str]
) -> None:
    link = help_confirmed(LINK, RECORD, NOW).link
    assert help_to_show(link, RECORD, sharing) == shown
    assert help_to_show(help_shown(link), RECORD, sharing) == {}
    assert help_to_show(asked(about_to_ask(LINK, WANTED, NOW), RECORD, NOW).link, RECORD, sharing) == {}


def test_an_empty_field_is_no_change_until_it_has_shown_what_a_colleague_asked() -> None:
    link = help_confirmed(LINK, RECORD, NOW).link
    assert decided(link, Sharing(visible=True)) == HelpDecision()
    assert set(decided(help_shown(link), Sharing(visible=True)).refused) == {HELP_KEY}
