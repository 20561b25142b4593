"""Decides what a stage says to Microsoft, where it does not say it by itself. Pure.

referral      stage means   sent
unanswered    Lost          Closed/Declined, unless the mapping file says otherwise
unanswered    Won, Lost     Active/Accepted, and then the close
any           a close       with its reason; without one that it needs, nothing, and the audit asks

Source: docs/protocol.md#accept-decline-and-close.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from shared.domain.audit import IRREVERSIBLE, Line
from shared.domain.cause import Cause
from shared.domain.closing_reasons import OTHERS, REASONS, known_reasons, listed_reason, reason_text, with_details
from shared.domain.deal import Deal, Side, Status, fingerprint
from shared.domain.field_rules import Answers
from shared.domain.link import Difference, Link
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection, cause

DECLINE = "decline"
"""The code of a wait for a decline that the stage calls lost: it must stand anew if it becomes a loss."""
HOLD_WIN = "hold_win"
"""The code of a wait for the time from which a win can be registered."""
NO_REASON, UNLISTED_REASON = "no_reason", "unlisted_reason"
ASKED_FOR = frozenset({NO_REASON, UNLISTED_REASON})
"""The codes of a close that waits for its reason."""


class Answer(Struct, frozen=True):
    """What is sent for a stage.

    wanted    the status that the stage means
    sent      the status as Partner Center gets it, with its reason
    is_step   whether only an accept is sent, and the close follows
    new       what is sent, as the merge knows it
    cause     why nothing is sent
    """

    wanted: Status
    sent: Status
    new: Status
    is_step: bool = False
    cause: Cause | None = None

    @property
    def told(self) -> Status:
        """The status that the deal will have, as the audit names it."""
        return self.wanted if self.is_step else self.sent

    @property
    def wait_code(self) -> str:
        """What a wait for this answer is called on record."""
        return DECLINE if self.sent.substatus == "Declined" != self.wanted.substatus else IRREVERSIBLE


class Wait(Struct, frozen=True):
    """The wait of a close that cannot be undone: its record, and until when it lasts."""

    record: Difference
    until: datetime
    is_new: bool
    is_over: bool

    @property
    def is_held(self) -> bool:
        """Whether it is a win that could be registered too early otherwise."""
        return self.record.code == HOLD_WIN

    @property
    def shown_until(self) -> str:
        """Until when, as the audit shows it: with its day if that may be another one."""
        return f"{self.until:%Y-%m-%d %H:%M}" if self.is_held else f"{self.until:%H:%M}"


class Delays(Struct, frozen=True):
    """How long a close must stand before it is sent, and until when a win is held; None where it is not held."""

    stands: timedelta
    wins_from: datetime | None = None


def delays_of(referral: Referral, policy: Policy) -> Delays:
    """The delays of a deal. A win that Microsoft sees may be registered, which takes a time since the creation."""
    created = referral.created if referral.is_shared and policy.hold_win else None
    return Delays(policy.irreversible_wait, created + policy.hold_win if created else None)


def answer_for(current: Status | None, wanted: Status, opportunity: Opportunity, answers: Answers) -> Answer:
    """What is sent to a referral with the status `current`, so that it becomes `wanted`."""
    if not wanted.is_final:
        return Answer(wanted, wanted, wanted)
    sent = wanted
    if current is not None and current.is_unanswered:
        if wanted.substatus == "Lost" and answers.lost_declines:
            sent = Status("Closed", "Declined")
        elif wanted.substatus in ("Won", "Lost"):
            found = _with_reason(wanted, wanted, opportunity)
            return Answer(wanted, answers.accepted, answers.accepted, is_step=True, cause=found.cause)
    return _with_reason(sent, wanted, opportunity)


def _with_reason(sent: Status, wanted: Status, opportunity: Opportunity) -> Answer:
    """The close with the reason that a person chose, or else the stage's own. Only a loss has a default."""
    if sent.substatus not in REASONS:
        return Answer(wanted, sent, wanted)
    if opportunity.reason:
        return _with_chosen_reason(sent, wanted, opportunity, opportunity.reason)
    given = wanted.reason if wanted.substatus == sent.substatus else None
    has_default = sent.substatus == "Lost" or opportunity.reason is None  # an org without the field cannot be asked
    if given is None and not has_default:
        known = known_reasons(sent.substatus)
        found = cause(NO_REASON, "status", value=opportunity.stage, sent=sent.substatus, known=known)
        return Answer(wanted, sent, wanted, cause=found)
    return Answer(wanted, Status(sent.status, sent.substatus, reason_text(sent.substatus, given or OTHERS)), wanted)


def _with_chosen_reason(sent: Status, wanted: Status, opportunity: Opportunity, chosen: str) -> Answer:
    listed = listed_reason(sent.substatus, chosen)
    if listed is None:
        known = known_reasons(sent.substatus)
        found = cause(UNLISTED_REASON, "status", value=chosen, sent=sent.substatus, known=known)
        return Answer(wanted, sent, wanted, cause=found)
    reason = with_details(listed, opportunity.reason_details)
    return Answer(wanted, Status(sent.status, sent.substatus, reason), wanted)


def asked_record(known: Difference | None, status: Status, found: Cause, now: datetime) -> Difference:
    """The record of a close that waits for its reason; its time is that of the first question about it."""
    mark = fingerprint(status)
    is_same = known is not None and known.value == mark and known.code in ASKED_FOR
    return Difference(mark, found.code, known.since if known is not None and is_same else now)


def wait_for(link: Link, name: str, answer: Answer, now: datetime, delays: Delays) -> Wait:
    """The wait of a close. The time in which it waited for its reason counts. An accept is not held as its win is."""
    known, record = link.waiting.get(name), _waiting_record(link, name, answer, now, answer.wait_code)
    until, held_until = record.since + delays.stands, delays.wins_from
    if answer.sent.substatus == "Won" and held_until is not None and until < held_until:
        record, until = _waiting_record(link, name, answer, now, HOLD_WIN), held_until
    return Wait(record, until, is_new=record is not known, is_over=now >= until)


def _waiting_record(link: Link, name: str, answer: Answer, now: datetime, code: str) -> Difference:
    mark = fingerprint(answer.wanted)
    waiting, asked = link.waiting.get(name), link.refused.get(f"{Side.PARTNER_CENTER}.{name}")
    if waiting is not None and waiting.value == mark and waiting.code in (code, HOLD_WIN):
        return waiting
    is_asked = asked is not None and asked.value == mark and asked.code in ASKED_FOR
    return Difference(mark, code, asked.since if asked is not None and is_asked else now)


def unsent_line(now: datetime, edits: Sequence[str]) -> Line:
    """The line that lists the edits of a deal that is declined: they stay in Salesforce only."""
    return Line(
        now, "unsent_edits", LineDirection.NOTE, Side.PARTNER_CENTER, "status", values={"edits": "; ".join(edits)}
    )


def with_lost_as_declined(base: Deal, opportunity: Opportunity, referral: Referral, answers: Answers) -> Deal:
    """The base of a deal that was declined while its stage says lost: the stage of a decline replaces that stage.

    A table without such a stage shows the decline as lost, so that both sides agree.
    """
    stage, there = opportunity.deal.get("status"), referral.deal.get("status")
    is_declined = referral.status is not None and referral.status.substatus == "Declined"
    if not (is_declined and answers.lost_declines and isinstance(stage, Status)):
        return base
    return base.with_values({"status": stage}) if stage.substatus == "Lost" and stage != there else base
