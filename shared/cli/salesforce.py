"""Run `cosell salesforce`: install our metadata in the org, and add our section to a page layout of the org.

The integration user may not change metadata. An administrator signs in (`shared/cli/administrator.py`).
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import to_builtins
from rich.markup import escape

from shared.cli.administrator import (
    PORT,
    Administrator,
    ClientId,
    NoBrowser,
    Port,
    TargetOrg,
    open_as_administrator,
)
from shared.cli.app_admission_report import tell_admissions
from shared.cli.command import Env, Json, run_command
from shared.cli.environment import Environment
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.package_languages import LanguageWish
from shared.cli.solution_catalogue import solutions
from shared.clients.salesforce.deal_sharing import DealSharing, share_deals, with_rule
from shared.clients.salesforce.existing_fields import Obstacle, find_obstacles
from shared.clients.salesforce.inactive_parts import InactivePart, find_inactive
from shared.clients.salesforce.layout_section import LayoutChange, insert_section, our_lists_in, our_section_in
from shared.clients.salesforce.metadata_deploy import Deployment, MetadataClient, layout_title
from shared.clients.salesforce.org_changes import OrgChange, find_changes
from shared.clients.salesforce.required_on_layout import OUR_LAYOUT, with_required_fields
from shared.clients.salesforce.source_format import Package, layout_package, package_folders, read_source
from shared.foundation.errors import ConfigurationError, Conflict
from shared.settings.variables import Settings

_INSTALLED = Path(__file__).with_name("salesforce_package")
PROJECT = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).resolve().parents[2] / "infra" / "salesforce"
"""The Salesforce package. The wheel holds a copy in this folder (pyproject.toml); a checkout has infra/salesforce."""
OBJECT = "Opportunity"
_TRANSLATIONS = "translations"
_HINTS = {
    "no CustomField named": "Install the fields first: run `cosell salesforce deploy`.",
    "not active": "Activate the language in Setup, Translation Language Settings, or name other languages: --language.",
    "Not available for deploy": "Switch the Translation Workbench on in Setup, or leave --translations out.",
}
"""The remedy for an error of a deployment, by words of its text."""

app = typer.Typer(
    help="Install the connector's fields and page section in Salesforce, and load solutions.", no_args_is_help=True
)
app.command("solutions")(solutions)


@app.command()
def deploy(  # noqa: PLR0913, PLR0917 - the command's parameters are its options
    env: Env,
    check_only: Annotated[
        bool, typer.Option("--check-only", help="Validate the package in the org, and change nothing.")
    ] = False,
    translations: Annotated[
        bool | None,
        typer.Option(
            "--translations/--no-translations",
            help="Include all labels in other languages, or none. Default: those of the languages that the org has on.",
        ),
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option("--language", help="Include only this translation (de, fr, ja, zh_TW).")
    ] = None,
    make_unique: Annotated[
        bool, typer.Option("--make-unique", help="Make an existing identifier field unique.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Replace texts of the org without asking.")] = False,
    target_org: TargetOrg = None,
    client_id: ClientId = None,
    no_browser: NoBrowser = False,
    port: Port = PORT,
    as_json: Json = False,
) -> None:
    """Install fields, permission sets, list views, the validation rule, a layout and an example page.

    Shows which labels, help texts, values and formulas of the org it would change, and asks.
    """
    administrator = Administrator(target_org, client_id, not no_browser, port)

    def run_deploy(_: Environment, output: Output) -> Exit:
        settings, wish = Settings.load(), LanguageWish(translations, tuple(language or ()))
        package = wish.restrict(read_source(*package_folders(PROJECT), PROJECT / _TRANSLATIONS))
        with open_as_administrator(administrator, settings, output) as salesforce:
            admissions = tell_admissions(salesforce, settings.salesforce.username, output)
            blocking = [each for each in find_obstacles(salesforce, package) if not (each.mends and make_unique)]
            if blocking:
                return _report_obstacles(blocking, output)
            package, left_out = wish.fit_to_org(with_required_fields(salesforce, package), salesforce, output)
            client = MetadataClient(salesforce.connection)
            changes = find_changes(client, package)
            if changes and not _may_change(changes, output, yes=yes, check_only=check_only):
                return Exit.PROBLEM
            if check_only:
                package = with_rule(salesforce, package, PROJECT)
            deployment = _deploy_with_progress(client, package, output, check_only=check_only)
            is_installed = deployment.success and not check_only
            inactive = find_inactive(salesforce, package) if is_installed else []
            sharing = share_deals(salesforce, PROJECT, settings.salesforce.username) if is_installed else None
        _tell_next_steps(inactive, sharing, output)
        further = {
            "changes": to_builtins(changes), "inactive": to_builtins(inactive), "sharing": to_builtins(sharing),
            "admissions": to_builtins(admissions), "languages": sorted(package.languages),
            "languages_left_out": left_out,
        }  # fmt: skip
        done = _report_deployment(deployment, output, check_only=check_only, further=further)
        return Exit.PROBLEM if sharing and sharing.problems else done

    run_command(env, as_json, run_deploy, administrator=administrator.words)


def _tell_next_steps(inactive: Sequence[InactivePart], sharing: DealSharing | None, output: Output) -> None:
    """Say what is left to do in the org; `sharing` is None where nothing was installed."""
    if sharing is None:
        return
    output.say("Next, assign Cosell_Integration to the integration user, and Cosell_Seller to the sellers.")
    output.say('Then add the section to their page: run `cosell salesforce add-section "Opportunity Layout"`.')
    for part in inactive:
        output.say(f"[yellow]Inactive[/yellow] {escape(str(part))}")
    output.say(f"{'[yellow]Sharing[/yellow] ' if sharing.problems else ''}{escape(str(sharing))}")


@app.command("add-section")
def add_section(  # noqa: PLR0913, PLR0917 - the command's parameters are its options
    layout: Annotated[str, typer.Argument(help="A page layout of Opportunity, such as: Opportunity Layout")],
    env: Env,
    yes: Annotated[bool, typer.Option("--yes", help="Deploy without asking.")] = False,
    target_org: TargetOrg = None,
    client_id: ClientId = None,
    no_browser: NoBrowser = False,
    port: Port = PORT,
    as_json: Json = False,
) -> None:
    """Add the co-sell section to a page layout of the org. Shows the difference, asks, and deploys."""
    administrator = Administrator(target_org, client_id, not no_browser, port)
    run_command(
        env,
        as_json,
        lambda _, output: _add_section_to(layout, output, administrator, yes=yes),
        administrator=administrator.words,
    )


# --- deploying the package


def _may_change(changes: Sequence[OrgChange], output: Output, *, yes: bool, check_only: bool) -> bool:
    """Show what would change of the org's own texts, and ask. Without an answer, print what was found."""
    output.say("The org has other texts than the package, its own or those of an earlier package:")
    for change in changes:
        output.say(escape(str(change)))
    if yes or check_only or output.confirm(f"Replace {len(changes)} texts?"):
        return True
    output.say("Nothing was changed. To deploy without the question, run `cosell salesforce deploy --yes`.")
    output.print_document({"ok": False, "check_only": False, "changes": to_builtins(changes)})
    return False


