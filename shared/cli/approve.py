"""Run `cosell approve`: show what waits for an operator, ask, and let it go.

The command itself writes to neither side (`shared/operations/stopped_changes.py`, `newly_sent.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

import typer
from msgspec import Struct, to_builtins

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.operator import record_action
from shared.cli.output import Output, plain
from shared.cli.preview import change_texts
from shared.domain.policy import PULL, PUSH
from shared.domain.sentences import system_name
from shared.foundation.errors import CosellError
from shared.operations.ask_app import why_it_waits
from shared.operations.newly_sent import NewField, approve_fields, find_new_fields, with_examples
from shared.operations.stopped_changes import Stop, approve_stops, find_stops
from shared.operations.waiting_changes import WaitingDeal, show_waiting

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
            found = _with_values(app, found, output) if found.stops or found.fields else found
        _print_stops(found, output)
        _print_fields(found, output)
        if not (found.stops or found.fields):
            output.say("Nothing waits for an approval.")
        elif not yes:
            output.say("If the changes are wrong, take them back where they were made: then nothing of them waits.")
        if dry_run or not (found.stops or found.fields):
            if found.stops or found.fields:
                output.say("Nothing was changed. `cosell approve` asks, and lets it go.")
            return _end(output, found, is_approved=False, code=Exit.OK)
        if not (yes or output.confirm(f"Let {found.described} go?")):
            output.say_declined("Nothing was changed", "To let it go", "run `cosell approve --yes`")
            return _end(output, found, is_approved=False, code=Exit.PROBLEM)
        operator = record_action(app, "approve", found.scope)
        approve_stops(app.local, found.stops, operator)
        approve_fields(app.local, found.fields, operator)
        output.say("Approved. The app goes on with it at its next runs, while SYNC is on.")
        obstacles = why_it_waits(app, *_directions(found))
        for sentence in obstacles:
            output.say(plain(sentence))
        if found.stops:
            output.say("What it has not changed within two days is counted anew.")
        output.say("Next: `cosell status` names who approved it until the app has worked it, and what still waits.")
        return _end(output, found, is_approved=True, code=Exit.OK, obstacles=obstacles)
    finally:
        app.close()


class Found(Struct, frozen=True):
    """What waits for an operator; `waiting` has some of the deals of each stop and each field, by its name."""

    stops: Sequence[Stop]
    fields: Sequence[NewField]
    waiting: Mapping[str, Sequence[WaitingDeal]] = {}

    @property
    def described(self) -> str:
        """What a yes lets go."""
        number, fields = sum(len(stop.deals) for stop in self.stops), ", ".join(field.label for field in self.fields)
        changes = "this change" if number == 1 else f"these {number} changes"
        parts = ([changes] if self.stops else []) + ([f"the field {fields}"] if self.fields else [])
        return " and ".join(parts)

    @property
    def scope(self) -> str:
        """What a yes lets go, without a value of a deal: the name of a count has a fingerprint of one at most."""
        return " ".join(
            [*(f"{stop.name} {len(stop.deals)}" for stop in self.stops), *(one.name for one in self.fields)]
        )


def _directions(found: Found) -> Sequence[str]:
    """The directions whose runs work what a yes lets go: a deal that arrives is pulled, all else is pushed."""
    pulled = [stop.is_arriving for stop in found.stops]
    return [*([PULL] if any(pulled) else []), *([PUSH] if found.fields or not all(pulled) else [])]


def _with_values(app: App, found: Found, output: Output) -> Found:
    """What waits, with names and values as both sides have them now; without them if a side cannot be read."""
    try:
        ctx = app.context
        waiting = show_waiting(ctx, app.rows, found.stops, found.fields)
        return Found(found.stops, with_examples(ctx, found.fields), waiting)
    except CosellError as error:
        output.say(f"Names and values cannot be shown: {plain(type(error).__name__)}: {plain(error)}")
        return found


def _print_stops(found: Found, output: Output) -> None:
    lines = [
        (str(len(stop.deals)), *_named(stop), str(stop.gone), f"{stop.limit} a day", f"{stop.since:%Y-%m-%d %H:%M} UTC")
        for stop in found.stops
    ]
    if lines:
        output.print_table(
            ("waiting", "what", "in", "gone today", "limit", "stopped since"), lines, title="Stopped changes"
        )
        output.say("What went today, the Audit of each opportunity says: the store counts it, without the ids.")
    for stop in found.stops:
        known = {deal.id: deal for deal in found.waiting.get(stop.name, ())}
        examples = {key: _example(known[key]) if key in known else plain(key) for key in stop.deals[:SHOWN]}
        _print_examples(" in ".join(_named(stop)), examples.values(), len(stop.deals), output)


def _named(stop: Stop) -> tuple[str, str]:
    """What is stopped, and in which system."""
    return plain(stop.meaning), system_name(stop.side)


def _print_fields(found: Found, output: Output) -> None:
    """Print the fields with values of deals: the operator decides by them. They are in no log."""
    lines = [(plain(field.label), plain(field.source), str(len(field.deals))) for field in found.fields]
    if not lines:
        return
    output.print_table(("field", "sent", "deals so far"), lines, title="Fields that are newly sent")
    for field in found.fields:
        known = {deal.id: deal for deal in found.waiting.get(field.name, ()) if deal.changes}
        examples = {key: f"{plain(key)}: {plain(value)}" for key, value in field.examples}
        examples |= {key: _example(deal) for key, deal in known.items()}
        _print_examples(plain(field.label), examples.values(), len(field.deals), output)
    output.say("Other deals are compared when they next change.")


def _print_examples(title: str, examples: Collection[str], number: int, output: Output) -> None:
    """Print some deals, one a line, with what waits."""
    if examples:
        output.say(f"{title}{', for example' if number > len(examples) else ''}:")
    for text in examples:
        output.say(f"   {text}")


def _example(deal: WaitingDeal) -> str:
    texts = (
        (f"{plain(one.label)}: {plain(one.new)}" for one in deal.changes) if deal.is_new else change_texts(deal.changes)
    )
    changes = "; ".join(texts)
    return f"{plain(deal.name or deal.id)} ({plain(deal.id)}){': ' if changes else ''}{changes}"


def _end(output: Output, found: Found, *, is_approved: bool, code: Exit, obstacles: Sequence[str] = ()) -> Exit:
    waiting = {name: to_builtins(deals) for name, deals in found.waiting.items()}
    stops = [
        {
            **to_builtins(stop), "count": len(stop.deals), "deals": list(stop.examples),
            "waiting": waiting.get(stop.name, []),
        }
        for stop in found.stops
    ]  # fmt: skip
    fields = [
        {
            **to_builtins(field), "count": len(field.deals), "deals": list(field.deals[:SHOWN]),
            "waiting": waiting.get(field.name, []),
        }
        for field in found.fields
    ]  # fmt: skip
    output.print_document({
        "ok": code is Exit.OK, "approved": is_approved, "stops": stops, "fields": fields, "obstacles": list(obstacles),
    })  # fmt: skip
    return code
