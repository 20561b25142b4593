"""Run `cosell pause` and `cosell resume`: stop a direction for every instance of the app, without a deployment."""

from enum import StrEnum
from typing import Annotated

import typer

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.operator import operator_id, record_action
from shared.cli.output import Output
from shared.domain.policy import PULL, PUSH
from shared.operations.ask_app import why_it_waits

EFFECT = {
    PUSH: "The app looks for no change in Salesforce. A deal that the pull works on is still merged, both ways.",
    PULL: "The app looks for no change in Partner Center. A deal that the push works on is still merged, both ways.",
}


class Direction(StrEnum):
    """A direction of the sync."""

    PUSH = PUSH
    PULL = PULL


Chosen = Annotated[Direction | None, typer.Argument(help="Only this direction; default: both.")]


def pause(env: Env, direction: Chosen = None, as_json: Json = False) -> None:
    """Pause the sync in one direction or both, within a minute."""
    run_command(env, as_json, lambda _, output: run_pause(output, direction))


def resume(env: Env, direction: Chosen = None, as_json: Json = False) -> None:
    """End a pause."""
    run_command(env, as_json, lambda _, output: run_resume(output, direction))


def run_pause(output: Output, direction: str | None) -> Exit:
    """Run `cosell pause`. Raises the errors of the store."""
    app = App()
    try:
        known, chosen = app.store.pauses(fresh=True), _chosen(direction)
        record_action(app, "pause", " ".join(chosen))
        for one in chosen:
            if one in known:
                output.say(f"The {one} is paused already.")
                continue
            app.store.pause_direction(one, app.clock.now(), operator_id(app))
            output.say(f"The {one} is paused. {EFFECT[one]}")
        output.say("A run that goes on now sends no other deal after a few seconds: what it leaves waits.")
        output.say(f"Changes wait. To let them go, run `cosell resume{f' {direction}' if direction else ''}`.")
        return _end(app, output)
    finally:
        app.close()


def run_resume(output: Output, direction: str | None) -> Exit:
    """Run `cosell resume`. Raises the errors of the store."""
    app = App()
    try:
        known, chosen = app.store.pauses(fresh=True), _chosen(direction)
        record_action(app, "resume", " ".join(chosen))
        for one in chosen:
            app.store.resume_direction(one)
            output.say(f"The {one} goes on at its next run." if one in known else f"The {one} was not paused.")
        for one in sorted(app.settings.sync.paused.intersection(chosen)):
            output.say(f"The setting {one.upper()}_PAUSED pauses the {one} too: set it to false, and deploy.")
        for sentence in why_it_waits(app, *chosen):
            output.say(sentence)
        return _end(app, output)
    finally:
        app.close()


def _chosen(direction: str | None) -> tuple[str, ...]:
    return (str(direction),) if direction else (PUSH, PULL)


def _end(app: App, output: Output) -> Exit:
    paused = sorted(app.settings.sync.paused.union(app.store.pauses(fresh=True)))
    output.print_document({"ok": True, "paused": paused})
    return Exit.OK
