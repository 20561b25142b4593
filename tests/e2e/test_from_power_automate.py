"""From Microsoft's Power Automate connector to this one, and back (docs/reference/from-power-automate.md).

It begins with what that connector leaves: referral ids in a column that was made by hand, names with its mark, and the
tenant's registration at the address of a flow.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import shared.app
from shared.app import App
from shared.cli.backfill import run_apply, run_propose
from shared.cli.compare import run_command_compare
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.mapping.backfill_file import COLUMNS
from tests.e2e.world import World

COLUMN = "Referral_ID__c"
FIELD = f"""<CustomField xmlns="http://soap.sforce.com/2006/04/metadata"><fullName>{COLUMN}</fullName>
<label>Referral ID</label><type>Text</type><length>80</length></CustomField>"""
FLOW = "https://prod-12.westeurope.logic.azure.com/workflows/abc/triggers/manual/paths/invoke"
GRACE = timedelta(minutes=1)
OURS = "https://cosell.example/api/events"
NAMES = ("Ledger", "Payroll", "Intranet")


@pytest.fixture
def deals(world: World) -> dict[str, str]:
    """The opportunities that the flows have kept, by name: two know their referral's id, one is to be recognised."""
    salesforce, partner_center = world.systems.salesforce, world.systems.partner_center
    salesforce.make_field("Opportunity", FIELD)
    found = {}
    for name in NAMES:
        found[name] = world.systems.seller_creates(name, Sync_with_Partner_Center__c=False, Name=f"✓ {name}")
        account = {"name": f"{name} Ltd", "address": {"country": "US"}}
        details = {"dealValue": 10_000, "currency": "USD", "closingDateTime": closing_of(world, found[name])}
        referral = partner_center.portal_creates({"name": name, "customerProfile": account, "details": details})
        if name != "Intranet":
            salesforce.edit("Opportunity", found[name], {COLUMN: f"https://partner.microsoft.com/referrals/{referral}"})
    with webhooks() as registration:
        registration.register(FLOW, overwrite=True)
    return found


def closing_of(world: World, opportunity: str) -> str:
    return f"{world.systems.salesforce.record('Opportunity', opportunity)['CloseDate']}T00:00:00Z"


@contextmanager
def webhooks() -> Iterator[Any]:
    app = App()
    try:
        yield app.webhooks
    finally:
        app.close()


def use_mapping(folder: Path, monkeypatch: pytest.MonkeyPatch, signs: str) -> None:
    path = folder / f"{signs}.toml"
    marks, phone = f'mark = true\nsigns = "{signs}"', 'default_phone = "+1 555 0100"'
    path.write_text(f'extends = "default"\n[fields.name]\n{marks}\n[fields.team]\n{phone}\n', "utf-8")
    monkeypatch.setenv("MAPPING", str(path))
    shared.app.reset()


def decide_all(file: Path) -> None:
    """Review the file: each pair that is proposed is right."""
    lines = [*csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(line | {"decision": "link"} for line in lines)
    file.write_text(out.getvalue(), "utf-8")


def names_of(world: World, deals: dict[str, str]) -> list[str]:
    return [str(world.systems.salesforce.record("Opportunity", deal)["Name"]) for deal in deals.values()]


def unowned(world: World) -> dict[str, dict[str, Any]]:
    """The referrals by id, without their versions and without our team, which the flows did not keep."""
    left_out = {"eTag", "updatedDateTime", "team"}
    referrals = world.systems.partner_center.referrals()
    return {one["id"]: {name: value for name, value in one.items() if name not in left_out} for one in referrals}


def run_app(world: World, times: int = 2) -> None:
    for _ in range(times):
        world.let_records_rest()
        world.host.run_now("push_opportunities")
    world.systems.salesforce.clock.set(datetime.now(UTC))  # a command that signs in uses the time of this machine


def test_all_is_linked_and_the_way_back_gives_back_what_was_there(
    world: World,
    deals: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    salesforce, partner_center = world.systems.salesforce, world.systems.partner_center
    before = unowned(world)
    use_mapping(tmp_path, monkeypatch, "none")
    file = tmp_path / "pairs.csv"

    assert run_propose(Output(), file, COLUMN) is Exit.OK
    decide_all(file)
    assert run_apply(Output(), file, COLUMN, yes=True, dry_run=False) is Exit.OK
    run_app(world)
    for deal in deals.values():
        salesforce.edit("Opportunity", deal, {"Sync_with_Partner_Center__c": True})
    run_app(world)

    records = [salesforce.record("Opportunity", deal) for deal in deals.values()]
    assert {record["Referral_Identifier__c"] for record in records} == set(before)
    assert [record["Sync_Status__c"] for record in records] == ["Synced"] * len(NAMES)
    assert names_of(world, deals) == list(NAMES)
    assert len(salesforce.records("Opportunity")) == len(partner_center.referrals()) == len(NAMES)
    assert unowned(world) == before, "only the owners are pushed: neither the marks nor their removal"
    with webhooks() as registration:
        registration.register(OURS, overwrite=True)
        assert registration.read_registration().is_at(OURS)
    monkeypatch.setattr("shared.operations.compare_pairs.GRACE", -GRACE)
    monkeypatch.setattr("shared.domain.compared.GRACE", -GRACE)
    capsys.readouterr()
    assert run_command_compare(Output(as_json=True), repair=False) is Exit.OK
    assert json.loads(capsys.readouterr().out)["links"] == len(NAMES)

    use_mapping(tmp_path, monkeypatch, "former")
    for deal in deals.values():
        salesforce.edit("Opportunity", deal, {"Amount": 10_500})
    run_app(world)
    assert names_of(world, deals) == [f"✓ {name}" for name in NAMES]
    assert sorted(one["name"] for one in partner_center.referrals()) == sorted(NAMES)
    with webhooks() as registration:
        registration.register(FLOW, overwrite=True)
        assert registration.read_registration().is_at(FLOW)
