"""Decides what to write for an opportunity whose referral is a lead: nothing to Partner Center before it is accepted.

the link says   the referral is   plan
open lead       a lead            Partner Center's changes travel; each edit in Salesforce is on record, and told once
open lead       a deal            that of any other deal, and the opportunity is ticked
accepted lead   a deal            the same, until the tick is seen

Source: docs/protocol.md#leads.
"""

from copy import replace
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.deal import Side
from shared.domain.field_rules import Rules
from shared.domain.latches import LEAD_STATUS
from shared.domain.link import Link
from shared.domain.plan import plan_pair
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection
from shared.domain.sharing import NO_SHARING

OPEN_LEAD, ACCEPTED_LEAD = "open", "accepted"
"""What a link says of its referral: a lead that nobody has accepted; one that is a deal now, and is not ticked yet."""
UNSENT = "lead_unsent"
"""The key under which the link remembers that the seller was told that nothing is sent."""


def lead_after(link: Link, opportunity: Opportunity, referral: Referral) -> str | None:
    """What the link says of its lead from now on. A referral that was taken from the base is what it was."""
    if link.lead == OPEN_LEAD and (referral.raw is None or referral.is_open_lead):
        return OPEN_LEAD
    return None if opportunity.flagged else ACCEPTED_LEAD


def accepted_lines(now: datetime) -> tuple[Line, ...]:
    """The line of a lead that was accepted."""
    return (Line(now, "lead_accepted", LineDirection.NOTE, Side.PARTNER_CENTER),)


def plan_lead(
    link: Link, opportunity: Opportunity, referral: Referral, rules: Rules, now: datetime, policy: Policy
) -> Plan:
    """Merge the pair of an open lead and decide the writes, of which none goes to Partner Center."""
    is_closed = referral.status is not None and referral.status.is_final
    shown = referral if is_closed else replace(referral, status=LEAD_STATUS)
    plan = plan_pair(link, replace(opportunity, sharing=NO_SHARING), shown, rules, now, policy)
    if not (opportunity.flagged or opportunity.sharing.help):
        return plan
    line = Line(now, UNSENT, LineDirection.NOTE, Side.PARTNER_CENTER)
    told = () if UNSENT in link.reported else (line,)
    return replace(plan, reported=(*plan.reported, UNSENT), lines=(*plan.lines, *told))
