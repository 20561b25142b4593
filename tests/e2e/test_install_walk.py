"""docs/install.md, walked step by step on the emulators with the real commands; where it names a person, one acts.

Azure's resources and Setup's pages are not emulated: `az` is played (tests/unit/infra/azure_deploy), and what a person
clicks is done through the emulators' controls.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulators.entra.tokens import REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE
from shared.cli import self_signed_certificate
from shared.clients.salesforce import metadata_deploy
from tests.e2e.walking import ADMIN, Machine, People, empty, login_of, restored
from tests.e2e.world import World
from tests.unit.cli.stand_in_az import put_on_path
from tests.unit.infra.azure_deploy.fake_azure import FakeAzure, make_checkout, run_fake_azure

SKIPPED_BEFORE_THE_FIRST_DEAL = {
    "referral role", "organisation id", "partner location", "conditional update", "webhook registration",
}  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[FakeAzure]:
    """A checkout, and an Azure that is played."""
    root = tmp_path / "checkout"
    root.mkdir()
    make_checkout(root)
    with run_fake_azure(root, tmp_path / "stage") as stage:
        yield stage


@pytest.fixture
def machine(world: World, stage: FakeAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    az = put_on_path(tmp_path / "bin", monkeypatch)
    az.answer("account get-access-token", login_of(world))
    az.answer("functionapp config appsettings list", [{"name": "SYNC", "value": "preview"}])
    az.answer("functionapp config appsettings set", ["SYNC"])
    monkeypatch.chdir(stage.root)
    monkeypatch.setattr(self_signed_certificate, "KEY_BITS", 2048)  # a longer one takes seconds
    monkeypatch.setattr(metadata_deploy, "POLL_PAUSES", (0.0,))
    return Machine(world, stage, az, monkeypatch)


@pytest.fixture
def people(world: World, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    """The first day begins: nothing of ours is anywhere."""
    with restored(world):
        empty(world)
        made = People(world, machine)
        made.remove_the_on_hold_stage()
        made.sit_before_the_browser(monkeypatch)
        yield made


def connect_salesforce(machine: Machine, people: People) -> None:
    """Steps 4 and 5."""
    assert machine.cosell("connect", "salesforce").exit_code == 0
    people.upload_to_salesforce()
    assert machine.cosell("salesforce", "deploy", *ADMIN).exit_code == 0
    proven = machine.tells("connect", "salesforce", "--verify")
    assert (proven["exit"], proven["proven"]) == (0, True)


def connect_partner_center(machine: Machine, people: People) -> None:
    """Step 6."""
    assert machine.cosell("connect", "partner-center", "--make-certificate").exit_code == 0
    people.upload_to_entra()
    done = machine.tells("connect", "partner-center")
    assert done["exit"] == 0, done
    assert done["stored"] == ["partner-center-refresh-token", "partner-center-certificate"]


def test_from_an_empty_subscription_to_the_first_synced_deal(world: World, machine: Machine, people: People) -> None:
    org, partner = world.systems.salesforce, world.systems.partner_center
    people.add_the_on_hold_stage()  # step 2
    machine.deploys()  # step 3
    assert world.client.get("/api/health", headers={"x-functions-key": world.host.keys.function}).json()["mode"] == (
        "preview"
    )
    connect_salesforce(machine, people)
    section = machine.tells("salesforce", "add-section", "Opportunity Layout", "--yes", *ADMIN)
    assert (section["exit"], section["deployed"]) == (0, 1)
    connect_partner_center(machine, people)

    checks = machine.examined()  # step 7
    assert {name for name, check in checks.items() if check["result"] != "ok"} == SKIPPED_BEFORE_THE_FIRST_DEAL
    assert {checks[name]["result"] for name in SKIPPED_BEFORE_THE_FIRST_DEAL} == {"skipped"}

    opportunity = world.seller_creates()  # a seller ticks before the sync is on: only the plan knows
    world.host.fire("push_opportunities")
    assert partner.referrals() == []
    turned_on = machine.tells("turn-on", "--yes")  # step 8
    assert (turned_on["exit"], turned_on["preview"]["push"]["creates"]) == (0, 1)

    world.host.fire("push_opportunities")  # step 9
    row = org.record("Opportunity", opportunity)
    referral = partner.referral(row["Referral_Identifier__c"])
    assert (referral["name"], row["Sync_Status__c"], row["Sync_Mark__c"]) == ("Big deal", "Synced", "✔")
    assert referral["externalReferenceId"] == f"STAGING:{opportunity}"

    partner.portal_edits(
        row["Referral_Identifier__c"], [{"op": "replace", "path": "/details/dealValue", "value": 25_000}]
    )
    world.host.fire("sweep_referrals")
    assert org.record("Opportunity", opportunity)["Amount"] == 25_000
    checks = machine.examined()
    assert {name for name, check in checks.items() if check["result"] == "failed"} == set()
    assert {name for name, check in checks.items() if check["result"] == "skipped"} <= {"webhook registration"}


@pytest.mark.slow
def test_staging_goes_to_production_which_hears_of_microsofts_deals_by_event(
    world: World, machine: Machine, stage: FakeAzure, people: People
) -> None:
    people.add_the_on_hold_stage()
    stage.write_test_record()
    machine.deploys()
    machine.promotes()  # step 10: its own vault and store; the rest as in staging
    connect_salesforce(machine, people)
    connect_partner_center(machine, people)
    assert machine.failures() == {"webhook registration": "Run `cosell webhook register`."}

    assert machine.cosell("webhook", "register").exit_code == 0
    tested = machine.tells("webhook", "test")
    assert (tested["exit"], tested["attempts"][-1]["code"]) == (0, "Accepted")
    assert machine.failures() == {}
    assert machine.tells("turn-on", "--yes")["turned_on"] is True

    referral = world.systems.partner_center.microsoft_sends()
    world.settle()
    assert machine.deals_of_salesforce()[referral]["StageName"] == "On Hold"


@pytest.mark.usefixtures("people")
def test_before_anything_is_connected_the_doctor_names_what_to_run(machine: Machine) -> None:
    machine.deploys()
    missing = machine.failures()
    assert missing == {
        "Salesforce key": "Run `cosell connect salesforce`.",
        "Partner Center credential": "Run `cosell connect partner-center`.",
        "refresh token": "Run `cosell connect partner-center`.",
    }
    assert machine.cosell("doctor").exit_code == 1


@pytest.mark.slow
def test_a_forgotten_step_is_named_with_its_remedy_and_the_rest_goes_on(machine: Machine, people: People) -> None:
    machine.deploys()
    connect_partner_center(machine, people)
    assert machine.cosell("connect", "salesforce").exit_code == 0
    early = machine.tells("connect", "salesforce", "--verify")  # nothing was clicked in Setup
    assert early["exit"] == 4
    assert early["remedy"]
    people.upload_to_salesforce()
    assert machine.tells("connect", "salesforce", "--verify")["exit"] == 0

    remedies = machine.failures()  # the package was not deployed, the stage not made
    assert set(remedies) == {"custom fields", "mapped fields", "stages"}
    assert "cosell salesforce deploy" in remedies["custom fields"]
    assert "by hand in Setup" in remedies["stages"]
    assert machine.tells("salesforce", "add-section", "Opportunity Layout", "--yes", *ADMIN)["exit"] == 3

    assert machine.cosell("salesforce", "deploy", *ADMIN).exit_code == 0
    people.add_the_on_hold_stage()
    assert machine.failures() == {}


@pytest.mark.usefixtures("people")
def test_commands_in_the_wrong_order_say_what_comes_first(machine: Machine) -> None:
    undeployed = machine.tells("doctor")
    assert (undeployed["exit"], "make deploy ENV=staging" in undeployed["message"]) == (2, True)
    machine.deploys()
    for words in (("connect", "partner-center"), ("salesforce", "deploy", *ADMIN), ("turn-on", "--yes")):
        told = machine.tells(*words)
        assert told["exit"] != 0, words
        assert told["message"], words
    refused = machine.tells("webhook", "register")
    assert (refused["exit"], "EVENTS_REGISTER" in refused["remedy"]) == (3, True)


def test_a_consent_for_one_api_alone_is_found_and_nothing_is_stored(
    world: World, machine: Machine, people: People
) -> None:
    entra = world.systems.partner.entra
    machine.deploys()
    entra.settings.consented = (REFERRALS_AUDIENCE,)
    assert machine.cosell("connect", "partner-center", "--make-certificate").exit_code == 0
    people.upload_to_entra()
    half = machine.tells("connect", "partner-center")
    assert (half["exit"], half["stored"]) == (4, [])
    assert [check["name"] for check in half["checks"] if check["result"] == "failed"] == ["events API"]
    assert machine.failures()["refresh token"] == "Run `cosell connect partner-center`."

    entra.settings.consented = (REFERRALS_AUDIENCE, WEBHOOKS_AUDIENCE)  # the administrator consents to the other
    assert machine.tells("connect", "partner-center")["exit"] == 0
    assert "refresh token" not in machine.failures()
