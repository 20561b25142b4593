"""Decides when Microsoft's sellers may see a deal, which cannot be undone. Pure.

Salesforce   Partner Center   base      result
ticked       private          any       sent, once it has stood
not ticked   private          any       with help chosen: as ticked
not ticked   visible          private   the field is ticked: a colleague or a request for help has shared the deal
not ticked   visible          visible   with help chosen, before Microsoft is asked: the field is ticked
not ticked   visible          visible   refused: visibility never goes back

Source: docs/protocol.md#the-type-of-a-deal, docs/protocol.md#what-cannot-be-undone-waits.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from shared.domain.audit import IRREVERSIBLE, Line
from shared.domain.deal import PRIVATE, VISIBILITY, VISIBLE, Deal
from shared.domain.help_request import sharing_mark
from shared.domain.link import Difference, Link
from shared.domain.planned import Plan
from shared.domain.policy import Policy
from shared.domain.records import Opportunity
from shared.domain.sentences import LineDirection
from shared.domain.sharing import DealType, Sharing, help_label


class SharingWait(Struct, frozen=True):
    """How long the sharing of a deal must still stand: its record, until when, and whether it begins only now."""

    record: Difference
    until: datetime
    is_new: bool


def base_of_visibility(base: Deal, referral: Deal, *, asks: bool) -> Deal:
    """The base, in which a deal is private until both sides have agreed that it is visible.

    A seller who asks for help agrees anew, also one who has cleared the tick of a visible deal before.
    """
    is_private = VISIBILITY in referral and (asks or VISIBILITY not in base)
    return base.with_values({VISIBILITY: PRIVATE}) if is_private else base


def with_help_visible(deal: Deal, referral: Deal) -> Deal:
    """The opportunity's deal of a seller who asks for help: it is visible to Microsoft, although nobody ticked that."""
    is_private = deal.get(VISIBILITY) == referral.get(VISIBILITY) == PRIVATE
    return deal.with_values({VISIBILITY: VISIBLE}) if is_private else deal


def shared_deal(opportunity: Opportunity) -> Deal:
    """The deal of a new referral: visible to Microsoft if the seller says so, or asks for help."""
    is_private = opportunity.sharing.deal_type is DealType.PRIVATE or VISIBILITY not in opportunity.deal
    return opportunity.deal if is_private else opportunity.deal.with_values({VISIBILITY: VISIBLE})


def wait_to_share(known: Difference | None, wanted: str, now: datetime, stands: timedelta) -> SharingWait | None:
    """The wait of a deal that is to be shared as `wanted`; None once it has stood long enough."""
    is_known = known is not None and known.value == wanted
    record = known if known is not None and is_known else Difference(wanted, IRREVERSIBLE, now)
    until = record.since + stands
    return SharingWait(record, until, not is_known) if now < until else None


def plan_of_shared_create(link: Link, opportunity: Opportunity, now: datetime, policy: Policy) -> Plan | None:
    """The plan of a new deal that waits until it may be shared with Microsoft; None if it can be created now."""
    sharing = opportunity.sharing
    if sharing.deal_type is DealType.PRIVATE:
        return None
    wait = wait_to_share(link.waiting.get(VISIBILITY), sharing_mark(sharing), now, policy.irreversible_wait)
    if wait is None:
        return None
    line = sharing_line(sharing, wait.until, now)
    return Plan(
        Deal(),
        waiting={VISIBILITY: wait.record},
        lines=(line,) if wait.is_new else (),
        due=wait.until,
    )


def sharing_line(sharing: Sharing, until: datetime, now: datetime) -> Line:
    """The line that says until when a deal waits before it is shared, or Microsoft is asked for help with it."""
    code = "waits_to_ask" if sharing.help else "waits_to_share"
    values = {"until": f"{until:%H:%M}", **({"help": help_label(sharing.code or "")} if sharing.help else {})}
    return Line(now, code, LineDirection.NOTE, None, VISIBILITY, values=values)
