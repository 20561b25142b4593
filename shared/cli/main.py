"""Build the `cosell` command from the modules of this package. docs/command-line.md lists all commands."""

import typer

from shared import __version__
from shared.cli import connect, doctor, salesforce, turn_on, webhook

app = typer.Typer(
    name="cosell",
    help="Install and operate the connector between Partner Center referrals and Salesforce opportunities.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(connect.app, name="connect")
app.add_typer(salesforce.app, name="salesforce")
app.add_typer(webhook.app, name="webhook")

app.command()(doctor.doctor)
app.command("turn-on")(turn_on.turn_on)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command."""
    app(prog_name="cosell")
