"""`cosell connect`: the two sides, one command each."""

import typer

from shared.cli.connect_partner_center import connect_partner_center
from shared.cli.connect_salesforce import connect_salesforce as salesforce

app = typer.Typer(help="Let the app in at one of the two sides.", no_args_is_help=True)
app.command("partner-center")(connect_partner_center)
app.command("salesforce")(salesforce)
