"""What to do about one pair, and why: pure, from what was read under the lock (protocol.md sections 3 to 7).

opportunity   referral   link        plan
flagged       none       none        create the referral, or hold with the causes
flagged       known      live        merge; write each side what differs, as direction and latches allow
flagged       known      on hold     pull; Salesforce's edits are on record until the deal is answered
not flagged   any        any         nothing
"""

from collections.abc import Iterable, Mapping
from copy import replace
from datetime import date, datetime, timedelta

from msgspec import Struct, field

from shared.domain.cause import Cause
from shared.domain.deal import Deal, Side, Status, Value, fingerprint, shown
from shared.domain.field_rules import Rules
from shared.domain.latches import latch_on
from shared.domain.link import Link, Record
from shared.domain.merge import Edited, Merged, merge
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import cause, is_reported, sentence
from shared.domain.states import State

REQUIRED = ("name", "account", "money", "closing", "solutions", "team", "status")
"""What a referral cannot be created without (reference/partner-center.md 5.1)."""

SPACE_AT_A_CUT = 9
"""By how many characters a text that was cut may be shorter than its field: the space at its end is trimmed."""

REFUSED_BY_FAR_SIDE = "refused_by_"
"""Codes of refusals that only another value lifts; refusals by a latch are decided anew at each look."""


class Change(Struct, frozen=True):
    """One value to write."""

    field: str
    label: str
    old: Value | None
    new: Value | None

    def __str__(self) -> str:
        return f"{self.label} {shown(self.old)} → {shown(self.new)}"


class Plan(Struct, frozen=True):
    """The writes to make to each side; `base` already holds what both sides are seen to agree on.

    `refused` and `waiting` are the complete records after this plan. `lines` are sentences not yet told: they belong to
    the records and are stored with them; `losses`, of values given up, belong to the writes and are stored once one is
    confirmed. `due` is when the earliest waiting change may go; `cause` is why a value of Salesforce cannot be read.
    """

    base: Deal
    to_partner_center: tuple[Change, ...] = ()
    to_salesforce: tuple[Change, ...] = ()
    refused: Mapping[str, Record] = field(default_factory=dict)
    waiting: Mapping[str, Record] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    state: State = State.LIVE
    due: datetime | None = None
    cause: Cause | None = None

    @property
    def agreed(self) -> bool:
        """Whether nothing differs, not even on record."""
        return not (self.to_partner_center or self.to_salesforce or self.refused or self.waiting)


def plan_referral(opportunity: Opportunity) -> tuple[Cause, ...]:
    """Why a flagged opportunity cannot become a referral yet; empty when it can."""
    if opportunity.asks_help:
        return (cause("help_asked", "help"),)
    causes = [_hindrance(opportunity, name) for name in REQUIRED]
    return tuple(found for found in causes if found)


def _hindrance(opportunity: Opportunity, name: str) -> Cause | None:
    if name in opportunity.problems:
        return opportunity.problems[name]
    value = opportunity.deal.get(name)
    if not value:
        return cause(f"missing_{name}", name)
    if isinstance(value, Status) and value.is_unanswered:
        return cause("stage_on_hold", name, value=value)
    return None


def plan_pair(
    link: Link, opportunity: Opportunity, referral: Referral, rules: Rules, now: datetime, wait: timedelta
) -> Plan:
    """Merge one pair and decide the writes; `wait` is how long what cannot be undone must stand (protocol.md 5)."""
    edited = Edited(opportunity.modified, referral.updated)
    draft = _Draft(link, referral, now, wait)
    merged = merge(link.base, opportunity.deal, referral.deal, rules, edited)
    for one in sorted(merged, key=_status_first):
        draft.take(one)
    draft.warn_of_unreadable(opportunity.problems, rules)
    draft.warn_of_past_closing(opportunity.deal)
    draft.warn_of_full_texts(referral.deal, rules)
    return draft.plan()


def _status_first(merged: Merged) -> bool:
    """An accept opens the other fields: what was edited meanwhile goes with it (protocol.md section 7)."""
    return not isinstance(merged.value, Status)


