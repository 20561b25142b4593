"""What becomes of a link through which no value travels: it is paused, closed, or gone. Pure.

    live --un-ticked--> paused --ticked--> the state of before
    live --both sides closed, the rest on record--> closed
    any  --deleted, or not visible--> gone --restored, or visible again--> the state of before

A closed deal is compared with what both sides agreed on, side by side: a later edit stays where it was made, and is
told once. Source: docs/protocol.md#states-of-a-link.
"""

from collections.abc import Iterable
from copy import replace
from datetime import datetime

from shared.domain.audit import Line
from shared.domain.creation_values import readable_lists
from shared.domain.deal import STATUS, TEAM, Deal, Side, Status, Value, display_text, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.help_outcomes import left_sync
from shared.domain.help_request import HELP_KEY, LEFT, NOTES_KEY
from shared.domain.known_versions import accounts_for, is_on_record, is_same_as_closed
from shared.domain.latches import CLOSED_IS_FINAL, FIXED_THERE, NOT_ANSWERED
from shared.domain.link import Difference, Gone, Link
from shared.domain.link_states import State
from shared.domain.plan_help import HelpDecision, decide_help
from shared.domain.planned import TRIED_AGAIN
from shared.domain.policy import Policy
from shared.domain.records import Opportunity, Referral
from shared.domain.rest_texts import CHANGED_AFTER_CLOSE, OWN_LIST
from shared.domain.sentences import LineDirection, system_name
from shared.domain.transitions import Transition

OF_AN_EDIT = (NOT_ANSWERED.code, FIXED_THERE.code)
"""Codes of a seller's edits that were not sent before the close, such as those of a deal that is declined."""

# --- paused


def paused(link: Link, now: datetime) -> Transition:
    """The link of a deal that is un-ticked: it says so once, and shows no mark, until it is ticked again.

    What cannot be undone waits anew after the next tick. The referral is read then, whatever its version.
    """
    left = left_sync(link, now)
    if link.referral_id is None or link.state is State.PAUSED:
        return left
    told = (Line(now, "paused", LineDirection.NOTE),) if link.mark is not None else ()
    unwritten = left.link.unwritten or bool(told)
    rest = replace(left.link, state=State.PAUSED, before=link.state, gone=None, agreed=False)
    return Transition(replace(rest, unwritten=unwritten), (*left.lines, *told))


def resumed(link: Link) -> Link:
    """The link in the state of before it was paused or gone; the referral is read, whatever its version.

    A paused deal that was deleted and is restored is paused as before. One whose end was agreed on is closed.
    """
    state = link.before or State.LIVE
    if link.has_ended and state is not State.PAUSED:
        state = State.CLOSED
    return replace(link, state=state, before=None, gone=None, agreed=False)


# --- gone


def gone(link: Link, code: str, now: datetime) -> Transition:
    """The link of an opportunity that is missing: deleted, or not visible.

    Its audit says so, to whoever restores it. Nothing else is known of the opportunity any more.
    """
    left, known = left_sync(link, now), link.gone
    is_closed = known is not None and known.is_closed
    before = link.before if link.state is State.GONE else link.state
    next_link = replace(left.link, state=State.GONE, before=before, gone=Gone(code, now, is_closed), agreed=False)
    lines = (*left.lines, Line(now, code, LineDirection.NOTE))
    return Transition(replace(next_link, stamps={}, unwritten=True), lines)


def has_open_referral(link: Link) -> bool:
    """Whether the referral of a deal that is gone is open in Partner Center, as far as we know."""
    return not (link.has_ended or (link.gone is not None and link.gone.is_closed))


# --- closed


