"""A deal that Microsoft sends belongs to a person of the org, who is told of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shared.app
from shared.clients.salesforce import org_shape
from tests.e2e.world import WAIT_SECONDS, LogEvents, World
from tests.earlier_builds import FIRST_BUILD, unpacked_build
from tests.unit.emulators.salesforce.control_calls import control
from tests.unit.sync.inbound_deals import CUSTOMER, DETAILS

USERNAME = "integration@contoso.example"
RULES = """
[[owners]]
by = "country"
users = { DK = "anna@partner.example" }

[[owners]]
by = "user"
user = "bert@partner.example"
"""


@pytest.fixture
def people(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world with Anna and Bert, and a mapping file that names them."""
    use_rules(world, tmp_path, monkeypatch, RULES)
    make_people(world)
    yield world
    shared.app.reset()


def use_rules(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch, rules: str, key: str = "") -> None:
    before = Path(world.systems.environ["MAPPING"]).read_text("utf-8")
    path = folder / "owners.toml"
    path.write_text(f"{key}\n{before}\n{rules}", "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    shared.app.reset()


def make_people(world: World) -> None:
    org = world.systems.salesforce
    for name in ("anna", "bert"):
        address = f"{name}@partner.example"
        values = {"Username": address, "Email": address, "LastName": name.title(), "UserType": "Standard"}
        org.insert("User", values, user=org.founding.administrator)


def microsoft_sends(world: World) -> dict[str, Any]:
    """The opportunity of a deal that Microsoft sends by event."""
    referral = world.systems.partner_center.microsoft_sends(
        name="Robots for the harbour", customerProfile=CUSTOMER, details=DETAILS
    )
    assert world.post_event(*world.systems.partner_center.signed_event(referral)).status_code == 202
    world.host.wait_idle(WAIT_SECONDS)
    return world.opportunities_by_referral()[referral]


def owner_of(world: World, deal: dict[str, Any]) -> str:
    return str(world.systems.salesforce.record("User", deal["OwnerId"])["Username"])


def test_the_owner_is_told_with_the_rights_of_our_permission_set_and_the_next_one_where_they_left(
    people: World,
) -> None:
    org = people.systems.salesforce
    control(org, "permission_sets", username=USERNAME, names=["Cosell_Integration"])
    first = microsoft_sends(people)
    assert owner_of(people, first) == "anna@partner.example"
    [sent] = org.org.notifications
    assert (sent["recipientIds"], sent["targetId"]) == ([first["OwnerId"]], first["Id"])
    assert "Please answer by 20" in sent["body"]

    org.edit("User", first["OwnerId"], {"IsActive": False}, user=org.founding.administrator)
    second = microsoft_sends(people)
    assert owner_of(people, second) == "bert@partner.example"
    assert "Owner rule country DK: anna@partner.example is not active." in second["Audit__c"]
    assert org.org.notifications[1]["recipientIds"] == [second["OwnerId"]]


def test_a_task_tells_the_owner_where_the_file_says_so(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_rules(world, tmp_path, monkeypatch, RULES, 'notify_owner = "task"')
    make_people(world)
    deal = microsoft_sends(world)
    [task] = world.systems.salesforce.records("Task")
    assert (task["WhatId"], task["OwnerId"]) == (deal["Id"], deal["OwnerId"])
    assert task["ActivityDate"]
    assert world.systems.salesforce.org.notifications == []


def test_an_earlier_package_gives_the_deal_its_owner_and_says_once_that_nobody_is_told(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_events: LogEvents
) -> None:
    salesforce, own = world.systems.salesforce, world.systems.salesforce.metadata
    salesforce.metadata = unpacked_build(FIRST_BUILD, tmp_path, "infra/salesforce") / "infra" / "salesforce"
    monkeypatch.setattr(org_shape, "ASK_AGAIN", org_shape.ASK_AGAIN * 0)
    try:
        world.systems.reset()
        use_rules(world, tmp_path, monkeypatch, RULES)
        make_people(world)
        deals = [microsoft_sends(world) for _ in range(2)]
    finally:
        salesforce.metadata = own
        world.systems.reset()
        shared.app.reset()
    assert len({deal["OwnerId"] for deal in deals}) == 1
    [event] = log_events.events_named("package_differs")
    assert "Cosell_New_Deal" in event["missing"]
    assert log_events.events_named("owner_not_told") == []
    assert log_events.events_named("pair_failed") == []


def test_without_rules_nothing_changes(world: World) -> None:
    deal = microsoft_sends(world)
    assert owner_of(world, deal) == USERNAME
    assert world.systems.salesforce.org.notifications == []
