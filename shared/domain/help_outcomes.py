"""Decides what becomes of a link once a request for help was sent, looked for or heard of. Pure.

Source: docs/protocol.md#asking-microsoft-for-help.
"""

from collections.abc import Mapping
from copy import replace
from datetime import datetime

from shared.domain.audit import Line, refusal_lines
from shared.domain.cause import Cause
from shared.domain.deal import Change, Deal, Side
from shared.domain.help_request import (
    HELP,
    HELP_KEY,
    LEFT,
    NOTES_TO_MICROSOFT,
    UNCONFIRMED,
    AskedBy,
    HelpRequest,
    request_mark,
)
from shared.domain.link import REFUSED_BY_FAR_SIDE, Difference, Link
from shared.domain.link_states import State
from shared.domain.microsoft_record import ASKED, TIME_TO_ANSWER, MicrosoftRecord, notes_mark
from shared.domain.sentences import LineDirection
from shared.domain.sharing import KINDS_OF_HELP, LABEL_OF_HELP, Sharing, help_label
from shared.domain.transitions import Transition

TO, NOTE = LineDirection.TO_PARTNER_CENTER, LineDirection.NOTE


def about_to_ask(link: Link, sharing: Sharing, now: datetime) -> Link:
    """The link of a pair whose request is sent next."""
    unknown = link.help.unknown if link.help else {}
    return replace(link, help=HelpRequest(sharing.code, notes_mark(sharing.notes), now, unknown=unknown))


def asked(link: Link, record: MicrosoftRecord, now: datetime) -> Transition:
    """Note that Microsoft has our request: it answered with its record, or the record was found."""
    if (request := link.help) is None:
        return Transition(link)
    is_open, until = record.shown_status in (None, ASKED), record.answer_by or request.decided + TIME_TO_ANSWER
    values = {"help": help_label(request.code or "")} | ({"until": f"{until:%Y-%m-%d %H:%M}"} if is_open else {})
    code = "asked_for_help" if is_open else "asked_and_answered"
    line = Line(now, code, TO, Side.PARTNER_CENTER, HELP, values=values)
    known = replace(request, is_asked=True, is_question=False, referral_id=record.id)
    return Transition(_settled(replace(link, help=known, unwritten=True)), (line,))


def help_confirmed(link: Link, record: MicrosoftRecord, now: datetime) -> Transition:
    """Take a request that Microsoft's record shows: our own of unknown outcome, or one that a colleague made.

    A request that is known already stays as it is, and Microsoft's own deal has none.
    """
    request, code = link.help, record.help_code if record.help_code in KINDS_OF_HELP else None
    is_known = request is not None and request.is_asked and (request.code or request.asked_by is AskedBy.MICROSOFT)
    if record.is_sender or is_known:
        return Transition(link)
    notes = notes_mark(record.request_notes)
    if request is not None and not request.is_asked and (request.code, request.notes) == (code, notes):
        return asked(link, record, now)
    theirs = HelpRequest(
        code,
        notes if code else None,
        now,
        is_asked=True,
        asked_by=AskedBy.COLLEAGUE,
        referral_id=record.id,
        is_shown=code is None,
        unknown=request.unknown if request else {},
    )
    next_link = _settled(replace(link, help=theirs))
    if code is None:
        return Transition(next_link) if request and request.is_asked else _told(next_link, "takes_part", now)
    return _told(next_link, "help_was_asked", now, help=help_label(code))


def _told(link: Link, code: str, now: datetime, **values: str) -> Transition:
    return Transition(replace(link, unwritten=True), (Line(now, code, NOTE, Side.PARTNER_CENTER, HELP, values=values),))


def help_to_show(link: Link, record: MicrosoftRecord, sharing: Sharing) -> dict[str, str]:
    """What the empty fields of an opportunity are to show of a colleague's request, by their keys in the mapping file.

    Nobody has changed them yet: a field that a seller cleared later stays empty.
    """
    if link.help is None or link.help.is_shown or link.help.code is None:
        return {}
    shown = {} if sharing.help else {HELP: help_label(link.help.code)}
    return shown if sharing.notes or not record.request_notes else {**shown, NOTES_TO_MICROSOFT: record.request_notes}


