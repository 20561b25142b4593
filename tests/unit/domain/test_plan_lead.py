"""What is written for an opportunity whose referral is a lead (docs/protocol.md#leads)."""

from copy import replace

import pytest

from shared.domain.audit import Line
from shared.domain.deal import STATUS, Change, Deal, Side, Status
from shared.domain.link import Link
from shared.domain.plan_lead import ACCEPTED_LEAD, OPEN_LEAD, accepted_lines, lead_after, plan_lead
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection
from shared.domain.sharing import Sharing
from tests.unit.domain.planned_pairs import AGREED, BEFORE, LINK, LOST, NOW, RULES, codes

LEAD = replace(LINK, lead=OPEN_LEAD)
SEEN = Opportunity("006", AGREED, flagged=False, modified=BEFORE)
READ = Referral("ref", "1", AGREED, BEFORE, Status("Active", "Accepted"), is_lead=True, raw={})
UNSENT = Line(NOW, "lead_unsent", LineDirection.NOTE, Side.PARTNER_CENTER)


def planned(seen: Opportunity = SEEN, read: Referral = READ, link: Link = LEAD) -> Plan:
    return plan_lead(link, seen, read, RULES, NOW, Policy())


def test_an_edit_of_a_lead_stays_in_salesforce_and_partner_centers_travels() -> None:
    ours = planned(replace(SEEN, deal=AGREED.with_values({"notes": "new"})))
    assert (ours.to_partner_center, codes(ours)) == ((), ["lead_not_accepted"])
    theirs = planned(read=replace(READ, deal=AGREED.with_values({"notes": "new"})))
    assert theirs.to_salesforce == (Change("notes", "Notes", "old", "new"),)


def test_an_edit_of_a_closed_lead_is_told_as_one_of_a_closed_deal() -> None:
    closed = replace(READ, status=LOST, deal=AGREED.with_values({STATUS: LOST}))
    seen = replace(SEEN, deal=AGREED.with_values({STATUS: LOST, "notes": "new"}))
    found = planned(seen, closed, replace(LEAD, base=AGREED.with_values({STATUS: LOST})))
    assert codes(found) == ["closed_is_final"]
    unread = planned(replace(SEEN, deal=AGREED.with_values({"notes": "new"})), replace(READ, status=None))
    assert codes(unread) == ["lead_not_accepted"]


@pytest.mark.parametrize(
    "seen", [replace(SEEN, flagged=True), replace(SEEN, sharing=Sharing(help="General or Other"))], ids=["tick", "help"]
)
def test_a_seller_who_ticks_a_lead_or_asks_for_help_is_told_once_that_nothing_is_sent(seen: Opportunity) -> None:
    first = planned(seen)
    assert (first.lines, first.reported, first.help) == ((UNSENT,), ("lead_unsent",), None)
    again = planned(seen, link=replace(LEAD, reported=("lead_unsent",)))
    assert (again.lines, again.reported) == ((), ("lead_unsent",))
    assert planned().reported == ()


@pytest.mark.parametrize(
    ("link", "flagged", "read", "after"),
    [
        (LEAD, False, replace(READ, status=Status("New", "Received")), OPEN_LEAD),
        (LEAD, True, replace(READ, raw=None), OPEN_LEAD),
        (LEAD, False, READ, ACCEPTED_LEAD),
        (LEAD, True, READ, None),
        (replace(LEAD, lead=ACCEPTED_LEAD), False, replace(READ, raw=None), ACCEPTED_LEAD),
        (replace(LEAD, lead=ACCEPTED_LEAD), True, replace(READ, raw=None), None),
    ],
)
def test_a_lead_is_a_deal_once_it_was_accepted_and_is_ticked(
    link: Link, read: Referral, after: str | None, *, flagged: bool
) -> None:
    assert lead_after(link, replace(SEEN, flagged=flagged, deal=Deal()), read) == after


def test_that_a_lead_was_accepted_is_told() -> None:
    assert accepted_lines(NOW) == (Line(NOW, "lead_accepted", LineDirection.NOTE, Side.PARTNER_CENTER),)
