"""Compares texts of which one side holds only the beginning, because the other side's text does not fit. Pure.

The mapping says which texts it cut (`Referral.cut`, `Opportunity.cut`): a text that just fits is whole, whatever its
length. Source: docs/protocol.md#the-narrower-side-judges-equality.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from shared.domain.audit import Line
from shared.domain.creation_values import TEXT_CUT
from shared.domain.deal import Side, fingerprint
from shared.domain.field_rules import Rule, Rules
from shared.domain.link import Difference, Link
from shared.domain.records import Opportunity, Referral
from shared.domain.sentences import LineDirection, system_name

FULL_TEXT = "full_text"
"""The code of a record of a build up to 0.6.0, which judged by the length alone."""
LONGER = {Side.SALESFORCE: "longer_text", Side.PARTNER_CENTER: "longer_text_here"}
"""The sentence about a text of which a side holds only the beginning."""


class CutText(Struct, frozen=True):
    """One text of which `side` holds only the beginning. `known` is what is on record of it."""

    side: Side
    rule: Rule
    known: Difference | None = None

    @property
    def key(self) -> str:
        """The key of its record."""
        return f"{self.side}.{self.rule.field}"

    def record(self, now: datetime) -> Difference:
        """The record: an edit of the text itself is none of its ends, so it keeps no fingerprint of the text."""
        is_known = self.known is not None and self.known.code == TEXT_CUT
        return self.known if self.known and is_known else Difference(fingerprint(self._length), TEXT_CUT, now)

    def line(self, at: datetime, direction: LineDirection) -> Line:
        """The line that tells it."""
        return self._line(at, LONGER[self.side], direction, self.side)

    def line_of_replacement(self, at: datetime) -> Line:
        """The line that says that the whole text was replaced by an edit of its beginning."""
        return self._line(at, "longer_text_replaced", LineDirection.NOTE, self.side.other)

    def _line(self, at: datetime, code: str, direction: LineDirection, side: Side) -> Line:
        values = {"label": self.rule.label, "length": self._length, "system": system_name(self.side.other)}
        return Line(at, code, direction, side, self.rule.field, values=values)

    @property
    def _length(self) -> str:
        return f"{self.rule.length:,}"


def texts_cut_on_arrival(referral: Referral, rules: Rules) -> tuple[CutText, ...]:
    """The texts of a referral of which a new opportunity holds only the beginning."""
    return tuple(CutText(Side.SALESFORCE, rule) for rule in rules.updatable if rule.field in (referral.cut or ()))


def cut_texts_of(link: Link, opportunity: Opportunity, referral: Referral, rules: Rules) -> Iterator[CutText]:
    """The texts of which one side holds only the beginning. What was not read is as it was."""
    for side, cut in ((Side.SALESFORCE, referral.cut), (Side.PARTNER_CENTER, opportunity.cut)):
        yield from _cut_on(side, cut, link, rules)


def _cut_on(side: Side, cut: Iterable[str] | None, link: Link, rules: Rules) -> Iterator[CutText]:
    for rule in rules.updatable:
        found = link.refused.get(f"{side}.{rule.field}")
        known = found if found is not None and found.code in (TEXT_CUT, FULL_TEXT) else None
        if rule.length is not None and (known is not None if cut is None else rule.field in cut):
            yield CutText(side, rule, known)