def _report_obstacles(blocking: Sequence[Obstacle], output: Output) -> Exit:
    """Print which existing fields a deployment would change, with the ids of the records that share a value."""
    for obstacle in blocking:
        output.say(f"[red]Stopped[/red]: {escape(str(obstacle))}.")
        if obstacle.duplicates:
            lines = [(value, ", ".join(ids)) for value, ids in sorted(obstacle.duplicates.items())]
            output.print_table(("value", "records"), lines)
    documents = [to_builtins(obstacle) for obstacle in blocking]
    output.print_document({"ok": False, "error": "Obstacle", "obstacles": documents, "exit": Exit.REFUSED})
    return Exit.REFUSED


def _deploy_with_progress(client: MetadataClient, package: Package, output: Output, *, check_only: bool) -> Deployment:
    with output.show_progress("Deploying") as bar:
        return client.deploy(
            package, check_only=check_only, report=lambda now: bar.move_to(now.deployed, now.total or None, now.status)
        )


def _report_deployment(
    deployment: Deployment, output: Output, *, check_only: bool, further: Mapping[str, Any] | None = None
) -> Exit:
    """Print the result of a deployment, and each component that the org refused."""
    for problem in deployment.problems:
        colour, kind = ("yellow", "Warning") if problem.is_warning else ("red", "Error")
        output.say(f"[{colour}]{kind}[/{colour}] {escape(str(problem))}")
    for hint in sorted(_hints_for(deployment)):
        output.say(hint)
    if deployment.success:
        done = "The org would accept" if check_only else "Deployed"
        output.say(f"{done} {deployment.deployed} components (deployment {deployment.id}).")
    else:
        output.say(f"Nothing was changed: the deployment {deployment.id} ended as {deployment.status}.")
    result = {"ok": deployment.success, "check_only": check_only, **to_builtins(deployment)}
    output.print_document(result | dict(further or {}))
    return Exit.OK if deployment.success else Exit.REFUSED


