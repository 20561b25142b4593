"""`cosell doctor`: every prerequisite with ok or a remedy, and what only a person can check."""

from collections.abc import Sequence

from rich.markup import escape

from shared.cli.command import Env, Json, run
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.doctor.finding import Result
from shared.doctor.installation import Patient
from shared.doctor.run_checks import BY_HAND, ITEMS, Check, examine

MARKS = {Result.OK: "[green]ok[/green]", Result.FAILED: "[red]failed[/red]", Result.SKIPPED: "[yellow]skipped[/yellow]"}


def doctor(env: Env, as_json: Json = False) -> None:
    """Check every prerequisite: ok, or what to do."""
    run(env, as_json, work)


def work(environment: Environment, output: Output) -> Exit:
    """Examine, tell, and give the exit code: 0 all well, 1 something failed."""
    patient = Patient(door=environment.app_url)
    try:
        with output.progress("examining", len(ITEMS)) as bar:
            checks = examine(patient, lambda done, name: bar.to(done, len(ITEMS), name))
    finally:
        patient.close()
    _show(checks, output)
    is_well = all(check.verdict.result is not Result.FAILED for check in checks)
    output.result({"ok": is_well, "checks": [check.document() for check in checks], "by_hand": list(BY_HAND)})
    return Exit.OK if is_well else Exit.FOUND


def _show(checks: Sequence[Check], output: Output) -> None:
    rows = [(check.name, MARKS[check.verdict.result], escape(_told(check))) for check in checks]
    output.table(("check", "", "found"), rows)
    output.say("Only a person can check:")
    for sentence in BY_HAND:
        output.say(f"  - {sentence}")


def _told(check: Check) -> str:
    verdict = check.verdict
    return f"{verdict.found}\n{verdict.remedy}" if verdict.remedy else verdict.found
