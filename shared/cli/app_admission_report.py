"""Tell the administrator who else may sign in with the app of the integration user."""

from collections.abc import Sequence

from rich.markup import escape

from shared.cli.output import Output
from shared.clients.salesforce.app_admission import AppAdmission, find_admissions
from shared.clients.salesforce.client import SalesforceClient
from shared.foundation.errors import Rejected

_REMEDY = (
    "Whoever reads the app's key in Key Vault can sign in as each of them. In Setup, External Client App Manager, the "
    "app, Policies: leave only Cosell_Integration, and assign that to the integration user alone."
)


def tell_admissions(salesforce: SalesforceClient, username: str, output: Output) -> Sequence[AppAdmission] | None:
    """Name everybody but the integration user whom their app admits, and return it; None if it may not be read."""
    try:
        admissions = find_admissions(salesforce, username)
    except Rejected as error:
        output.say(escape(f"Whom the app admits may not be read ({error.cause.code}): look at its policies in Setup."))
        return None
    wide = [each for each in admissions if not each.is_narrow]
    for each in wide:
        whom = "every user of the org" if each.everybody else ", ".join(each.others)
        output.say(f"[red]The app {escape(each.app)} admits[/red] not only {escape(f'{username}, but also {whom}')}.")
    if wide:
        output.say(_REMEDY)
    return admissions