class _Draft:
    """Collects one pair's decisions field by field."""

    def __init__(self, link: Link, referral: Referral, now: datetime, wait: timedelta) -> None:
        self.link, self.status, self.now, self.wait = link, referral.status, now, wait
        self.base: dict[str, Value | None] = dict(link.base)
        self.writes: dict[Side, list[Change]] = {Side.PARTNER_CENTER: [], Side.SALESFORCE: []}
        self.refused: dict[str, Record] = {}
        self.waiting: dict[str, Record] = {}
        self.lines: list[str] = []
        self.losses: list[str] = []
        self.told: list[str] = []
        self.causes: dict[str, Cause] = {}

    def take(self, merged: Merged) -> None:
        """Decide on one field."""
        if not (merged.differs_on(Side.SALESFORCE) or merged.differs_on(Side.PARTNER_CENTER)):
            self.base[merged.rule.field] = merged.value
            return
        allowed = [self._write(merged, side) for side in Side if merged.differs_on(side)]
        if any(allowed):
            self._tell_losses(merged)

    def _write(self, merged: Merged, side: Side) -> bool:
        key, rule = f"{side}.{merged.rule.field}", merged.rule
        code = self._forbidden(key, merged, side)
        if code:
            self._refuse(key, code, merged)
            return False
        if side is Side.PARTNER_CENTER and self._must_wait(merged):
            return False
        self.writes[side].append(Change(rule.field, rule.label, merged.held_by(side), merged.value))
        if side is Side.PARTNER_CENTER and isinstance(merged.value, Status) and not merged.value.is_final:
            self.status = merged.value
        return True

    def _forbidden(self, key: str, merged: Merged, side: Side) -> str | None:
        record = self.link.refused.get(key)
        if record and record.code.startswith(REFUSED_BY_FAR_SIDE) and self.link.refuses(key, merged.value):
            return record.code
        if side is Side.PARTNER_CENTER:
            latch = latch_on(self.status, merged.value)
            if latch:
                return latch.code
        return "not_clearable" if merged.value is None and side not in merged.rule.clearable else None

    def _refuse(self, key: str, code: str, merged: Merged) -> None:
        """Put the difference on record; tell it once, whatever forbids it by now, and again only for another value."""
        known = self.link.refused.get(key)
        if known and self.link.refuses(key, merged.value):
            self.refused[key] = replace(known, code=code)
            return
        self.refused[key] = Record(fingerprint(merged.value), code, self.now)
        if not code.startswith(REFUSED_BY_FAR_SIDE):
            found = cause(code, merged.rule.field, label=merged.rule.label, value=shown(merged.value))
            self.lines.append(sentence("problem", reason=found.reason, remedy=found.remedy))

    def _must_wait(self, merged: Merged) -> bool:
        """Whether a close is too fresh to be sent: it cannot be undone."""
        if not (isinstance(merged.value, Status) and merged.value.is_final):
            return False
        mark = fingerprint(merged.value)
        known = self.link.waiting.get(merged.rule.field)
        since = known.since if known and known.value == mark else self.now
        if self.now - since >= self.wait:
            return False
        self.waiting[merged.rule.field] = Record(mark, "irreversible", since)
        if not (known and known.value == mark):
            until = f"{since + self.wait:%H:%M}"
            self.lines.append(sentence("waiting", label=merged.rule.label, value=merged.value, until=until))
        return True

    def _tell_losses(self, merged: Merged) -> None:
        """Every value that is given up goes to the audit, with the one that was kept."""
        label, kept = merged.rule.label, shown(merged.value)
        if merged.keeps_both:
            self.losses.append(sentence("both_texts", label=label))
        elif merged.conflict and merged.edited:
            lost = shown(merged.held_by(merged.edited.other), whole=True)
            self.losses.append(sentence("conflict", label=label, kept=kept, lost=lost))
        elif merged.put_back and merged.edited:
            owner = "Partner Center" if merged.edited is Side.SALESFORCE else "Salesforce"
            lost = shown(merged.held_by(merged.edited), whole=True)
            self.losses.append(sentence("put_back", label=label, owner=owner, kept=kept, lost=lost))

    def warn_of_unreadable(self, problems: Mapping[str, Cause], rules: Rules) -> None:
        """A value that Salesforce holds and nobody can read is left alone; the seller is told why, once a cause."""
        found_in = (problems[rule.field] for rule in rules.updatable if rule.field in problems)
        self.causes = {found.key: found for found in found_in}
        for key, found in self.causes.items():
            self.told.append(key)
            if not is_reported(found, self.link.told):
                self.lines.append(sentence("problem", reason=found.reason, remedy=found.remedy))

    def warn_of_past_closing(self, deal: Deal) -> None:
        """A closing date in the past is sent; while the deal is open the seller is asked, once a date, to move it."""
        deal = deal.with_({change.field: change.new for change in self.writes[Side.SALESFORCE]})
        key = past_closing(deal, self.now.date())
        if key:
            self._tell_once(key, sentence("past_closing", value=deal["closing"]))

    def warn_of_full_texts(self, deal: Deal, rules: Rules) -> None:
        """What was cut cannot be seen here, so an edit here gives it up: the seller is told once."""
        for key, text in full_texts(deal, rules).items():
            self._tell_once(key, text)

    def _tell_once(self, key: str, text: str) -> None:
        """A sentence that the link remembers by its key for as long as it holds: only the first look tells it."""
        self.told.append(key)
        if key not in self.link.told:
            self.lines.append(text)

    def plan(self) -> Plan:
        """The decisions as a plan."""
        unanswered = self.status is not None and self.status.is_unanswered
        return Plan(
            Deal(self.base),
            tuple(self.writes[Side.PARTNER_CENTER]),
            tuple(self.writes[Side.SALESFORCE]),
            self.refused,
            self.waiting,
            tuple(self.lines),
            tuple(self.losses),
            tuple(self.told),
            State.ON_HOLD if unanswered else State.LIVE,
            min((record.since + self.wait for record in self.waiting.values()), default=None),
            next(iter(self.causes.values()), None),
        )


def past_closing(deal: Deal, today: date) -> str | None:
    """The key under which a passed closing date of an open deal is told; None where there is nothing to tell."""
    closing, status = deal.get("closing"), deal.get("status")
    is_open = isinstance(status, Status) and not status.is_final
    return f"past_closing:{closing}" if is_open and isinstance(closing, date) and closing < today else None


def full_texts(deal: Deal, rules: Rules) -> dict[str, str]:
    """By the key under which it is told, a sentence for each text that fills its field: Partner Center may hold more.

    The narrower side judges equality (protocol.md section 4), and cut text is compared without the space at its end.
    """
    full = [
        rule
        for rule in rules.updatable
        if rule.length and len(str(deal.get(rule.field) or "")) > rule.length - SPACE_AT_A_CUT
    ]
    return {f"full:{rule.field}": sentence("full_text", label=rule.label, length=f"{rule.length:,}") for rule in full}


def described(changes: Iterable[Change]) -> str:
    """Changes as one audit sentence."""
    return sentence("changed", changes="; ".join(str(change) for change in changes))
