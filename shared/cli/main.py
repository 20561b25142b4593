"""Build the `cosell` command from the modules of this package. docs/command-line.md lists all commands."""

import logging
from typing import Annotated

import typer

from shared import __version__
from shared.cli import (
    approve,
    backfill,
    close_test_referrals,
    compare,
    connect,
    doctor,
    explain,
    forget,
    mapping,
    pause,
    preview,
    retry,
    salesforce,
    status,
    store,
    turn_on,
    webhook,
)
from shared.foundation.logs import LOGGER

app = typer.Typer(
    name="cosell",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(connect.app, name="connect")
app.add_typer(mapping.app, name="mapping")
app.add_typer(salesforce.app, name="salesforce")
app.add_typer(store.app, name="store")
app.add_typer(webhook.app, name="webhook")

app.command()(doctor.doctor)
app.command("turn-on")(turn_on.turn_on)
app.command("turn-off")(turn_on.turn_off)
app.command()(status.status)
app.command()(explain.explain)
app.command()(preview.preview)
app.command("backfill")(backfill.backfill)
app.command("compare")(compare.compare)
app.command("forget")(forget.forget)
app.command()(approve.approve)
app.command()(pause.pause)
app.command()(pause.resume)
app.command()(retry.sync)
app.command()(retry.retry)
app.command("close-test-referrals")(close_test_referrals.close_test_referrals)


def _print_version_and_exit(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def read_common_options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version_and_exit, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Install and operate the connector between Partner Center referrals and Salesforce opportunities."""


@app.command("version")
def print_version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command. It prints its own lines only: without a handler, Python would print the log's warnings too."""
    LOGGER.addHandler(logging.NullHandler())
    app(prog_name="cosell")
