"""Follows docs/install.md step by step on the emulators, with the real commands.

Azure's resources and the pages of Setup are not emulated. A stand-in replaces `az` (tests/unit/infra/azure_deploy), and
the control APIs of the emulators do what a person clicks.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE
from shared.cli import self_signed_certificate
from shared.cli.exit_codes import Exit
from shared.clients.salesforce import metadata_deploy
from tests.e2e.install_actors import Machine, People, azure_login, empty_all_systems, restore_afterwards
from tests.e2e.world import World
from tests.unit.cli.stand_in_az import put_on_path
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.infra.azure_deploy.fake_azure import SUBSCRIPTION, FakeAzure, make_checkout, run_fake_azure
from tests.unit.sync.inbound_deals import DETAILS

SKIPPED_BEFORE_THE_FIRST_DEAL = {
    "app access", "referral role", "organisation id", "partner location", "conditional update", "webhook registration",
    "owners",
}  # fmt: skip


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[FakeAzure]:
    """A checkout, and a stand-in for Azure."""
    root = tmp_path / "checkout"
    root.mkdir()
    make_checkout(root)
    with run_fake_azure(root, tmp_path / "stage") as azure:
        yield azure


@pytest.fixture
def machine(world: World, azure: FakeAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("account get-access-token", azure_login(world))
    az.answer("account show", {"id": SUBSCRIPTION, "name": "Contoso", "tenantId": "tenant-1"})
    az.answer("deployment sub show", err="ERROR: (DeploymentNotFound) Deployment could not be found.", code=3)
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "preview"}])
    az.answer("functionapp config appsettings set", ["SYNC"])
    monkeypatch.chdir(azure.root)
    monkeypatch.setattr(self_signed_certificate, "KEY_BITS", 2048)  # a longer one takes seconds
    monkeypatch.setattr(metadata_deploy, "POLL_PAUSES", (0.0,))
    return Machine(world, azure, az, monkeypatch)


@pytest.fixture
def people(world: World, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    """The people on the first day: no system holds anything of the product."""
    with restore_afterwards(world):
        empty_all_systems(world)
        people_at_work = People(world, machine)
        people_at_work.remove_the_on_hold_stage()
        people_at_work.answer_the_browser(monkeypatch)
        yield people_at_work


def connect_salesforce(machine: Machine, people: People) -> tuple[str, ...]:
    """Do step 4 of docs/install.md; returns the options by which the administrator signs in."""
    assert machine.run_cosell("connect", "salesforce").exit_code == 0
    people.upload_to_salesforce()
    administrator = people.create_the_browser_app()
    assert machine.run_cosell("salesforce", "deploy", *administrator).exit_code == 0
    verified = machine.run_cosell_json("connect", "salesforce", "--verify")
    assert (verified["exit"], verified["proven"]) == (0, True)
    return administrator


def connect_partner_center(machine: Machine, people: People) -> None:
    """Do step 6 of docs/install.md."""
    assert machine.run_cosell("connect", "partner-center", "--make-certificate").exit_code == 0
    people.upload_to_entra()
    connected = machine.run_cosell_json("connect", "partner-center")
    assert connected["exit"] == 0, connected
    assert connected["stored"] == ["partner-center-refresh-token", "partner-center-certificate"]


def test_from_an_empty_subscription_to_the_first_synced_deal(world: World, machine: Machine, people: People) -> None:
    org, partner = world.systems.salesforce, world.systems.partner_center
    people.add_the_on_hold_stage()  # step 2
    machine.run_make_deploy()  # step 3
    assert world.client.get("/api/health", headers={"x-functions-key": world.host.keys.function}).json()["mode"] == (
        "preview"
    )
    administrator = connect_salesforce(machine, people)
    section = machine.run_cosell_json("salesforce", "add-section", "Opportunity Layout", "--yes", *administrator)
    assert (section["exit"], section["deployed"]) == (0, 1)
    connect_partner_center(machine, people)

    checks = machine.doctor_checks()  # step 7
    assert {name for name, check in checks.items() if check["result"] != "ok"} == SKIPPED_BEFORE_THE_FIRST_DEAL
    assert {checks[name]["result"] for name in SKIPPED_BEFORE_THE_FIRST_DEAL} == {"skipped"}

    opportunity = world.seller_creates()  # a seller ticks before the sync is on: only the preview plans it
    world.host.run_now("push_opportunities")
    assert partner.referrals() == []
    turned_on = machine.run_cosell_json("turn-on", "--yes")  # step 8
    assert (turned_on["exit"], turned_on["preview"]["push"]["creates"]) == (0, 1)

    world.host.run_now("push_opportunities")  # step 9
    record = org.record("Opportunity", opportunity)
    referral = partner.referral(record["Referral_Identifier__c"])
    assert (referral["name"], record["Sync_Status__c"], record["Sync_Mark__c"]) == ("Big deal", "Synced", "✔")
    assert referral["externalReferenceId"] == f"STAGING:{opportunity}"

    world.let_records_rest()
    partner.portal_edits(
        record["Referral_Identifier__c"], [{"op": "replace", "path": "/details/dealValue", "value": 25_000}]
    )
    world.host.run_now("sweep_referrals")
    assert org.record("Opportunity", opportunity)["Amount"] == 25_000
    checks = machine.doctor_checks()
    assert {name for name, check in checks.items() if check["result"] == "failed"} == set()
    assert {name for name, check in checks.items() if check["result"] == "skipped"} <= {
        "webhook registration",
        "app access",
        "owners",
    }


@pytest.mark.slow
def test_the_doctor_passes_the_default_mapping_file_in_an_org_with_one_currency(
    world: World, machine: Machine, people: People
) -> None:
    world.systems.salesforce.multi_currency = False
    empty_all_systems(world)
    people.remove_the_on_hold_stage()
    people.add_the_on_hold_stage()
    machine.run_make_deploy()
    connect_salesforce(machine, people)
    connect_partner_center(machine, people)
    checks = machine.doctor_checks()
    assert {name for name, check in checks.items() if check["result"] == "failed"} == set()
    assert checks["currency field"]["found"] == "always USD"


@pytest.mark.slow
def test_a_production_org_takes_the_package_and_deals_travel_both_ways(
    world: World, machine: Machine, azure: FakeAzure, people: People
) -> None:
    org, partner = world.systems.salesforce, world.systems.partner_center
    control(org, "org_kind", kind="production")
    control(org, "apex_tests", total=3, failing=["DealTest.closes"])  # a deployment that runs no tests passes
    people.add_the_on_hold_stage()
    azure.write_test_record()
    machine.run_make_deploy()
    machine.run_make_promote()
    control(org, "metadata_rights", username="ada.admin@partner.example", has=False)
    assert machine.run_cosell("connect", "salesforce").exit_code == 0
    people.upload_to_salesforce()
    administrator = people.create_the_browser_app()
    refused = machine.run_cosell("salesforce", "deploy", *administrator)
    assert (refused.exit_code, "Sign in as a Salesforce administrator" in refused.output) == (Exit.REFUSED, True)
    control(org, "metadata_rights", username="ada.admin@partner.example", has=True)
    deployed = machine.run_cosell_json("salesforce", "deploy", *administrator)
    assert (deployed["exit"], deployed["inactive"]) == (0, [])
    section = machine.run_cosell_json("salesforce", "add-section", "Opportunity Layout", "--yes", *administrator)
    assert section["exit"] == 0
    connect_partner_center(machine, people)
    assert machine.run_cosell("webhook", "register").exit_code == 0
    assert machine.run_cosell_json("webhook", "test")["exit"] == 0
    assert machine.run_cosell_json("turn-on", "--yes")["turned_on"] is True

    ours = world.seller_creates()
    world.host.run_now("push_opportunities")
    referral = org.record("Opportunity", ours)["Referral_Identifier__c"]
    sent = partner.microsoft_sends(details=DETAILS)
    world.wait_for_events()
    arrived = world.opportunities_by_referral()[sent]["Id"]
    org.edit("Opportunity", arrived, {"StageName": "Qualification"})
    org.edit("Opportunity", ours, {"Amount": 12_000})
    world.host.run_now("push_opportunities")
    assert partner.referral(sent)["status"] == "Active"
    assert partner.referral(referral)["details"]["dealValue"] == 12_000
    world.let_records_rest()
    for each in (referral, sent):
        partner.portal_edits(each, [{"op": "replace", "path": "/details/dealValue", "value": 25_500}])
    world.wait_for_events()
    assert {each["Amount"] for each in org.records("Opportunity")} == {25_500}


@pytest.mark.slow
def test_staging_is_promoted_to_production_which_gets_microsofts_referrals_by_event(
    world: World, machine: Machine, azure: FakeAzure, people: People
) -> None:
    people.add_the_on_hold_stage()
    control(world.systems.salesforce, "org_kind", kind="production")
    azure.write_test_record()
    machine.run_make_deploy()
    machine.run_make_promote()  # step 10: its own vault and store; the rest as in staging
    connect_salesforce(machine, people)
    connect_partner_center(machine, people)
    assert machine.failed_remedies() == {"webhook registration": "Run `cosell webhook register --env production`."}

    assert machine.run_cosell("webhook", "register").exit_code == 0
    tested = machine.run_cosell_json("webhook", "test")
    assert (tested["exit"], tested["attempts"][-1]["code"]) == (0, "Accepted")
    assert machine.failed_remedies() == {}
    assert machine.run_cosell_json("turn-on", "--yes")["turned_on"] is True

    referral = world.systems.partner_center.microsoft_sends()
    world.wait_for_events()
    assert machine.opportunities_by_referral()[referral]["StageName"] == "On Hold"


@pytest.mark.usefixtures("people")
def test_before_anything_is_connected_the_doctor_names_the_commands_to_run(machine: Machine) -> None:
    machine.run_make_deploy()
    missing = machine.failed_remedies()
    assert missing == {
        "Salesforce key": "Run `cosell connect salesforce --env staging`.",
        "Partner Center credential": "Run `cosell connect partner-center --env staging`.",
        "refresh token": "Run `cosell connect partner-center --env staging`.",
    }
    assert machine.run_cosell("doctor").exit_code == 1


@pytest.mark.slow
def test_the_doctor_names_a_forgotten_step_with_its_remedy_and_checks_the_rest(
    machine: Machine, people: People
) -> None:
    machine.run_make_deploy()
    connect_partner_center(machine, people)
    assert machine.run_cosell("connect", "salesforce").exit_code == 0
    early = machine.run_cosell_json("connect", "salesforce", "--verify")  # nothing was clicked in Setup
    assert early["exit"] == 4
    assert early["remedy"]
    people.upload_to_salesforce()
    assert machine.run_cosell_json("connect", "salesforce", "--verify")["exit"] == 0

    remedies = machine.failed_remedies()  # the package was not deployed, and the stage is missing
    assert set(remedies) == {"custom fields", "inbox", "mapped fields", "package", "stages"}
    assert "cosell salesforce deploy --env staging --target-org ADMINISTRATOR`" in remedies["custom fields"]
    assert "by hand in Setup" in remedies["stages"]
    administrator = people.create_the_browser_app()
    assert (
        machine.run_cosell_json("salesforce", "add-section", "Opportunity Layout", "--yes", *administrator)["exit"] == 3
    )

    assert machine.run_cosell("salesforce", "deploy", *administrator).exit_code == 0
    people.add_the_on_hold_stage()
    assert machine.failed_remedies() == {}


@pytest.mark.usefixtures("people")
def test_commands_in_the_wrong_order_name_the_step_that_comes_first(machine: Machine) -> None:
    undeployed = machine.run_cosell_json("doctor")
    assert (undeployed["exit"], "make deploy ENV=staging" in undeployed["message"]) == (2, True)
    machine.run_make_deploy()
    for words in (("connect", "partner-center"), ("salesforce", "deploy"), ("turn-on", "--yes")):
        report = machine.run_cosell_json(*words)
        assert report["exit"] != 0, words
        assert report["message"], words
    refused = machine.run_cosell_json("webhook", "register")
    assert (refused["exit"], "EVENTS_REGISTER" in refused["remedy"]) == (3, True)


@pytest.mark.slow
def test_a_consent_for_only_one_api_is_reported_and_nothing_is_stored(
    world: World, machine: Machine, people: People
) -> None:
    entra = world.systems.partner.entra
    machine.run_make_deploy()
    entra.settings.consented = (REFERRALS_AUDIENCE,)
    assert machine.run_cosell("connect", "partner-center", "--make-certificate").exit_code == 0
    people.upload_to_entra()
    half = machine.run_cosell_json("connect", "partner-center")
    assert (half["exit"], half["stored"]) == (4, [])
    assert [check["name"] for check in half["checks"] if check["result"] == "failed"] == ["events API"]
    assert machine.failed_remedies()["refresh token"] == "Run `cosell connect partner-center --env staging`."

    entra.settings.consented = (REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE)  # the administrator consents to the other
    assert machine.run_cosell_json("connect", "partner-center")["exit"] == 0
    assert "refresh token" not in machine.failed_remedies()
