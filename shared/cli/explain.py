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
from shared.domain.deal import Side
from shared.domain.sentences import system_name
from shared.operations.explain_field import Explained, FieldChange, OnFile, explain_field


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
    ids = " ".join(filter(None, (explained.opportunity_id, explained.referral_id)))
    output.say(f"{plain(explained.label)} ({explained.field}) of {ids}")
    output.say(f"Both sides agreed last on: {plain(explained.agreed)}" if explained.agreed is not None else _NO_BASE)
    output.say("Changes:" if explained.changes else "No change of it is stored.")
    for change in explained.changes:
        _print_change(change, output)
    _print_on_file(explained.on_file, output)
    output.say(f"Next: `cosell status {explained.opportunity_id or explained.referral_id}`.")


_NO_BASE = "Both sides have not agreed on a value yet."


def _print_change(change: FieldChange, output: Output) -> None:
    """Print a change in full lines: a table would cut the ids, which people look up in the log."""
    where = f"{'in' if change.was_written else 'not in'} {system_name(change.side)}" if change.side else "noted"
    has_values = change.before is not None or change.after is not None
    values = f": {plain(change.before or 'empty')} → {plain(change.after or 'empty')}" if has_values else ""
    output.say(f"{shown_time(change.at)} {where}{values}")
    output.say(f"   {plain(change.text)}")
    output.say(f"   rule {plain(change.rule or 'none')}, run {plain(change.correlation_id or 'unknown')}")


def _print_on_file(on_file: Sequence[OnFile], output: Output) -> None:
    for one in on_file:
        where = f"not in {system_name(Side(one.side))}" if one.side else "waits"
        output.say(f"A later value is on file: {where} ({plain(one.code)}), since {shown_time(one.since)}.")