def settled(link: Link, opportunity: Opportunity | None, referral: Referral, rules: Rules) -> Link:
    """The link, closed if both sides agree on a final status and every remaining difference is on record for good.

    A value that Salesforce refuses is still written again, so its link stays parked.
    """
    is_synced = opportunity is not None and opportunity.flagged and link.lead is None
    if opportunity is None or not is_synced or link.state not in (State.LIVE, State.PARKED):
        return link
    status = link.base.get(STATUS)
    if not link.has_ended or (opportunity.deal.get(STATUS), referral.deal.get(STATUS)) != (status, status):
        return link
    is_asking = link.help is not None and not link.help.is_asked and LEFT not in link.reported
    is_tried = any(record.code in TRIED_AGAIN for record in link.refused.values())
    is_waiting = bool(link.waiting) or is_asking or is_tried or (link.cause is not None and not link.has_refused_value)
    deals = ((opportunity.deal, Side.SALESFORCE), (referral.deal, Side.PARTNER_CENTER))
    is_known = all(accounts_for(link, deal, side, rules) for deal, side in deals)
    return replace(link, state=State.CLOSED) if is_known and not is_waiting else link


def seen_closed(
    link: Link, opportunity: Opportunity, referral: Referral | None, rules: Rules, policy: Policy, now: datetime
) -> Transition:
    """The closed link after a look: each later edit is on record, and told once with what to do.

    What the base does not hold is unknown: a value that a mapping reads in another way, or that was purged.
    """
    sides = {Side.SALESFORCE: _readable(opportunity, link)}
    sides |= {Side.PARTNER_CENTER: referral.deal} if referral is not None else {}
    refused, lines, base = dict(link.refused), list[Line](), link.base_under(rules)
    for side, deal in sides.items():
        for rule in rules.updatable:
            if rule.field in base and rule.field in deal:
                line = _compared(link, refused, rule, deal[rule.field], side, now)
                is_ours = side is Side.SALESFORCE and rule.is_set
                kept = _kept_list(sides.get(side.other), rule, base[rule.field]) if is_ours else None
                lines += [replace(one, before=kept or one.before) for one in line]
    told = _help_after_close(link, opportunity, rules, policy, now)
    refused = {key: known for key, known in refused.items() if key not in (HELP_KEY, NOTES_KEY)} | dict(told.refused)
    lines += told.told
    return Transition(replace(link, refused=refused, unwritten=link.unwritten or bool(lines)), tuple(lines))


def _readable(opportunity: Opportunity, link: Link) -> Deal:
    has_unread = opportunity.problems or opportunity.partial
    return readable_lists(opportunity, link.base) if has_unread else opportunity.deal


def _compared(
    link: Link, refused: dict[str, Difference], rule: Rule, value: Value | None, side: Side, now: datetime
) -> Iterable[Line]:
    """Put a later edit on record, and return its line; forget the record of one that was taken back."""
    key, code = f"{side.other}.{rule.field}", _code(side)
    known, agreed = refused.get(key), link.base.get(rule.field)
    if is_same_as_closed(value, agreed):
        if known is not None and (known.code == code or (known.code in OF_AN_EDIT and not rule.is_set)):
            del refused[key]
        return ()
    if is_on_record(link, rule, value, side):
        return ()
    refused[key] = Difference(fingerprint(value), code, now)
    values = {"label": rule.label, "system": system_name(side.other)}
    before, after = display_text(agreed), display_text(value)
    return (Line(now, code, LineDirection.NOTE, side.other, rule.field, before, after, code, values),)


def _kept_list(deal: Deal | None, rule: Rule, agreed: Value | None) -> str | None:
    """The list that a side keeps, whole: the base has the members that travel. Of the team, many never do."""
    if deal is not None and rule.field in deal:
        return display_text(deal[rule.field])
    return OWN_LIST if rule.field == TEAM and agreed is None else None


def _code(side: Side) -> str:
    """The code of an edit that was made on `side` after the close."""
    return CLOSED_IS_FINAL.code if side is Side.SALESFORCE else CHANGED_AFTER_CLOSE


def _help_after_close(
    link: Link, opportunity: Opportunity, rules: Rules, policy: Policy, now: datetime
) -> HelpDecision:
    """Tell once that Microsoft is not asked about a closed deal, or that what it was asked stays."""
    if not (opportunity.sharing.help or link.help is not None):
        return HelpDecision()
    status = link.base.get(STATUS)
    return decide_help(link, opportunity, status if isinstance(status, Status) else None, rules, now, policy)
