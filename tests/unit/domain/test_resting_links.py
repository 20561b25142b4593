"""What becomes of a link through which no value travels (docs/protocol.md#states-of-a-link)."""

from copy import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import STATUS, Deal, Side, Status, Value, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.help_request import HELP_KEY, LEFT, HelpRequest
from shared.domain.latches import CLOSED_IS_FINAL
from shared.domain.link import REFUSED_BY_SALESFORCE, WAS_DELETED, Difference, Gone, Link
from shared.domain.link_states import Mark, State
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.rest_texts import CHANGED_AFTER_CLOSE
from shared.domain.resting_links import gone, has_open_referral, paused, resumed, seen_closed, settled
from shared.domain.sentences import LineDirection
from shared.domain.sharing import Sharing

NOW, BEFORE = datetime(2026, 11, 22, 12, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
NOTE = LineDirection.NOTE
WON, OPEN = Status("Closed", "Won"), Status("Active", "Accepted")
RULES = Rules({STATUS: Rule(STATUS, "Stage"), "notes": Rule("notes", "Notes")})
ASKING = HelpRequest("help", "notes", BEFORE)
CAUSE = Cause("refused", "notes", "reason", "remedy")
ENDED = Deal(status=WON, notes="agreed")
LINK = Link("006", referral_id="ref", base=ENDED, mapping=None, agreed=True)


def an_opportunity(**values: Value | None) -> Opportunity:
    return Opportunity("006", Deal({**ENDED, **values}), flagged=True, modified=NOW)


def a_referral(**values: Value | None) -> Referral:
    return Referral("ref", "etag", Deal({**ENDED, **values}), NOW)


def record_of(value: Value | None, code: str = "set_at_creation") -> Difference:
    return Difference(fingerprint(value), code, BEFORE)


def test_a_deal_that_is_un_ticked_says_so_once_and_forgets_what_waits() -> None:
    link = replace(LINK, mark=Mark.SYNCED, waiting={"status": record_of(WON)}, gone=Gone(WAS_DELETED, BEFORE))
    rest = paused(link, NOW)
    assert rest.lines == (Line(NOW, "paused", NOTE),)
    expected = replace(link, state=State.PAUSED, before=State.LIVE, gone=None, agreed=False, waiting={}, unwritten=True)
    assert rest.link == expected
    again = paused(rest.link, NOW)
    assert (again.lines, again.link) == ((), rest.link)


def test_a_deal_that_shows_no_mark_is_paused_without_a_word() -> None:
    rest = paused(LINK, NOW)
    assert (rest.lines, rest.link.unwritten, rest.link.state) == ((), False, State.PAUSED)
    assert paused(replace(LINK, unwritten=True), NOW).link.unwritten


def test_a_deal_that_was_never_sent_is_not_paused() -> None:
    rest = paused(replace(LINK, referral_id=None, mark=Mark.FAILED), NOW)
    assert (rest.link.state, rest.lines) == (State.LIVE, ())


@pytest.mark.parametrize(
    ("before", "base", "state"),
    [
        (State.PARKED, Deal(status=OPEN), State.PARKED),
        (None, Deal(status=OPEN), State.LIVE),
        (State.PARKED, ENDED, State.CLOSED),
        (State.PAUSED, ENDED, State.PAUSED),
        (None, ENDED, State.CLOSED),
    ],
)
def test_a_link_returns_to_the_state_of_before_or_is_closed(before: State | None, base: Deal, state: State) -> None:
    link = replace(LINK, state=State.GONE, before=before, base=base, gone=Gone(WAS_DELETED, BEFORE))
    assert resumed(link) == replace(link, state=state, before=None, gone=None, agreed=False)


def test_a_missing_opportunity_is_gone_and_nothing_of_it_is_known() -> None:
    link = replace(LINK, state=State.PARKED, stamps={"opportunity": "1"})
    lost = gone(link, WAS_DELETED, NOW)
    assert lost.lines == (Line(NOW, WAS_DELETED, NOTE),)
    known = Gone(WAS_DELETED, NOW)
    expected = replace(link, state=State.GONE, before=State.PARKED, gone=known, agreed=False, stamps={}, unwritten=True)
    assert lost.link == expected


def test_an_opportunity_that_is_gone_for_another_reason_keeps_its_state_of_before_and_its_end() -> None:
    link = replace(LINK, state=State.GONE, before=State.PAUSED, gone=Gone("was_hidden", BEFORE, is_closed=True))
    lost = gone(link, WAS_DELETED, NOW).link
    assert (lost.before, lost.gone) == (State.PAUSED, Gone(WAS_DELETED, NOW, is_closed=True))
    assert gone(replace(link, gone=Gone("was_hidden", BEFORE)), WAS_DELETED, NOW).link.gone == Gone(WAS_DELETED, NOW)


def test_the_referral_of_a_deal_that_is_gone_is_open_until_its_end_is_known() -> None:
    open_link = replace(LINK, base=Deal(status=OPEN))
    assert has_open_referral(open_link)
    assert has_open_referral(replace(open_link, gone=Gone(WAS_DELETED, NOW)))
    assert not has_open_referral(replace(open_link, gone=Gone(WAS_DELETED, NOW, is_closed=True)))
    assert not has_open_referral(LINK)


@pytest.mark.parametrize("state", [State.LIVE, State.PARKED])
def test_a_link_is_closed_once_both_sides_agree_on_the_end(state: State) -> None:
    link = replace(LINK, state=state)
    assert settled(link, an_opportunity(), a_referral(), RULES) == replace(link, state=State.CLOSED)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.PAUSED},
        {"state": State.ON_HOLD},
        {"lead": "accepted"},
        {"base": Deal(status=OPEN, notes="agreed")},
        {"waiting": {"notes": record_of("x")}},
        {"refused": {"salesforce.notes": record_of("x", REFUSED_BY_SALESFORCE)}},
        {"cause": CAUSE},
        {"help": ASKING},
    ],
    ids=str,
)
def test_a_link_stays_as_it_is_while_something_is_to_be_done(changes: dict[str, Any]) -> None:
    link = replace(LINK, **changes)
    assert settled(link, an_opportunity(), a_referral(), RULES) == link


