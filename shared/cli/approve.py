"""Run `cosell approve`: show what waits for an operator, ask, and let it go.

The command itself writes to neither side (`shared/operations/stopped_changes.py`).
"""

from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec import to_builtins
from rich.markup import escape

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.domain.counted_changes import Kind
from shared.domain.sentences import system_name
from shared.operations.stopped_changes import Stop, approve_stops, find_stops

MEANINGS = {
    Kind.CREATION: "new deals",
    Kind.CLOSURE: "closed deals",
    Kind.VISIBILITY: "deals that become visible to Microsoft",
    Kind.EMPTIED: "emptied fields",
    Kind.VALUE: "one value of {field} on many deals",
}
SHOWN = 5
"""So many ids of a stop are shown."""


def approve(
    env: Env,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what waits, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """List the changes that wait for an approval, ask, and let them go."""
    run_command(env, as_json, lambda _, output: run_approve(output, yes=yes, dry_run=dry_run))


def run_approve(output: Output, *, yes: bool, dry_run: bool) -> Exit:
    """Run the command. Raises what the store raises."""
    app = App()
    try:
        with output.show_progress("reading the store"):
            stops = find_stops(app.local)
        _print_stops(stops, output)
        if dry_run or not stops:
            return _end(output, stops, is_approved=False, code=Exit.OK)
        number = sum(len(stop.deals) for stop in stops)
        if not (yes or output.confirm(f"Let these {number} changes go")):
            output.say("Nothing was changed. To let them go, answer yes, or run `cosell approve --yes`.")
            return _end(output, stops, is_approved=False, code=Exit.PROBLEM)
        approve_stops(app.local, stops)
        output.say("Approved. What waits goes on at the next runs, within two days at most, while SYNC is on.")
        return _end(output, stops, is_approved=True, code=Exit.OK)
    finally:
        app.close()


def _print_stops(stops: Sequence[Stop], output: Output) -> None:
    if not stops:
        output.say("Nothing waits for an approval.")
        return
    lines = [
        (
            str(len(stop.deals)),
            MEANINGS[stop.kind].format(field=stop.field),
            system_name(stop.side),
            f"{stop.since:%Y-%m-%d %H:%M} UTC",
            " ".join(stop.deals[:SHOWN]),
        )
        for stop in stops
    ]
    shown = [tuple(escape(cell) for cell in line) for line in lines]
    output.print_table(("how many", "what", "in", "since", "for example"), shown, title="Waiting for an approval")


def _end(output: Output, stops: Sequence[Stop], *, is_approved: bool, code: Exit) -> Exit:
    listed = [{**to_builtins(stop), "count": len(stop.deals), "deals": list(stop.examples)} for stop in stops]
    output.print_document({"ok": code is Exit.OK, "approved": is_approved, "stops": listed})
    return code
