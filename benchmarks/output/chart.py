"""The chart `docs/performance.svg`: for each row, this build over f9a8dde on a logarithmic scale, with its target."""

import math
from collections.abc import Iterator
from xml.sax.saxutils import escape

from benchmarks.figures.rows import BY_NAME
from benchmarks.figures.spreads import Kind, Spread
from benchmarks.output.report import Report, RowResult
from benchmarks.output.texts import NOT_MEASURED, ratio_text
from benchmarks.systems.builds import FORMER, THIS

WIDTH, LEFT, RIGHT, TOP, LINE = 860, 170, 190, 46, 22
LEAST, GREATEST = 0.001, 10.0
"""The ends of the scale. A ratio outside is drawn at the end, and its text says what it is."""
TICKS = (0.001, 0.01, 0.1, 1.0, 10.0)
TITLE = f"{THIS} over {FORMER}: the median, and least to greatest. Less is better. A black mark is a target."
FONT = 'font-family="sans-serif" font-size="12"'
FASTER, SLOWER, INK, FAINT = "#2a7f4f", "#b3402a", "#222", "#bbb"


def render_chart(report: Report) -> str:
    """The text of the SVG file."""
    height = TOP + LINE * len(report.rows) + 12
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {FONT}>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(8, 18, TITLE),
        *(_tick(value, height) for value in TICKS),
        *(part for number, result in enumerate(report.rows) for part in _bar(number, result)),
        "</svg>",
        "",
    ])  # fmt: skip


def place(ratio: float) -> float:
    """The horizontal place of a ratio, in the units of the chart.

    >>> place(0.001), place(10.0), place(20.0)
    (170.0, 670.0, 670.0)
    """
    share = math.log(min(max(ratio, LEAST), GREATEST) / LEAST) / math.log(GREATEST / LEAST)
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _text(x: float, y: float, text: str, colour: str = INK) -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}">{escape(text)}</text>'


def _tick(value: float, height: int) -> str:
    x = place(value)
    line = f'<line x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 8}" stroke="{FAINT}"/>'
    return f"{line}{_text(x - 8, TOP - 12, f'{value:g}x')}"


def _bar(number: int, result: RowResult) -> Iterator[str]:
    y = TOP + LINE * number
    yield _text(8, y + 13, result.name)
    ratio = result.ratio()
    if ratio is None:
        yield _text(WIDTH - RIGHT + 8, y + 13, NOT_MEASURED, FAINT)
        return
    one, middle = place(1.0), place(ratio.median)
    colour = FASTER if ratio.median <= 1 else SLOWER
    left, width = min(one, middle), max(abs(one - middle), 1.0)
    yield f'<rect x="{left}" y="{y + 3}" width="{width:.1f}" height="12" fill="{colour}"/>'
    yield (f'<line x1="{place(ratio.minimum)}" x2="{place(ratio.maximum)}" y1="{y + 9}" y2="{y + 9}" stroke="{INK}"/>')
    limit = _limit_as_ratio(result)
    if limit is not None:
        yield f'<line x1="{place(limit)}" x2="{place(limit)}" y1="{y}" y2="{y + 18}" stroke="{INK}" stroke-width="2"/>'
    yield _text(WIDTH - RIGHT + 8, y + 13, ratio_text(ratio))


def _limit_as_ratio(result: RowResult) -> float | None:
    """The target as a ratio to f9a8dde."""
    target, former = BY_NAME[result.name].target, result.spread(FORMER)
    if target is None or target.kind is Kind.RATIO:
        return target.limit if target else None
    ratio = Spread(target.limit, target.limit, target.limit).over(former) if former else None
    return ratio.median if ratio else None