def test_a_link_is_closed_once_its_request_is_known_or_nobody_looks_for_it() -> None:
    for link in (replace(LINK, help=replace(ASKING, is_asked=True)), replace(LINK, help=ASKING, reported=(LEFT,))):
        assert settled(link, an_opportunity(), a_referral(), RULES).state is State.CLOSED


def test_a_list_of_which_only_a_part_was_read_is_no_edit_after_the_close() -> None:
    part = replace(an_opportunity(notes="cut"), partial=("notes",))
    assert seen_closed(CLOSED, part, None, CLOSED_RULES, Policy(), NOW).lines == ()


def test_a_link_is_not_closed_without_its_ticked_opportunity_or_with_an_edit() -> None:
    unticked = replace(an_opportunity(), flagged=False)
    for opportunity, referral in (
        (None, a_referral()),
        (unticked, a_referral()),
        (an_opportunity(status=OPEN), a_referral()),
        (an_opportunity(), a_referral(status=OPEN)),
        (an_opportunity(notes="edited"), a_referral()),
        (an_opportunity(), a_referral(notes="edited")),
    ):
        assert settled(LINK, opportunity, referral, RULES) == LINK
    is_open = replace(LINK, base=Deal(status=OPEN))
    assert settled(is_open, an_opportunity(status=OPEN), a_referral(status=OPEN), RULES) == is_open


def test_a_link_with_a_refused_value_and_its_cause_is_closed() -> None:
    refused = {"partner_center.notes": record_of("x", "refused_by_partner_center")}
    link = replace(LINK, refused=refused, cause=CAUSE)
    assert settled(link, an_opportunity(), a_referral(), RULES).state is State.CLOSED
    assert settled(link, an_opportunity(notes="x"), a_referral(), RULES).state is State.CLOSED
    assert settled(link, an_opportunity(notes="y"), a_referral(), RULES) == link


