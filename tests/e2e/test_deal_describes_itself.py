"""Sales stage, campaign, attributes and location of a deal, as a seller and a colleague in the portal see them."""

from pathlib import Path
from typing import Any

import pytest

import shared.app
from tests.e2e.world import WAIT_SECONDS, World

pytestmark = pytest.mark.slow

ATTRIBUTES = "/details/requirements/additionalRequirements/attributes"
STAGE, CAMPAIGN, PROGRAM = "Partner_Center_Sales_Stage__c", "Marketing_Campaign_Id__c", "Referral_Program__c"


def edit(world: World, opportunity: str, **values: object) -> None:
    world.systems.salesforce.edit("Opportunity", opportunity, values)
    world.host.run_now("push_opportunities")


def in_portal(world: World, referral: str, **values: object) -> None:
    world.let_records_rest()
    operations = [{"op": "replace", "path": f"/{path}", "value": value} for path, value in values.items()]
    world.systems.partner_center.portal_edits(referral, operations)
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202
    world.host.wait_idle(WAIT_SECONDS)


def record_of(world: World, opportunity: str) -> dict[str, Any]:
    return dict(world.systems.salesforce.record("Opportunity", opportunity))


def referral_of(world: World, opportunity: str) -> dict[str, Any]:
    identifier = str(record_of(world, opportunity)["Referral_Identifier__c"])
    return dict(world.systems.partner_center.referral(identifier))


def attributes_of(referral: dict[str, Any]) -> dict[str, str]:
    listed = referral["details"]["requirements"]["additionalRequirements"]["attributes"]
    return {entry["type"]: entry["id"] for entry in listed}


def test_sales_stage_campaign_and_program_travel_both_ways(world: World) -> None:
    opportunity = world.seller_creates(**{STAGE: "20", CAMPAIGN: "SPRING-26"})
    world.host.run_now("push_opportunities")
    referral = referral_of(world, opportunity)
    assert (referral["salesStage"], referral["campaignId"], referral["referralProgram"]) == ("20", "SPRING-26", None)
    edit(world, opportunity, **{STAGE: "40", PROGRAM: "Build"})
    referral = referral_of(world, opportunity)
    assert (referral["salesStage"], referral["referralProgram"]) == ("40", "Build")
    in_portal(world, referral["id"], salesStage="Propose", campaignId="AUTUMN-26")
    record = record_of(world, opportunity)
    assert (record[STAGE], record[CAMPAIGN], record["Sync_Status__c"]) == ("60", "AUTUMN-26", "Synced")


def test_attributes_are_sent_with_a_deal_and_told_where_the_service_takes_no_change(world: World) -> None:
    chosen = {"Solution_Area__c": "Security", "Solution_Play__c": "Data Security", "Marketplace_Intent__c": "Yes"}
    opportunity = world.seller_creates(**chosen)
    world.host.run_now("push_opportunities")
    assert attributes_of(referral_of(world, opportunity)) == {
        "CustomerMarketplaceIntent": "Yes", "SolutionArea": "Security", "SolutionPlay": "Data Security",
    }  # fmt: skip
    edit(world, opportunity, Solution_Area__c="AI Business Solutions")
    record = record_of(world, opportunity)
    told = 'Solution Area "AI Business Solutions" was not sent: Partner Center takes no change of it from here'
    assert (record["Sync_Status__c"], record["Audit__c"].count(told)) == ("Synced with differences", 1)
    assert attributes_of(referral_of(world, opportunity))["SolutionArea"] == "Security"


def test_an_attribute_travels_both_ways_where_the_service_takes_a_change(world: World) -> None:
    world.systems.partner_center.switches.extra_paths = (ATTRIBUTES,)
    opportunity = world.seller_creates(Partner_Role__c="Transaction")
    world.host.run_now("push_opportunities")
    edit(world, opportunity, Partner_Role__c="Managed services")
    referral = referral_of(world, opportunity)
    assert attributes_of(referral)["PartnerRole"] == "Managed services"
    in_portal(world, referral["id"], **{ATTRIBUTES[1:]: [{"type": "PartnerRole", "id": "Proof of concept"}]})
    record = record_of(world, opportunity)
    assert (record["Partner_Role__c"], record["Sync_Status__c"]) == ("Proof of concept", "Synced")


def test_a_deal_gets_the_location_of_its_column_and_waits_for_an_allowed_one(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path(world.systems.environ["MAPPING"]).read_text("utf-8")
    path = tmp_path / "locations.toml"
    table = '[location]\nallowed = ["1234567", "7654321"]\ncolumn = "Partner_Location__c"\n'
    path.write_text(f"{before}\n{table}", "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    shared.app.reset()
    opportunity = world.seller_creates(Partner_Location__c="999")
    world.host.run_now("push_opportunities")
    record = record_of(world, opportunity)
    assert record["Sync_Status__c"] == "Failed"
    assert "Partner Location 999 is none of the locations that the mapping file allows" in record["Audit__c"]
    edit(world, opportunity, Partner_Location__c="7654321")
    assert (referral_of(world, opportunity)["mpnId"], record_of(world, opportunity)["Sync_Status__c"]) == (
        "7654321", "Synced",
    )  # fmt: skip
    edit(world, opportunity, Partner_Location__c="1234567")
    record = record_of(world, opportunity)
    assert record["Sync_Status__c"] == "Synced with differences"
    assert record["Audit__c"].count("the location of a deal never changes") == 1
    shared.app.reset()
