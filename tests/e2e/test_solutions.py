"""The solutions of a deal, as a seller picks them and a colleague in the portal changes them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import shared.app
from tests.e2e.world import WAIT_SECONDS, World

pytestmark = pytest.mark.slow

CATALOGUE, ROWS = "Cosell_Solution__c", "Cosell_Deal_Solution__c"
PATH = "/details/requirements/solutions"


@pytest.fixture
def from_rows(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The app reads the rows, and the catalogue has three solutions."""
    mapping = tmp_path / "rows.toml"
    mapping.write_text('extends = "default"\n\n[fields.solutions]\nsource = "rows"\n', encoding="utf-8")
    monkeypatch.setenv("MAPPING", str(mapping))
    shared.app.reset()
    for number in (1, 2, 3):
        values = {"Name": f"Solution {number}", "Solution_Id__c": f"SOL-{number}", "Publisher__c": "Contoso"}
        world.systems.salesforce.insert(CATALOGUE, values)
    yield world
    shared.app.reset()


def push(world: World) -> None:
    world.let_records_rest()
    world.host.run_now("push_opportunities")


def pick(world: World, deal: str, solution_id: str) -> None:
    [record] = [each for each in world.systems.salesforce.records(CATALOGUE) if each["Solution_Id__c"] == solution_id]
    world.systems.salesforce.insert(ROWS, {"Opportunity__c": deal, "Solution__c": record["Id"]})


def record_of(world: World, deal: str) -> dict[str, object]:
    return dict(world.systems.salesforce.record("Opportunity", deal))


def sent(world: World, deal: str) -> list[str]:
    referral = world.systems.partner_center.referral(str(record_of(world, deal)["Referral_Identifier__c"]))
    return [str(tag["id"]) for tag in referral["details"]["requirements"]["solutions"]]


def in_portal(world: World, deal: str, *solution_ids: str) -> None:
    referral = str(record_of(world, deal)["Referral_Identifier__c"])
    tags = [{"id": one, "type": "Name", "name": f"Portal's {one}"} for one in solution_ids]
    world.let_records_rest()
    world.systems.partner_center.portal_edits(referral, [{"op": "replace", "path": PATH, "value": tags}])
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202
    world.host.wait_idle(WAIT_SECONDS)


def picked(world: World, deal: str) -> list[str]:
    salesforce = world.systems.salesforce
    rows = [row for row in salesforce.records(ROWS) if row["Opportunity__c"] == deal]
    return sorted(str(salesforce.record(CATALOGUE, str(row["Solution__c"]))["Solution_Id__c"]) for row in rows)


def test_ids_in_the_text_travel_both_ways(world: World) -> None:
    deal = world.seller_creates(Products__c="SOL-1")
    push(world)
    world.systems.salesforce.edit("Opportunity", deal, {"Products__c": "SOL-1, SOL-2"})
    push(world)
    assert sent(world, deal) == ["SOL-1", "SOL-2"]
    in_portal(world, deal, "SOL-2", "SOL-3")
    record = record_of(world, deal)
    assert (record["Products__c"], record["Sync_Status__c"]) == ("SOL-2;SOL-3", "Synced")


def test_picked_solutions_travel_both_ways_and_the_text_shows_them(from_rows: World) -> None:
    world = from_rows
    deal = world.seller_creates(Products__c=None)
    push(world)
    assert "Please add one to the related list of solutions." in str(record_of(world, deal)["Audit__c"])
    pick(world, deal, "SOL-1")
    for _ in range(5):
        push(world)
    assert sent(world, deal) == ["SOL-1"]
    in_portal(world, deal, "SOL-1", "SOL-3")
    assert picked(world, deal) == ["SOL-1", "SOL-3"]
    record = record_of(world, deal)
    assert (record["Products__c"], record["Sync_Status__c"]) == ("SOL-1;SOL-3", "Synced")


def test_an_inactive_solution_is_told_and_not_sent(from_rows: World) -> None:
    world = from_rows
    deal = world.seller_creates(Products__c=None)
    pick(world, deal, "SOL-1")
    push(world)
    [record] = [each for each in world.systems.salesforce.records(CATALOGUE) if each["Solution_Id__c"] == "SOL-2"]
    world.systems.salesforce.edit(CATALOGUE, str(record["Id"]), {"Active__c": False})
    pick(world, deal, "SOL-2")
    for _ in range(5):
        push(world)
    shown = record_of(world, deal)
    assert sent(world, deal) == ["SOL-1"]
    assert str(shown["Audit__c"]).count("Partner Center does not get SOL-2") == 1
    assert shown["Sync_Status__c"] == "Synced with differences"
