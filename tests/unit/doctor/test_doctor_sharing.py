"""The doctor's checks of sharing: what the integration user may read and edit of other owners."""

from collections.abc import Iterator

import pytest

from emulators.salesforce.data.tables import Tables
from local.systems import USERNAME, Systems
from shared.clients.salesforce.deal_sharing import GROUP
from shared.doctor.finding import Result, ok
from tests.unit.doctor.conftest import Doctor
from tests.unit.emulators.salesforce.control_calls import control

RULE = {"name": "Cosell_Deals", "sobject": "Opportunity", "group": GROUP, "edit": True}
FLAGGED = {"Sync_with_Partner_Center__c": True}
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


@pytest.fixture
def closed(systems: Systems) -> Iterator[Systems]:
    """Opportunities are private, and the integration user has the rights of the package and no more."""
    control(systems.salesforce, "permission_sets", username=USERNAME, names=["Cosell_Integration"])
    control(systems.salesforce, "sharing", sobject="Opportunity", model="Private")
    yield systems
    systems.salesforce.reset_state()


def join_group(systems: Systems) -> None:
    org = systems.salesforce.org
    [group] = [each["Id"] for each in org.stored_records("Group") if each["DeveloperName"] == GROUP]
    [user] = [each["Id"] for each in org.stored_records("User") if each["Username"] == USERNAME]
    administrator = systems.salesforce.founding.administrator
    org.insert("GroupMember", {"GroupId": group, "UserOrGroupId": user}, administrator)


def delete_deals(tables: Tables) -> None:
    for deal in list(tables.stored_records("Opportunity")):
        tables.put("Opportunity", deal["Id"], deal | {"IsDeleted": True})


def test_an_org_where_everybody_may_edit_is_proven(doctor: Doctor) -> None:
    assert "Salesforce accepts an edit" in doctor.run("write access")["write access"].found


@pytest.mark.parametrize("model", ["Private", "Read"])
def test_edit_and_view_all_are_not_enough_where_the_deals_of_others_are_closed(
    doctor: Doctor, closed: Systems, model: str
) -> None:
    control(closed.salesforce, "sharing", sobject="Opportunity", model=model)
    verdict = doctor.failed_verdict("write access")
    assert "which has another owner: INSUFFICIENT_ACCESS_OR_READONLY" in verdict.found
    assert "cosell salesforce deploy" in verdict.remedy


def test_the_rule_and_the_group_are_proven_by_an_edit_that_leaves_no_trace(doctor: Doctor, closed: Systems) -> None:
    join_group(closed)
    control(closed.salesforce, "sharing_rule", **RULE, values=FLAGGED)
    before = [dict(record) for record in closed.salesforce.org.stored_records("Opportunity")]
    assert "Salesforce accepts an edit" in doctor.run("write access")["write access"].found
    assert [dict(record) for record in closed.salesforce.org.stored_records("Opportunity")] == before


def test_modify_all_is_proven_too(doctor: Doctor, closed: Systems) -> None:
    names = ["Cosell_Integration", "Cosell_Integration_Modify_All"]
    control(closed.salesforce, "permission_sets", username=USERNAME, names=names)
    assert "Salesforce accepts an edit" in doctor.run("write access")["write access"].found


def test_before_the_first_deal_the_group_decides(doctor: Doctor, closed: Systems) -> None:
    delete_deals(closed.salesforce.org)
    verdict = doctor.failed_verdict("write access")
    assert verdict.found == f"opportunities are private, and the user is not in the group {GROUP}"
    closed.salesforce.insert("Opportunity", DEAL)
    assert doctor.failed_verdict("write access").found == verdict.found
    join_group(closed)
    found = doctor.run("write access")["write access"]
    assert (found.result, "proven only once" in found.found) == (Result.SKIPPED, True)


def test_a_deleted_group_is_told(doctor: Doctor, closed: Systems) -> None:
    delete_deals(closed.salesforce.org)
    [group] = [each for each in closed.salesforce.org.stored_records("Group") if each["DeveloperName"] == GROUP]
    group["DeveloperName"] = "Renamed"
    assert f"the org has no group {GROUP}" in doctor.failed_verdict("write access").found


def test_without_any_deal_an_open_org_passes(doctor: Doctor, systems: Systems) -> None:
    delete_deals(systems.salesforce.org)
    assert doctor.run("write access")["write access"] == ok("everybody may edit every opportunity of this org")


def test_a_rule_at_every_save_that_refuses_the_deal_is_told(doctor: Doctor, systems: Systems) -> None:
    formula = "ISBLANK( NextStep )"
    control(systems.salesforce, "save_rule", sobject="Opportunity", formula=formula, message="Say the next step")
    verdict = doctor.failed_verdict("write access")
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in verdict.found
    assert "Say the next step" not in verdict.found
    control(systems.salesforce, "reset")


def test_a_locked_deal_skips_the_check(doctor: Doctor, systems: Systems) -> None:
    for deal in systems.salesforce.records("Opportunity"):
        control(systems.salesforce, "lock", id=deal["Id"])
    assert doctor.run("write access")["write access"].result is Result.SKIPPED


def test_private_accounts_of_others_must_be_visible(doctor: Doctor, closed: Systems) -> None:
    control(closed.salesforce, "sharing", sobject="Account", model="Private")
    assert "Account private" in doctor.run("read access")["read access"].found
    delete_deals(closed.salesforce.org)  # who reads a deal reads its account
    sets, key = closed.salesforce.deployments.documents.kept, ("PermissionSet", "Cosell_Integration")
    sets[key] = sets[key].replace(b"<viewAllRecords>true", b"<viewAllRecords>false")
    verdict = doctor.failed_verdict("read access")
    assert verdict.found == "Account: private, and the user sees no record of another owner"
    assert "Cosell_Integration" in verdict.remedy


def test_one_private_object_with_records_of_others_shows_view_all(doctor: Doctor, closed: Systems) -> None:
    for sobject in ("Account", "Contact"):
        control(closed.salesforce, "sharing", sobject=sobject, model="Private")
    verdict = doctor.run("read access")["read access"]
    assert (verdict.result, "no Contact of another owner is visible" in verdict.found) == (Result.OK, True)


def test_contacts_that_follow_a_closed_account_are_told(doctor: Doctor, closed: Systems) -> None:
    control(closed.salesforce, "sharing", sobject="Account", model="Read")
    control(closed.salesforce, "sharing", sobject="Contact", model="ControlledByParent")
    verdict = doctor.run("read access")["read access"]
    assert verdict.result is Result.OK
    assert "new contacts are refused on accounts of other owners, so deals arrive without them" in verdict.found
    assert closed.salesforce.records("Contact") == []
    join_group(closed)
    control(closed.salesforce, "sharing_rule", name="All", sobject="Account", group=GROUP, edit=True)
    assert "new contacts" not in doctor.run("read access")["read access"].found


def test_an_org_that_hides_its_defaults_skips_the_check(doctor: Doctor, systems: Systems) -> None:
    del systems.salesforce.org.model.get("Organization").fields["defaultcontactaccess"]
    assert doctor.run("read access")["read access"].result is Result.SKIPPED
    systems.salesforce.reset_state()
