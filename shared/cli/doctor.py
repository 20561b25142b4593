"""Run `cosell doctor`: check every prerequisite, print the remedies, and list what only a person can check."""

from shared.cli.command import Env, Json, run_command
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.verdict_table import print_verdicts
from shared.doctor.finding import Result, documents_of
from shared.doctor.installation import Installation
from shared.doctor.run_checks import MANUAL_CHECKS, PREREQUISITES, run_checks


def doctor(env: Env, as_json: Json = False) -> None:
    """Check every prerequisite, and say what to do about each problem."""
    run_command(env, as_json, run_doctor)


def run_doctor(environment: Environment, output: Output) -> Exit:
    """Run all checks and print the results. Returns `Exit.PROBLEM` if a check has failed."""
    installation = Installation(app_url=environment.app_url)
    try:
        with output.show_progress("checking", len(PREREQUISITES)) as bar:
            verdicts = run_checks(installation, lambda done, name: bar.move_to(done, len(PREREQUISITES), name))
    finally:
        installation.close()
    print_verdicts(verdicts, output)
    output.say("Check these yourself:")
    for sentence in MANUAL_CHECKS:
        output.say(f"  - {sentence}")
    is_well = all(verdict.result is not Result.FAILED for verdict in verdicts.values())
    output.print_document({"ok": is_well, "checks": documents_of(verdicts), "by_hand": list(MANUAL_CHECKS)})
    return Exit.OK if is_well else Exit.PROBLEM
