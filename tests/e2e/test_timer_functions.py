"""The timer functions run through the worker library."""

from copy import replace

import pytest

from emulators.base.faults import Fault, FaultKind
from local.host.invocations import InvocationFailed
from shared.app import reset
from shared.clients.salesforce.soql_literals import full_id
from tests.e2e.world import LogEvents, World


def test_a_flagged_opportunity_is_in_partner_center_after_one_run(world: World, log_events: LogEvents) -> None:
    opportunity = world.seller_creates()

    world.host.run_now("push_opportunities")

    record = world.systems.salesforce.record("Opportunity", opportunity)
    referral = world.systems.partner_center.referral(record["Referral_Identifier__c"])
    assert (referral["name"], referral["details"]["dealValue"]) == ("Big deal", 10_000)
    assert (record["Sync_Status__c"], record["Sync_Mark__c"]) == ("Synced", "✔")
    assert record["Referral_Identifier__c"] in record["Referral_Link__c"]
    assert record["Audit__c"]
    assert [event["opportunity_id"] for event in log_events.events_named("referral_created")] == [opportunity]


def test_a_second_run_writes_nothing(world: World) -> None:
    world.seller_creates()
    world.host.run_now("push_opportunities")
    world.host.run_now("push_opportunities")
    before = world.systems.partner_center.journal[:]
    records = world.systems.salesforce.records("Opportunity")

    world.host.run_now("push_opportunities")
    world.host.run_now("sweep_referrals")

    after = world.systems.partner_center.journal[len(before) :]
    assert {entry.method for entry in after} <= {"GET"}
    assert world.systems.salesforce.records("Opportunity") == records


def test_the_sweep_finds_a_referral_whose_event_was_lost(world: World, log_events: LogEvents) -> None:
    referral = world.systems.partner_center.microsoft_sends()

    world.host.run_now("sweep_referrals")

    assert referral in world.opportunities_by_referral()
    (done,) = log_events.events_named("sweep_done")
    assert done["due"] == 1  # it waits for the warning before the end of its 14 days


def test_the_daily_timer_rotates_the_refresh_token(world: World, log_events: LogEvents) -> None:
    secret = world.systems.vault.secret_store.find("partner-center-refresh-token")
    before = secret.latest.value

    world.host.run_now("keep_credentials")

    assert world.systems.vault.secret_store.find("partner-center-refresh-token").latest.value != before
    assert [event["mfa"] for event in log_events.events_named("credentials_kept")] == [True]


def test_the_nightly_timer_compares_all_links_and_writes_nothing(world: World, log_events: LogEvents) -> None:
    world.seller_creates()
    world.host.run_now("push_opportunities")
    before = world.systems.salesforce.records("Opportunity"), world.systems.partner_center.referrals()

    world.host.run_now("compare_deals")

    (done,) = log_events.events_named("compare_done")
    assert (done["complete"], done["links"], done["referrals"], done["drift"]) == (True, 1, 1, 0)
    assert log_events.events_named("compare_found") == []
    assert (world.systems.salesforce.records("Opportunity"), world.systems.partner_center.referrals()) == before


def test_only_the_master_key_allows_to_run_a_timer_by_hand(world: World) -> None:
    opportunity = world.seller_creates()
    url = "/admin/functions/push_opportunities"

    assert world.client.post(url, json={"input": ""}).status_code == 401
    function_key = {"x-functions-key": world.host.keys.function}
    assert world.client.post(url, json={"input": ""}, headers=function_key).status_code == 401
    assert world.client.post(url, json={"input": ""}, headers=master_key_header(world)).status_code == 202
    assert world.systems.salesforce.record("Opportunity", opportunity)["Referral_Identifier__c"]


def master_key_header(world: World) -> dict[str, str]:
    return {"x-functions-key": world.host.keys.master}


@pytest.mark.parametrize(("variable", "value"), [("SYNC", "off"), ("SYNC", "preview")])
def test_nothing_is_written_unless_the_sync_is_on(
    world: World, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    reset()
    world.seller_creates()
    world.systems.partner_center.microsoft_sends()
    before = world.systems.salesforce.records("Opportunity"), world.systems.partner_center.referrals()

    world.host.run_now("push_opportunities")
    world.host.run_now("sweep_referrals")

    assert (world.systems.salesforce.records("Opportunity"), world.systems.partner_center.referrals()) == before
    assert (world.count_remote_calls() == 0) is (value == "off")


def test_a_pair_waits_for_its_next_attempt_while_a_side_fails(world: World, log_events: LogEvents) -> None:
    opportunity = world.seller_creates()
    world.systems.partner_center.faults.append(Fault(FaultKind.ANSWER, method="POST", status=503, times=1))

    world.host.run_now("push_opportunities")

    assert world.systems.salesforce.record("Opportunity", opportunity)["Referral_Identifier__c"] is None
    assert [event["cause"] for event in log_events.events_named("pair_due")] != []
    assert world.host.failures == []


def test_a_store_of_another_salesforce_organisation_is_refused(world: World, log_events: LogEvents) -> None:
    """A refreshed sandbox carries the record ids of production, so a store of another org must not be used."""
    world.host.run_now("push_opportunities")
    reset()
    org = world.systems.salesforce
    org.founding = replace(org.founding, organization=full_id("00D9999999999ZZ"))
    opportunity = world.seller_creates()
    calls_before = len(org.journal)

    for timer in ("push_opportunities", "sweep_referrals"):
        with pytest.raises(InvocationFailed, match="belongs to the Salesforce organisation") as refused:
            world.host.run_now(timer)

    assert refused.value.error_type == "ConfigurationError"
    assert {entry.path for entry in org.journal[calls_before:]} == {"/services/oauth2/token"}
    assert world.systems.partner_center.journal == []
    assert org.record("Opportunity", opportunity)["Referral_Identifier__c"] is None
    assert len(log_events.events_named("push_done")) == 1


def test_production_on_a_sandbox_writes_nothing_and_says_why(world: World, log_events: LogEvents) -> None:
    """A refreshed sandbox carries production's opportunities, with their ticks and referral ids."""
    world.systems.salesforce.set_sandbox(on=True)
    opportunity = world.seller_creates()

    for timer in ("push_opportunities", "sweep_referrals"):
        with pytest.raises(InvocationFailed, match="this is production, but the organisation"):
            world.host.run_now(timer)

    assert world.systems.partner_center.journal == []
    assert world.systems.salesforce.record("Opportunity", opportunity)["Sync_Status__c"] is None
    assert {event["reason"] for event in log_events.events_named("wrong_organization")} == {"sandbox"}


def test_the_daily_copy_has_the_links(world: World, log_events: LogEvents) -> None:
    world.seller_creates()
    world.host.run_now("push_opportunities")

    world.host.run_now("copy_store")

    (copied,) = log_events.events_named("store_copied")
    assert copied["rows"] > 5
