"""`cosell doctor`: every prerequisite with ok or a remedy, and what only a person can check."""

from collections.abc import Sequence

from rich.markup import escape

from shared.cli.command import Env, Json, run_command
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.doctor.finding import Result
from shared.doctor.installation import Installation
from shared.doctor.run_checks import BY_HAND, PREREQUISITES, CheckResult, run_checks

MARKS = {Result.OK: "[green]ok[/green]", Result.FAILED: "[red]failed[/red]", Result.SKIPPED: "[yellow]skipped[/yellow]"}


def doctor(env: Env, as_json: Json = False) -> None:
    """Check every prerequisite: ok, or what to do."""
    run_command(env, as_json, run_doctor)


def run_doctor(environment: Environment, output: Output) -> Exit:
    """Examine, tell, and give the exit code: 0 all well, 1 something failed."""
    patient = Installation(door=environment.app_url)
    try:
        with output.show_progress("examining", len(PREREQUISITES)) as bar:
            checks = run_checks(patient, lambda done, name: bar.move_to(done, len(PREREQUISITES), name))
    finally:
        patient.close()
    _show(checks, output)
    is_well = all(check.verdict.result is not Result.FAILED for check in checks)
    output.print_document(
        {"ok": is_well, "checks": [check.as_document() for check in checks], "by_hand": list(BY_HAND)}
    )
    return Exit.OK if is_well else Exit.PROBLEM


def _show(checks: Sequence[CheckResult], output: Output) -> None:
    rows = [(check.name, MARKS[check.verdict.result], escape(_told(check))) for check in checks]
    output.print_table(("check", "", "found"), rows)
    output.say("Only a person can check:")
    for sentence in BY_HAND:
        output.say(f"  - {sentence}")


def _told(check: CheckResult) -> str:
    verdict = check.verdict
    return f"{verdict.found}\n{verdict.remedy}" if verdict.remedy else verdict.found
