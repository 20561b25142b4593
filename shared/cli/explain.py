"""Run `cosell explain`: print why a field of a deal has its value. It prints values of deals, which no log gets."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from msgspec import to_builtins

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output, plain
from shared.domain.sentences import system_name
from shared.operations.explain_field import Explained, FieldChange, OnFile, explain_field
from shared.operations.on_file import reason_on_file


def explain(
    deal: Annotated[str, typer.Argument(metavar="ID", help="The id of an opportunity or of a referral.")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="A field as in the mapping file, or its label.")],
    env: Env,
    as_json: Json = False,
) -> None:
    """Print each change of a field of a deal: when, on which side, from what to what, and why."""
    run_command(env, as_json, lambda _, output: run_explain(output, deal, field))


def run_explain(output: Output, deal: str, field: str) -> Exit:
    """Run the command. Raises ConfigurationError and what the store raises."""
    app = App()
    try:
        explained = explain_field(app.store, app.translation.rules, deal, field)
    finally:
        app.close()
    _print(explained, output)
    output.print_document({"ok": True, **to_builtins(explained)})
    return Exit.OK


def shown_time(at: datetime | None) -> str:
    """Return a time as every table shows it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _print(explained: Explained, output: Output) -> None:
    sides = ("opportunity", explained.opportunity_id), ("referral", explained.referral_id)
    ids = ", ".join(f"{side} {key}" for side, key in sides if key)
    name = f"{plain(explained.name)}: " if explained.name else ""
    output.say(f"{plain(explained.label)} ({explained.field}) of {name}{ids}")
    output.say(f"Both sides agreed last on: {plain(explained.agreed)}" if explained.agreed is not None else _NO_BASE)
    output.say("Changes:" if explained.changes else "No change of it is stored.")
    for change in explained.changes:
        print_change(change, output)
    _print_on_file(explained.on_file, output)
    output.say(f"Next: `cosell status {explained.opportunity_id or explained.referral_id}`.")


_NO_BASE = "Both sides have not agreed on a value yet."


def print_change(change: FieldChange, output: Output) -> None:
    """Print a change in full lines: a table would cut the ids, which people look up in the log."""
    output.say(f"{shown_time(change.at)}: {_what_happened(change)}")
    output.say(f"   {plain(change.text)}")
    run = change.correlation_id or "unknown"
    output.say(f"   Code of the rule: {plain(change.rule or 'none')}; correlation_id in the log: {plain(run)}")


def _what_happened(change: FieldChange) -> str:
    """Say in words whether a value arrived: an arrow would read as if it had."""
    if change.side is None:
        return "a note"
    side, before, after = system_name(change.side), plain(change.before or "empty"), plain(change.after or "empty")
    has_values = change.before is not None or change.after is not None
    if change.was_written:
        return f"{side} changed from {before} to {after}" if has_values else f"{side} was written"
    return f"{side} kept {before}, and did not get {after}" if has_values else f"a note; nothing was written to {side}"


def _print_on_file(on_file: Sequence[OnFile], output: Output) -> None:
    for one in on_file:
        output.say(f"On file since {shown_time(one.since)}: {reason_on_file(one.side, one.code)} ({plain(one.code)}).")
