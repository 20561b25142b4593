"""Print the verdicts of checks as a table, for `cosell doctor` and `cosell connect partner-center`."""

from collections.abc import Mapping

from rich.markup import escape

from shared.cli.output import Output
from shared.doctor.finding import Result, Verdict

_MARKUP = {
    Result.OK: "[green]ok[/green]",
    Result.FAILED: "[red]failed[/red]",
    Result.SKIPPED: "[yellow]skipped[/yellow]",
}


def print_verdicts(verdicts: Mapping[str, Verdict], output: Output) -> None:
    """Print one line for each check: its name, its result, what was found, and the remedy."""
    lines = [
        (name, _MARKUP[verdict.result], escape(f"{verdict.found}\n{verdict.remedy}".strip()))
        for name, verdict in verdicts.items()
    ]
    output.print_table(("check", "", "found"), lines)
