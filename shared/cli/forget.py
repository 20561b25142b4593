"""Run `cosell forget EMAIL`: list where the store holds a person's values, ask, and erase them.

The command changes rows of the store only, each under the lock of its pair (`shared/operations/forget_person.py`).
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
from shared.domain.member_sets import E_MAIL_ADDRESS
from shared.foundation.errors import ConfigurationError, CosellError
from shared.operations.copy_store import keep_erasures
from shared.operations.forget_person import Place, Search, find_person, forget_person

NOT_EDITED = "Salesforce and Partner Center are not edited: remove the person there too, if they must go."
STAYS = (
    "These deals are open, and both systems may hold the person: {keys}. The next look at a deal stores them again. "
    "Remove them from the opportunity, wait until it is synced, and run `cosell forget` again."
)
LATER = "The list beside the copies of the store cannot be written from here: the app writes it with its next copy."
BUSY = "The app works on these, so nothing was erased there: {keys}. Run `cosell forget` again in ten minutes."


def forget(
    env: Env,
    email: Annotated[str, typer.Argument(help="The e-mail address of the person.")],
    also: Annotated[
        list[str] | None, typer.Option("--also", help="Another name or phone number of the person; repeatable.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List, and change nothing.")] = False,
    as_json: Json = False,
) -> None:
    """List where the store holds a person's values, ask, and erase them."""
    run_command(env, as_json, lambda _, output: run_forget(output, email.strip(), also or (), yes=yes, dry_run=dry_run))


def run_forget(output: Output, email: str, also: Sequence[str] = (), *, yes: bool, dry_run: bool) -> Exit:
    """Run the command. Raises ConfigurationError for what is no e-mail address, and what the store raises."""
    if E_MAIL_ADDRESS.fullmatch(email) is None:
        raise ConfigurationError("EMAIL: this is no e-mail address, such as ann@northwind.example")
    app = App()
    try:
        with output.show_progress("reading rows") as bar:
            search = find_person(app.store, email, also, bar.move_to)
        return _forget(app, search, output, yes=yes, dry_run=dry_run)
    finally:
        app.close()


def _forget(app: App, search: Search, output: Output, *, yes: bool, dry_run: bool) -> Exit:
    _print_places(search.places, output)
    if dry_run:
        return _end(output, search.places, busy=(), is_erased=False)
    if search.places and not (yes or output.confirm("Erase these values, which cannot be undone?")):
        output.say_declined("Nothing was erased", "To erase them", "use --yes")
        _print(output, search.places, (), is_erased=False, is_well=False)
        return Exit.PROBLEM
    with output.show_progress("erasing", len(search.places)) as bar:
        busy = forget_person(app.local, search, bar.move_to)
    try:
        keep_erasures(app)
    except CosellError:
        output.say(LATER)
    return _end(output, search.places, busy, is_erased=True)


def _print_places(places: Sequence[Place], output: Output) -> None:
    if not places:
        output.say(f"The store holds nothing of this person. {NOT_EDITED}")
        return
    cells = [
        (one.key, "lead" if one.is_lead else "deal", ", ".join(one.fields), str(one.lines), _state(one))
        for one in places
    ]
    lines = [tuple(escape(cell) for cell in line) for line in cells]
    output.print_table(("id", "of", "fields", "audit lines", "state"), lines, title="Where the store names the person")


def _state(place: Place) -> str:
    return "busy" if place.is_busy else "open" if place.is_open else "closed"


def _end(output: Output, places: Sequence[Place], busy: Sequence[Place], *, is_erased: bool) -> Exit:
    """Say what is left; the exit code of a person whom the store holds, or may soon hold again, is not 0."""
    stays = [one.key for one in places if one.is_open]
    if is_erased and places:
        output.say(f"Erased in {len(places) - len(busy)} of {len(places)} places. {NOT_EDITED}")
    if stays:
        output.say(escape(STAYS.format(keys=", ".join(stays))))
    if busy:
        output.say(escape(BUSY.format(keys=", ".join(one.key for one in busy))))
    _print(output, places, busy, is_erased=is_erased, is_well=not (busy or stays))
    if busy:
        return Exit.RETRY
    return Exit.PROBLEM if stays and is_erased else Exit.OK


def _print(output: Output, places: Sequence[Place], busy: Sequence[Place], *, is_erased: bool, is_well: bool) -> None:
    keys = [one.key for one in busy]
    found = [to_builtins(one) for one in places]
    output.print_document({"ok": is_well, "places": found, "erased": is_erased, "busy": keys})
