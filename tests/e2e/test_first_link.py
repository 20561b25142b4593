"""A mapping with a field that travels one way, or that enters later, erases no text that a person wrote."""

from pathlib import Path

import pytest

import shared.app
from shared.cli.approve import run_approve
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from tests.e2e.world import World


def use_mapping(folder: Path, monkeypatch: pytest.MonkeyPatch, notes: str) -> None:
    """Start the app anew with a mapping file that sets the direction of the notes."""
    path = folder / "mapping.toml"
    path.write_text(f'extends = "default"\nversion = 1\n[fields.notes]\ndirection = "{notes}"\n', "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    shared.app.reset()


def referral_of(world: World, opportunity: str) -> str:
    record = world.systems.salesforce.record("Opportunity", opportunity)
    return str(record["Referral_Identifier__c"])


def test_ticking_the_box_leaves_a_description_that_only_partner_center_may_change(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_mapping(tmp_path, monkeypatch, "to_salesforce")
    opportunity = world.seller_creates(Description="Seller's words")
    for _ in range(2):
        world.host.run_now("push_opportunities")
    record = world.systems.salesforce.record("Opportunity", opportunity)
    assert record["Description"] == "Seller's words"
    assert "Description is empty in Partner Center, where alone it can be changed." in record["Audit__c"]
    assert world.systems.partner_center.referral(referral_of(world, opportunity))["details"]["notes"] is None


def test_a_field_that_is_switched_on_keeps_the_words_of_both_people(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner_center, salesforce = world.systems.partner_center, world.systems.salesforce
    use_mapping(tmp_path, monkeypatch, "off")
    opportunity = world.seller_creates(Description="Seller's words")
    world.host.run_now("push_opportunities")
    referral = referral_of(world, opportunity)
    partner_center.portal_edits(
        referral, [{"op": "replace", "path": "/details/notes", "value": "Colleague's words"}]
    )  # fmt: skip
    world.wait_for_events()

    use_mapping(tmp_path, monkeypatch, "both")
    salesforce.edit("Opportunity", opportunity, {"Amount": 12_345})
    world.let_records_rest()
    world.host.run_now("push_opportunities")
    assert partner_center.referral(referral)["details"]["notes"] == "Colleague's words", "nobody has approved the field"
    assert run_approve(Output(as_json=True), yes=True, dry_run=False) is Exit.OK
    world.let_records_rest()
    world.host.run_now("push_opportunities")

    record, details = salesforce.record("Opportunity", opportunity), partner_center.referral(referral)["details"]
    assert record["Description"] == details["notes"]
    assert "Seller's words" in details["notes"]
    assert "Colleague's words" in details["notes"]
    assert details["dealValue"] == 12_345
