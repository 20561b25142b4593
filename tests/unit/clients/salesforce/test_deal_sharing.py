"""The deals of other owners are opened to the integration user, in every kind of org that takes a rule."""

import pytest

from emulators.salesforce import SalesforceEmulator
from shared.clients.salesforce.client import SalesforceClient
from shared.clients.salesforce.deal_sharing import GROUP, DealSharing, default_access, share_deals, with_rule
from shared.clients.salesforce.metadata_deploy import MetadataClient
from tests.unit.clients.salesforce.emulated_org import SOURCE_PROJECT, EmulatedOrg, product_package
from tests.unit.clients.salesforce.fake_salesforce import FakeSalesforce
from tests.unit.emulators.salesforce.api_session import ApiSession
from tests.unit.emulators.salesforce.control_calls import control

ROBOT = "robot@partner.example"
RIGHTS = "Cosell_Integration"
DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-12-31"}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The emulator ends a deployment after some polls, not after some time."""
    monkeypatch.setattr("shared.clients.salesforce.metadata_deploy.POLL_PAUSES", (0.0,))


@pytest.fixture
def org(fake: FakeSalesforce, salesforce: SalesforceClient) -> EmulatedOrg:
    return EmulatedOrg(SalesforceEmulator(bare=True), fake, salesforce)


@pytest.fixture
def robot(org: EmulatedOrg) -> ApiSession:
    """The integration user, with the rights of the package and no more."""
    assert org.client.deploy(product_package()).success
    user = org.emulator.org.insert("User", {"Username": ROBOT, "LastName": "Robot"}, "")
    control(org.emulator, "permission_sets", username=ROBOT, names=[RIGHTS])
    return ApiSession(org.emulator, org.emulator.oauth.issue_session_id(user))


def close(org: SalesforceEmulator, model: str) -> None:
    control(org, "sharing", sobject="Opportunity", model=model)


def edit(robot: ApiSession, deal: str) -> int:
    return robot("PATCH", f"/sobjects/Opportunity/{deal}", {"Audit__c": "x"}).status


@pytest.mark.parametrize("model", ["Private", "Read"])
@pytest.mark.parametrize("values", [{"Sync_with_Partner_Center__c": True}, {"Referral_Identifier__c": "R-1"}])
def test_a_closed_org_gets_the_rule_and_the_member_and_opens_the_deals_only(
    org: EmulatedOrg, robot: ApiSession, model: str, values: dict[str, object]
) -> None:
    close(org.emulator, model)
    ours, other = (org.emulator.insert("Opportunity", {**DEAL, **each}) for each in (values, {}))
    assert (edit(robot, ours), edit(robot, other)) == (403, 403)
    assert share_deals(org.salesforce, SOURCE_PROJECT, ROBOT) == DealSharing(needed=True)
    assert (edit(robot, ours), edit(robot, other)) == (204, 403)


def test_an_open_org_gets_no_rule_and_says_so(org: EmulatedOrg, robot: ApiSession) -> None:
    assert "needs no sharing rule" in str(share_deals(org.salesforce, SOURCE_PROJECT, ROBOT))
    assert edit(robot, org.emulator.insert("Opportunity", DEAL)) == 204
    assert org.emulator.records("GroupMember") == []


@pytest.mark.usefixtures("robot")
def test_an_open_org_that_does_not_show_its_default_refuses_the_rule_without_a_problem(org: EmulatedOrg) -> None:
    del org.emulator.org.model.get("Organization").fields["defaultopportunityaccess"]
    assert default_access(org.salesforce) == {}
    assert share_deals(org.salesforce, SOURCE_PROJECT, ROBOT) == DealSharing(needed=False)


def test_a_check_leaves_the_rule_out_where_the_default_is_not_shown(org: EmulatedOrg) -> None:
    del org.emulator.org.model.get("Organization").fields["defaultopportunityaccess"]
    assert with_rule(org.salesforce, product_package(), SOURCE_PROJECT) == product_package()


@pytest.mark.usefixtures("robot")
def test_a_second_run_adds_no_second_member(org: EmulatedOrg) -> None:
    close(org.emulator, "Private")
    for _ in range(2):
        assert share_deals(org.salesforce, SOURCE_PROJECT, ROBOT) == DealSharing(needed=True)
    assert len(org.emulator.records("GroupMember")) == 1


@pytest.mark.usefixtures("robot")
def test_a_rule_that_is_refused_and_an_unknown_user_are_told_with_what_to_do(
    org: EmulatedOrg, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(org.emulator, "Private")
    text = "sharing operation already in progress"
    check = "emulators.salesforce.metadata.component_rules.check_sharing_rules"
    monkeypatch.setattr(check, lambda *_, **__: iter([text]))
    told = str(share_deals(org.salesforce, SOURCE_PROJECT, "nobody@partner.example"))
    assert text in told
    assert "wait for the e-mail" in told
    assert "no user with the name in SALESFORCE_USERNAME" in told
    assert "add the integration user to the public group Co-sell Integration in Setup" in told


@pytest.mark.usefixtures("robot")
def test_a_deleted_group_is_told(org: EmulatedOrg) -> None:
    close(org.emulator, "Private")
    [group] = [each for each in org.emulator.org.stored_records("Group") if each["DeveloperName"] == GROUP]
    group["DeveloperName"] = "Renamed"
    told = share_deals(org.salesforce, SOURCE_PROJECT, ROBOT)
    assert any("no Group named Cosell_Integration" in each for each in told.problems)
    assert any(f"no public group {GROUP}" in each for each in told.problems)


@pytest.mark.parametrize(("model", "more"), [("Private", 1), ("ReadWrite", 0)])
def test_a_check_validates_the_rule_where_the_org_takes_one(org: EmulatedOrg, model: str, more: int) -> None:
    close(org.emulator, model)
    package = with_rule(org.salesforce, product_package(), SOURCE_PROJECT)
    assert package.member_count == product_package().member_count + more
    checked = MetadataClient(org.salesforce.connection).deploy(package, check_only=True)
    assert checked.success, checked.problems
    assert org.emulator.org.sharing.rules == {}
