"""The two timers through the worker library."""

from copy import replace

import pytest

from emulators.base.emulator import Fault, FaultKind
from local.host.invocations import InvocationFailed
from shared.app import reset
from shared.clients.salesforce.soql_literals import full_id
from tests.e2e.world import Events, World


def test_a_flagged_opportunity_is_in_partner_center_after_one_run(world: World, logged: Events) -> None:
    opportunity = world.seller_creates()

    world.host.fire("push_opportunities")

    row = world.systems.salesforce.record("Opportunity", opportunity)
    referral = world.systems.partner_center.referral(row["Referral_Identifier__c"])
    assert (referral["name"], referral["details"]["dealValue"]) == ("Big deal", 10_000)
    assert (row["Sync_Status__c"], row["Sync_Mark__c"]) == ("Synced", "✔")
    assert row["Referral_Identifier__c"] in row["Referral_Link__c"]
    assert row["Audit__c"]
    assert [event["opportunity_id"] for event in logged.named("referral_created")] == [opportunity]


def test_a_second_run_writes_nothing(world: World) -> None:
    world.seller_creates()
    world.host.fire("push_opportunities")
    world.host.fire("push_opportunities")
    before = world.systems.partner_center.journal[:]
    rows = world.systems.salesforce.records("Opportunity")

    world.host.fire("push_opportunities")
    world.host.fire("sweep_referrals")

    after = world.systems.partner_center.journal[len(before) :]
    assert {entry.method for entry in after} <= {"GET"}
    assert world.systems.salesforce.records("Opportunity") == rows


def test_the_sweep_brings_what_no_event_told(world: World, logged: Events) -> None:
    referral = world.systems.partner_center.microsoft_sends()

    world.host.fire("sweep_referrals")

    assert referral in world.opportunities()
    assert [event["settled"] for event in logged.named("sweep_done")] == [1]


def test_the_credentials_are_kept_daily(world: World, logged: Events) -> None:
    secret = world.systems.vault.shelf.find("partner-center-refresh-token")
    before = secret.latest.value

    world.host.fire("keep_credentials")

    assert world.systems.vault.shelf.find("partner-center-refresh-token").latest.value != before
    assert [event["mfa"] for event in logged.named("credentials_kept")] == [True]


def test_a_timer_is_fired_by_hand_with_the_master_key_alone(world: World) -> None:
    opportunity = world.seller_creates()
    url = "/admin/functions/push_opportunities"

    assert world.client.post(url, json={"input": ""}).status_code == 401
    function_key = {"x-functions-key": world.host.keys.function}
    assert world.client.post(url, json={"input": ""}, headers=function_key).status_code == 401
    assert world.client.post(url, json={"input": ""}, headers=master(world)).status_code == 202
    assert world.systems.salesforce.record("Opportunity", opportunity)["Referral_Identifier__c"]


def master(world: World) -> dict[str, str]:
    return {"x-functions-key": world.host.keys.master}


@pytest.mark.parametrize(("variable", "value"), [("SYNC", "off"), ("SYNC", "preview")])
def test_where_the_sync_is_not_on_nothing_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    reset()
    world.seller_creates()
    world.systems.partner_center.microsoft_sends()
    before = world.systems.salesforce.records("Opportunity"), world.systems.partner_center.referrals()

    world.host.fire("push_opportunities")
    world.host.fire("sweep_referrals")

    assert (world.systems.salesforce.records("Opportunity"), world.systems.partner_center.referrals()) == before
    assert (world.remote_calls() == 0) is (value == "off")


def test_a_side_that_fails_for_a_while_costs_nothing_but_patience(world: World, logged: Events) -> None:
    opportunity = world.seller_creates()
    world.systems.partner_center.faults.append(Fault(FaultKind.ANSWER, method="POST", status=503, times=1))

    world.host.fire("push_opportunities")

    assert world.systems.salesforce.record("Opportunity", opportunity)["Referral_Identifier__c"] is None
    assert [event["cause"] for event in logged.named("pair_due")] != []
    assert world.host.failures == []


def test_a_store_of_another_salesforce_organisation_is_refused(world: World, logged: Events) -> None:
    """A refreshed sandbox carries production's ids: nothing may be written on the word of such a store."""
    world.host.fire("push_opportunities")
    reset()
    org = world.systems.salesforce
    org.founding = replace(org.founding, organization=full_id("00D9999999999ZZ"))
    opportunity = world.seller_creates()
    asked = len(org.journal)

    for timer in ("push_opportunities", "sweep_referrals"):
        with pytest.raises(InvocationFailed, match="belongs to the Salesforce organisation") as refused:
            world.host.fire(timer)

    assert refused.value.error_type == "ConfigurationError"
    assert {entry.path for entry in org.journal[asked:]} == {"/services/oauth2/token"}
    assert world.systems.partner_center.journal == []
    assert org.record("Opportunity", opportunity)["Referral_Identifier__c"] is None
    assert len(logged.named("push_done")) == 1
