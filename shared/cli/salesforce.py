"""`cosell salesforce`: installs our metadata in the org and adds our section to a page layout that is in use.

The user of the sync may not change metadata, and should not: `--user` names an administrator for whom the app is
pre-authorised as well.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from copy import replace
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins
from rich.markup import escape

from shared.app import App
from shared.cli.command import Env, Json, run_command
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.existing_fields import Obstacle, obstacles
from shared.clients.salesforce.layout_section import Change, section_of, with_section
from shared.clients.salesforce.metadata_deploy import Deployment, MetadataClient, readable
from shared.clients.salesforce.source_format import Package, layout_package, package_folders, read_source
from shared.foundation.errors import ConfigurationError, Conflict
from shared.settings.variables import Settings

PROJECT = Path(__file__).resolve().parents[2] / "infra" / "salesforce"
OBJECT = "Opportunity"
_OUR_LAYOUT = "layouts/Opportunity-Co-sell Layout.layout"
_TRANSLATIONS = "translations"
_HINTS = {
    "no CustomField named": "Install the fields first: cosell salesforce deploy.",
    "not active": "Activate the language in Setup, Translation Language Settings, or name others: --language.",
    "Not available for deploy": "Switch the Translation Workbench on in Setup, or leave --translations out.",
}

app = typer.Typer(help="Install our metadata in Salesforce.", no_args_is_help=True)

User = Annotated[
    str | None, typer.Option("--user", help="The administrator to sign in as; without it the user of the sync.")
]


@app.command()
def deploy(
    env: Env,
    check_only: Annotated[bool, typer.Option("--check-only", help="Let the org judge it, and change nothing.")] = False,
    translations: Annotated[bool, typer.Option("--translations", help="The labels in other languages too.")] = False,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Of the translations only this one (de, fr, ja, zh_TW).")
    ] = None,
    make_unique: Annotated[
        bool, typer.Option("--make-unique", help="Make an identifier field that is there already unique.")
    ] = False,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Install fields, permission sets, list views, the validation rule, a layout and an example page."""

    def work(_: Environment, output: Output) -> Exit:
        package = _package(translations=translations, languages=language or ())
        return _deploy(package, output, user, check_only=check_only, make_unique=make_unique)

    run_command(env, as_json, work)


