"""Which values `cosell status ID` marks: what is to travel or on file, and nothing that stays apart for good."""

import json
from contextlib import closing
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.status import MARKS, run_status
from shared.sync.runs import run_push, run_sweep
from tests.unit.cli.golden_text import golden_output


@pytest.fixture
def declined(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deal from Microsoft that a seller has declined; returns its opportunity."""
    deal = receive(systems, monkeypatch)
    values = {"StageName": "Closed Lost", "Closing_Reason__c": "Timeline too short"}
    systems.salesforce.edit("Opportunity", deal, values)
    push()
    push()
    return deal


def receive(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let Microsoft send a deal; returns its opportunity."""
    monkeypatch.setenv("SYNC", "on")
    systems.partner_center.microsoft_sends(name="Sent", customerProfile={"name": "Sent Ltd"})
    with closing(App()) as app:
        run_sweep(app.context)
    (record,) = systems.salesforce.records("Opportunity")
    return str(record["Id"])


def push() -> None:
    with closing(App()) as app:
        run_push(app.context)


def read(capsys: pytest.CaptureFixture[str], deal: str) -> dict[str, Any]:
    capsys.readouterr()
    run_status(golden_output(as_json=True), deal)
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def team_of(document: dict[str, Any]) -> tuple[bool, str]:
    (team,) = [one for one in document["fields"] if one["field"] == "team"]
    assert team["salesforce"] != team["partner_center"]
    return team["standing"] in MARKS, team["why"]


def marked(document: dict[str, Any]) -> list[str]:
    return [one["field"] for one in document["fields"] if one["standing"] in MARKS]


def test_nothing_of_a_declined_deal_is_marked(declined: str, capsys: pytest.CaptureFixture[str]) -> None:
    document = read(capsys, declined)
    assert (document["state"], marked(document)) == ("closed", [])
    assert team_of(document) == (False, "the deal is closed, so nothing travels any more")
    run_status(golden_output(), declined)
    assert "cosell explain" not in capsys.readouterr().out


@pytest.mark.parametrize("is_told", [False, True])
def test_an_edit_after_the_close_is_marked(
    systems: Systems, declined: str, is_told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    systems.salesforce.edit("Opportunity", declined, {"Amount": 4_321})
    if is_told:
        push()
    document = read(capsys, declined)
    assert marked(document) == ["money"]
    assert not any(one["differs"] for one in document["fields"]), "a compare says nothing of a closed deal"
    assert team_of(document)[0] is False


def test_of_a_deal_that_is_not_ticked_what_a_tick_lets_travel_is_marked(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deal = receive(systems, monkeypatch)
    systems.salesforce.edit("Opportunity", deal, {"StageName": "Qualification"})
    push()
    systems.salesforce.edit("Opportunity", deal, {"Sync_with_Partner_Center__c": False})
    push()
    document = read(capsys, deal)
    assert (document["state"], marked(document)) == ("paused", [])
    assert team_of(document)[1] == "each side keeps its own"
    systems.salesforce.edit("Opportunity", deal, {"Amount": 4_321})
    assert marked(read(capsys, deal)) == ["money"]


def test_what_each_side_keeps_for_itself_is_not_marked(
    systems: Systems, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = read(capsys, receive(systems, monkeypatch))
    (team,) = [one for one in document["fields"] if one["field"] == "team"]
    assert (marked(document), team["differs"], team["salesforce"]) == ([], False, "the app's own user")
    assert team_of(document) == (False, "each side keeps its own")
