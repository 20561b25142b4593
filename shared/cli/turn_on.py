"""`cosell turn-on`: shows what a first run would do, asks, and sets SYNC=on (protocol.md section 1)."""

import os
from collections import Counter
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
from shared.cli.output import Output
from shared.foundation.errors import ConfigurationError
from shared.sync.runs.preview import COUNTS, preview_push, preview_sweep

ROWS = (
    ("push", "creates", "referrals would be created for ticked opportunities"),
    ("push", "to_partner_center", "referrals would be changed to what Salesforce says"),
    ("push", "held", "ticked opportunities lack something and would be held until a seller completes them"),
    ("sweep", "creates", "opportunities would be created for referrals that nobody knows yet"),
    ("sweep", "to_salesforce", "opportunities would be looked at again because their referral changed"),
)
"""Which count of which run, and what it means to a person."""
_NEEDED = ("FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP", "AZURE_SUBSCRIPTION_ID")


def turn_on(
    env: Env,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Show what the first run would do, ask, and turn the sync on."""
    run_command(env, as_json, lambda environment, output: run_turn_on(environment, output, yes=yes))


def run_turn_on(environment: Environment, output: Output, *, yes: bool, folder: Path = FOLDER) -> Exit:
    """Do it. Raises ConfigurationError, and what Azure and the two sides raise."""
    if _mode(environment) == "on":
        output.say("The sync is on already.")
        output.print_document({"ok": True, "turned_on": False, "mode": "on"})
        return Exit.OK
    counts = _preview(output)
    _show(counts, output)
    if not (yes or output.confirm(f"Turn the sync of {environment.name} on")):
        output.say("Nothing was changed. Say yes, or give --yes, to turn it on.")
        output.print_document({"ok": False, "turned_on": False, "preview": counts})
        return Exit.PROBLEM
    _set(environment, folder)
    output.say("The sync is on. The app starts again by itself; the first run follows within a minute.")
    output.print_document({"ok": True, "turned_on": True, "mode": "on", "preview": counts})
    return Exit.OK


# --- what a run would do


def _preview(output: Output) -> dict[str, dict[str, int]]:
    """The counts of both runs, planned as the app would; nothing is written, no cursor moves."""
    os.environ["SYNC"] = "preview"
    app = App()
    try:
        with output.show_progress("planning", 2) as bar:
            push = preview_push(app.context)
            bar.move_to(1)
            sweep = preview_sweep(app.context)
    finally:
        app.close()
    return {"push": _named(push), "sweep": _named(sweep)}


def _named(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in COUNTS}


def _show(counts: dict[str, dict[str, int]], output: Output) -> None:
    rows = [(str(counts[run_][name]), meaning) for run_, name, meaning in ROWS]
    output.print_table(("how many", "what"), rows, title="The first run")
    since = os.environ.get("SYNC_FROM")
    if since:
        output.say(escape(f"Looked at: what was created or changed since {since} (SYNC_FROM)."))
    else:
        output.say("SYNC_FROM is not set: the sync begins now, and no deal from before is taken up by itself.")


# --- where the switch is


def _mode(environment: Environment) -> str:
    """SYNC as the app has it now."""
    if environment.is_local:
        return _local_mode(environment)
    names = _deployment(environment)
    found: list[dict[str, Any]] = azure_cli.run_az(["functionapp", "config", "appsettings", "list", *names]) or []
    return next((str(row.get("value")) for row in found if row.get("name") == "SYNC"), "preview")


def _local_mode(environment: Environment) -> str:
    mode = environment.settings.get("SYNC", "preview")
    if mode != "on":
        raise ConfigurationError("SYNC: the local run is given it at its start (example: SYNC=on make serve)")
    return mode


def _set(environment: Environment, folder: Path) -> None:
    """Set it in Azure, and in the names that later commands read."""
    words = ["functionapp", "config", "appsettings", "set", *_deployment(environment)]
    azure_cli.run_az([*words, "--settings", "SYNC=on", "--query", "[].name"])
    write_environment(replace(environment, settings={**environment.settings, "SYNC": "on"}), folder)


def _deployment(environment: Environment) -> list[str]:
    told = environment.deployment
    lacking = [name for name in _NEEDED if not told.get(name)]
    if lacking:
        raise ConfigurationError(
            f"[deployment] of {environment.name} lacks {', '.join(lacking)}: run `make deploy ENV={environment.name}`"
        )
    app, group, subscription = (told[name] for name in _NEEDED)
    return ["--name", app, "--resource-group", group, "--subscription", subscription]
