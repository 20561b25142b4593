"""Finds deals that are there twice: two referrals of one opportunity, and two opportunities of one referral. Pure.

Source: docs/protocol.md#two-of-one.
"""

from collections.abc import Iterable
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.link import Link
from shared.domain.link_states import State
from shared.domain.records import Referral
from shared.domain.sentences import LineDirection, cause

SECOND_REFERRAL = "second_referral"


def is_second_referral(link: Link, referral: Referral) -> bool:
    """Whether an open referral claims the opportunity of a link that has another referral."""
    is_closed = referral.status is not None and referral.status.is_final
    return link.referral_id is not None and not _is_same(link.referral_id, referral.id) and not is_closed


def is_referral_taken(link: Link | None, referral_id: str) -> bool:
    """Whether a link has this referral; not the link of an opportunity that is gone."""
    return link is not None and link.state is not State.GONE and _is_same(link.referral_id, referral_id)


def without_referral(link: Link) -> Link:
    """The link of an opportunity that is back, and whose referral another one has now: it begins anew."""
    return Link(link.opportunity_id, intent=link.intent, inbox=link.inbox, unknown=link.unknown)


def second_referral_cause(link: Link) -> Cause:
    """Why the second referral of a link's opportunity is not synced."""
    return cause("second_referral_open", "identifier", opportunity=link.opportunity_id, linked=link.referral_id)


def second_referral_line(referral_id: str, now: datetime) -> Line:
    """The line that tells the opportunity of its second referral."""
    values = {"referral": referral_id}
    return Line(now, SECOND_REFERRAL, LineDirection.NOTE, Side.PARTNER_CENTER, values=values)


def is_told(lines: Iterable[Line], referral_id: str) -> bool:
    """Whether the audit has told of this second referral already."""
    return any(line.code == SECOND_REFERRAL and line.values.get("referral") == referral_id for line in lines)


def _is_same(one: str | None, other: str) -> bool:
    return one is not None and one.lower() == other.lower()