CLOSED = replace(LINK, state=State.CLOSED, mapping="m", sources={"notes": "", STATUS: ""})
CLOSED_RULES = replace(RULES, mapping="m")


@pytest.mark.parametrize(
    ("side", "code", "system"),
    [
        (Side.SALESFORCE, CLOSED_IS_FINAL.code, "Partner Center"),
        (Side.PARTNER_CENTER, CHANGED_AFTER_CLOSE, "Salesforce"),
    ],
)
def test_an_edit_after_the_close_is_on_record_and_told_once(side: Side, code: str, system: str) -> None:
    edited = {"notes": "edited"}
    opportunity = an_opportunity(**edited) if side is Side.SALESFORCE else an_opportunity()
    referral = a_referral(**edited) if side is Side.PARTNER_CENTER else a_referral()
    seen = seen_closed(CLOSED, opportunity, referral, CLOSED_RULES, Policy(), NOW)
    values = {"label": "Notes", "system": system}
    assert seen.lines == (Line(NOW, code, NOTE, side.other, "notes", "agreed", "edited", code, values),)
    record = Difference(fingerprint("edited"), code, NOW)
    assert seen.link == replace(CLOSED, refused={f"{side.other}.notes": record}, unwritten=True)
    again = seen_closed(seen.link, opportunity, referral, CLOSED_RULES, Policy(), NOW)
    assert (again.lines, again.link) == ((), seen.link)
    back = seen_closed(seen.link, an_opportunity(), a_referral(), CLOSED_RULES, Policy(), NOW)
    assert (back.lines, back.link.refused) == ((), {})


def test_a_record_of_another_kind_stays_when_the_value_is_as_agreed() -> None:
    link = replace(CLOSED, refused={"partner_center.notes": record_of("x")})
    seen = seen_closed(link, an_opportunity(), None, CLOSED_RULES, Policy(), NOW)
    assert (seen.lines, seen.link) == ((), link)


def test_an_open_deal_in_step_is_not_closed() -> None:
    link = replace(LINK, base=ENDED.with_values({STATUS: OPEN}))
    assert settled(link, an_opportunity(status=OPEN), a_referral(status=OPEN), RULES) == link


def test_an_edit_of_before_the_close_that_was_taken_back_is_forgotten_and_of_a_list_kept() -> None:
    key = "partner_center.notes"
    edits = replace(CLOSED, refused={key: record_of("x", "not_answered")})
    assert seen_closed(edits, an_opportunity(), a_referral(), CLOSED_RULES, Policy(), NOW).link.refused == {}
    listed = replace(edits, base=ENDED.with_values({"notes": ("a",)}))
    rules = replace(CLOSED_RULES, by_field={**RULES.by_field, "notes": Rule("notes", "Notes", is_set=True)})
    sides = an_opportunity(notes=("a",)), a_referral(notes=("a",))
    assert seen_closed(listed, *sides, rules, Policy(), NOW).link.refused == edits.refused


def test_what_the_base_does_not_hold_and_a_side_that_was_not_read_say_nothing() -> None:
    link = replace(CLOSED, base=Deal(status=WON))
    seen = seen_closed(link, an_opportunity(notes="edited"), None, CLOSED_RULES, Policy(), NOW)
    assert (seen.lines, seen.link) == ((), link)


def test_help_that_is_chosen_after_the_close_is_told_not_to_be_asked_for_even_if_the_stage_is_open_again() -> None:
    reopened = replace(an_opportunity(status=OPEN), sharing=Sharing(visible=True, help="General or Other"))
    seen = seen_closed(CLOSED, reopened, None, CLOSED_RULES, Policy(), NOW)
    assert seen.link.refused[HELP_KEY].code == "help_closed"
    assert "help_closed" in [line.code for line in seen.lines]
