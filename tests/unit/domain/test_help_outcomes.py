"""What becomes of a request for help once it was sent, looked for or heard of.

Source: docs/protocol.md#asking-microsoft-for-help.
"""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.audit import Line, refusal_lines
from shared.domain.cause import Cause
from shared.domain.deal import Change, Deal, Side, Status
from shared.domain.help_outcomes import (
    about_to_ask,
    asked,
    ended,
    forgotten,
    help_confirmed,
    help_shown,
    left_sync,
    questioned,
    refused_request,
    request_to_show,
    takes_part,
    unsure,
    without_request,
)
from shared.domain.help_request import LEFT, UNCONFIRMED, AskedBy, HelpRequest, request_mark
from shared.domain.link import Difference, Link
from shared.domain.link_states import State
from shared.domain.microsoft_record import MicrosoftRecord, notes_mark
from shared.domain.sentences import LineDirection
from shared.domain.sharing import LABEL_OF_HELP, Sharing
from shared.domain.transitions import Transition

NOW, BEFORE = datetime(2026, 11, 22, 10, 5, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
WANTED = Sharing(visible=True, help="Proof Of Concept or Demo", notes="A demo.")
LATER = {"k": 1}
"""What a later build stored with the request."""
SENT = HelpRequest("ProofOfConceptOrDemo", notes_mark("A demo."), BEFORE, unknown=LATER)
QUESTION, OTHER = Cause(UNCONFIRMED, "help", "Asked?", ""), Cause("other", "notes", "No.", "")
WAITING = {name: Difference("x", "irreversible", BEFORE) for name in ("help", "status")}
LINK = Link("006", referral_id="r-1", help=SENT, waiting=WAITING, cause=QUESTION)
LEFT_WAITING = {"status": WAITING["status"]}
RECORD = MicrosoftRecord("m-1", '"1"', "e-1", help_code="GeneralOrOther", request_notes="Two.")


def a_line(code: str, direction: LineDirection = LineDirection.NOTE, **values: str) -> Line:
    return Line(NOW, code, direction, Side.PARTNER_CENTER, "help", values=values)


def settled(link: Link, *lines: Line, request: HelpRequest | None) -> Transition:
    """The link whose request waits for nothing, and asks nobody any more."""
    return Transition(replace(link, help=request, waiting=LEFT_WAITING, cause=None, unwritten=True), lines)


def test_a_request_is_on_record_before_it_is_sent_with_what_a_later_build_stored() -> None:
    link = replace(LINK, help=replace(SENT, code=None))
    assert about_to_ask(link, WANTED, NOW) == replace(link, help=replace(SENT, decided=NOW))
    assert about_to_ask(replace(LINK, help=None), WANTED, NOW).help == replace(SENT, decided=NOW, unknown={})


@pytest.mark.parametrize(
    ("status", "code", "values"),
    [
        (None, "asked_for_help", {"until": "2026-12-05 00:00"}),
        (Status("New", "Pending"), "asked_for_help", {"until": "2026-12-05 00:00"}),
        (Status("Active", "Accepted"), "asked_and_answered", {}),
    ],
)
def test_a_request_that_microsoft_has_is_told_with_the_time_to_answer_while_it_is_open(
    status: Status | None, code: str, values: dict[str, str]
) -> None:
    link = replace(LINK, help=replace(SENT, is_question=True))
    line = a_line(code, LineDirection.TO_PARTNER_CENTER, help="Proof Of Concept or Demo", **values)
    known = replace(SENT, is_asked=True, referral_id="m-1")
    assert asked(link, replace(RECORD, status=status), NOW) == settled(link, line, request=known)


def test_a_request_of_unseen_help_is_told_without_it_and_a_record_may_say_until_when() -> None:
    link = replace(LINK, help=replace(SENT, code=None))
    [line] = asked(link, replace(RECORD, answer_by=NOW + timedelta(days=1)), NOW).lines
    assert line.values == {"help": "", "until": "2026-11-23 10:05"}
    assert asked(replace(LINK, help=None), RECORD, NOW) == Transition(replace(LINK, help=None))


def test_only_the_question_about_the_request_ends_with_it() -> None:
    assert unsure(replace(LINK, cause=OTHER), NOW, NOW).link.cause == OTHER
    assert unsure(replace(LINK, cause=None), NOW, NOW).link.cause is None


def test_another_request_is_that_of_a_colleague() -> None:
    request = HelpRequest(
        "GeneralOrOther", notes_mark("Two."), NOW, is_asked=True, asked_by=AskedBy.COLLEAGUE, referral_id="m-1",
        is_shown=False, unknown=LATER,
    )  # fmt: skip
    line = a_line("help_was_asked", help="General or Other")
    assert help_confirmed(LINK, RECORD, NOW) == settled(LINK, line, request=request)
    without = help_confirmed(replace(LINK, help=None), RECORD, NOW).link
    assert without.help == replace(request, unknown={})


def test_a_record_without_the_help_says_that_microsoft_takes_part() -> None:
    request = HelpRequest(None, None, NOW, is_asked=True, asked_by=AskedBy.COLLEAGUE, referral_id="m-1", unknown=LATER)
    silent = replace(RECORD, help_code="Unknown")
    assert help_confirmed(LINK, silent, NOW) == settled(LINK, a_line("takes_part"), request=request)


@pytest.mark.parametrize(("asked_by", "is_told"), [(AskedBy.COLLEAGUE, True), (AskedBy.MICROSOFT, False)])
def test_microsoft_that_takes_part_is_told_unless_it_sent_the_deal(asked_by: AskedBy, *, is_told: bool) -> None:
    request = HelpRequest(None, None, NOW, is_asked=True, asked_by=asked_by, unknown=LATER)
    lines = (a_line("takes_part"),) if is_told else ()
    assert takes_part(LINK, asked_by, NOW) == settled(LINK, *lines, request=request)
    assert takes_part(replace(LINK, help=None), asked_by, NOW).link.help == replace(request, unknown={})


def test_a_request_of_unknown_outcome_is_told_with_the_time_until_it_is_known() -> None:
    found = unsure(LINK, NOW + timedelta(minutes=15), NOW)
    assert found == settled(LINK, a_line("help_unsure", until="10:20"), request=SENT)


def test_only_a_person_settles_a_questioned_request() -> None:
    assert questioned(LINK) == replace(LINK, help=replace(SENT, is_question=True))
    assert questioned(replace(LINK, help=None)) == replace(LINK, help=None)


def test_nobody_looks_for_the_request_of_a_closed_deal() -> None:
    request = HelpRequest(None, None, BEFORE, is_asked=True, unknown=LATER)
    assert ended(LINK, NOW) == settled(LINK, a_line("help_ended"), request=request)
    assert ended(replace(LINK, help=None), NOW) == Transition(replace(LINK, help=None))


def test_that_nobody_looks_for_the_request_of_an_un_ticked_deal_is_told_once() -> None:
    told = replace(LINK, waiting={}, reported=("x", LEFT), cause=None, unwritten=True)
    assert left_sync(replace(LINK, reported=("x",)), NOW) == Transition(told, (a_line(LEFT),))
    for link in (told, replace(LINK, help=None), replace(LINK, help=replace(SENT, is_asked=True))):
        assert left_sync(link, NOW) == Transition(replace(link, waiting={}))


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("unwritten", [True, False])
def test_a_request_that_nobody_wants_any_more_is_forgotten(*, is_told: bool, unwritten: bool) -> None:
    found = forgotten(replace(LINK, unwritten=unwritten), NOW, is_told=is_told)
    lines = (a_line("help_not_found"),) if is_told else ()
    expected = settled(LINK, *lines, request=None)
    assert found == replace(expected, link=replace(expected.link, unwritten=unwritten or is_told))


@pytest.mark.parametrize(
    ("sharing", "named"),
    [(WANTED, "Proof Of Concept or Demo"), (replace(WANTED, help="Money"), "")],
    ids=["one of the six", "none of them"],
)
def test_a_refused_request_parks_the_pair_and_is_told_with_the_help(sharing: Sharing, named: str) -> None:
    deal, link = Deal(name="Atlas"), replace(LINK, refused={"x": WAITING["help"]})
    record = Difference(request_mark(deal, sharing), "refused_by_partner_center", NOW)
    refused = {**link.refused, "partner_center.help": record}
    expected = replace(
        link, help=None, state=State.PARKED, refused=refused, cause=OTHER, unwritten=True, waiting=LEFT_WAITING
    )
    lines = refusal_lines(NOW, Side.PARTNER_CENTER, OTHER, [Change("help", LABEL_OF_HELP, None, named)])
    assert refused_request(link, deal, sharing, OTHER, NOW) == Transition(expected, lines)


def test_an_entry_of_a_seller_stays_and_only_a_request_that_is_not_shown_yet_is_shown() -> None:
    texts = {"help": "General or Other", "notes_to_microsoft": "Two.", "microsoft_status": "Asked"}
    unshown = replace(LINK, help=replace(SENT, is_shown=False))
    both = {name: texts[name] for name in ("help", "notes_to_microsoft")}
    assert request_to_show(unshown, Sharing(), texts) == both
    assert request_to_show(unshown, Sharing(help="Mine"), texts) == {"notes_to_microsoft": "Two."}
    assert request_to_show(unshown, Sharing(), {"help": "General or Other"}) == {"help": "General or Other"}
    assert request_to_show(LINK, Sharing(), texts) == request_to_show(replace(LINK, help=None), Sharing(), texts) == {}
    assert without_request(texts) == {"microsoft_status": "Asked"}
    assert help_shown(unshown) == LINK
    assert help_shown(LINK) is LINK
