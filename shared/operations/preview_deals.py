"""What a preview says of one deal, read from the pair that the engine has planned. Nothing is decided here."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Change, Deal, Side, display_text
from shared.domain.field_rules import Rules
from shared.domain.link import CHOSEN_DEFAULT, Difference
from shared.domain.mass_change import waits_for_approval
from shared.domain.planned import Plan
from shared.operations.read_only_sides import NotCarriedOutError
from shared.operations.refused_columns import columns_text
from shared.sync.pair_lease import Pair
from shared.sync.ports import BUSY, Context, Outcome, Result

Events = Sequence[tuple[str, Mapping[str, Any]]]
"""The log events of the engine, with their fields."""


class Creates(StrEnum):
    """The record that would be created."""

    REFERRAL = "referral"
    OPPORTUNITY = "opportunity"
    LEAD = "lead"


class NoteKind(StrEnum):
    """What a note says: why the deal is held, what waits, what is refused, what else the audit would tell.

    An `unread` deal could not be planned now, and one that is `left` is none of the sync's.
    """

    HELD = "held"
    WAITS = "waits"
    REFUSED = "refused"
    TOLD = "told"
    UNREAD = "unread"
    LEFT = "left"


class Note(Struct, frozen=True):
    """One sentence about a deal."""

    kind: NoteKind
    text: str


class ShownChange(Struct, frozen=True):
    """One value that would be written to a side, as texts."""

    side: Side
    field: str
    label: str
    old: str
    new: str


class DealPreview(Struct, frozen=True):
    """What the next look at a deal would do.

    stopped         changes that the mass-change stop would hold back
    is_stopped      whether it would hold back the creation
    further         names of the other records that are created with it, such as the account
    exists          whether a service shows it, or the store has it
    needs_approval  whether the creation or a value would wait for `cosell approve`
    """

    opportunity_id: str | None
    referral_id: str | None
    name: str = ""
    creates: Creates | None = None
    is_stopped: bool = False
    adopts: bool = False
    to_partner_center: Sequence[ShownChange] = ()
    to_salesforce: Sequence[ShownChange] = ()
    stopped: Sequence[ShownChange] = ()
    further: Sequence[str] = ()
    notes: Sequence[Note] = field(default_factory=tuple)
    exists: bool = True
    needs_approval: bool = False

    @property
    def says_nothing(self) -> bool:
        """Whether nothing would be done, and nothing is held, waits or is refused."""
        acts = self.creates or self.adopts or self.to_partner_center or self.to_salesforce or self.stopped
        return not acts and all(note.kind is NoteKind.LEFT for note in self.notes)

    def has(self, kind: NoteKind) -> bool:
        """Whether a note of this kind is there."""
        return any(note.kind is kind for note in self.notes)


def shown_changes(side: Side, changes: Iterable[Change]) -> list[ShownChange]:
    """Changes of a side as texts."""
    return [ShownChange(side, one.field, one.label, display_text(one.old), display_text(one.told)) for one in changes]


def given_values(side: Side, deal: Deal, rules: Rules) -> list[ShownChange]:
    """The values of a new record as texts, in the order of the mapping file."""
    labels = {rule.field: rule.label for rule in rules}
    named = {**{name: deal.get(name) for name in labels}, **deal}
    given = (Change(name, labels.get(name, name), None, value) for name, value in named.items() if value)
    return shown_changes(side, given)


# --- of a pair


class Planned(Struct, frozen=True):
    """A pair as it was before the mass-change stop: whether it creates a referral, and its plan."""

    pair: Pair
    creates: bool
    plan: Plan | None


def deal_of_pair(ctx: Context, planned: Planned, events: Events) -> DealPreview:
    """What the engine would do with a pair; `events` are those about it."""
    pair, plan = planned.pair, planned.pair.plan
    sent, given = (plan.to_partner_center, plan.to_salesforce) if plan else ((), ())
    stopped = _stopped(planned.plan, {id(change) for change in (*sent, *given)})
    is_stopped = planned.creates and not pair.must_create
    return DealPreview(
        pair.id,
        pair.link.referral_id,
        _name_of(pair),
        Creates.REFERRAL if planned.creates else None,
        is_stopped,
        any(event == "referral_adopted" for event, _ in events),
        _new_referral(ctx, pair) if planned.creates else shown_changes(Side.PARTNER_CENTER, sent),
        shown_changes(Side.SALESFORCE, given),
        stopped,
        notes=tuple(dict.fromkeys(_notes(ctx, planned, events))),
        exists=pair.opportunity is not None or pair.link.referral_id is not None or pair.missing_at is None,
        needs_approval=is_stopped or bool(stopped) or (plan is not None and waits_for_approval(plan.waiting)),
    )


def _new_referral(ctx: Context, pair: Pair) -> list[ShownChange]:
    """The values that a new referral would get."""
    rules, deal = ctx.translation.rules, pair.opportunity.deal if pair.opportunity else Deal()
    kept = {rule.field for rule in rules if not rule.direction.owns(Side.SALESFORCE)} | ctx.policy.unapproved
    return given_values(Side.PARTNER_CENTER, deal.without(*kept), rules)


def _stopped(before: Plan | None, kept: Collection[int]) -> list[ShownChange]:
    """The changes that the mass-change stop took out of a plan; `kept` are those that it left, by identity."""
    if before is None:
        return []
    sides = ((Side.PARTNER_CENTER, before.to_partner_center), (Side.SALESFORCE, before.to_salesforce))
    left = ((side, [one for one in changes if id(one) not in kept]) for side, changes in sides)
    return [one for side, changes in left for one in shown_changes(side, changes)]


def _name_of(pair: Pair) -> str:
    sides = (pair.opportunity, pair.referral)
    deals = [*(side.deal for side in sides if side is not None), pair.link.base]
    return next((str(name) for deal in deals if (name := deal.get("name"))), "")


def _notes(ctx: Context, planned: Planned, events: Events) -> Iterator[Note]:
    pair = planned.pair
    for event, fields in events:
        if event == "opportunity_held":
            yield from (Note(NoteKind.HELD, text) for text in _texts_of_causes(ctx, pair, fields["causes"]))
        elif event in ("opportunity_deleted", "opportunity_hidden"):
            yield Note(NoteKind.TOLD, "Salesforce does not show the opportunity: the deal would rest.")
    if planned.creates and not pair.must_create:
        yield Note(NoteKind.WAITS, STOPPED)
    elif pair.plan is not None:
        yield from _notes_of_plan(ctx, pair, pair.plan)
    if pair.link.unshown is not None:
        yield Note(NoteKind.REFUSED, columns_text(pair.link.unshown.columns, pair.link.unshown.cause))
    if pair.outcome is not None:
        yield from _notes_of_outcome(pair, pair.outcome, events)
    elif pair.opportunity is not None and not (pair.opportunity.flagged or pair.link.lead):
        yield Note(NoteKind.LEFT, NOT_TICKED)


STOPPED = "It would wait for `cosell approve`: unusually many are created in one day."
NOT_TICKED = "Its Sync with Partner Center is not ticked."


def _texts_of_causes(ctx: Context, pair: Pair, codes: Iterable[str]) -> Iterator[str]:
    """The sentences about the causes of a hold: the link has the first, the audit has all."""
    lines, first = ctx.store.audit(pair.id), pair.link.cause
    for code in codes:
        told = next((line.text for line in lines if line.rule == code), None)
        known = text_of_cause(first) if first is not None and first.code == code else code
        yield told or known


def text_of_cause(cause: Cause) -> str:
    """A cause with what a person does about it."""
    return f"{cause.reason.rstrip('.')}. {cause.remedy}".strip()


def _notes_of_plan(ctx: Context, pair: Pair, plan: Plan) -> Iterator[Note]:
    about = _Lines(ctx, pair, plan)
    for key, record in plan.waiting.items():
        text = about.text(key, record)
        yield Note(NoteKind.WAITS, f"{text} Then: `cosell approve`." if waits_for_approval({key: record}) else text)
    for key, record in plan.refused.items():
        if record.code != CHOSEN_DEFAULT:
            yield Note(NoteKind.REFUSED, about.text(key, record))
    if plan.cause is not None:
        yield Note(NoteKind.REFUSED, text_of_cause(plan.cause))
    if plan.help is not None:
        yield Note(NoteKind.TOLD, f"The request for help to Microsoft: {plan.help}.")
    for line in (*plan.lines, *plan.losses):
        if line not in about.used:
            yield Note(NoteKind.TOLD, line.text)


class _Lines:
    """The lines about the records of a plan: each is told once, so the stored audit has what was told before."""

    def __init__(self, ctx: Context, pair: Pair, plan: Plan) -> None:
        self._ctx, self._pair, self._plan = ctx, pair, plan
        self._stored: Sequence[Line] | None = None
        self.used: list[Line] = []

    def text(self, key: str, record: Difference) -> str:
        """The sentence about a record; its code if there is none."""
        line = self._of(key, self._plan.lines)
        if line is None:
            if self._stored is None:
                self._stored = self._ctx.store.audit(self._pair.id)
            line = self._of(key, self._stored)
        if line is None:
            return f"{key.rpartition('.')[2]}: {record.code}"
        self.used.append(line)
        return line.text

    @staticmethod
    def _of(key: str, lines: Iterable[Line]) -> Line | None:
        side, _, name = key.rpartition(".")
        return next((line for line in lines if line.field == name and (not side or line.side == side)), None)


def _notes_of_outcome(pair: Pair, outcome: Outcome, events: Events) -> Iterator[Note]:
    errors = [str(fields["error"]) for event, fields in events if event == "pair_failed"]
    if outcome == BUSY:
        yield Note(NoteKind.UNREAD, BUSY_NOW)
    elif outcome.result is Result.PARKED:
        yield Note(NoteKind.REFUSED, text_of_cause(pair.link.cause) if pair.link.cause else outcome.cause)
    elif STOPPED_WRITE in errors:
        yield Note(NoteKind.TOLD, CLOSES_TEST if pair.link.close_as_test else WRITES_FIRST)
    elif outcome.result is Result.RETRY:
        yield Note(NoteKind.UNREAD, unread_text(outcome, errors))
    elif pair.opportunity is not None and not pair.opportunity.flagged:
        yield Note(NoteKind.LEFT, NOT_TICKED)
    elif pair.opportunity is None and pair.missing_at is not None:
        yield Note(NoteKind.LEFT, "Salesforce does not show it.")


BUSY_NOW = "The app works on it now."
STOPPED_WRITE = NotCarriedOutError.__name__
CLOSES_TEST = "Its referral would be closed as a test, as asked. Then both sides are compared."
WRITES_FIRST = "It would be written to before both sides are compared."


def unread_text(outcome: Outcome, errors: Sequence[str]) -> str:
    """Why a deal could not be planned now; `errors` are the classes of those that were met."""
    if outcome.cause == "side_paused":
        return "A side is paused after a failure: `cosell status` says until when."
    return f"It could not be planned: {', '.join(errors) or outcome.cause}."
