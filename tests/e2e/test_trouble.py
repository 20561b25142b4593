"""The six deals of `make trouble`: each is found and mended with the commands, as docs/troubleshooting.md says."""

import json
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.serve import PATH_LINE
from local.systems import ROOT
from local.trouble import SETTINGS, Trouble, people_commands
from shared.app import App
from shared.cli.approve import run_approve
from shared.cli.exit_codes import Exit
from shared.cli.next_command import CommandOptions
from shared.cli.output import Output
from shared.cli.retry import run_retry
from shared.cli.status import run_status
from shared.doctor.approval_check import check_approvals
from shared.doctor.installation import Installation
from shared.domain.deal import Side
from shared.operations.queue_texts import APPROVAL
from shared.store.stored_values import RetryEntry
from tests.e2e.processes import start_python
from tests.e2e.world import World

pytestmark = pytest.mark.slow

KINDS = ["held", "parked", "columns", "inbox", "answer", "stopped"]
LOCKED = "Sync Status (Sync_Status__c) is locked by finance."
SEEN, EDITS_DEAL, EDITS_ACCOUNT, EDITS_REFERRAL, SEES_RULES, REMOVES_RULE = range(6)
"""The commands that `make trouble` prints, in their order."""


@pytest.fixture
def trouble(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    Trouble(world.systems, world.host).prepare()
    return world


@pytest.fixture
def act(trouble: World) -> Callable[..., Any]:
    """Runs a printed command with ids and values in place of its capital letters; returns the answer."""
    commands = [command for _, command in people_commands(trouble.systems)]

    def run(number: int, **replaced: str) -> Any:  # noqa: ANN401 - JSON
        words = shlex.split(commands[number])
        for name, value in replaced.items():
            assert any(name in word for word in words)
            words = [word.replace(name, value) for word in words]
        return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)  # noqa: S603 - as printed

    return run


def output(*, as_json: bool = True) -> Output:
    return Output(as_json=as_json, complete=CommandOptions("local").complete)


@pytest.fixture
def groups(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, dict[str, Any]]]:
    """Reads what `cosell status` lists, by kind, without what the app does by itself."""

    def read() -> dict[str, dict[str, Any]]:
        capsys.readouterr()
        run_status(output())
        listed = json.loads(capsys.readouterr().out)["groups"]
        return {group["kind"]: group for group in listed if group["kind"] != "late"}

    return read


def test_all_six_are_found_and_mended(
    trouble: World,
    act: Callable[..., Any],
    groups: Callable[[], dict[str, dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = groups()
    assert list(found) == KINDS
    assert [group["count"] for group in found.values()] == [1] * len(KINDS)
    says = f"Salesforce says (FIELD_CUSTOM_VALIDATION_EXCEPTION of Sync_Status__c): {LOCKED}"
    assert found["columns"]["reason"] == says
    assert {record["Name"] for record in trouble.systems.salesforce.records("Cosell_Inbox__c")} == {
        "Tailwind Traders TBD"
    }

    mend(act, found)
    run_approve(output(), yes=True, dry_run=False)
    for kind in ("held", "parked", "columns"):
        assert found[kind]["command"].startswith("cosell retry --env local --cause ")
        run_retry(output(), None, found[kind]["code"], all_deals=False)
    run_retry(output(), found["inbox"]["example"], None, all_deals=False)
    trouble.let_records_rest()
    for _ in range(2):
        trouble.host.run_now("push_opportunities")
        trouble.wait_for_events()

    assert [entry for entry in queued() if entry.cause in APPROVAL] == []
    assert run_status(output(), found["stopped"]["example"]) is Exit.OK
    assert groups() == {}
    assert run_status(output(as_json=False)) is Exit.OK
    assert capsys.readouterr().out.splitlines()[-1] == "Nothing is wrong."
    names = {record["Name"] for record in trouble.systems.salesforce.records("Opportunity")}
    assert len(names) == 20
    microsoft_sent = 6
    assert len(trouble.systems.partner_center.referrals()) == 20 + microsoft_sent


def queued() -> Sequence[RetryEntry]:
    """What waits in the retry queue of either side."""
    with closing(App()) as app:
        return [entry for side in Side for entry in app.store.retry_entries(side, datetime.max.replace(tzinfo=UTC), 99)]


def mend(act: Callable[..., Any], found: Mapping[str, Mapping[str, Any]]) -> None:
    """Do what each remedy asks of people, with the commands that are printed for them."""
    account = act(SEEN, OPPORTUNITY=found["held"]["example"])["AccountId"]
    act(EDITS_ACCOUNT, ACCOUNT=account, BillingCity="BillingCountry", TEXT="US")
    act(EDITS_DEAL, OPPORTUNITY=found["parked"]["example"], TEXT="Meet the board.")
    act(EDITS_DEAL, OPPORTUNITY=found["answer"]["example"], NextStep="StageName", TEXT="Qualification")
    renamed = {"/details/dealValue": "/name", '"value": 5000': '"value": "Tailwind Traders migration"'}
    act(EDITS_REFERRAL, REFERRAL=found["inbox"]["example"], **renamed)
    (locked,) = (rule for rule in act(SEES_RULES) if rule["field"] == found["columns"]["field"])
    act(REMOVES_RULE, MESSAGE=locked["message"])
    assert len(act(SEES_RULES)) == 2  # of the two deals that are mended otherwise


def test_each_name_with_the_refused_word_stays_refused_and_the_column_is_named(
    trouble: World,
    act: Callable[..., Any],
    groups: Callable[[], dict[str, dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    referral = groups()["inbox"]["example"]
    run_status(output(as_json=False), referral)
    printed = capsys.readouterr().out
    assert "Cause: Opportunity Name (Name) must not contain TBD. Change the value in Partner Center." in printed
    assert "(FIELD_CUSTOM_VALIDATION_EXCEPTION of Name)" in printed
    renamed = {"/details/dealValue": "/name", '"value": 5000': '"value": "Tailwind TBD 2"'}
    act(EDITS_REFERRAL, REFERRAL=referral, **renamed)
    trouble.wait_for_events()
    trouble.host.run_now("sweep_referrals")
    assert groups()["inbox"]["example"] == referral


def test_no_record_has_a_future_time_and_the_doctor_names_what_waits(trouble: World) -> None:
    now = datetime.now(UTC)
    assert now <= trouble.systems.salesforce.clock.now() <= datetime.now(UTC)
    stamps = {record["SystemModstamp"] for record in trouble.systems.salesforce.records("Opportunity")}
    assert max(map(datetime.fromisoformat, stamps)) <= now
    with closing(Installation()) as installation:
        assert check_approvals(installation).found == (
            "waiting for an approval: 1 change in Partner Center, stopped at the limit of 14 a day: "
            "one value of Close Date on many deals"
        )


def test_make_trouble_prints_how_to_begin_and_keeps_the_log_in_a_file(tmp_path: Path) -> None:
    with start_python("-m", "local.trouble", "--port", "0", folder=tmp_path) as command:
        assert command.process.stdout is not None
        printed = "".join(iter(command.process.stdout.readline, "\n"))  # the addresses, up to an empty line
        assert PATH_LINE in printed.splitlines()
        page = command.read_until(r"Mend them all with (\S+),")[1]
        command.read_until(r"^cosell status --env local$")
        log = Path(command.read_until(r"The log events of the connector go to (\S+), one on each line")[1])
        logged = log.read_text(encoding="utf-8")
        code, rest = command.stop_and_read()
    assert (code, rest) == (0, "Stopped.\n")
    assert (ROOT / page).is_file()
    assert '"event"' not in printed
    assert '"event": "pair_parked"' in logged
