"""Run `cosell store export` and `cosell store import`: write a copy of the store, or put one into an empty table."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Annotated

import typer

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.foundation.errors import ConfigurationError, NotFound
from shared.operations.copy_store import copies_of, export_store, keep_copy, newest_copy
from shared.operations.import_store import import_store
from shared.store.copies import Copies, time_of_copy, write_whole_file
from shared.store.store_copy import CopyFacts, check_copy

CONTAINER = "container"
"""The word that stands for the container of the daily copies."""
SHOWN_NAMES = 5
"""So many copies are named if the one that was asked for is not there."""
PLACE = "A file, or the word container, which holds the daily copies."

app = typer.Typer(no_args_is_help=True, help="Copy the store, and put a copy back.")


@app.command("export")
def export_command(
    place: Annotated[str, typer.Argument(metavar="FILE|container", help=PLACE)], env: Env, as_json: Json = False
) -> None:
    """Write a copy of all rows of the store. It holds data of deals: keep it as safe as the store."""
    run_command(env, as_json, lambda _, output: run_export(output, place))


@app.command("import")
def import_command(
    place: Annotated[str, typer.Argument(metavar="FILE|container", help=f"{PLACE} container/NAME is one of them.")],
    env: Env,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Put a copy into an empty table, while the app is paused. An interrupted import goes on with the same copy."""
    run_command(env, as_json, lambda _, output: run_import(output, place, yes=yes))


def run_export(output: Output, place: str) -> None:
    """Write a copy. Raises ConfigurationError for a file that exists or cannot be written."""
    connector, now = App(), datetime.now(UTC)
    try:
        with output.show_progress("copying rows"):
            if place == CONTAINER:
                facts = keep_copy(connector, copies_of(connector), now)
            else:
                facts = _export_to_file(connector, Path(place), now)
    finally:
        connector.close()
    output.say(f"The copy has {facts.count} rows of the organisation {facts.organization}.")
    output.print_document({"ok": True, **_document(facts)})


def _export_to_file(connector: App, path: Path, now: datetime) -> CopyFacts:
    if path.exists():
        raise ConfigurationError(f"{path} exists: name another file")
    try:
        return write_whole_file(path, lambda out: export_store(connector, out, now))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error


def run_import(output: Output, place: str, *, yes: bool) -> Exit:
    """Import a copy. Raises ConfigurationError for a copy or a table that cannot be used."""
    connector = App()
    try:
        with _opened(connector, place) as source:
            facts = check_copy(source)
            output.say(f"The copy is of {_described(facts)}.")
            if not (yes or output.confirm("Import it (SYNC must have been off for 15 minutes)?")):
                output.say_declined("Nothing was changed", "To import it", "run `cosell store import` with --yes")
                output.print_document({"ok": False})
                return Exit.PROBLEM
            with output.show_progress("importing rows") as bar:
                imported = import_store(connector, source, facts, bar.move_to)
    finally:
        connector.close()
    if imported.is_repeated:
        output.say("This copy is in the store already. Nothing was changed.")
    else:
        output.say(f"The store has the rows of the copy of {facts.began:%Y-%m-%d %H:%M} UTC.")
        output.say("Set SYNC=on. The first runs bring both sides up to date.")
    output.print_document({"ok": True, **_document(facts), "inserted": imported.inserted})
    return Exit.OK


@contextmanager
def _opened(connector: App, place: str) -> Iterator[IO[bytes]]:
    """Open a copy; one of the container is read into a temporary file without a name first."""
    name = place.removeprefix(f"{CONTAINER}/") if place.startswith(f"{CONTAINER}/") else ""
    if place == CONTAINER or name:
        copies = copies_of(connector)
        name = name or newest_copy(copies) or ""
        if not name:
            raise ConfigurationError("the container holds no copy")
        with TemporaryFile() as source:
            _read(copies, name, source)
            source.seek(0)
            yield source
        return
    if not Path(place).is_file():
        raise ConfigurationError(f"{place} is not a file")
    with Path(place).open("rb") as file:
        yield file


def _read(copies: Copies, name: str, into: IO[bytes]) -> None:
    """Read a copy. Raises ConfigurationError for one that is not there, with the names of the newest."""
    try:
        copies.read(name, into)
    except NotFound as error:
        newest = sorted((each for each in copies.names() if time_of_copy(each)), reverse=True)[:SHOWN_NAMES]
        known = f"its newest ones are {', '.join(newest)}" if newest else "it holds none"
        raise ConfigurationError(f"the container has no copy {name}: {known}") from error


def _described(facts: CopyFacts) -> str:
    return f"{facts.began:%Y-%m-%d %H:%M} UTC: {facts.count} rows of the organisation {facts.organization}"


def _document(facts: CopyFacts) -> dict[str, object]:
    return {"organization": facts.organization, "began": facts.began.isoformat(), "rows": facts.count}
