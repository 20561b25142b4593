"""Decides what becomes of a link that meets refusals which cannot be read. Pure.

A gateway between the sync and a service may answer any call with a page. So such a refusal is tried again, later each
time; if it lasts, what it refuses is parked and tried again each hour.

Source: docs/protocol.md#unreadable-refusals.
"""

from copy import replace
from datetime import datetime

from shared.domain.cause import Cause
from shared.domain.deal import Side
from shared.domain.link import WHOLE, Link
from shared.domain.repeats import lasting_refusal, with_unreadable, without_unreadable


def refused_once_more(link: Link, side: Side, now: datetime) -> tuple[Link, int, Cause | None]:
    """The link after one more unreadable refusal, how many there were, and why it is parked, once that lasts."""
    repeats = with_unreadable(link.repeats, side, now)
    return replace(link, repeats=repeats), repeats.tries(side), lasting_refusal(repeats, side, now)


def lasting_create_refusal(link: Link, now: datetime) -> Cause | None:
    """Why the deal must be parked before it is created again; None if it may be, or is tried again although parked.

    It is parked only here, after a look for the referral: the last answer did not say that there is none.
    """
    return None if WHOLE in link.refused else lasting_refusal(link.repeats, Side.PARTNER_CENTER, now)


def tried_again(link: Link, now: datetime) -> Link:
    """The link of a parked deal that is sent again now: the next try without an edit is an hour away."""
    known = link.refused.get(WHOLE)
    return replace(link, refused={**link.refused, WHOLE: replace(known, since=now)}) if known else link


def taken(link: Link, side: Side) -> Link:
    """The link once a side has taken all that was written."""
    return replace(link, repeats=without_unreadable(link.repeats, side))