@app.command("add-section")
def add_section(
    layout: Annotated[str, typer.Argument(help="A page layout of Opportunity, such as: Opportunity Layout")],
    env: Env,
    yes: Annotated[bool, typer.Option("--yes", help="Deploy without asking.")] = False,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Add our section to a layout of the org: shows the difference, asks, deploys."""
    run_command(env, as_json, lambda _, output: _add_section(layout, output, user, yes=yes))


# --- deploying the package


def _package(*, translations: bool, languages: Sequence[str]) -> Package:
    folders = package_folders(PROJECT)
    whole = read_source(*folders, *([PROJECT / _TRANSLATIONS] if translations or languages else ()))
    return whole.only_languages(languages) if languages else whole


def _deploy(package: Package, output: Output, user: str | None, *, check_only: bool, make_unique: bool) -> Exit:
    with _signed_in(user) as salesforce:
        found = [each for each in obstacles(salesforce, package) if not (each.mends and make_unique)]
        if found:
            return _stopped(found, output)
        ended = _followed(MetadataClient(salesforce.wire), package, output, check_only=check_only)
    if ended.success and not check_only:
        output.say("Next: assign Cosell_Integration to the user of the sync and Cosell_Seller to the sellers,")
        output.say('then put the section on their page: cosell salesforce add-section "Opportunity Layout"')
    return _told(ended, output, check_only=check_only)


def _stopped(found: Sequence[Obstacle], output: Output) -> Exit:
    """The org has fields that a deployment would bend: one sentence each, duplicates by the ids of their records."""
    for obstacle in found:
        output.say(f"[red]Stopped[/red]: {escape(str(obstacle))}.")
        if obstacle.duplicates:
            rows = [(value, ", ".join(ids)) for value, ids in sorted(obstacle.duplicates.items())]
            output.print_table(("value", "records"), rows)
    listed = [to_builtins(obstacle) for obstacle in found]
    output.print_document({"ok": False, "error": "Obstacle", "obstacles": listed, "exit": Exit.REFUSED})
    return Exit.REFUSED


def _followed(client: MetadataClient, package: Package, output: Output, *, check_only: bool) -> Deployment:
    with output.show_progress("Deploying") as bar:
        return client.deploy(
            package, check_only=check_only, told=lambda now: bar.move_to(now.deployed, now.total or None, now.status)
        )


def _told(ended: Deployment, output: Output, *, check_only: bool) -> Exit:
    """How a deployment ended, component by component where the org refused."""
    done = "The org would take" if check_only else "Deployed"
    for problem in ended.problems:
        colour = "yellow" if problem.is_warning else "red"
        output.say(f"[{colour}]{'Warning' if problem.is_warning else 'Error'}[/{colour}] {escape(str(problem))}")
    for hint in sorted(_hints(ended)):
        output.say(hint)
    if ended.success:
        output.say(f"{done} {ended.deployed} components (deployment {ended.id}).")
    else:
        output.say(f"Nothing was changed: the deployment {ended.id} ended as {ended.status}.")
    output.print_document({"ok": ended.success, "check_only": check_only, **to_builtins(ended)})
    return Exit.OK if ended.success else Exit.REFUSED


def _hints(ended: Deployment) -> set[str]:
    texts = [problem.text for problem in ended.problems if not problem.is_warning]
    return {hint for words, hint in _HINTS.items() if any(words in text for text in texts)}


# --- the section on a layout in use


def _add_section(name: str, output: Output, user: str | None, *, yes: bool) -> Exit:
    with _signed_in(user) as salesforce:
        client = MetadataClient(salesforce.wire)
        full_name = _full_name(client.layouts(OBJECT), name)
        change = _change(client, full_name)
        if not change.fields:
            output.say(f"{escape(readable(full_name))} has every field of the section: nothing to do.")
            output.print_document({"ok": True, "layout": full_name, "changed": False, "fields": []})
            return Exit.OK
        output.say(escape(change.difference))
        if not yes and not output.confirm(f"Add {len(change.fields)} fields to {escape(readable(full_name))}?"):
            output.say("Nothing was changed. To deploy without a question: --yes")
            output.print_document({"ok": False, "layout": full_name, "changed": False, "difference": change.difference})
            return Exit.PROBLEM
        if _change(client, full_name).before != change.before:
            raise Conflict(f"somebody changed the layout {readable(full_name)} meanwhile: run this again")
        ended = _followed(client, layout_package(full_name, change.after), output, check_only=False)
    return _told(ended, output, check_only=False)


def _change(client: MetadataClient, full_name: str) -> Change:
    ours = read_source(*package_folders(PROJECT)).files[_OUR_LAYOUT]
    return with_section(client.layout(full_name), section_of(ours))


def _full_name(there: Sequence[str], name: str) -> str:
    """The layout that a person means: with or without the object before it, in any case, escaped or not."""
    wanted = readable(name).casefold()
    for full_name in there:
        whole = readable(full_name).casefold()
        if wanted in {whole, whole.removeprefix(f"{OBJECT.casefold()}-")}:
            return full_name
    known = ", ".join(readable(each).removeprefix(f"{OBJECT}-") for each in there)
    raise ConfigurationError(f"LAYOUT: the org has no {OBJECT} layout {name!r}; it has: {known or 'none'}")


# --- signing in


@contextmanager
def _signed_in(user: str | None) -> Iterator[SalesforceClient]:
    """The org under the app's settings, as `user` if one is named. Raises ConfigurationError, SignInFailed."""
    settings = Settings.load()
    if user is not None:
        named = settings.salesforce.model_copy(update={"username": user})
        settings = replace(settings, salesforce=named)
    with closing(App(settings)) as made:
        salesforce = made.salesforce
        if not isinstance(salesforce, SalesforceClient):
            raise TypeError("the app's Salesforce is the REST client")
        yield salesforce
