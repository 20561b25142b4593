"""Run `cosell salesforce solutions`: load the portal's list of solutions into the catalogue of the org.

It is data, so the connector's own user writes it: no administrator sees the columns unless they have a permission set
of the package. With `--target-org` or `--client-id` a person signs in instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.markup import escape

from shared.app import App
from shared.cli.administrator import (
    PORT,
    Administrator,
    ClientId,
    NoBrowser,
    Port,
    TargetOrg,
    open_as_administrator,
)
from shared.cli.command import Env, Json, run_command
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.solution_catalogue import OBJECT, read_catalogue, write_catalogue
from shared.domain.cause import Cause
from shared.domain.solution_catalogue import CHANGED, CREATED, DEACTIVATED, CatalogueChange, changes_of
from shared.foundation.errors import ConfigurationError, NotFound, Rejected
from shared.mapping.catalogue_file import CatalogueFile, read_catalogue_file
from shared.settings.variables import Settings

MOST_BYTES = 20_000_000
_NO_CATALOGUE = (
    f"the org has no object {OBJECT}, or the user who signed in may not see its fields. Run "
    "`cosell salesforce deploy`, and assign the permission set Cosell_Integration to that user"
)
_ABSENT = frozenset(("INVALID_TYPE", "INVALID_FIELD"))


def solutions(  # noqa: PLR0913, PLR0917 - the command's parameters are its options
    file: Annotated[Path, typer.Argument(help="The list of solutions from Partner Center, a CSV file.")],
    env: Env,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    deactivate_missing: Annotated[
        bool, typer.Option("--deactivate-missing", help="Make solutions inactive that the file lacks.")
    ] = False,
    target_org: TargetOrg = None,
    client_id: ClientId = None,
    no_browser: NoBrowser = False,
    port: Port = PORT,
    as_json: Json = False,
) -> None:
    """Load and refresh the catalogue of solutions, from which sellers pick. Nothing is deleted."""
    administrator = Administrator(target_org, client_id, not no_browser, port)

    def run(_: Environment, output: Output) -> Exit:
        listed = _read(file)
        with _open(administrator, output) as salesforce:
            held = _held_by(salesforce)
            changes = list(changes_of(listed.solutions, held, deactivate_missing=deactivate_missing))
            refused = {} if dry_run else _write(salesforce, changes, output)
        return _report(listed, changes, refused, output, dry_run=dry_run)

    run_command(env, as_json, run, administrator=administrator.words)


def _read(path: Path) -> CatalogueFile:
    """Read and check the file. Raises ConfigurationError, with a line for each fault."""
    try:
        content = path.read_bytes() if path.stat().st_size <= MOST_BYTES else None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}. Check the path") from None
    if content is None:
        raise ConfigurationError(f"{path}: is too large for a list of solutions. Choose the CSV file of Partner Center")
    listed = read_catalogue_file(content)
    if listed.faults:
        raise ConfigurationError("\n".join(f"{path.name}: {fault}" for fault in listed.faults))
    return listed


@contextmanager
def _open(administrator: Administrator, output: Output) -> Iterator[SalesforceClient]:
    if administrator.words:
        with open_as_administrator(administrator, Settings.load(), output) as salesforce:
            yield salesforce
        return
    with closing(App(Settings.load())) as app:
        yield cast("SalesforceClient", app.salesforce)


def _held_by(salesforce: SalesforceClient) -> list[Mapping[str, object]]:
    """Return the records of the catalogue. Raises NotFound with the remedy if the org has none."""
    try:
        return list(read_catalogue(salesforce))
    except Rejected as error:
        if error.cause.code in _ABSENT:
            raise NotFound(_NO_CATALOGUE) from None
        raise


def _write(
    salesforce: SalesforceClient, changes: Sequence[CatalogueChange], output: Output
) -> dict[str, tuple[CatalogueChange, Cause]]:
    refused: dict[str, tuple[CatalogueChange, Cause]] = {}
    with output.show_progress("writing", len(changes)) as bar:
        for done, (change, refusal) in enumerate(write_catalogue(salesforce, changes), 1):
            bar.move_to(done, len(changes))
            if refusal is not None:
                refused[change.id] = (change, refusal)
    return refused


def _report(
    listed: CatalogueFile,
    changes: Sequence[CatalogueChange],
    refused: Mapping[str, tuple[CatalogueChange, Cause]],
    output: Output,
    *,
    dry_run: bool,
) -> Exit:
    done = [change for change in changes if change.id not in refused]
    by_kind = {kind: [one.id for one in done if one.kind == kind] for kind in (CREATED, CHANGED, DEACTIVATED)}
    unchanged = len(listed.solutions) - sum(change.line is not None for change in changes)
    for change in done:
        columns = "" if change.kind != CHANGED else f": {', '.join(change.values)}"
        output.say(escape(f"{change.id} {'would be ' if dry_run else ''}{change.kind}{columns}"))
    for change, refusal in refused.values():
        place = f"line {change.line}: " if change.line else ""
        output.say(f"[red]Refused[/red] {escape(f'{place}{change.id}: {refusal.reason} {refusal.remedy}')}")
    if listed.cut:
        output.say(f"The name is cut to 80 characters on line {', '.join(map(str, listed.cut))}.")
    counted = ", ".join(f"{len(ids)} {'to be ' if dry_run else ''}{kind}" for kind, ids in by_kind.items())
    output.say(f"{counted}, {unchanged} unchanged, {len(refused)} refused.")
    numbers = {"unchanged": unchanged, "names_cut": list(listed.cut)}
    refusals = [
        {"line": change.line, "id": change.id, "reason": refusal.reason, "remedy": refusal.remedy}
        for change, refusal in refused.values()
    ]
    output.print_document({"ok": not refused, "dry_run": dry_run, **by_kind, **numbers, "refused": refusals})
    return Exit.REFUSED if refused else Exit.OK
