"""The plan of one pair: the writes to make on each side, and what to remember."""

from collections.abc import Iterator, Mapping
from copy import replace
from datetime import datetime

from msgspec import Struct, field

from shared.domain.answer_clock import AnswerTime
from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.counted_changes import Counted, counted_changes
from shared.domain.deal import Change, Deal, Side
from shared.domain.help_request import HelpStep
from shared.domain.link import REFUSED_BY_SALESFORCE, REFUSED_UNREADABLY, TRY_AGAIN, Difference, Link
from shared.domain.link_states import SUSPENDED, State
from shared.domain.ping_pong import PING_PONG
from shared.domain.untaken_codes import INACTIVE_SOLUTION, UNTAKEN

TRIED_AGAIN = UNTAKEN | REFUSED_UNREADABLY | {REFUSED_BY_SALESFORCE, PING_PONG}
"""The codes of what is written again after a while."""


class Plan(Struct, frozen=True):
    """The writes to make on each side, and what to remember.

    base                the deal with the values that both sides already agree on
    refused, waiting    the complete records after this plan
    lines               audit lines to store with the records
    losses              audit lines about discarded values, to store once a write is confirmed
    reported            the keys of all causes and warnings that hold now
    state               the state of the link after this plan
    due                 when the earliest waiting change may be sent, the earliest refused one is tried again, or the
                        next warning about an unanswered deal is due
    cause               why a value in Salesforce cannot be read, or is a question
    has_answer          whether the stage was edited: it would be sent, or a latch, a wait or a conflict stops it
    continues           whether the pair is planned again once Partner Center has taken the changes: a close follows
    help                what is done about the request for help
    answer_by           until when we must answer the deal, with the warnings that were given
    tries               the paths in the changes to Partner Center of which nobody knows whether it takes a change
    replaces_list       whether a whole list is sent, so that all that Partner Center holds of it must be read
    counted             the changes that the mass-change stop counts
    """

    base: Deal
    to_partner_center: tuple[Change, ...] = ()
    to_salesforce: tuple[Change, ...] = ()
    refused: Mapping[str, Difference] = field(default_factory=dict)
    waiting: Mapping[str, Difference] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    losses: tuple[Line, ...] = ()
    reported: tuple[str, ...] = ()
    state: State = State.LIVE
    due: datetime | None = None
    cause: Cause | None = None
    has_answer: bool = False
    continues: bool = False
    help: HelpStep | None = None
    answer_by: AnswerTime | None = None
    tries: frozenset[str] = frozenset()
    replaces_list: bool = False
    counted: tuple[Counted, ...] = ()

    @property
    def agreed(self) -> bool:
        """Whether nothing differs, and no difference is on record."""
        return not (self.to_partner_center or self.to_salesforce or self.refused or self.waiting)


def with_counted(plan: Plan) -> Plan:
    """The plan that names its counted changes. A plan that writes nothing has none."""
    if not (plan.to_partner_center or plan.to_salesforce or plan.help):
        return plan
    asks = plan.help is HelpStep.ASK
    return replace(plan, counted=counted_changes(plan.to_partner_center, plan.to_salesforce, asks=asks))


def next_tries(
    link: Link, refused: Mapping[str, Difference], to_salesforce: list[Change], now: datetime
) -> Iterator[datetime]:
    """When what Salesforce refused, and this plan does not write, is written again: values, and columns of ours.

    An edit of the catalogue touches no deal, so a deal with a solution that is inactive there is looked at again.
    """
    written = {f"{Side.SALESFORCE}.{change.field}" for change in to_salesforce}
    left = [record.since for key, record in refused.items() if key not in written if record.code in TRIED_AGAIN]
    shown = [link.unshown.since] if link.unshown else []
    looks = [now] if any(record.code == INACTIVE_SOLUTION for record in refused.values()) else []
    return (since + TRY_AGAIN for since in (*left, *shown, *looks) if since + TRY_AGAIN > now)


def must_return(link: Link, now: datetime) -> bool:
    """Whether a pair must be looked at again although nobody edits it: its entry in a retry queue says when.

    It waits for its time, cannot be sent, is to be warned of, or holds a value that Salesforce refuses for now.
    """
    if link.state in SUSPENDED or link.state is State.CLOSED:
        return False
    end = link.answer_by if link.state is State.ON_HOLD else None
    is_warned = end is not None and bool(end.next_warning(now) or end.due_warning(now))
    return is_warned or link.state is State.HELD or waits_since(link) is not None


def waits_since(link: Link) -> datetime | None:
    """Since when the newest difference of a pair waits for its time, or for its next try; None if none does."""
    tried = (record.since for record in link.refused.values() if record.code in TRIED_AGAIN)
    return max((*tried, *(record.since for record in link.waiting.values())), default=None)
