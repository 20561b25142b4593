"""The six deals of `make trouble`: each is found and mended with the commands, as docs/troubleshooting.md says."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from local.trouble import SETTINGS, Trouble
from shared.cli.approve import run_approve
from shared.cli.next_command import CommandOptions
from shared.cli.output import Output
from shared.cli.retry import run_retry
from shared.cli.status import run_status
from tests.e2e.world import World

pytestmark = pytest.mark.slow

KINDS = ["held", "parked", "columns", "inbox", "answer", "stopped"]


@pytest.fixture
def trouble(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    Trouble(world.systems, world.host).prepare()
    return world


def output() -> Output:
    return Output(as_json=True, complete=CommandOptions("local").complete)


@pytest.fixture
def groups(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, dict[str, Any]]]:
    """Reads what `cosell status` lists, by kind, without what the app does by itself."""

    def read() -> dict[str, dict[str, Any]]:
        capsys.readouterr()
        run_status(output())
        listed = json.loads(capsys.readouterr().out)["groups"]
        return {group["kind"]: group for group in listed if group["kind"] != "late"}

    return read


def test_all_six_are_found_and_mended(trouble: World, groups: Callable[[], dict[str, dict[str, Any]]]) -> None:
    found = groups()
    assert list(found) == KINDS
    assert [group["count"] for group in found.values()] == [1] * len(KINDS)
    assert {record["Name"] for record in trouble.systems.salesforce.records("Cosell_Inbox__c")} == {
        "Tailwind Traders migration"
    }

    mend(trouble, found)
    run_approve(output(), yes=True, dry_run=False)
    for kind in ("held", "parked", "columns"):
        assert found[kind]["command"].startswith("cosell retry --env local --cause ")
        run_retry(output(), None, found[kind]["code"], all_deals=False)
    run_retry(output(), found["inbox"]["example"], None, all_deals=False)
    trouble.let_records_rest()
    for _ in range(2):
        trouble.host.run_now("push_opportunities")
        trouble.wait_for_events()

    assert groups() == {}
    names = {record["Name"] for record in trouble.systems.salesforce.records("Opportunity")}
    assert len(names) == 20
    microsoft_sent = 6
    assert len(trouble.systems.partner_center.referrals()) == 20 + microsoft_sent


def mend(world: World, found: dict[str, dict[str, Any]]) -> None:
    """Do what people do in Salesforce: each remedy that status names."""
    org = world.systems.salesforce
    held = org.record("Opportunity", found["held"]["example"])
    org.edit("Account", held["AccountId"], {"BillingCountry": "US"})
    org.edit("Opportunity", found["parked"]["example"], {"NextStep": "Meet the board."})
    org.edit("Opportunity", found["answer"]["example"], {"StageName": "Qualification"})
    org.org.hooks.rules.clear()
