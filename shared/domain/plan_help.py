"""Decides whether Microsoft is asked for help with a linked deal, and when. Pure.

help chosen   request    decided
yes           none       told why not; or waits two minutes; or asked
yes, no       unknown    waits until the settle time is over; then Microsoft's record is looked for
same          asked      nothing
other, no     asked      told: it cannot be changed

Source: docs/protocol.md#asking-microsoft-for-help.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from shared.domain.audit import IRREVERSIBLE, Line
from shared.domain.cause import Cause
from shared.domain.deal import VISIBILITY, Side, Status, fingerprint
from shared.domain.field_rules import Rules
from shared.domain.help_request import (
    HELP,
    HELP_KEY,
    NOTES_KEY,
    NOTES_TO_MICROSOFT,
    UNCONFIRMED,
    AskedBy,
    HelpRequest,
    HelpStep,
    request_mark,
    sharing_mark,
)
from shared.domain.link import Difference, Link
from shared.domain.microsoft_record import notes_mark
from shared.domain.obstacles import help_obstacles
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection, cause
from shared.domain.sharing import LABEL_OF_HELP, LABEL_OF_NOTES, help_label
from shared.domain.visibility import SharingWait, wait_to_share


class HelpDecision(Struct, frozen=True):
    """What is decided about the request of one pair.

    step      what is done now
    refused   what is not sent, by key
    told      lines for each of `refused` that is new
    causes    why the request must wait for a person, by field
    wait      the wait until it is sent; also while it is being sent
    due       when the pair is looked at again
    """

    step: HelpStep | None = None
    refused: Mapping[str, Difference] = {}
    told: tuple[Line, ...] = ()
    causes: Mapping[str, Cause] = {}
    wait: SharingWait | None = None
    due: datetime | None = None


NOTHING = HelpDecision()


def hindrance(opportunity: Opportunity, status: Status | None, *, is_from_microsoft: bool = False) -> str | None:
    """Why nobody asks Microsoft for help with a deal in this status, as a code; None if it can be asked.

    What no later change of the deal can mend comes first.
    """
    if is_from_microsoft:
        return "help_from_microsoft"
    stage = opportunity.deal.get("status")
    if any(isinstance(one, Status) and one.is_final for one in (stage, status)):
        return "help_closed"
    return "help_not_answered" if status is not None and status.is_unanswered else None


def shares_by_help(opportunity: Opportunity, referral: Referral, rules: Rules, policy: Policy) -> bool:
    """Whether the help that a seller has chosen lets Microsoft see the deal."""
    code = hindrance(opportunity, referral.status, is_from_microsoft=referral.is_from_microsoft)
    return not (code or help_obstacles(opportunity, rules, policy))


def decide_help(
    link: Link,
    opportunity: Opportunity,
    status: Status | None,
    rules: Rules,
    now: datetime,
    policy: Policy,
    *,
    is_from_microsoft: bool = False,
) -> HelpDecision:
    """Decide about the request of a linked pair that has one, or whose seller has chosen help."""
    request = link.help
    if request is not None and request.is_asked:
        return _after_asking(link, opportunity, request, now)
    if request is not None:
        is_closed = status is not None and status.is_final
        return _while_unknown(opportunity, request, now, policy, is_closed=is_closed)
    code = hindrance(opportunity, status, is_from_microsoft=is_from_microsoft)
    if code:
        return _refused(link, {HELP_KEY: (code, HELP)}, now)  # told once, whatever help it is
    causes = help_obstacles(opportunity, rules, policy)
    if causes:
        return HelpDecision(causes=causes, due=now + policy.held_interval)
    known = link.refused.get(HELP_KEY)
    if known is not None and known.value == request_mark(opportunity.deal, opportunity.sharing):  # it was refused
        return HelpDecision(refused={HELP_KEY: known}, due=now + policy.held_interval)
    return _wait_or_ask(link, opportunity, now, policy)


def _wait_or_ask(link: Link, opportunity: Opportunity, now: datetime, policy: Policy) -> HelpDecision:
    """The request is sent once it has stood. A new deal has waited for its sharing, which counts."""
    wanted = sharing_mark(opportunity.sharing)
    marks = (link.waiting.get(HELP), link.waiting.get(VISIBILITY))
    known = next((one for one in marks if one is not None and one.value == wanted), None)
    wait = wait_to_share(known, wanted, now, policy.irreversible_wait)
    if wait is not None:
        return HelpDecision(wait=wait, due=wait.until)
    stood = SharingWait(known or Difference(wanted, IRREVERSIBLE, now), now, is_new=False)
    return HelpDecision(HelpStep.ASK, wait=stood, due=now)


def _while_unknown(
    opportunity: Opportunity, request: HelpRequest, now: datetime, policy: Policy, *, is_closed: bool
) -> HelpDecision:
    """An unknown request is looked for, then a person is asked. A closed deal asks nobody: the last look ends it."""
    if request.is_question and not opportunity.sharing.help:
        return HelpDecision(HelpStep.FORGET, due=now)
    until = settled_at(request, policy)
    if now < until:
        return HelpDecision(due=until)
    causes = {HELP: cause(UNCONFIRMED, HELP)} if request.is_question and not is_closed else {}
    return HelpDecision(HelpStep.LOOK, causes=causes, due=now + policy.held_interval if causes else now)


def settled_at(request: HelpRequest, policy: Policy) -> datetime:
    """From when Microsoft's record would be seen if the request had taken effect."""
    return request.decided + policy.lease + policy.settle_time


