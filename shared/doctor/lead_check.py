"""Check that leads of Partner Center can arrive, before the first of them waits in the inbox.

Source: docs/protocol.md#leads.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.doctor.finding import CORRECT_SETTING, Verdict, failed, ok
from shared.doctor.installation import Installation
from shared.doctor.salesforce_field_checks import DEPLOY
from shared.domain.leads import Leads
from shared.foundation.errors import NotFound
from shared.mapping.lead_columns import LEAD, LeadTable

ASSIGN = f"{DEPLOY} Then assign the permission set Cosell_Leads_Integration to the integration user."
_RIGHTS = ("createable", "updateable", "queryable")


def check_leads(installation: Installation) -> Verdict:
    """Check that the org takes leads in the form that the settings choose."""
    settings = installation.settings.sync
    leads = Leads(settings.leads)
    if leads is Leads.OFF:
        return ok("leads do not arrive: LEADS is off")
    if settings.tag is not None:
        return failed(f"LEADS is {leads}, but leads carry no tag, so none arrives outside production", CORRECT_SETTING)
    if leads is Leads.OPPORTUNITY:
        return ok("leads arrive as opportunities, and are not sent")
    try:
        description = installation.describe_object(LEAD)
    except NotFound:
        return failed("LEADS is lead, but the user may not see the object Lead: leads wait in the inbox", ASSIGN)
    faults = [f"leads are not {right}" for right in _RIGHTS if not description.get(right)]
    faults += _faults_of_columns(installation.app.translation.file.lead, installation.visible_fields(LEAD))
    return failed("; ".join(faults), ASSIGN) if faults else ok("leads arrive as leads, and are not sent")


def _faults_of_columns(table: LeadTable, visible: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for column in (*table.columns, *table.defaults):
        field = visible.get(column.lower())
        if field is None:
            yield f"{column} does not exist on Lead, or the user may not see it"
        elif not field.get("createable"):
            yield f"{column} may not be written by the user"
    identifier = visible.get(table.identifier.lower())
    if identifier and not (identifier.get("externalId") and identifier.get("unique")):
        yield f"{table.identifier} is not both an external id and unique"
