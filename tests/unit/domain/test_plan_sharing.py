"""What the plan of one pair says of sharing and of help (docs/protocol.md#what-cannot-be-undone-waits)."""

from copy import replace
from typing import Any

from shared.domain.audit import IRREVERSIBLE
from shared.domain.deal import (
    PRIVATE,
    VISIBILITY,
    VISIBLE,
    Change,
    fingerprint,
)
from shared.domain.field_rules import Rules
from shared.domain.help_request import HelpRequest, HelpStep, sharing_mark
from shared.domain.link import Difference, Link
from shared.domain.planned import Plan
from shared.domain.sharing import Sharing
from tests.unit.domain.planned_pairs import (
    AGREED,
    BEFORE,
    LINK,
    NOW,
    RULES,
    SHOWN,
    WAIT,
    codes,
    plan_with,
)

TICKED = replace(LINK, base=AGREED.with_values({VISIBILITY: PRIVATE}))
WITH_SHARING = Rules({**RULES.by_field, VISIBILITY: SHOWN}, "m")
HELP = Sharing(visible=True, help="General or Other")


def shared(ours: str, *, link: Link = TICKED, theirs: str = PRIVATE, sharing: Sharing | None = None) -> Plan:
    seen: dict[str, Any] = {"deal": AGREED.with_values({VISIBILITY: ours}), "sharing": sharing or Sharing(visible=True)}
    return plan_with(None, {VISIBILITY: theirs}, link=link, rules=WITH_SHARING, seen=seen)


def test_a_tick_waits_is_told_and_is_sent() -> None:
    first = shared(VISIBLE)
    record = Difference(fingerprint(VISIBLE), IRREVERSIBLE, NOW)
    assert (first.to_partner_center, first.waiting, first.due) == ((), {VISIBILITY: record}, NOW + WAIT)
    assert [(line.code, line.values["until"]) for line in first.lines] == [("waiting", "12:02")]
    again = shared(VISIBLE, link=replace(TICKED, waiting=first.waiting))
    assert (again.lines, again.waiting) == ((), first.waiting)
    stood = replace(TICKED, waiting={VISIBILITY: replace(record, since=NOW - WAIT)})
    change = Change(VISIBILITY, "Visible", PRIVATE, VISIBLE)
    assert (shared(VISIBLE, link=stood).to_partner_center, shared(VISIBLE, link=stood).to_salesforce) == ((change,), ())


def test_a_deal_that_is_shared_there_is_ticked_here() -> None:
    assert shared(PRIVATE, theirs=VISIBLE).to_salesforce == (Change(VISIBILITY, "Visible", PRIVATE, VISIBLE),)


def test_notes_to_microsoft_without_help_are_told_once() -> None:
    found = shared(PRIVATE, sharing=Sharing(notes="n"))
    assert (codes(found), found.reported, found.help) == (["notes_alone"], ("notes_alone",), None)


def test_a_request_waits_until_microsoft_has_seen_it_or_sees_the_deal() -> None:
    known = HelpRequest("GeneralOrOther", None, BEFORE)
    found = shared(VISIBLE, theirs=VISIBLE, sharing=HELP, link=replace(TICKED, help=known))
    assert (found.help, found.due) == (HelpStep.LOOK, NOW)
    asked = replace(known, is_asked=True)
    assert shared(VISIBLE, theirs=VISIBLE, sharing=HELP, link=replace(TICKED, help=asked)).help is None
    stood = {"help": Difference(sharing_mark(HELP), IRREVERSIBLE, NOW - WAIT)}
    lacking = shared(VISIBLE, theirs=VISIBLE, sharing=HELP, link=replace(TICKED, waiting=stood))
    assert (lacking.help, {line.code for line in lacking.lines}) == (None, {"help_lacks", "help_without_contact"})
    assert lacking.cause is not None
