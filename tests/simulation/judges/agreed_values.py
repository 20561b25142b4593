"""Judges the base of each link as it is stored: no value that a side has neither held nor confirmed.

Source: docs/protocol.md#rule-6-the-base-moves-only-after-a-confirmed-effect, docs/protocol.md#confirmed-means-seen.
A value counts as held from the moment at which a record has it, or at which a write of it succeeded, until the end. A
text holds each part of it: two texts that were joined on one side are still to be joined on the other.

A value that Partner Center never held may be the base where people changed a value there and set it back, or entered
there what a seller had entered: nothing but that write seems to explain the version, or the value. Source:
docs/protocol.md#recovery-of-interrupted-work.

early    the base has a value that one of the two records never held
stale    the base goes back to a value that neither record holds, or has held since the base moved on: a worker that did
         not see the move wrote over it
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.held_values import (
    FIELDS,
    LOST,
    OPEN,
    PARTNER_CENTER,
    SALESFORCE,
    UNANSWERED,
    WON,
    Edit,
    Record,
    Values,
    holds,
    of_opportunity,
    of_referral,
    sets_back,
)

STATUSES = {"New": UNANSWERED, "Active": OPEN}


@dataclass
class AgreedValues:
    """All values that each record has held so far, and the base of each link as it was stored last."""

    held: dict[str, dict[str, set[str | None]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    first_status: dict[str, str | None] = field(default_factory=dict)
    present: dict[str, Values] = field(default_factory=dict)
    set_back: set[str] = field(default_factory=set)
    echoed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The opportunities of which people entered a value in a referral too, by referral."""
    bases: dict[str, Values] = field(default_factory=dict)
    seen_edits: int = 0
    shown: dict[str, dict[str, dict[str | None, int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    """When each value of a record was held last, counted in looks."""
    moved: dict[tuple[str, str], int] = field(default_factory=dict)
    """When the base of a field moved last, by opportunity and field."""
    looks: int = 0

    def look_at_opportunity(self, record: Record) -> None:
        """Remember the values of an opportunity."""
        values = of_opportunity(record)
        self.first_status.setdefault(record["Id"], values["status"])
        self._keep(record["Id"], values)

    def look_at_referral(self, record: Record) -> None:
        """Remember the values of a referral."""
        self._keep(str(record["id"]).lower(), of_referral(record))

    def confirm_opportunity(self, record: Record, written: Mapping[str, Any]) -> None:
        """Remember what a successful write has set in an opportunity, whatever a flow has made of it."""
        self._keep(record["Id"], of_opportunity({**record, **written}))

    def look_at_edits(self, edits: Sequence[Edit]) -> None:
        """Remember the values that people saw and entered: of several saves, the last ones may be visible late."""
        for number, edit in enumerate(edits[self.seen_edits :], self.seen_edits):
            record = edit.record if edit.side == SALESFORCE else edit.record.lower()
            self.held[record][edit.field] |= {edit.before, edit.after}
            self.shown[record][edit.field] |= {edit.before: self.looks, edit.after: self.looks}
            if edit.side == PARTNER_CENTER and any(sets_back(edit, one) for one in edits[:number]):
                self.set_back.add(record)
            if edit.side == PARTNER_CENTER and edit.field != "status":
                self.echoed[record] |= {one.record for one in edits[:number] if _is_same_entry(one, edit)}
        self.seen_edits = len(edits)

    def _keep(self, record: str, values: Values) -> None:
        self.present[record] = values
        self.looks += 1
        for name, value in values.items():
            self.held[record][name].add(value)
            self.shown[record][name][value] = self.looks

    def judge(self, opportunity: str, referral: str | None, base: Values) -> Iterator[str]:
        """What is wrong with a base that was just stored; `base` has texts, and no field that is unknown."""
        known, self.bases[opportunity] = self.bases.get(opportunity, {}), base
        if referral is None:
            return
        for name in FIELDS:
            if name in base and (name not in known or known[name] != base[name]):
                was, value = known.get(name), _plain(name, base[name])
                pair = (opportunity, referral.lower())
                yield from self._judge_value(pair, name, _plain(name, was), value)
                yield from self._judge_way_back(pair, name, value)
                self.moved[opportunity, name] = self.looks

    def _judge_way_back(self, pair: tuple[str, str], name: str, value: str | None) -> Iterator[str]:
        since = self.moved.get((pair[0], name), 0)
        shown = [held for record in pair for held, at in self.shown[record][name].items() if at >= since]
        shown += [self.present[record][name] for record in pair if record in self.present]
        if name != "status" and since and not any(holds(name, held, value) for held in shown):
            yield f"stale: the base of {pair[0]} went back to the {name} {value!r}, which no side held any more"

    def _judge_value(self, pair: tuple[str, str], name: str, known: str | None, value: str | None) -> Iterator[str]:
        for record in pair:
            was_held = any(holds(name, held, value) for held in self.held[record][name])
            is_step = name == "status" and self._is_step(record, pair, known, value)
            seems_written = record in self.set_back or pair[0] in self.echoed[record]
            if not (was_held or is_step or (name != "status" and seems_written)):
                yield f"early: the base of {pair[0]} has the {name} {value!r}, which {record} never held"

    def _is_step(self, record: str, pair: tuple[str, str], known: str | None, value: str | None) -> bool:
        """Whether one side alone makes the base's status: an accept on the way to a close, or the stage of an insert.

        So does a stage that nobody has chosen, as far as the connector knows, where Partner Center has another status:
        that one wins then, as if only it had changed. Sources: docs/protocol.md#what-the-base-takes,
        docs/protocol.md#answers-that-nobody-gave.
        """
        opportunity, referral = pair
        if record == opportunity:
            return value == OPEN and OPEN in self.held[referral]["status"]
        is_beaten = value == self.present[opportunity]["status"] and self.present[referral]["status"] != known
        return is_beaten or value == self.first_status[opportunity]


def _is_same_entry(ours: Edit, theirs: Edit) -> bool:
    return ours.side == SALESFORCE and (ours.field, ours.after) == (theirs.field, theirs.after)


def _plain(name: str, value: str | None) -> str | None:
    if name == "status" and value is not None:
        status, _, substatus = value.partition("/")
        return STATUSES.get(status) or (WON if substatus == "Won" else LOST)
    return value
