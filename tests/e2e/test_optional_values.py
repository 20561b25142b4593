"""A deal arrives without what Salesforce refuses of it, and the lines that the inbox shows make the next one whole."""

from pathlib import Path

import pytest

import shared.app
from emulators.salesforce.data.hooks import ValidationRule
from emulators.salesforce.org_switches import require_column
from shared.clients.salesforce import org_shape
from tests.e2e.world import WAIT_SECONDS, World
from tests.unit.sync.inbound_deals import DETAILS
from tests.unit.sync.test_optional_values import PICKLIST


def send_deal(world: World) -> str:
    """Let Microsoft send a deal, and the app receive its event. Returns the referral's id."""
    referral: str = world.systems.partner_center.microsoft_sends(details=DETAILS)
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202
    world.host.wait_idle(WAIT_SECONDS)
    return referral


def test_a_seller_reads_what_was_left_out_and_gets_it_once_the_rule_is_gone(world: World) -> None:
    rules = world.systems.salesforce.org.hooks.rules
    rules.append(ValidationRule("Opportunity", "Description", "Write it shorter.", None))
    referral = send_deal(world)
    record = world.opportunities_by_referral()[referral]
    assert (record["Description"], record["Sync_Status__c"]) == (None, "Failed")
    assert "Description was left out, because Salesforce refused it: Write it shorter." in record["Audit__c"]
    world.systems.reset()


def test_the_lines_of_the_inbox_make_the_deal(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    salesforce = world.systems.salesforce
    monkeypatch.setattr(org_shape, "ASK_AGAIN", org_shape.ASK_AGAIN * 0)
    salesforce.make_field("Opportunity", PICKLIST)
    require_column(salesforce.org, "Opportunity", "Region__c", required=True)
    referral = send_deal(world)
    [shown] = salesforce.records("Cosell_Inbox__c")
    path = tmp_path / "own.toml"
    path.write_text(f'extends = "default"\n{shown["Remedy__c"].partition("\n")[2]}\n', "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    shared.app.reset()
    send_deal(world)
    world.post_event(*world.systems.partner_center.signed_event(referral))
    world.host.wait_idle(WAIT_SECONDS)
    made = world.opportunities_by_referral()
    assert {record["Region__c"] for record in made.values()} == {"EMEA"}
    assert referral in made
    assert salesforce.records("Cosell_Inbox__c") == []
    world.systems.reset()
