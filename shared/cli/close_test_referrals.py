"""Run `cosell close-test-referrals`: list this environment's open referrals, ask, and let the app close them.

The command itself writes no referral (`shared/operations/own_test_referrals.py`).
"""

from collections.abc import Sequence
from copy import replace
from typing import Annotated

import typer
from msgspec import to_builtins
from rich.markup import escape

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.foundation.errors import ConfigurationError
from shared.operations.own_test_referrals import TestReferral, find_test_referrals, request_close


def close_test_referrals(
    env: Env,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List them, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """List the open referrals that this environment has made, ask, and let the app close them as an error."""
    run_command(env, as_json, lambda _, output: run_close_test_referrals(output, yes=yes, dry_run=dry_run))


def run_close_test_referrals(output: Output, *, yes: bool, dry_run: bool) -> Exit:
    """Run the command. Raises ConfigurationError in production, and what Partner Center and the store raise."""
    app = App()
    try:
        if app.settings.sync.tag is None:
            raise ConfigurationError(
                "ENVIRONMENT: in production no referral is a test. This command closes those of another environment"
            )
        with output.show_progress("reading referrals") as bar:
            found = find_test_referrals(app.local, bar.move_to)
        return _close(app, found, output, yes=yes, dry_run=dry_run)
    finally:
        app.close()


def _close(app: App, found: Sequence[TestReferral], output: Output, *, yes: bool, dry_run: bool) -> Exit:
    closable = [each for each in found if not each.obstacle]
    _print_found(found, output)
    if dry_run or not closable:
        return _end(output, found, requested=())
    if not (yes or output.confirm(f"Close {len(closable)} as error: Test referral, which cannot be undone?")):
        output.say_declined("Nothing was changed", "To close them", "run `cosell close-test-referrals --yes`")
        _print(output, found, (), is_well=False)
        return Exit.PROBLEM
    asked = [replace(each, obstacle=request_close(app.local, each)) for each in closable]
    requested = [each for each in asked if not each.obstacle]
    if requested:
        output.say(f"The app closes {len(requested)} within a minute, while SYNC is on and the push is not paused.")
    _say_obstacles([each for each in asked if each.obstacle], output)
    return _end(output, [*(each for each in found if each.obstacle), *asked], requested)


def _print_found(found: Sequence[TestReferral], output: Output) -> None:
    if not found:
        output.say("This environment has no open referral.")
        return
    cells = [(each.name, each.amount, each.id, each.opportunity_id or "") for each in found]
    lines = [tuple(escape(cell) for cell in line) for line in cells]
    output.print_table(("name", "amount", "referral", "opportunity"), lines, title="Open referrals")
    _say_obstacles([each for each in found if each.obstacle], output)


def _say_obstacles(left: Sequence[TestReferral], output: Output) -> None:
    for each in left:
        output.say(escape(f"The app cannot close {each.id}: {each.obstacle}."))


def _end(output: Output, found: Sequence[TestReferral], requested: Sequence[TestReferral]) -> Exit:
    is_well = not any(each.obstacle for each in found)
    _print(output, found, requested, is_well=is_well)
    return Exit.OK if is_well else Exit.PROBLEM


def _print(output: Output, found: Sequence[TestReferral], requested: Sequence[TestReferral], *, is_well: bool) -> None:
    ids = [each.id for each in requested]
    output.print_document({"ok": is_well, "referrals": [to_builtins(each) for each in found], "requested": ids})
