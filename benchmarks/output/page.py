"""The page `docs/performance.md`. It is made from `docs/performance.json` alone, and a test compares the two."""

from collections.abc import Iterator

from benchmarks.figures.rows import BY_NAME, LINES
from benchmarks.output.report import Report, RowResult
from benchmarks.output.texts import ratio_text, reason_text, spread_text, target_text, unit_of, verdict_text
from benchmarks.systems.builds import FORMER, THIS

INTRODUCTION = f"""# Performance

`make bench` writes this page. It measures this build, the commit {FORMER}, and two plain scripts that do the same work
on the same emulated systems. Each build has its own packages and its own emulators, and app, emulators and Azurite have
a process each. A processor time is that of the app's process alone. The store is Azurite's tables unless the row says
otherwise; a latency is waited outside the locks of the emulators. Each cell has the median of several runs, and the
least and the greatest in brackets.

Compare ratios, not milliseconds: those belong to one machine."""
QUICK = (
    "**This is a quick run** (`QUICK=1`), with a tenth of the deals and two runs of each measure. The machine did "
    "other work too. It shows that every row works, and is no measurement."
)
CHART = "![This build over f9a8dde, for each row](performance.svg)"
BOUNDS = "## What bounds each figure"
SCRIPTS = """## The scripts

`benchmarks/peers/` has them. The naive loop reads, changes and notes one deal after the other. The batched script asks
once for what changed, has as many calls in flight as the app, and writes 200 records a call. Neither write is
conditional; nothing is remembered or repeated, and of two edits of one value the last one wins. The time of the naive
loop is that of a tenth of the records, multiplied, because every part of it grows with them."""


def render_page(report: Report) -> str:
    """The whole text of the page."""
    return "\n".join([*_page_lines(report), ""])


def _page_lines(report: Report) -> Iterator[str]:
    yield INTRODUCTION
    yield ""
    if report.is_quick:
        yield from (QUICK, "")
    yield from (_run_sentence(report), "", CHART, "")
    results = {result.name: result for result in report.rows}
    yield from _table(results)
    yield from (BOUNDS, "", "| row | bounded by |", "| --- | --- |")
    yield from (f"| {name} | {BY_NAME[name].bound} |" for name in results)
    yield from ("", SCRIPTS)


def _run_sentence(report: Report) -> str:
    machine = ", ".join(f"{name} {text}" for name, text in report.machine.items())
    taken = f"The last run took {report.seconds / 60:.0f} minutes on this machine: {machine}."
    runs = dict.fromkeys(f"the commit {result.commit or 'without a name'} on {result.day}" for result in report.rows)
    return f"{taken} This build is {', '.join(runs)}."


def _table(results: dict[str, RowResult]) -> Iterator[str]:
    for line in LINES:
        chosen = [result for result in results.values() if BY_NAME[result.name].line == line]
        if not chosen:
            continue
        yield from (f"## {line[0].upper()}{line[1:]}", "")
        yield f"| row | {FORMER} | {THIS} | ratio | target | |"
        yield "| --- | --- | --- | --- | --- | --- |"
        yield from map(_table_row, chosen)
        yield ""
        reasons = [f"- {result.name}: {reason}" for result in chosen if (reason := reason_text(result))]
        yield from ([*reasons, ""] if reasons else [])


def _table_row(result: RowResult) -> str:
    row, unit = BY_NAME[result.name], unit_of(result)
    cells = (
        f"{row.name}: {row.title}", spread_text(result.spread(FORMER), unit), spread_text(result.spread(THIS), unit),
        ratio_text(result.ratio()), target_text(row.target, unit), verdict_text(result),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
