"""Group the commands of `cosell connect`, which give the app access to Partner Center and Salesforce."""

import typer

from shared.cli.connect_partner_center import connect_partner_center
from shared.cli.connect_salesforce import connect_salesforce

app = typer.Typer(help="Give the app access to Partner Center or Salesforce.", no_args_is_help=True)
app.command("partner-center")(connect_partner_center)
app.command("salesforce")(connect_salesforce)
