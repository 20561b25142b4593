"""Run `cosell mapping`: show, explain, check and compare mapping files, and print the JSON Schema of one.

What the commands print of a file: `shared/mapping/effective.py`, `explained.py` and `file_schema.py`.
"""

import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins

from shared.app import HOME, App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output, ProgressBar, plain
from shared.cli.verdict_table import print_verdicts
from shared.doctor.finding import Result, documents_of
from shared.doctor.installation import Installation
from shared.doctor.run_checks import MAPPING_CHECKS, run_checks
from shared.domain.link import Link
from shared.foundation.errors import ConfigurationError
from shared.mapping.effective import Effective, Key, effective_mapping
from shared.mapping.explained import explain_field
from shared.mapping.file_schema import file_schema
from shared.mapping.schema import DEFAULT
from shared.mapping.toml_writer import toml_lines, toml_place, toml_value
from shared.operations.mapping_diff import LEAVES, diff_mappings
from shared.settings.variables import Settings

app = typer.Typer(no_args_is_help=True, help="Show, explain and check the mapping file.")

File = Annotated[str, typer.Option("--file", metavar="FILE", help="This file, instead of the one that MAPPING names.")]


@app.command("show")
def show_command(env: Env, file: File = "", as_json: Json = False) -> None:
    """Print the whole mapping as it counts, each line with the file and line that it comes from."""
    run_command(env, as_json, lambda _, output: run_show(output, file))


@app.command("explain")
def explain_command(
    field: Annotated[str, typer.Argument(help="A field, its label, one of its columns, or one of its paths.")],
    env: Env,
    file: File = "",
    as_json: Json = False,
) -> None:
    """Say what a field does: what it reads and sends, when, and who wins."""
    run_command(env, as_json, lambda _, output: run_explain(output, field, file))


@app.command("check")
def check_command(env: Env, file: File = "", as_json: Json = False) -> None:
    """Check the file against Salesforce and the rules of Partner Center, and say what to do about each problem."""
    run_command(env, as_json, lambda _, output: run_check(output, file))


@app.command("diff")
def diff_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The mapping file that MAPPING may name next.")],
    env: Env,
    as_json: Json = False,
) -> None:
    """Say what another mapping file would change, and for how many linked deals. Nothing is written."""
    run_command(env, as_json, lambda _, output: run_diff(output, file))


@app.command("schema")
def schema_command(env: Env, as_json: Json = False) -> None:
    """Print the JSON Schema of mapping files, for an editor. It is one document with and without --json."""
    run_command(env, as_json, lambda _, __: typer.echo(json.dumps(file_schema(), indent=2, ensure_ascii=False)))


def run_show(output: Output, file: str) -> None:
    """Print the file. Raises ConfigurationError."""
    effective = effective_mapping(path_of(file))
    output.say(plain(f"# {effective.name}, hash {effective.hash}"))
    for line in _removals(effective):
        output.say(plain(f"# {line}"))
    for line in toml_lines([(key.place, key.value, key.origin.text) for key in effective.keys]):
        output.say(plain(line))
    output.print_document({"ok": True, "file": effective.name, "hash": effective.hash, **_document(effective)})


def _removals(effective: Effective) -> Iterator[str]:
    for key in effective.removed:
        yield f"left out: {toml_place(key.place)}, by {key.origin.text}"


def _document(effective: Effective) -> dict[str, object]:
    return {
        "removed": [str(key.place[-1]) for key in effective.removed],
        "keys": [_key_document(key) for key in effective.keys],
    }


def _key_document(key: Key) -> dict[str, object]:
    origin = {"file": key.origin.file, "line": key.origin.line}
    return {"key": ".".join(map(str, key.place)), "value": key.value, **origin}


def run_explain(output: Output, field: str, file: str) -> None:
    """Print what a field does. Raises ConfigurationError."""
    effective = effective_mapping(path_of(file))
    found = explain_field(effective, field)
    output.say(plain(f"fields.{found.name} of {effective.name}: {found.type}"))
    for name, words in found.facts:
        output.say(plain(f"  {name}: {words}"))
    output.say("Its keys:")
    for key in found.keys:
        output.say(plain(f"  {toml_place(key.place[2:])} = {toml_value(key.value)}  # {key.origin.text}"))
    output.print_document(
        {
            "ok": True,
            "file": effective.name,
            "field": found.name,
            "type": found.type,
            **dict(found.facts),
            "keys": [_key_document(key) for key in found.keys],
        }
    )


def run_check(output: Output, file: str) -> Exit:
    """Run the checks and print the results. Returns `Exit.PROBLEM` if one has failed.

    `file` stands for MAPPING in this process, because the checks read the settings.
    """
    if file:
        os.environ["MAPPING"] = str(path_of(file))
    installation = Installation()
    try:
        with output.show_progress("checking", len(MAPPING_CHECKS)) as bar:
            verdicts = run_checks(
                installation, lambda done, name: bar.move_to(done, len(MAPPING_CHECKS), name), MAPPING_CHECKS
            )
    finally:
        installation.close()
    print_verdicts(verdicts, output)
    is_well = all(verdict.result is not Result.FAILED for verdict in verdicts.values())
    if is_well and file:
        output.say(plain(f"To see what it would change, run `cosell mapping diff {shlex.quote(file)}`."))
    output.print_document({"ok": is_well, "file": file or None, "checks": documents_of(verdicts)})
    return Exit.OK if is_well else Exit.PROBLEM


def run_diff(output: Output, file: str) -> None:
    """Compare the file with the one in use, and print it. Raises ConfigurationError and the errors of the store."""
    before, after, connector = effective_mapping(path_of("")), effective_mapping(path_of(file)), App()
    try:
        with output.show_progress("reading links") as bar:
            links = _counted((entry.value for entry in connector.store.links()), bar)
            found = diff_mappings(before, after, links, connector.store.approved_fields())
    finally:
        connector.close()
    output.say(plain(f"{before.name} ({before.hash}) to {after.name} ({after.hash}), {found.links} linked deals"))
    for change in found.changes:
        output.say(plain(f"{change.name}: {change.links} linked deals"))
        for effect in change.effects:
            output.say(plain(f"  {effect}"))
        for key in () if LEAVES in change.effects else change.keys:
            output.say(plain(f"    {key.key}: {_shown(key.before)} to {_shown(key.after)}"))
    if not found.changes:
        output.say("Nothing differs.")
    else:
        output.say(plain(f"Check it first: run `cosell mapping check --file {shlex.quote(file)}`."))
    output.print_document({"ok": True, "before": before.name, "after": after.name, **to_builtins(found)})


def _counted(links: Iterator[Link], bar: ProgressBar) -> Iterator[Link]:
    for number, link in enumerate(links, 1):
        yield link
        bar.move_to(number)


def _shown(value: object) -> str:
    return "nothing" if value is None else toml_value(value)


def path_of(file: str) -> Path:
    """Return the path of a named file, or of the one that the environment has. Raises ConfigurationError."""
    if file:
        if not Path(file).is_file():
            raise ConfigurationError(f"{file} is not a file")
        return Path(file).absolute()
    chosen = Settings.load().sync.mapping
    return HOME / chosen if chosen else DEFAULT