def request_to_show(link: Link, sharing: Sharing, texts: Mapping[str, str]) -> dict[str, str]:
    """Those of the `texts` to show that are a request which is not shown yet. An entry of a seller's stays."""
    if link.help is None or link.help.is_shown:
        return {}
    held = {HELP: sharing.help, NOTES_TO_MICROSOFT: sharing.notes}
    return {name: texts[name] for name, value in held.items() if name in texts and not value}


def without_request(texts: Mapping[str, str]) -> dict[str, str]:
    """The `texts` to show in columns that only the connector writes."""
    return {name: text for name, text in texts.items() if name not in (HELP, NOTES_TO_MICROSOFT)}


def help_shown(link: Link) -> Link:
    """The link of an opportunity that shows the request."""
    return replace(link, help=replace(link.help, is_shown=True)) if link.help and not link.help.is_shown else link


def takes_part(link: Link, asked_by: AskedBy, now: datetime) -> Transition:
    """Note that Microsoft takes part in the deal, while nobody has seen what it was asked."""
    unknown = link.help.unknown if link.help else {}
    request = HelpRequest(None, None, now, is_asked=True, asked_by=asked_by, unknown=unknown)
    is_told = asked_by is not AskedBy.MICROSOFT  # else the plan tells it
    lines = (Line(now, "takes_part", NOTE, Side.PARTNER_CENTER, HELP),) if is_told else ()
    return Transition(_settled(replace(link, help=request, unwritten=True)), lines)


def unsure(link: Link, until: datetime, now: datetime) -> Transition:
    """Note that nobody knows whether the request took effect."""
    line = Line(now, "help_unsure", NOTE, Side.PARTNER_CENTER, HELP, values={"until": f"{until:%H:%M}"})
    return Transition(_settled(replace(link, unwritten=True)), (line,))


def questioned(link: Link) -> Link:
    """The link of a request that only a person can settle."""
    return replace(link, help=replace(link.help, is_question=True)) if link.help else link


def ended(link: Link, now: datetime) -> Transition:
    """Look no longer for the request of a deal that is closed meanwhile: nobody can ask any more, and nothing waits."""
    if (request := link.help) is None:
        return Transition(link)
    line = Line(now, "help_ended", NOTE, Side.PARTNER_CENTER, HELP)
    known = HelpRequest(None, None, request.decided, is_asked=True, unknown=request.unknown)
    return Transition(_settled(replace(link, help=known, unwritten=True)), (line,))


def left_sync(link: Link, now: datetime) -> Transition:
    """The link of a deal that is un-ticked: what cannot be undone waits anew after the next tick.

    That nobody looks for its request of unknown outcome is told once. It is kept: ticked again, it is looked for.
    """
    link = replace(link, waiting={})
    if link.help is None or link.help.is_asked or LEFT in link.reported:
        return Transition(link)
    line = Line(now, LEFT, NOTE, Side.PARTNER_CENTER, HELP)
    return Transition(_settled(replace(link, reported=(*link.reported, LEFT), unwritten=True)), (line,))


def forgotten(link: Link, now: datetime, *, is_told: bool) -> Transition:
    """Forget a request that was not found, and that nobody wants any more."""
    lines = (Line(now, "help_not_found", NOTE, Side.PARTNER_CENTER, HELP),) if is_told else ()
    return Transition(_settled(replace(link, help=None, unwritten=link.unwritten or is_told)), lines)


def refused_request(link: Link, deal: Deal, sharing: Sharing, cause: Cause, now: datetime) -> Transition:
    """Park a request that Partner Center refuses: it is sent again once the deal or the request has changed."""
    difference = Difference(request_mark(deal, sharing), f"{REFUSED_BY_FAR_SIDE}{Side.PARTNER_CENTER}", now)
    refused = {**link.refused, HELP_KEY: difference}
    next_link = replace(link, help=None, state=State.PARKED, refused=refused, cause=cause, unwritten=True)
    change = Change(HELP, LABEL_OF_HELP, None, help_label(sharing.code or ""))
    return Transition(_settled(next_link), refusal_lines(now, Side.PARTNER_CENTER, cause, [change]))


def _settled(link: Link) -> Link:
    """The link of a request that waits for nothing any more, and asks nobody."""
    waiting = {name: one for name, one in link.waiting.items() if name != HELP}
    is_asking = link.cause is not None and link.cause.code == UNCONFIRMED
    return replace(link, waiting=waiting, cause=None if is_asking else link.cause)
