"""Records and reports a value of Partner Center that cannot be read: it is left alone on both sides. Pure."""

from datetime import datetime

from shared.domain.audit import Line
from shared.domain.cause import Cause
from shared.domain.deal import Side, fingerprint
from shared.domain.field_rules import Rule
from shared.domain.link import Difference
from shared.domain.sentences import LineDirection


def unreadable_record(rule: Rule, problem: Cause, now: datetime) -> tuple[str, Difference]:
    """The key and the record of a value of Partner Center that cannot be read: it is left alone on both sides."""
    return f"{Side.SALESFORCE}.{rule.field}", Difference(fingerprint(problem.key), "unreadable", now)


def unreadable_line(at: datetime, direction: LineDirection, rule: Rule, problem: Cause) -> Line:
    """The line about a value of Partner Center that cannot be read."""
    values = {"label": rule.label, "reason": problem.reason}
    return Line(at, "left_alone", direction, Side.SALESFORCE, rule.field, rule=problem.code, values=values)