def _after_asking(link: Link, opportunity: Opportunity, request: HelpRequest, now: datetime) -> HelpDecision:
    """What a seller changed after Microsoft was asked: it cannot be sent."""
    sharing, changed = opportunity.sharing, dict[str, tuple[str, str]]()
    if request.asked_by is AskedBy.MICROSOFT:
        return _refused(link, {HELP_KEY: ("help_from_microsoft", HELP)}, now) if sharing.help else NOTHING
    if request.code is not None and sharing.code != request.code and (sharing.help or request.is_shown):
        changed[HELP_KEY] = ("help_stays", sharing.help)
    is_theirs = request.asked_by is AskedBy.COLLEAGUE and not sharing.notes  # an org may not show them at all
    if request.notes is not None and not is_theirs and notes_mark(sharing.notes) != request.notes:
        changed[NOTES_KEY] = ("notes_stay", notes_mark(sharing.notes))
    return _refused(link, changed, now, asked=request.code)


def _refused(
    link: Link, changed: Mapping[str, tuple[str, str]], now: datetime, asked: str | None = None
) -> HelpDecision:
    """Put what is not sent on record, by key with its code and value; each is told once."""
    refused, told = dict[str, Difference](), list[Line]()
    for key, (code, value) in changed.items():
        known, mark = link.refused.get(key), fingerprint(value)
        if known is not None and (known.value, known.code) == (mark, code):
            refused[key] = known
            continue
        refused[key] = Difference(mark, code, now)
        told.append(_line_of(key, code, value, asked, now))
    return HelpDecision(refused=refused, told=tuple(told))


def _line_of(key: str, code: str, value: str, asked: str | None, now: datetime) -> Line:
    name, label = (HELP, LABEL_OF_HELP) if key == HELP_KEY else (NOTES_TO_MICROSOFT, LABEL_OF_NOTES)
    before, after = (help_label(asked or ""), value or "empty") if code == "help_stays" else (None, None)
    direction, side = LineDirection.NOT_SYNCED, Side.PARTNER_CENTER
    return Line(now, code, direction, side, name, before, after, rule=code, values={"label": label})


def unsent_notes_lines(now: datetime) -> Mapping[str, Line]:
    """The line of a deal with notes to Microsoft and without help, by the key to report it: they are not sent."""
    direction, side = LineDirection.NOTE, Side.PARTNER_CENTER
    line = Line(now, "notes_alone", direction, side, NOTES_TO_MICROSOFT, values={"label": LABEL_OF_NOTES})
    return {"notes_alone": line}