def _hints_for(deployment: Deployment) -> set[str]:
    texts = [problem.text for problem in deployment.problems if not problem.is_warning]
    return {hint for words, hint in _HINTS.items() if any(words in text for text in texts)}


# --- the section on a layout in use


def _add_section_to(name: str, output: Output, administrator: Administrator, *, yes: bool) -> Exit:
    with open_as_administrator(administrator, Settings.load(), output) as salesforce:
        client = MetadataClient(salesforce.connection)
        full_name = _find_layout(client.layout_names(OBJECT), name)
        change = _plan_change(client, full_name)
        if not (change.fields or change.lists):
            found = (
                f"{escape(layout_title(full_name))} has every field of the section and the list of solutions already."
            )
            output.say(f"{found} Nothing was changed.")
            output.print_document({"ok": True, "layout": full_name, "changed": False, "fields": []})
            return Exit.OK
        output.say(escape(change.difference))
        added = f"{len(change.fields)} fields" + (" and the list of solutions" if change.lists else "")
        if not yes and not output.confirm(f"Add {added} to {escape(layout_title(full_name))}?"):
            next_command = f"cosell salesforce add-section --yes {shlex.quote(layout_title(full_name))}"
            output.say(escape(f"Nothing was changed. To deploy without the question, run `{next_command}`."))
            output.print_document({"ok": False, "layout": full_name, "changed": False, "difference": change.difference})
            return Exit.PROBLEM
        if _plan_change(client, full_name).before != change.before:
            raise Conflict(
                f"somebody changed the layout {layout_title(full_name)} in the meantime: run the command again"
            )
        package = layout_package(full_name, change.after)
        deployment = _deploy_with_progress(client, package, output, check_only=False)
    return _report_deployment(deployment, output, check_only=False)


def _plan_change(client: MetadataClient, full_name: str) -> LayoutChange:
    our_layout = read_source(*package_folders(PROJECT)).files[OUR_LAYOUT]
    return insert_section(client.retrieve_layout(full_name), our_section_in(our_layout), our_lists_in(our_layout))


def _find_layout(full_names: Sequence[str], name: str) -> str:
    """Return the full name of a layout. The person may leave out the object, and case and escapes do not matter."""
    searched = layout_title(name).casefold()
    for full_name in full_names:
        readable_name = layout_title(full_name).casefold()
        if searched in {readable_name, readable_name.removeprefix(f"{OBJECT.casefold()}-")}:
            return full_name
    existing = ", ".join(layout_title(each).removeprefix(f"{OBJECT}-") for each in full_names)
    raise ConfigurationError(f"LAYOUT: the org has no {OBJECT} layout {name!r}; it has: {existing or 'none'}")
