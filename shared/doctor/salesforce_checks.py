"""Checks of the Salesforce org as the integration user sees it (reference/salesforce.md 2.10, 2.13, 2.17, 4.2)."""

from datetime import datetime, timedelta
from typing import Any

from shared.clients.salesforce.records import Write
from shared.clients.salesforce.soql_literals import literal
from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation

PERMISSIONS = "Assign the permission set Cosell_Integration to the integration user."
BUDGET = 0.8
"""The share of the daily API calls above which little is left for us."""
_OBJECTS = ("Opportunity", "Account", "Contact", "OpportunityContactRole")
_RIGHTS = ("createable", "updateable", "queryable")


def check_salesforce_sign_in(patient: Installation) -> Verdict:
    """The key of the vault signs the integration user in."""
    return ok(f"signed in to the organisation {patient.salesforce.organization_id()}")


def check_integration_user(patient: Installation) -> Verdict:
    """The integration user is there and active."""
    name = literal(patient.settings.salesforce.username)
    soql = f"SELECT Id, IsActive FROM User WHERE Username = {name} LIMIT 1"  # noqa: S608 - a SOQL literal
    rows = patient.salesforce.query(soql).pages[0].rows
    if not rows:
        return failed("the user of SALESFORCE_USERNAME is not to be seen", "Set it to the integration user's name.")
    if not rows[0].get("IsActive"):
        return failed(f"the user {rows[0]['Id']} is not active", "Activate the integration user.")
    return ok(f"the user {rows[0]['Id']} is active")


def check_permissions(patient: Installation) -> Verdict:
    """The objects that a deal is made of can be read, created and changed."""
    lacking = [
        f"{sobject} is not {right}"
        for sobject in _OBJECTS
        for right in _RIGHTS
        if not patient.describe_object(sobject).get(right)
    ]
    if lacking:
        return failed("; ".join(lacking), PERMISSIONS)
    return ok(f"{', '.join(_OBJECTS)} can be read, created and changed")


def check_api_budget(patient: Installation) -> Verdict:
    """Enough of the day's API calls is left."""
    patient.describe_object("Opportunity")  # every answer tells
    usage = patient.salesforce.api_usage()
    if usage is None:
        return skipped("no answer told the API calls of the day")
    used, total = usage
    found = f"{used} of {total} API calls used in 24 hours"
    if used >= BUDGET * total:
        return failed(found, "Find what spends them (Setup, API usage), or buy more calls.")
    return ok(found)


def check_stages(patient: Installation) -> Verdict:
    """Every stage of the mapping file is there, and the on-hold stage is an open one."""
    wanted = patient.app.translation.file.stages
    soql = "SELECT ApiName, IsActive, IsClosed FROM OpportunityStage"
    rows = {str(r["ApiName"]).casefold(): r for r in patient.salesforce.query(soql).pages[0].rows if r.get("IsActive")}
    missing = [stage.name for stage in wanted if stage.name.casefold() not in rows]
    on_hold = wanted[0].name
    if missing:
        return failed(
            f"the org has no active stage {', '.join(map(repr, missing))}",
            "Add it by hand in Setup (Opportunity, Stage), or name your own stages in the mapping file.",
        )
    if rows[on_hold.casefold()].get("IsClosed"):
        return failed(f"the on-hold stage {on_hold!r} is a closed one", "Make it an open stage in Setup.")
    return ok(f"all {len(wanted)} stages are there, and {on_hold!r} is open")


def check_conditional_update(patient: Installation) -> Verdict:
    """An update under a condition that does not hold answers 412; its value is the record's own, so nothing changes.

    What keeps two writers apart rests on it (reference/salesforce.md 2.10).
    """
    flag = patient.app.translation.file.ours.flag
    row = _a_record(patient, flag)
    if row is None:
        return skipped("no opportunity yet to prove it on: check again after the first deal")
    past = datetime.fromisoformat(row["LastModifiedDate"]) - timedelta(days=1)
    write = Write(row["Id"], {flag: bool(row[flag])}, past)
    [done] = patient.salesforce.update_unmodified([write], ("LastModifiedDate",))
    if done.changed:
        return ok(f"proven on {row['Id']}: 412")
    if done.refused or done.locked:
        why = done.refused.code if done.refused else "it is locked"
        return skipped(f"not to be proven on {row['Id']}: {why}")
    return failed(
        f"Salesforce changed {row['Id']} under a condition that does not hold",
        "Do not turn the sync on: report it, with the org's edition and API version.",
    )


def _a_record(patient: Installation, flag: str) -> dict[str, Any] | None:
    soql = f"SELECT Id, LastModifiedDate, {flag} FROM Opportunity ORDER BY LastModifiedDate DESC LIMIT 1"  # noqa: S608 - a checked field name
    rows = patient.salesforce.query(soql).pages[0].rows
    return dict(rows[0]) if rows else None
