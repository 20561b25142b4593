"""Run `cosell sync` and `cosell retry`: let the app work on deals now.

The commands write to neither side (`shared/operations/ask_app.py`).
"""

from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec import to_builtins

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.operator import record_action
from shared.cli.output import Output, plain
from shared.domain.deal import Side
from shared.domain.policy import PULL, PUSH
from shared.foundation.errors import ConfigurationError
from shared.operations.ask_app import Asked, ask, asked_of, find_failed, why_it_waits
from shared.operations.find_pair import find_deal

SHOWN = 20
"""So many deals are printed."""


def sync(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Opportunity or referral ids.")],
    env: Env,
    as_json: Json = False,
) -> None:
    """Let the app read both sides of these deals and sync them now."""
    run_command(env, as_json, lambda _, output: run_sync(output, "sync", ids))


def retry(
    env: Env,
    deal: Annotated[str | None, typer.Argument(metavar="ID", help="An opportunity or referral id.")] = None,
    cause: Annotated[str | None, typer.Option("--cause", metavar="CODE", help="All deals with this cause.")] = None,
    all_deals: Annotated[bool, typer.Option("--all", help="All deals that are held, parked or failed.")] = False,
    as_json: Json = False,
) -> None:
    """Let the app try again what was held, parked or failed."""
    run_command(env, as_json, lambda _, output: run_retry(output, deal, cause, all_deals=all_deals))


def run_sync(output: Output, action: str, ids: Sequence[str]) -> Exit:
    """Ask for single deals. Raises ConfigurationError for an id that is unknown, before any deal is asked for."""
    app = App()
    try:
        found = [asked_of(app.local, find_deal(app.store, each)) for each in ids]
        waiting = [one for one in found if one.needs_approval]
        for one in waiting:
            output.say(f"{plain(one.key)} waits for an approval, which a retry does not replace: run `cosell approve`.")
        asked = [one for one in found if one not in waiting]
        return _ask(app, output, action, " ".join(one.key for one in asked), asked, is_well=not waiting)
    finally:
        app.close()


def run_retry(output: Output, deal: str | None, cause: str | None, *, all_deals: bool) -> Exit:
    """Run the command. Raises ConfigurationError unless exactly one choice is given, and the errors of the store."""
    if sum((deal is not None, cause is not None, all_deals)) != 1:
        raise ConfigurationError("retry: give an ID, or --cause CODE, or --all")
    if deal is not None:
        return run_sync(output, "retry", [deal])
    app = App()
    try:
        with output.show_progress("reading the store") as bar:
            found = find_failed(app.local, cause, bar.move_to)
        if not found:
            output.say(
                f"Nothing waits with the cause {plain(cause)}." if cause else "Nothing is held, parked or failed."
            )
        return _ask(app, output, "retry", f"cause {cause}" if cause else "all", found)
    finally:
        app.close()


def _ask(app: App, output: Output, action: str, scope: str, asked: Sequence[Asked], *, is_well: bool = True) -> Exit:
    if asked:
        record_action(app, action, scope)
    with output.show_progress("asking the app", len(asked)) as bar:
        for number, one in enumerate(asked):
            ask(app.local, one)
            bar.move_to(number + 1)
    directions = {PUSH if one.side is Side.SALESFORCE else PULL for one in asked}
    obstacles = why_it_waits(app, *sorted(directions)) if asked else ()
    _print_asked(output, asked, obstacles)
    output.print_document({"ok": is_well, "asked": [to_builtins(one) for one in asked], "obstacles": list(obstacles)})
    return Exit.OK if is_well else Exit.PROBLEM


def _print_asked(output: Output, asked: Sequence[Asked], obstacles: Sequence[str]) -> None:
    if lines := [(plain(one.key), plain(", ".join(one.causes))) for one in asked[:SHOWN]]:
        output.print_table(("deal", "cause"), lines)
    if len(asked) > SHOWN:
        output.say(f"And {len(asked) - SHOWN} more.")
    for one in asked:
        if one.is_busy:
            output.say(f"The app works on {plain(one.key)} now. It looks at it once more when that has ended.")
    for sentence in obstacles:
        output.say(plain(sentence))
    if asked and not obstacles:
        output.say(f"The app works on {len(asked)} within a minute. The result is in the Audit of each opportunity.")
