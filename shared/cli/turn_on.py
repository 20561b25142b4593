"""Run `cosell turn-on`: count what the first runs would write, ask, and set SYNC=on.

The counting is `shared/operations/preview.py`: it plans a push and a sweep as the app would, and writes nothing. `SYNC`
and its modes: docs/protocol.md#off-preview-on.
"""

import os
from copy import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from shared.app import App
from shared.cli import azure_cli
from shared.cli.command import Env, Json, run_command
from shared.cli.environment import FOLDER, Environment, write_environment
from shared.cli.exit_codes import Exit
from shared.cli.operator import record_action
from shared.cli.output import Output
from shared.domain.counted_changes import NEW_OPPORTUNITY, NEW_REFERRAL
from shared.domain.policy import PULL, PUSH
from shared.foundation.errors import ConfigurationError
from shared.operations.preview import PreviewReport, preview_next
from shared.operations.preview_context import open_preview
from shared.operations.preview_deals import Creates

COUNT_MEANINGS = (
    (("push",), "creates", "referrals would be created for ticked opportunities"),
    (("sweep",), "creates", "opportunities or Leads would be created for referrals that have none yet"),
    (("push", "sweep"), "adopts", "opportunities and referrals that exist would be linked"),
    (("push", "sweep"), "to_partner_center", "referrals would get changes from Salesforce"),
    (("push", "sweep"), "to_salesforce", "opportunities would get changes from Partner Center"),
    (("push", "sweep"), "held", "ticked opportunities would wait until a seller completes or corrects them"),
)
"""The runs, the name of the count, and what it means."""
_DEPLOYMENT_KEYS = ("FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP", "AZURE_SUBSCRIPTION_ID")


def turn_on(
    env: Env,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Count what the first run would write, ask, and turn the sync on."""
    run_command(env, as_json, lambda environment, output: run_turn_on(environment, output, yes=yes))


def run_turn_on(environment: Environment, output: Output, *, yes: bool, folder: Path = FOLDER) -> Exit:
    """Run the command. Raises ConfigurationError, and what Azure and the two sides raise."""
    if _read_mode(environment) == "on":
        output.say("The sync is on already.")
        output.print_document({"ok": True, "turned_on": False, "mode": "on"})
        return Exit.OK
    report = _preview(output)
    counts = {"push": report.counts(PUSH), "sweep": report.counts(PULL)}
    _print_counts(counts, output)
    if not (yes or output.confirm(f"Turn the sync of {environment.name} on?")):
        output.say_declined("Nothing was changed", "To turn the sync on", "run `cosell turn-on --yes`")
        output.print_document({"ok": False, "turned_on": False, "preview": counts})
        return Exit.PROBLEM
    _approve_creations(environment, report)
    _set_sync(environment, "on", folder)
    output.say("The sync is on. The app restarts by itself, and the first run starts within a minute.")
    output.print_document({"ok": True, "turned_on": True, "mode": "on", "preview": counts})
    return Exit.OK


def turn_off(env: Env, as_json: Json = False) -> None:
    """Undo `cosell turn-on`: SYNC=preview, so that nothing is written any more."""
    run_command(env, as_json, run_turn_off)


def run_turn_off(environment: Environment, output: Output, *, folder: Path = FOLDER) -> Exit:
    """Run the command. Raises ConfigurationError, and what Azure and the store raise."""
    if environment.is_local:
        raise ConfigurationError("SYNC: set it when you start the local run (example: SYNC=preview make serve)")
    if (mode := _read_mode(environment)) != "on":
        output.say(f"The sync is not on: SYNC is {mode}.")
        output.print_document({"ok": True, "turned_off": False, "mode": mode})
        return Exit.OK
    app = App()
    try:
        record_action(app, "turn-off", environment.name)
    finally:
        app.close()
    _set_sync(environment, "preview", folder)
    output.say("SYNC is preview: the app restarts by itself, and writes nothing any more. Changes on both sides wait.")
    output.say("To let them go, run `cosell turn-on`.")
    output.print_document({"ok": True, "turned_off": True, "mode": "preview"})
    return Exit.OK


# --- what a run would write


def _preview(output: Output) -> PreviewReport:
    """Return what the first push and the first sweep would do. Nothing is written."""
    os.environ["SYNC"] = "preview"
    app = App()
    try:
        with output.show_progress("planning") as bar:
            return preview_next(open_preview(app), bar.move_to)
    finally:
        app.close()


def _approve_creations(environment: Environment, report: PreviewReport) -> None:
    """Record who turns the sync on, and let the creations go that were shown: the stop counts those beyond them."""
    app = App()
    try:
        record_action(app, "turn-on", environment.name)
        now = app.local.clock.now()
        for change, kind in ((NEW_REFERRAL, Creates.REFERRAL), (NEW_OPPORTUNITY, Creates.OPPORTUNITY)):
            app.store.approve_changes(change.count, report.created(kind), now)
    finally:
        app.close()


def _print_counts(counts: dict[str, dict[str, int]], output: Output) -> None:
    lines = [(str(sum(counts[run][name] for run in runs)), meaning) for runs, name, meaning in COUNT_MEANINGS]
    output.print_table(("how many", "what"), lines, title="The first runs")
    output.say("`cosell preview` shows the deals by name, with their values.")
    since = os.environ.get("SYNC_FROM")
    if since:
        output.say(escape(f"Counted: what was created or changed since {since} (SYNC_FROM)."))
    else:
        output.say("SYNC_FROM is not set: the sync begins now, and older deals are not linked.")


# --- where the mode is set


def _read_mode(environment: Environment) -> str:
    """Return the SYNC that the app has now."""
    if environment.is_local:
        return _check_local_mode(environment)
    options = _app_options(environment)
    listed: list[dict[str, Any]] = azure_cli.run_az(["functionapp", "config", "appsettings", "list", *options]) or []
    return next((str(entry.get("value")) for entry in listed if entry.get("name") == "SYNC"), "preview")


def _check_local_mode(environment: Environment) -> str:
    mode = environment.settings.get("SYNC", "preview")
    if mode != "on":
        raise ConfigurationError("SYNC: set it when you start the local run (example: SYNC=on make serve)")
    return mode


def _set_sync(environment: Environment, mode: str, folder: Path) -> None:
    """Set SYNC in Azure, and in the environment's file for later commands."""
    words = ["functionapp", "config", "appsettings", "set", *_app_options(environment)]
    azure_cli.run_az([*words, "--settings", f"SYNC={mode}", "--query", "[].name"])
    write_environment(replace(environment, settings={**environment.settings, "SYNC": mode}), folder)


def _app_options(environment: Environment) -> list[str]:
    deployment = environment.deployment
    missing = [key for key in _DEPLOYMENT_KEYS if not deployment.get(key)]
    if missing:
        raise ConfigurationError(
            f"[deployment] of {environment.name} lacks {', '.join(missing)}: run `make deploy ENV={environment.name}`"
        )
    app, group, subscription = (deployment[key] for key in _DEPLOYMENT_KEYS)
    return ["--name", app, "--resource-group", group, "--subscription", subscription]
