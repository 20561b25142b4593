"""Run `cosell approve`: show what waits for an operator, ask, and let it go.

The command itself writes to neither side (`shared/operations/stopped_changes.py`, `newly_sent.py`).
"""

from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec import Struct, to_builtins
from rich.markup import escape

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.domain.counted_changes import Kind
from shared.domain.sentences import system_name
from shared.operations.newly_sent import NewField, approve_fields, find_new_fields, with_examples
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
    """Run the command. Raises what Salesforce and the store raise."""
    app = App()
    try:
        with output.show_progress("reading the store"):
            found = Found(find_stops(app.local), find_new_fields(app.local))
            if found.fields:
                found = Found(found.stops, with_examples(app.context, found.fields))
        _print_stops(found.stops, output)
        _print_fields(found.fields, output)
        if not (found.stops or found.fields):
            output.say("Nothing waits for an approval.")
        if dry_run or not (found.stops or found.fields):
            return _end(output, found, is_approved=False, code=Exit.OK)
        if not (yes or output.confirm(f"Let {found.described} go")):
            output.say("Nothing was changed. To let it go, answer yes, or run `cosell approve --yes`.")
            return _end(output, found, is_approved=False, code=Exit.PROBLEM)
        approve_stops(app.local, found.stops)
        approve_fields(app.local, found.fields)
        output.say("Approved. What waits goes on at the next runs while SYNC is on, counted changes for two days.")
        return _end(output, found, is_approved=True, code=Exit.OK)
    finally:
        app.close()


class Found(Struct, frozen=True):
    """What waits for an operator."""

    stops: Sequence[Stop]
    fields: Sequence[NewField]

    @property
    def described(self) -> str:
        """What a yes lets go."""
        number, fields = sum(len(stop.deals) for stop in self.stops), ", ".join(field.label for field in self.fields)
        parts = ([f"these {number} changes"] if self.stops else []) + ([f"the field {fields}"] if self.fields else [])
        return " and ".join(parts)


def _print_stops(stops: Sequence[Stop], output: Output) -> None:
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
    if lines:
        shown = [tuple(escape(cell) for cell in line) for line in lines]
        output.print_table(("how many", "what", "in", "since", "for example"), shown, title="Stopped changes")


def _print_fields(fields: Sequence[NewField], output: Output) -> None:
    """Print the fields with values of deals: the operator decides by them. They are in no log."""
    lines = [
        (
            field.label,
            field.source,
            str(len(field.deals)),
            "\n".join(f"{deal}: {value}" for deal, value in field.examples),
        )
        for field in fields
    ]
    if lines:
        shown = [tuple(escape(cell) for cell in line) for line in lines]
        output.print_table(("field", "sent", "deals so far", "for example"), shown, title="Fields that are newly sent")
        output.say("Other deals are compared when they next change.")


def _end(output: Output, found: Found, *, is_approved: bool, code: Exit) -> Exit:
    stops = [{**to_builtins(stop), "count": len(stop.deals), "deals": list(stop.examples)} for stop in found.stops]
    fields = [
        {**to_builtins(field), "count": len(field.deals), "deals": list(field.deals[:SHOWN])} for field in found.fields
    ]
    output.print_document({"ok": code is Exit.OK, "approved": is_approved, "stops": stops, "fields": fields})
    return code
