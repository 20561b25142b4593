"""Each write and each failed call is logged with the id that names it to the service, and with what caused it.

Source: docs/protocol.md#rule-8-nothing-secret-or-personal-in-logs.
"""

import json

import pytest

from emulators.base.faults import Fault, FaultKind
from emulators.salesforce.data.hooks import ValidationRule
from tests.e2e.traffic import Traffic
from tests.e2e.world import LogEvents, World

EMAIL = "philomena.quackenbush@kanarienvogel.example"


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch) -> Traffic:
    seen = Traffic()
    seen.watch(monkeypatch)
    return seen


def test_each_write_of_a_push_is_logged_with_the_ids_of_call_and_run(
    world: World, log_events: LogEvents, traffic: Traffic
) -> None:
    deal = world.seller_creates()
    world.host.run_now("push_opportunities")

    create, marked = log_events.events_named("remote_written")
    [created], [done] = log_events.events_named("referral_created"), log_events.events_named("push_done")
    assert (create["side"], create["call"]) == ("partner_center", "POST referrals")
    assert deal in create["keys"][0]
    assert create["sent_id"] in traffic.sent
    assert create["answer_id"] in traffic.answered
    assert (marked["side"], marked["keys"]) == ("salesforce", [deal])
    assert marked["answer_id"] in traffic.answered
    runs = {event["correlation_id"] for event in (create, marked, created, done)}
    assert len(runs) == 1
    assert None not in runs


def test_a_refused_push_is_logged_with_known_code_and_field_only(
    world: World, log_events: LogEvents, traffic: Traffic
) -> None:
    body = {"error": {"code": EMAIL, "message": f"{EMAIL} is not valid", "target": EMAIL}}
    world.systems.partner_center.faults.append(
        Fault(FaultKind.ANSWER, method="POST", path="referrals$", status=400, body=json.dumps(body))
    )
    deal = world.seller_creates()
    world.host.run_now("push_opportunities")

    [parked], [failed] = log_events.events_named("pair_parked"), log_events.events_named("remote_failed")
    assert (parked["opportunity_id"], parked["code"], parked["field"]) == (deal, "unknown", "unknown")
    assert (failed["error"], failed["status"], failed["code"], failed["field"]) == (
        "Rejected",
        400,
        "unknown",
        "unknown",
    )
    assert failed["sent_id"] in traffic.sent
    assert failed["correlation_id"] == parked["correlation_id"]
    assert EMAIL not in json.dumps(log_events.all)


@pytest.mark.slow
def test_each_try_of_a_failed_read_is_logged_and_the_run_names_the_call(
    world: World, log_events: LogEvents, traffic: Traffic
) -> None:
    world.seller_creates()
    world.host.run_now("push_opportunities")
    world.systems.partner_center.faults.append(Fault(FaultKind.ANSWER, method="GET", status=503, times=3))
    world.host.run_now("sweep_referrals")

    [failed_run], tries = log_events.events_named("run_failed"), log_events.events_named("remote_failed")
    assert [(one["call"], one["status"], one["code"]) for one in tries] == [("GET referrals", 503, "http503")] * 3
    assert {one["sent_id"] for one in tries} == {failed_run["call_id"]} <= traffic.sent
    assert {one["correlation_id"] for one in tries} == {failed_run["correlation_id"]}


def test_the_writes_of_a_pull_carry_the_id_of_the_event_that_caused_it(world: World, log_events: LogEvents) -> None:
    partner = world.systems.partner_center
    referral = partner.microsoft_sends()
    world.post_event(*partner.signed_event(referral))
    world.wait_for_events()

    [accepted], [written] = log_events.events_named("event_accepted"), log_events.events_named("remote_written")
    assert (written["side"], written["call"], written["keys"]) == ("salesforce", "a graph", [referral])
    assert written["correlation_id"] == accepted["event_id"]
    assert log_events.events_named("opportunity_created")[0]["correlation_id"] == accepted["event_id"]


def test_a_refused_pull_is_logged_with_the_id_that_salesforce_gave(
    world: World, log_events: LogEvents, traffic: Traffic
) -> None:
    partner, salesforce = world.systems.partner_center, world.systems.salesforce
    salesforce.org.hooks.rules.append(ValidationRule("Opportunity", "Name", f"Ask {EMAIL}.", None, times=1))
    referral = partner.microsoft_sends()
    world.post_event(*partner.signed_event(referral))
    world.wait_for_events()

    [failed], [parked] = log_events.events_named("remote_failed"), log_events.events_named("deal_not_made")
    codes = ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Name")
    assert (failed["code"], failed["field"]) == (parked["code"], parked["field"]) == codes
    assert failed["answer_id"] in traffic.answered
    assert failed["keys"] == [referral]
    assert EMAIL not in json.dumps(log_events.all)


def test_a_record_that_salesforce_refuses_in_a_write_of_many_is_logged(world: World, log_events: LogEvents) -> None:
    deal = world.seller_creates()
    salesforce = world.systems.salesforce
    salesforce.org.hooks.rules.append(ValidationRule("Opportunity", "Audit__c", "Not so.", deal, times=1))
    world.host.run_now("push_opportunities")

    [failed] = log_events.events_named("remote_failed")
    assert (failed["call"], failed["keys"], failed["field"]) == ("a record of a write", [deal], "Audit__c")
    assert failed["answer_id"]


def test_a_refused_sign_in_is_logged_with_the_id_in_entras_log(world: World, log_events: LogEvents) -> None:
    world.seller_creates()
    world.systems.partner.entra.fail_next(700082, times=5)
    world.host.run_now("push_opportunities")

    failed = log_events.events_named("sign_in_failed")[0]
    assert failed["code"] == "AADSTS700082"
    assert failed["call_id"]
    assert failed["call_id"] in {event["call_id"] for event in log_events.events_named("pair_failed")}
