"""How figures are written: in the terminal, in the page and in the chart alike."""

from benchmarks.figures.rows import BY_NAME, TIMES
from benchmarks.figures.spreads import Kind, Spread, Target
from benchmarks.output.report import RowResult

NOT_MEASURED = "not measured"
HUNDRED, TEN = 100, 10


def number(value: float) -> str:
    """A number with three digits at most, where it is not longer than that.

    >>> number(0.1234), number(5.678), number(45.12), number(20004), number(5.0)
    ('0.12', '5.68', '45.1', '20,004', '5')
    """
    if value >= HUNDRED or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= TEN else f"{value:.2f}"


def spread_text(spread: Spread | None, unit: str) -> str:
    """The median with its unit, and least and greatest in brackets where they differ."""
    if spread is None:
        return NOT_MEASURED
    median = _with_unit(number(spread.median), unit)
    least, greatest = number(spread.minimum), number(spread.maximum)
    return median if least == greatest else f"{median} ({least} to {greatest})"


def _with_unit(text: str, unit: str) -> str:
    return f"{text}x" if unit == TIMES else f"{text} {unit}"


def ratio_text(spread: Spread | None) -> str:
    """A ratio to f9a8dde."""
    return spread_text(spread, TIMES)


def target_text(target: Target | None, unit: str) -> str:
    """What a target asks for."""
    if target is None:
        return ""
    limit = number(target.limit)
    return f"{limit}x of f9a8dde" if target.kind is Kind.RATIO else _with_unit(limit, unit)


def verdict_text(result: RowResult) -> str:
    """Whether the target is met; empty if there is none or it cannot be said."""
    return {True: "met", False: "missed", None: ""}[result.is_met()]


def reason_text(result: RowResult) -> str:
    """Why a build has no figure, each build once; empty if both have one."""
    known = {build: reason for build, reason in result.reasons.items() if reason}
    return "; ".join(f"{build}: {reason}" for build, reason in known.items())


def unit_of(result: RowResult) -> str:
    """The unit of a row."""
    return BY_NAME[result.name].unit
