"""A seller edits the name of a shared deal: it travels, or the audit says why not. A mark in front of it never does."""

from pathlib import Path

import pytest

import shared.app
from tests.e2e.world import World

pytestmark = pytest.mark.slow


def push(world: World) -> None:
    world.let_records_rest()
    world.host.run_now("push_opportunities")


def shared_deal(world: World) -> tuple[str, str]:
    """The ids of a new deal's opportunity and of its referral."""
    deal = world.seller_creates(Name="ERP renewal")
    push(world)
    push(world)
    referral = str(world.systems.salesforce.record("Opportunity", deal)["Referral_Identifier__c"])
    return deal, referral


def test_a_name_that_partner_center_does_not_take_is_told_and_the_rest_travels(world: World) -> None:
    salesforce, partner_center = world.systems.salesforce, world.systems.partner_center
    deal, referral = shared_deal(world)
    salesforce.edit("Opportunity", deal, {"Name": "ERP renewal, phase 2", "Amount": 777})
    push(world)
    record, sent = salesforce.record("Opportunity", deal), partner_center.referral(referral)
    assert (sent["name"], sent["details"]["dealValue"]) == ("ERP renewal", 777)
    assert record["Sync_Status__c"] == "Synced with differences"
    assert 'Opportunity Name "ERP renewal, phase 2" was not sent: Partner Center takes no change' in record["Audit__c"]
    partner_center.portal_edits(referral, [{"op": "replace", "path": "/name", "value": "ERP renewal, phase 2"}])
    world.host.run_now("sweep_referrals")
    assert salesforce.record("Opportunity", deal)["Sync_Status__c"] == "Synced"
    world.systems.reset()


def test_a_name_travels_both_ways_where_partner_center_takes_it(world: World) -> None:
    salesforce, partner_center = world.systems.salesforce, world.systems.partner_center
    partner_center.switches.extra_paths = ("/name",)
    deal, referral = shared_deal(world)
    salesforce.edit("Opportunity", deal, {"Name": "✓ ERP renewal, phase 2"})
    push(world)
    assert partner_center.referral(referral)["name"] == "ERP renewal, phase 2"
    world.let_records_rest()
    partner_center.portal_edits(referral, [{"op": "replace", "path": "/name", "value": "ERP renewal (Q4)"}])
    world.host.run_now("sweep_referrals")
    record = salesforce.record("Opportunity", deal)
    assert (record["Name"], record["Sync_Status__c"]) == ("ERP renewal (Q4)", "Synced")
    world.systems.reset()


def test_a_seller_sees_a_tick_in_front_of_the_name_that_partner_center_lacks(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.toml"
    path.write_text('extends = "default"\n[fields.name]\nmark = true\n', "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    shared.app.reset()
    deal, referral = shared_deal(world)
    push(world)
    assert world.systems.salesforce.record("Opportunity", deal)["Name"] == "✔ ERP renewal"
    assert world.systems.partner_center.referral(referral)["name"] == "ERP renewal"
    world.systems.reset()
