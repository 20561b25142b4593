"""Check what sharing lets the integration user read and edit (docs/reference/salesforce.md#sharing-and-edit-rights)."""

from collections.abc import Mapping
from typing import Any

from shared.clients.salesforce.deal_sharing import (
    GROUP,
    GROUP_LABEL,
    OPEN,
    default_access,
    group_members,
)
from shared.clients.salesforce.rehearsal import rehearse_creation, rehearse_update
from shared.doctor.finding import Verdict, failed, ok, skipped
from shared.doctor.installation import Installation
from shared.doctor.salesforce_checks import PERMISSIONS
from shared.foundation.errors import Locked, Rejected

SHARE = (
    f"Run `cosell salesforce deploy`: it deploys the sharing rule and adds the integration user to the group "
    f"{GROUP_LABEL} (docs/salesforce-package.md#sharing)."
)
_CLOSED, _BY_ACCOUNT = "None", "ControlledByParent"
_NAMES = {_CLOSED: "private", "Read": "public read only", _BY_ACCOUNT: "controlled by the account"}
_NO_CONTACTS = (
    "new contacts are refused on accounts of other owners, so deals arrive without them, unless Setup, Sharing "
    f"Settings, shares accounts (Read/Write) with the group {GROUP_LABEL}"
)


def check_write_access(installation: Installation) -> Verdict:
    """Check that the integration user may edit a deal of another owner, by an edit that Salesforce undoes."""
    deal = _deal_of_another_owner(installation, co_sell=True) or _deal_of_another_owner(installation, co_sell=False)
    if deal is None:
        return _verdict_without_deal(installation)
    flag, record_id = installation.translation.file.ours.flag, deal["Id"]
    try:
        refusal = rehearse_update(installation.salesforce.connection, "Opportunity", record_id, {flag: deal[flag]})
    except Locked:
        return skipped(f"{record_id} is locked just now: run the doctor again")
    if refusal is None:
        return ok(f"proven with {record_id} of another owner: Salesforce accepts an edit")
    if not _is_about_access(refusal):
        return failed(
            f"Salesforce refuses every edit of {record_id}: {refusal}",
            "Correct the record, or change the rule that refuses it, so that the integration user can save it.",
        )
    if deal["is_co_sell"]:
        return failed(f"the user may not edit {record_id}, which has another owner: {refusal}", SHARE)
    return _verdict_without_deal(installation)


def _is_about_access(code: str) -> bool:
    return code.startswith("INSUFFICIENT_ACCESS") or code == "INVALID_CROSS_REFERENCE_KEY"


def _verdict_without_deal(installation: Installation) -> Verdict:
    """The verdict while no co-sell deal has another owner: what the org's default and the group say."""
    access = default_access(installation.salesforce).get("Opportunity")
    if access == OPEN:
        return ok("everybody may edit every opportunity of this org")
    try:
        group, is_member = group_members(installation.salesforce, installation.salesforce.user_id())
    except Rejected:
        return skipped("not proven: no deal has another owner yet, and the user may not see the groups of the org")
    if is_member:
        return skipped(
            f"the user is in the group {GROUP}; proven only once a deal has another owner: run the doctor again then"
        )
    found = f"the user is not in the group {GROUP}" if group else f"the org has no group {GROUP}"
    closed = f"opportunities are {_NAMES.get(access, access)}" if access else "the org does not show its default access"
    return failed(f"{closed}, and {found}", SHARE)


def _deal_of_another_owner(installation: Installation, *, co_sell: bool) -> dict[str, Any] | None:
    ours, user = installation.translation.file.ours, installation.salesforce.user_id()
    condition = f" AND ({ours.flag} = true OR {ours.identifier} != null)" if co_sell else ""
    soql = (
        f"SELECT Id, {ours.flag} FROM Opportunity WHERE OwnerId != '{user}'{condition} "  # noqa: S608 - checked field names and an id
        "ORDER BY LastModifiedDate DESC LIMIT 1"
    )
    records = installation.salesforce.query(soql).pages[0].records
    return {**records[0], "is_co_sell": co_sell} if records else None


def check_read_access(installation: Installation) -> Verdict:
    """Check that the integration user reads accounts and contacts of other owners where the org makes them private."""
    access = default_access(installation.salesforce)
    if not access:
        return skipped("the org does not show its default access to the user: check View All by hand")
    private = [sobject for sobject in ("Account", "Contact") if _is_private(access, sobject)]
    unseen = [sobject for sobject in private if not _sees_other_owners(installation, sobject)]
    if private and unseen == private:
        found = f"{' and '.join(private)}: private, and the user sees no record of another owner"
        return failed(found, f"{PERMISSIONS} It gives View All.")
    notes = [f"no {sobject} of another owner is visible" for sobject in unseen]
    if access.get("Contact") == _BY_ACCOUNT and access.get("Account") != OPEN and not _may_add_contacts(installation):
        notes.append(_NO_CONTACTS)
    shown = ", ".join(f"{sobject} {_NAMES.get(value, 'public')}" for sobject, value in access.items())
    return ok("; ".join((f"the org's defaults: {shown}", *notes)))


def _is_private(access: Mapping[str, str], sobject: str) -> bool:
    value = access.get(sobject)
    return value == _CLOSED or (value == _BY_ACCOUNT and access.get("Account") == _CLOSED)


def _may_add_contacts(installation: Installation) -> bool:
    """Whether the user may add a contact to an account of another owner, as far as a rehearsal tells."""
    account = _first_of_another_owner(installation, "Account")
    values = {"LastName": "Co-sell rehearsal", "AccountId": account}
    refusal = rehearse_creation(installation.salesforce.connection, "Contact", values) if account else None
    return refusal is None or not _is_about_access(refusal)


def _sees_other_owners(installation: Installation, sobject: str) -> bool:
    return _first_of_another_owner(installation, sobject) is not None


def _first_of_another_owner(installation: Installation, sobject: str) -> str | None:
    user = installation.salesforce.user_id()
    soql = f"SELECT Id FROM {sobject} WHERE OwnerId != '{user}' LIMIT 1"  # noqa: S608 - a fixed name and an id
    records = installation.salesforce.query(soql).pages[0].records
    return str(records[0]["Id"]) if records else None
