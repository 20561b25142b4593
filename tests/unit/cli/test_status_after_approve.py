"""What `cosell status` says after `cosell approve`: who approved what, and when, until the app has worked it."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.systems import Systems
from shared.app import App
from shared.cli.approve import run_approve
from shared.cli.exit_codes import Exit
from shared.cli.output import Output
from shared.cli.retry import run_retry
from shared.cli.status import run_status
from shared.sync.runs import run_push
from tests.unit.cli.golden_text import golden_output

OPERATOR = "11111111-2222-4333-8444-555555555555"
LIMIT = 4


@pytest.fixture(autouse=True)
def _operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.cli.operator.operator_id", lambda _app: OPERATOR)


@pytest.fixture
def stopped(systems: Systems, monkeypatch: pytest.MonkeyPatch) -> str:
    """A deal whose new amount is one too many of the day; returns its id."""
    monkeypatch.setenv("SYNC", "on")
    monkeypatch.setenv("PARALLELISM", "1")
    deals = [systems.seller_creates(f"Deal {number}") for number in range(LIMIT + 1)]
    push()
    push()
    monkeypatch.setenv("MASS_CHANGE_LIMIT", str(LIMIT))
    for deal in deals:
        systems.salesforce.edit("Opportunity", deal, {"Amount": 5})
    push()
    with closing(App()) as app:
        (waiting,) = (entry.value.opportunity_id for entry in app.store.links() if entry.value.waiting)
    return waiting


def push() -> None:
    with closing(App()) as app:
        run_push(app.context)


def printed(capsys: pytest.CaptureFixture[str], *command: Any) -> str:  # noqa: ANN401 - the arguments of any command
    """What a command prints, with times in one form."""
    capsys.readouterr()
    run_status(golden_output(), *command)
    return re.sub(r"\d+ (s|min) ago \(.*? UTC\)", "0 s ago (0000-00-00 00:00:00 UTC)", capsys.readouterr().out)


def approve(capsys: pytest.CaptureFixture[str]) -> str:
    run_approve(golden_output(), yes=True, dry_run=False)
    return capsys.readouterr().out.splitlines()[-1]


def read(capsys: pytest.CaptureFixture[str], *command: str) -> tuple[Exit, dict[str, Any]]:
    """Exit code and JSON of `cosell status`."""
    capsys.readouterr()
    code = run_status(Output(as_json=True), *command)
    return code, json.loads(capsys.readouterr().out)


def test_both_name_who_approved_until_the_app_has_worked_it(stopped: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "`cosell approve --env local`" in printed(capsys)
    assert read(capsys, stopped)[0] is Exit.PROBLEM
    assert "names who approved it" in approve(capsys)
    said = f"approved by {OPERATOR}, 0 s ago (0000-00-00 00:00:00 UTC), goes with the next run"
    assert any(
        re.fullmatch(rf"   Deal \d \({stopped}\): {re.escape(said)}", line) for line in printed(capsys).splitlines()
    )
    one = printed(capsys, stopped)
    assert f"   Approved by {OPERATOR}, 0 s ago (0000-00-00 00:00:00 UTC). It goes with the next run." in one
    assert "cosell approve" not in printed(capsys) + one
    push()
    assert read(capsys)[1]["asked"] == []
    assert OPERATOR not in printed(capsys) + printed(capsys, stopped)


def test_what_is_approved_waits_for_nobody(stopped: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [group["kind"] for group in read(capsys)[1]["groups"]] == ["stopped"]
    approve(capsys)
    code, document = read(capsys)
    assert (code, document["groups"]) == (Exit.OK, [])
    assert [(one["key"], one["operator"], one["is_approved"]) for one in document["asked"]] == [
        (stopped, OPERATOR, True)
    ]
    assert [(one["cause"], one["reason"]) for one in document["waiting"]] == [
        ("mass_change", "An operator has approved it")
    ]
    assert read(capsys, stopped)[0] is Exit.OK


def test_a_retry_of_an_approved_deal_asks_for_no_second_approval(
    stopped: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_retry(golden_output(), stopped, None, all_deals=False) is Exit.PROBLEM
    approve(capsys)
    assert run_retry(golden_output(), stopped, None, all_deals=False) is Exit.OK
    assert "cosell approve" not in capsys.readouterr().out


def test_a_deal_whose_new_field_was_approved_names_who_did(
    systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNC", "on")
    deal = systems.seller_creates("Deal", NextStep="Call")
    push()
    mapping = tmp_path / "other.toml"
    mapping.write_text('extends = "default"\n[fields.notes]\nsalesforce = "NextStep"\n', "utf-8")
    monkeypatch.setenv("MAPPING", str(mapping))
    systems.salesforce.edit("Opportunity", deal, {"Amount": 777})
    push()
    approve(capsys)
    (asked,) = read(capsys)[1]["asked"]
    assert (asked["key"], asked["operator"], asked["is_approved"]) == (deal, OPERATOR, True)
    push()
    assert read(capsys)[1]["asked"] == []


@pytest.mark.parametrize("as_json", [False, True])
def test_an_approval_says_what_keeps_the_app_from_it(
    stopped: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setenv("PUSH_PAUSED", "true")
    monkeypatch.setenv("PULL_PAUSED", "true")
    run_approve(golden_output(as_json=as_json), yes=True, dry_run=False)
    printed = capsys.readouterr().out
    said = "The push is paused, so it waits until `cosell resume --env local push`."
    if as_json:
        assert json.loads(printed)["obstacles"] == [said], f"{stopped} is pushed, so the pull does not matter"
    else:
        assert printed.splitlines()[-3] == said
