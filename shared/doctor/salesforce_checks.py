"""Check the Salesforce org as the integration user sees it (docs/reference/salesforce.md#integration-user)."""

from datetime import datetime, timedelta
from typing import Any

from shared.clients.salesforce.organization_check import ask_organization
from shared.clients.salesforce.records import Write
from shared.clients.salesforce.soql_literals import text_literal
from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.domain.own_organization import other_store, wrong_organization

PERMISSIONS = "Assign the permission set Cosell_Integration to the integration user."
MAX_BUDGET_SHARE = 0.8
"""If more than this share of the day's API calls is used, the check fails (docs/reference/salesforce.md#api-limits)."""
_OBJECTS = ("Opportunity", "Account", "Contact", "OpportunityContactRole")
_RIGHTS = ("createable", "updateable", "queryable")


def check_salesforce_sign_in(installation: Installation) -> Verdict:
    """Check that the integration user can sign in with the key in Key Vault."""
    return ok(f"signed in to the organisation {installation.salesforce.organization_id()}")


def check_environment(installation: Installation) -> Verdict:
    """Check that this environment may be used with the organisation: production with no sandbox, and the reverse."""
    found = ask_organization(installation.salesforce)
    if wrong := wrong_organization(installation.app.own_organization, found):
        return failed(wrong.text, "Nothing is written until it is corrected.")
    if (owner := installation.app.store.known_owner()) not in (None, found.id):
        return failed(other_store(str(owner), found.id).text, "Nothing is written until it is corrected.")
    kind = "a sandbox" if found.is_sandbox else f"an org of the kind {found.edition or 'unknown'}"
    return ok(f"{installation.settings.sync.environment} may use the organisation {found.id}, {kind}")


def check_integration_user(installation: Installation) -> Verdict:
    """Check that the integration user exists and is active."""
    name = text_literal(installation.settings.salesforce.username)
    soql = f"SELECT Id, IsActive FROM User WHERE Username = {name} LIMIT 1"  # noqa: S608 - a SOQL literal
    users = installation.salesforce.query(soql).pages[0].records
    if not users:
        return failed(
            "the org shows no user with the name in SALESFORCE_USERNAME",
            "Set SALESFORCE_USERNAME to the user name of the integration user.",
        )
    if not users[0].get("IsActive"):
        return failed(f"the user {users[0]['Id']} is not active", "Activate the integration user.")
    return ok(f"the user {users[0]['Id']} is active")


def check_permissions(installation: Installation) -> Verdict:
    """Check that the integration user can read, create and change the objects of a deal."""
    missing = [
        f"{sobject} is not {right}"
        for sobject in _OBJECTS
        for right in _RIGHTS
        if not installation.describe_object(sobject).get(right)
    ]
    if missing:
        return failed("; ".join(missing), PERMISSIONS)
    return ok(f"the integration user can read, create and change {', '.join(_OBJECTS)}")


def check_api_budget(installation: Installation) -> Verdict:
    """Check that enough of the day's API calls are left (docs/reference/salesforce.md#api-limits)."""
    installation.describe_object("Opportunity")  # any answer carries the usage in a header
    usage = installation.salesforce.api_usage()
    if usage is None:
        return skipped("no answer of Salesforce carried the API usage")
    used, total = usage
    finding = f"{used} of {total} API calls used in 24 hours"
    if used >= MAX_BUDGET_SHARE * total:
        return failed(finding, "Find which app uses them (Setup, API usage), or buy more calls.")
    return ok(finding)


def check_conditional_update(installation: Installation) -> Verdict:
    """Check that Salesforce answers 412 to an update whose condition is false.

    The sync relies on it so that two writers do not overwrite each other
    (docs/reference/salesforce.md#conditional-requests). The update carries the value that the record has already, so
    nothing changes even if the org ignores the condition.
    """
    flag = installation.translation.file.ours.flag
    opportunity = _newest_opportunity(installation, flag)
    if opportunity is None:
        return skipped("there is no opportunity yet to test it on: run the doctor again after the first deal")
    record_id = opportunity["Id"]
    past = datetime.fromisoformat(opportunity["LastModifiedDate"]) - timedelta(days=1)
    write = Write(record_id, {flag: bool(opportunity[flag])}, past)
    [done] = installation.salesforce.update_unmodified([write], ("LastModifiedDate",))
    if done.changed:
        return ok(f"proven with {record_id}: Salesforce answers 412")
    if done.refused or done.locked:
        why = done.refused.code if done.refused else "the record is locked"
        return skipped(f"cannot be tested with {record_id}: {why}")
    return failed(
        f"Salesforce updated {record_id} although the condition was false",
        "Do not turn the sync on. Report this, with the edition and API version of the org.",
    )


def _newest_opportunity(installation: Installation, flag: str) -> dict[str, Any] | None:
    soql = f"SELECT Id, LastModifiedDate, {flag} FROM Opportunity ORDER BY LastModifiedDate DESC LIMIT 1"  # noqa: S608 - a checked field name
    opportunities = installation.salesforce.query(soql).pages[0].records
    return dict(opportunities[0]) if opportunities else None
