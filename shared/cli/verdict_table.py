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
    """Print one line for each check: its name, its result, and what was found. The remedies follow.

    Each remedy is one line, because a table breaks lines, and a person could not copy a broken command.
    """
    lines = [(name, _MARKUP[verdict.result], escape(verdict.found)) for name, verdict in verdicts.items()]
    output.print_table(("check", "", "found"), lines)
    remedies = {name: verdict.remedy for name, verdict in verdicts.items() if verdict.remedy}
    if remedies:
        output.say("Remedies:")
    for name, remedy in remedies.items():
        output.say(escape(f"  {name}: {remedy}"))
